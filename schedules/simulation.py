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

from schedules.docket import Docket, Situation
from schedules.due import Accept, Act, Cut, End, OnAir, Phase, Record, Start, due, fresh, next_look
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
    """``job`` sounds from ``since`` until before ``until``, from this position in its audio on."""

    job: Job
    since: datetime
    until: datetime
    from_ms: int


@dataclass(frozen=True)
class Ended:
    """The one outcome of a job, and when it came to it."""

    job: Job
    at: datetime
    step: Step
    reason: Reason | None


@dataclass(frozen=True)
class Day:
    """What sounded, in order, and what became of every job."""

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
    stretches: list[Stretch] = field(default_factory=list)
    endings: list[Ended] = field(default_factory=list)

    def look(self) -> None:
        """Let what is over be over, then do what is due until nothing is."""
        if self.held and self.now >= self._over(self.held):
            sounded = self.held.job.id
            self.leave(self.now)
            self._ended(sounded, Step.SOUNDED, None)
        while acts := due(self._situation()):
            for act in acts:
                self._do(act)

    def next_moment(self) -> datetime:
        """When something may change."""
        moments = [next_look(self._situation(), LOOK)]
        if self.held:
            moments += [each for each in (self.held.at, self._over(self.held)) if each > self.now]
        return min(moments)

    def leave(self, at: datetime) -> None:
        """Take the loudspeaker away, and write down what was heard."""
        held, self.held = self.held, None
        if held and at > held.at:
            self.stretches.append(Stretch(held.job, held.at, at, held.from_ms))

    def _situation(self) -> Situation:
        on_air = OnAir(self.held.job, self.now >= self.held.at) if self.held else None
        return Situation(self._docket(), on_air, self.config, self.now, over=self.over)

    def _docket(self) -> Docket:
        """As it was, while no record has changed."""
        if self.docket is None:
            self.docket = Docket(self.jobs, self.records)
        return self.docket

    def _do(self, act: Act) -> None:
        if isinstance(act, Accept):
            self._record(fresh(act.job))
        elif isinstance(act, End):
            self._ended(act.job, act.step, act.reason)
        elif isinstance(act, Cut):
            self._cut(act)
        else:
            self.held = act
            self._put(act.job.id, phase=Phase.ON_AIR, asset=audio_of(act.job), position_ms=act.from_ms)

    def _cut(self, act: Cut) -> None:
        assert self.held
        position = self.held.from_ms + max(0, round((self.now - self.held.at) / timedelta(milliseconds=1)))
        self.leave(self.now)
        self._put(act.job, position_ms=position)
        phase = self.records[act.job].released(act.then)
        if phase is Phase.ENDED and act.then:
            self._ended(act.job, act.then, act.reason)
        else:
            self._put(act.job, phase=phase)

    def _ended(self, job_id: str, step: Step, reason: Reason | None) -> None:
        self._put(job_id, phase=Phase.ENDED)
        self.endings.append(Ended(self.jobs[job_id], self.now, step, reason))

    def _put(self, job_id: str, **changed: object) -> None:
        self._record(msgspec.structs.replace(self.records[job_id], **changed))

    def _record(self, record: Record) -> None:
        self.records[record.job], self.docket = record, None

    def _over(self, held: Start) -> datetime:
        return held.at + timedelta(milliseconds=length_ms(held.job) - held.from_ms)
