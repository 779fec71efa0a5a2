"""A node's decision in the simplest world: a ledger, a loudspeaker and a clock, to which anything happens."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec
from makers_node import make_config

from schedules import policy, precedence, standing_in
from schedules.docket import Docket, Situation
from schedules.due import Accept, Act, Cut, Duck, End, OnAir, Phase, Record, Start, due, fresh, next_look
from schedules.relays import length_ms
from schedules.situation import audio_of
from wire.errors import Reason
from wire.plan import BulletinClass, Job
from wire.receipt import OUTCOMES, Step


@dataclass
class World:
    """A ledger, a loudspeaker and a clock in memory, as simple as they can be."""

    jobs: dict[str, Job]
    offset_ms: int
    now: datetime
    maintenance: bool = False
    known: bool = True
    records: dict[str, Record] = field(default_factory=dict)
    unready: dict[str, Reason] = field(default_factory=dict)
    voices: dict[str, bool] = field(default_factory=dict)  # emergencies without audio: whole, or a siren alone
    held: Start | None = None
    beneath: Start | None = None
    playing: str = ""  # the name of what is held
    spoken: int = 0  # how many ended in the node's own voice
    outcomes: dict[str, list[Step]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def sounding(self) -> bool:
        return self.held is not None and self.now >= self.held.at

    def position(self) -> int:
        assert self.held
        return self.position_of(self.held)

    def position_of(self, held: Start) -> int:
        return held.from_ms + max(0, int((self.now - held.at) / timedelta(milliseconds=1)))

    def situation(self) -> Situation:
        beneath = self.beneath.job if self.beneath else None
        on_air = OnAir(self.held.job, self.sounding(), beneath) if self.held else None
        config = make_config(offset_ms=self.offset_ms, maintenance=self.maintenance)
        docket = Docket(dict(self.jobs), dict(self.records))
        return Situation(docket, on_air, config, self.now, self.known, self.lacking())

    def lacking(self) -> dict[str, Reason]:
        """What is unready, but for what stands in: the words, or the siren once."""
        stood_in = {
            name
            for name, whole in self.voices.items()
            if name in self.jobs and standing_in.may(self.jobs[name]) and (whole or not self._has_had_its_siren(name))
        }
        return {name: why for name, why in self.silent().items() if name not in stood_in}

    def silent(self) -> dict[str, Reason]:
        """What has no audio of its own."""
        bare = {job.id: Reason.NO_AUDIO for job in self.jobs.values() if job.asset is None and job.relay is None}
        return bare | self.unready

    def _has_had_its_siren(self, name: str) -> bool:
        record = self.records.get(name)
        return record is not None and standing_in.is_siren(record.asset) and record.phase is Phase.PAUSED

    def audio(self, job: Job) -> str:
        """What sounds when it is started now."""
        if job.id not in self.silent() or job.id not in self.voices:
            return audio_of(job)
        return standing_in.spoken_name(job) if self.voices[job.id] else standing_in.siren_name(job)

    def put(self, job_id: str, **changed: object) -> None:
        self.records[job_id] = msgspec.structs.replace(self.records[job_id], **changed)

    def apply(self, acts: list[Act]) -> None:
        for act in acts:
            getattr(self, f"_{type(act).__name__.lower()}")(act)

    def _accept(self, act: Accept) -> None:
        self.seen.add(act.job.id)
        record = self.records.get(act.job.id)
        if record and record.phase is Phase.WITHDRAWN:  # it is back before it began: that was no end
            assert self.outcomes.pop(act.job.id) == [Step.WITHDRAWN]
            record = None
        kept = {} if record is None or not record.position_ms else {"asset": record.asset}
        base = fresh(act.job)
        if record:
            base = msgspec.structs.replace(base, phase=record.phase, position_ms=record.position_ms, **kept)
        self.records[act.job.id] = base

    def _end(self, act: End) -> None:
        assert all(held.job.id != act.job for held in (self.held, self.beneath) if held)
        self.ended(act.job, act.step)

    def ended(self, job_id: str, step: Step) -> None:
        assert step in OUTCOMES
        if step is Step.SOUNDED:
            assert not standing_in.is_siren(self.records[job_id].asset), "a siren without words"
        self.outcomes.setdefault(job_id, []).append(step)
        may_return = step is Step.WITHDRAWN and self.records[job_id].phase is Phase.WAITING
        self.put(job_id, phase=Phase.WITHDRAWN if may_return else Phase.ENDED)

    def _cut(self, act: Cut) -> None:
        assert self.held, "a cut with nothing on air"
        if self.beneath and self.beneath.job.id == act.job:
            self.put(act.job, position_ms=self.position_of(self.beneath))
            self.beneath = None
        else:
            assert self.held.job.id == act.job
            if self.sounding():
                self.put(act.job, position_ms=self.position(), asset=self.playing)
            self.let_go()
        phase = self.records[act.job].released(act.then)
        if phase is Phase.ENDED:
            assert act.then
            self.ended(act.job, act.then)
        else:
            self.put(act.job, phase=phase)

    def let_go(self) -> None:
        """What lay beneath has the loudspeaker again."""
        self.held, self.beneath = self.beneath, None
        self.playing = self.records[self.held.job.id].asset if self.held else ""

    def _duck(self, act: Duck) -> None:
        assert self.held, "nothing to duck"
        assert self.sounding(), "what does not sound yet cannot duck"
        assert self.beneath is None, "two beneath"
        assert self.held.job.id == act.job
        assert self.held.job.duck
        assert self.held.job.bulletin_class is not BulletinClass.EMERGENCY, "an emergency ducked"
        self.beneath, self.held = self.held, None

    def _start(self, act: Start) -> None:
        assert self.held is None or (self.beneath is None and self.held.job.duck), "two on air"
        if self.held:  # what is above it has gone, and the next comes over it
            self.beneath, self.held = self.held, None
        if self.beneath:
            assert act.job.bulletin_class is BulletinClass.EMERGENCY, "only an emergency has anything beneath it"
        assert self.records[act.job.id].phase is not Phase.ENDED, "sounded after its outcome"
        assert act.job.id not in self.lacking()
        self.held = act
        asset = self.playing = self.audio(act.job)
        position = self.records[act.job.id].position_ms if self.records[act.job.id].asset == asset else 0
        self.put(act.job.id, phase=Phase.ON_AIR, asset=asset, position_ms=position)

    def finish(self) -> None:
        """The player says that an item is over."""
        if self.beneath and self.position_of(self.beneath) >= length_ms(self.beneath.job):
            job, self.beneath = self.beneath.job, None
            self.put(job.id, position_ms=length_ms(job))
            self.ended(job.id, Step.SOUNDED)
        if self.held and self.sounding() and self.position() >= length_ms(self.held.job):
            position, job, playing = self.position(), self.held.job, self.playing
            self.let_go()
            if standing_in.is_siren(playing):
                self.put(job.id, phase=Phase.PAUSED, position_ms=position)
            else:
                self.spoken += standing_in.is_spoken(playing)
                self.ended(job.id, Step.SOUNDED)

    def crash(self) -> None:
        if self.held and self.sounding():
            self.put(self.held.job.id, position_ms=self.position(), asset=self.playing)
        if self.beneath:
            self.put(self.beneath.job.id, position_ms=self.position_of(self.beneath))
        self.held = self.beneath = None

    def look(self) -> Situation:
        """Decide and act once; the situation that is left, in which there is nothing more to do."""
        self.finish()
        left = self.situation()
        acts = due(left)
        if acts:
            self.apply(acts)
            left = self.situation()
        cut = {act.job for act in acts if isinstance(act, Cut)}
        again = due(left)
        if again and all(isinstance(act, End) and act.job in cut for act in again):
            self.apply(again)  # only the cut told how far the job had come
            left = self.situation()
            again = due(left)
        assert again == [], f"not stable after {acts}"
        self.check(left)
        return left

    def check(self, s: Situation) -> None:
        sounding = [held for held in (self.held, self.beneath) if held and self.now >= held.at]
        for held in sounding:
            if held.job.bulletin_class is not BulletinClass.EMERGENCY:
                assert policy.may_sound(held.job.bulletin_class, self.now, s.config.quiet_hours, s.config.zone)
                assert not self.maintenance
        ready = [
            job
            for job in self.jobs.values()
            if job.bulletin_class is BulletinClass.EMERGENCY
            and job.id not in s.unready
            and not (self.held and self.held.job.id == job.id)
            and self.records[job.id].phase is not Phase.ENDED
            and self.now >= job.start + timedelta(milliseconds=max(0, self.offset_ms))
        ]
        if ready:
            assert self.held, "an emergency waits before an idle loudspeaker"
            assert self.held.job.bulletin_class is BulletinClass.EMERGENCY, "an emergency waits behind a lower class"
            assert precedence.rank(self.held.job) <= min(map(precedence.rank, ready))


def happen(world: World, what: str, fact: object) -> None:
    if what == "plan":
        assert isinstance(fact, Job)
        world.jobs[fact.id] = fact
    elif what == "withdraw":
        world.jobs.pop(f"b{fact}", None)
    elif what == "unready":
        if not world.held or world.held.job.id != f"b{fact}":
            world.unready[f"b{fact}"] = Reason.NO_AUDIO
    elif what in ("speaks", "sirens"):
        world.voices[f"b{fact}"] = what == "speaks"
    elif what == "ready":
        world.unready.pop(f"b{fact}", None)
    elif what == "crash":
        world.crash()
    elif what in ("unknown", "known"):
        world.known = what == "known"
    elif what in ("maintenance", "work"):
        world.maintenance = what == "maintenance"
    elif what == "jump":
        assert isinstance(fact, int)
        if world.held:  # the player's own clock goes on
            world.held = replace(world.held, at=world.held.at + timedelta(seconds=fact))
        if world.beneath:
            world.beneath = replace(world.beneath, at=world.beneath.at + timedelta(seconds=fact))
        world.now += timedelta(seconds=fact)
    else:
        assert isinstance(fact, int | float)
        run(world, world.now + timedelta(seconds=fact))


def run(world: World, until: datetime, most: timedelta = timedelta(seconds=5)) -> None:
    """Tick as the agent does: at every next look, and when the player has finished."""
    while True:
        moments = [until, next_look(world.look(), most)]
        for held in (world.held, world.beneath):
            left = length_ms(held.job) - held.from_ms if held else 0
            moments += [held.at, held.at + timedelta(milliseconds=left)] if held else []
        ahead = [moment for moment in moments if moment > world.now]
        if world.now >= until:
            return
        world.now = min(ahead)
