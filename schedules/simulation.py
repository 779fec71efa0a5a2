"""A day of radio in milliseconds: the node's own decision, walked from moment to moment with nothing else changing.

- The loudspeaker of the simulation does what it is told, audio is always ready, the clock is right, nothing breaks:
  what it says is what the plan asks for, not what weather and wires will make of it.
- Pure: jobs and config in, what sounds when out. It rests on `due` and `next_look` and decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from schedules import ducking
from schedules.docket import Docket, Situation
from schedules.due import Accept, Act, Cut, Duck, End, OnAir, Phase, Record, Start, due, fresh, next_look
from schedules.relays import length_ms
from schedules.rulebook import refused_jobs
from schedules.situation import audio_of
from wire.config import NodeConfig
from wire.errors import Reason
from wire.plan import Job
from wire.receipt import Step

LOOK = timedelta(hours=1)  # the longest step when nothing is to come


@dataclass(frozen=True)
class Stretch:
    """``job`` sounds from ``since`` until before ``until``, from this position in its audio on, perhaps ``beneath``."""

    job: Job
    since: datetime
    until: datetime
    from_ms: int
    beneath: bool = False


@dataclass(frozen=True)
class Ended:
    """The one outcome of a job, and when it came to it."""

    job: Job
    at: datetime
    step: Step
    reason: Reason | None


@dataclass(frozen=True)
class Day:
    """What sounded, in the order in which it stopped, and what became of every job."""

    stretches: tuple[Stretch, ...]
    endings: tuple[Ended, ...]


def simulate(jobs: Mapping[str, Job], config: NodeConfig, since: datetime, until: datetime) -> Day:
    """What a node that holds ``jobs`` and ``config`` sounds in [since, until); it was idle before."""
    over = refused_jobs(jobs.values(), config)
    world = _World(jobs, config, since, over=over)
    while world.now < until:
        world.look()
        world.now = min(until, world.next_moment())
    world.look()
    world.leave(until)
    return Day(tuple(world.stretches), tuple(world.endings))


@dataclass
class _World:
    """A ledger, a loudspeaker and a clock, as simple as they can be."""

    jobs: Mapping[str, Job]
    config: NodeConfig
    now: datetime
    records: dict[str, Record] = field(default_factory=dict)
    over: Mapping[str, Reason] = field(default_factory=dict)  # what the config's limits refuse
    docket: Docket | None = None
    held: Start | None = None
    beneath: Start | None = None
    beneath_ms: dict[str, int] = field(default_factory=dict)
    stretches: list[Stretch] = field(default_factory=list)
    endings: list[Ended] = field(default_factory=list)

    def look(self) -> None:
        """Let what is over be over, then do what is due until nothing is."""
        if self.beneath and self.now >= self._over(self.beneath):
            self._finish(self.beneath)
        if self.held and self.now >= self._over(self.held):
            self._finish(self.held)
        while acts := due(self._situation()):
            begins = next((act.at for act in acts if isinstance(act, Start)), self.now)
            for act in acts:
                self._do(act, begins)

    def next_moment(self) -> datetime:
        """When something may change."""
        moments = [next_look(self._situation(), LOOK)]
        for held in (self.held, self.beneath):
            moments += [each for each in (held.at, self._over(held)) if each > self.now] if held else []
        return min(moments)

    def leave(self, at: datetime) -> None:
        """Take the loudspeaker away, and write down what was heard. What lay beneath has it again."""
        beneath, self.beneath = self.beneath, None
        held, self.held = self.held, self._heard(beneath, at, beneath=True) if beneath else None
        if held:
            self._heard(held, at)

    def _heard(self, held: Start, at: datetime, beneath: bool = False) -> Start:
        """Write down what was heard of it; what is left of it."""
        if at <= held.at:
            return held
        self.stretches.append(Stretch(held.job, held.at, at, held.from_ms, beneath))
        heard_ms = round((at - held.at) / timedelta(milliseconds=1))
        if beneath:
            self.beneath_ms[held.job.id] = self.beneath_ms.get(held.job.id, 0) + heard_ms
        return Start(held.job, at, held.from_ms + heard_ms)

    def _situation(self) -> Situation:
        beneath = self.beneath.job if self.beneath else None
        on_air = OnAir(self.held.job, self.now >= self.held.at, beneath) if self.held else None
        return Situation(self._docket(), on_air, self.config, self.now, over=self.over)

    def _docket(self) -> Docket:
        """As it was, while no record has changed."""
        if self.docket is None:
            self.docket = Docket(self.jobs, self.records)
        return self.docket

    def _do(self, act: Act, begins: datetime) -> None:
        if isinstance(act, Accept):
            self._record(fresh(act.job))
        elif isinstance(act, End):
            self._ended(act.job, act.step, act.reason)
        elif isinstance(act, Cut):
            self._cut(act, begins if act.gives_way else self.now)
        elif isinstance(act, Duck):
            assert self.held
            self.beneath, self.held = self._heard(self.held, begins), None
        else:
            self.held = act
            self._put(act.job.id, phase=Phase.ON_AIR, asset=audio_of(act.job), position_ms=act.from_ms)

    def _cut(self, act: Cut, at: datetime) -> None:
        held = self.beneath if self.beneath and self.beneath.job.id == act.job else self.held
        assert held
        at = min(at, self._over(held))
        position = held.from_ms + max(0, round((at - held.at) / timedelta(milliseconds=1)))
        self._take_away(held, at)
        self._put(act.job, position_ms=position)
        phase = self.records[act.job].released(act.then)
        if act.then and position >= length_ms(held.job):
            self._ended(act.job, *self._outcome(held))
        elif phase is Phase.ENDED and act.then:
            self._ended(act.job, act.then, act.reason)
        else:
            self._put(act.job, phase=phase)

    def _finish(self, held: Start) -> None:
        self._take_away(held, self.now)
        self._ended(held.job.id, *self._outcome(held))

    def _take_away(self, held: Start, at: datetime) -> None:
        if held is self.beneath:
            self._heard(held, at, beneath=True)
            self.beneath = None
        else:
            self.leave(at)

    def _outcome(self, held: Start) -> tuple[Step, Reason | None]:
        sounded_ms = length_ms(held.job)
        return ducking.outcome(self.beneath_ms.get(held.job.id, 0), sounded_ms)

    def _ended(self, job_id: str, step: Step, reason: Reason | None) -> None:
        self._put(job_id, phase=Phase.ENDED)
        self.endings.append(Ended(self.jobs[job_id], self.now, step, reason))

    def _put(self, job_id: str, **changed: object) -> None:
        self._record(msgspec.structs.replace(self.records[job_id], **changed))

    def _record(self, record: Record) -> None:
        self.records[record.job], self.docket = record, None

    def _over(self, held: Start) -> datetime:
        return held.at + timedelta(milliseconds=length_ms(held.job) - held.from_ms)
