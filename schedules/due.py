"""What is due: the node's whole decision, a pure function of plan, ledger, loudspeaker and `now`.

- No stored alarms: asked again at every tick, so a hopping clock or a power cut is nothing special.
- A job ends exactly once. The last moment to begin is its deadline; a job that has begun may go on as if it
  had begun at its deadline (position later), so a cut or a crash does not lose it at once.
- With the time unknown nothing but an emergency sounds, and nothing ends for being late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from schedules import policy, precedence
from wire.config import NodeConfig
from wire.errors import Reason
from wire.plan import AfterCut, BulletinClass, Job
from wire.receipt import Step

PRIME = timedelta(seconds=2)  # how long before its second a job is handed to the player
REST_MS = 300  # less than this left of a job that crashed at its end counts as sounded


class Phase(StrEnum):
    """How far a job has come on this node. ON_AIR with an idle player means a crash or a power cut."""

    WAITING = "waiting"
    ON_AIR = "on_air"
    PAUSED = "paused"
    ENDED = "ended"


class Record(msgspec.Struct, frozen=True):
    """The ledger's line for one job."""

    job: str
    phase: Phase
    start: datetime
    deadline: datetime
    asset: str = ""
    position_ms: int = 0


@dataclass(frozen=True)
class OnAir:
    """What the player holds: primed for its second, or sounding."""

    job: Job
    sounding: bool


@dataclass(frozen=True)
class Situation:
    """Everything the decision rests on."""

    jobs: Mapping[str, Job]  # the union of the held, valid plans
    records: Mapping[str, Record]
    on_air: OnAir | None
    config: NodeConfig
    now: datetime
    clock_known: bool = True
    unready: Mapping[str, Reason] = field(default_factory=dict)  # jobs whose audio is not on disk, and why


@dataclass(frozen=True)
class Accept:
    """A job seen for the first time."""

    job: Job


@dataclass(frozen=True)
class End:
    """The job's one outcome."""

    job: str
    step: Step
    reason: Reason | None = None


@dataclass(frozen=True)
class Cut:
    """Take the loudspeaker from what holds it. ``then`` is PAUSED, an outcome, or None when it had not sounded."""

    job: str
    then: Step | None
    reason: Reason | None = None


@dataclass(frozen=True)
class Start:
    """Give the loudspeaker to this job: its first sample (from ``from_ms``) leaves at ``at``."""

    job: Job
    at: datetime
    from_ms: int = 0


Act = Accept | End | Cut | Start


def due(s: Situation) -> list[Act]:
    """What to do now, in this order. Applying it and asking again gives nothing new until something changes."""
    acts: list[Act] = [Accept(job) for job_id, job in s.jobs.items() if job_id not in s.records]
    if s.on_air:
        stop = _must_stop(s, s.on_air)
        if stop:
            return [*acts, stop]
    ended = _endings(s)
    acts += ended
    gone = {end.job for end in ended}
    wanting = [job for job in s.jobs.values() if job.id not in gone and _wants_air(s, job)]
    if wanting:
        acts += _give_air(s, min(wanting, key=precedence.order))
    return acts


def next_look(s: Situation, most: timedelta = timedelta(seconds=60)) -> datetime:
    """The next moment at which `due` may answer something else with nothing else changed."""
    moments = [s.now + most]
    for job in s.jobs.values():
        record = s.records.get(job.id)
        if record is None or record.phase is Phase.ENDED:
            continue
        moments += [job.start + _offset(s) - PRIME, _last_moment(job.deadline, record)]
    return min(moment for moment in moments if moment > s.now)


def _must_stop(s: Situation, on_air: OnAir) -> Cut | None:
    """Why what holds the loudspeaker must let go, if it must: withdrawn, or quiet hours began."""
    job = on_air.job
    if job.id not in s.jobs:
        return Cut(job.id, Step.WITHDRAWN)
    if on_air.sounding and s.clock_known and _forbidden(s, job) is Reason.QUIET_HOURS:
        return Cut(job.id, Step.PREEMPTED, Reason.QUIET_HOURS)
    return None


def _endings(s: Situation) -> list[End]:
    held = s.on_air.job.id if s.on_air else None
    ends = []
    for job_id in {**s.records, **s.jobs}:
        record = s.records.get(job_id)
        if job_id == held or (record and record.phase is Phase.ENDED):
            continue
        end = _ending(s, s.jobs.get(job_id), record)
        if end:
            ends.append(end)
    return ends


def _ending(s: Situation, job: Job | None, record: Record | None) -> End | None:
    """The outcome of a job that does not hold the loudspeaker, if it has come to one."""
    if job is None:
        assert record is not None
        late = s.clock_known and s.now > _last_moment(record.deadline, record)
        return End(record.job, *(_too_late(s, record) if late else (Step.WITHDRAWN, None)))
    if record and record.phase is Phase.ON_AIR and _remaining_ms(job, record) <= REST_MS:
        return End(job.id, Step.SOUNDED)
    timed = s.clock_known or job.bulletin_class is BulletinClass.EMERGENCY
    if timed and s.now > _last_moment(job.deadline, record):
        return End(job.id, *_too_late(s, record or _fresh(job)))
    if s.clock_known and s.now >= job.start + _offset(s):
        forbidden = _forbidden(s, job)
        if forbidden:
            return End(job.id, Step.REFUSED, forbidden)
    return None


def _too_late(s: Situation, record: Record) -> tuple[Step, Reason]:
    """What became of a job whose last moment passed."""
    if record.phase is Phase.ON_AIR:
        return Step.INTERRUPTED, Reason.LATE
    if record.phase is Phase.PAUSED:
        return Step.PREEMPTED, Reason.OUTRANKED
    if record.job in s.unready:
        return Step.MISSED, s.unready[record.job]
    return Step.MISSED, Reason.OUTRANKED if s.on_air else Reason.LATE


def _forbidden(s: Situation, job: Job) -> Reason | None:
    """Why the node must not sound this job now, whatever the plan says."""
    if job.bulletin_class is BulletinClass.EMERGENCY:
        return None
    if not policy.may_sound(job.bulletin_class, s.now, s.config.quiet_hours, s.config.zone):
        return Reason.QUIET_HOURS
    return Reason.MAINTENANCE if s.config.maintenance else None


def _wants_air(s: Situation, job: Job) -> bool:
    """Whether the job should hold the loudspeaker now, if it were alone."""
    record = s.records.get(job.id)
    if record is None or record.phase is Phase.ENDED or job.id in s.unready:
        return False
    if s.on_air and job.id == s.on_air.job.id:
        return False
    if not s.clock_known:
        return job.bulletin_class is BulletinClass.EMERGENCY and s.now >= job.start  # now is a lower bound
    begin = job.start + _offset(s)
    if s.now < begin - PRIME:
        return False
    return policy.may_sound(job.bulletin_class, max(s.now, begin), s.config.quiet_hours, s.config.zone)


def _give_air(s: Situation, job: Job) -> list[Act]:
    """The loudspeaker to ``job``, cutting into what holds it if ``job`` may."""
    record = s.records[job.id]
    at = max(s.now, job.start + _offset(s)) if s.clock_known else s.now
    start = Start(job, at, _position_ms(job, record))
    if s.on_air is None:
        return [start]
    if not precedence.cuts_in(job, s.on_air.job) and not _goes_ahead(job, s.on_air):
        return []
    return [_cut(s.on_air), start]


def _goes_ahead(job: Job, on_air: OnAir) -> bool:
    """Whether a job takes the place of one that is only primed: it has the higher order and is not later."""
    return (
        not on_air.sounding and precedence.order(job) < precedence.order(on_air.job) and job.start <= on_air.job.start
    )


def _cut(on_air: OnAir) -> Cut:
    if not on_air.sounding:
        return Cut(on_air.job.id, None)
    dropped = on_air.job.after_cut is AfterCut.DROP
    return Cut(on_air.job.id, Step.PREEMPTED if dropped else Step.PAUSED, Reason.OUTRANKED)


def _position_ms(job: Job, record: Record) -> int:
    """Where a job goes on: an emergency and a restarting job at the beginning, else where it stopped."""
    if job.bulletin_class is BulletinClass.EMERGENCY or job.after_cut is AfterCut.RESTART:
        return 0
    return record.position_ms


def _remaining_ms(job: Job, record: Record) -> int:
    return (job.asset.duration_ms if job.asset else 0) - record.position_ms if record.position_ms else 1 << 40


def _last_moment(deadline: datetime, record: Record | None) -> datetime:
    return deadline + timedelta(milliseconds=record.position_ms if record else 0)


def _offset(s: Situation) -> timedelta:
    return timedelta(milliseconds=s.config.offset_ms)


def _fresh(job: Job) -> Record:
    return Record(job.id, Phase.WAITING, job.start, job.deadline)
