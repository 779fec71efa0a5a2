"""What is due: the node's whole decision, a pure function of plan, ledger, loudspeaker and `now`.

- No stored alarms: asked again at every tick, so a hopping clock or a power cut is nothing special.
- A job ends exactly once. The last moment to begin is its deadline; a job that has begun may go on as if it
  had begun at its deadline (position later), so a cut or a crash does not lose it at once.
- A relay is live (`schedules.relays`): what is late or was cut is in its middle by then, and its end does not move.
- What may stand in for an emergency's audio (`schedules.standing_in`) is the caller's: to the decision such a job is
  ready. A siren alone is no outcome; the job waits for its words until its deadline.
- An edit reaches what has not sounded yet; what is sounding is finished as it began, unless it is withdrawn.
- `now` is at least a lower bound. With the time unknown nothing but an emergency begins, and no other job that
  is still in a plan ends for being late.
- What is to duck (`schedules.ducking`) is not cut by an emergency: it goes on beneath, and what would stop it on air
  stops it there.
- Quiet hours are strict: a negative offset does not reach into them, a late start is not given into them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from schedules import ducking, moments, policy, precedence, relays, standing_in
from schedules.docket import Situation
from schedules.situation import Accept, Act, Cut, Duck, End, OnAir, Phase, Record, Start, audio_of, fresh
from wire.errors import Reason
from wire.plan import AfterCut, BulletinClass, Job
from wire.receipt import Step

PRIME = timedelta(seconds=2)  # how long before its second a job is handed to the player
CUT_LEAD = timedelta(milliseconds=300)  # how long before its second it takes the loudspeaker from a lower job
REST_MS = 300  # no more than this left of a job that was cut or crashed at its end counts as sounded
_TICK = timedelta(microseconds=1)

__all__ = [
    "Accept",
    "Act",
    "Cut",
    "Duck",
    "End",
    "OnAir",
    "Phase",
    "Record",
    "Start",
    "due",
    "fresh",
    "next_look",
]


def due(s: Situation) -> list[Act]:
    """What to do now, in this order. Applying it and asking again gives nothing new until something changes."""
    acts: list[Act] = [Accept(job) for job in s.docket.news if not _sounds(s, job)]
    for held in _held(s):
        stop = _must_stop(s, held)
        if stop:
            acts.append(stop)
            s = _without(s, stop)
    reached = s.docket.reached(_reach(s))
    ended = _endings(s, reached)
    acts += ended
    gone = {end.job for end in ended}
    wanting = [job for job in reached if job.id not in gone and _wants_air(s, job)]
    # the highest may have to wait a second for its cut: whoever may have the air at once does not wait for that
    offers = (_give_air(s, job) for job in sorted(wanting, key=lambda job: _standing(s, job)))
    return acts + next((offer for offer in offers if offer), [])


def next_look(s: Situation, most: timedelta = timedelta(seconds=60)) -> datetime:
    """The next moment at which `due` may answer something else with nothing else changed."""
    reach = _reach(s)
    moments_ahead = [s.now + most]
    for job in s.docket.reached(reach):
        begin = _begin(s, job)
        moments_ahead += [begin - PRIME, begin - CUT_LEAD, begin, _last_moment(s, job, s.records.get(job.id)) + _TICK]
    for held in _held(s):
        quiet = moments.clock_time(s.config.quiet_hours.since)
        moments_ahead.append(moments.next_at(quiet, s.now + _TICK, s.config.zone))
        if held.job.relay:
            moments_ahead.append(relays.end(held.job.relay, _begin(s, held.job)) + relays.OVERRUN)
    look = min(moment for moment in moments_ahead if moment > s.now)
    for job in s.docket.beyond(reach):
        if job.start - (reach - s.now) >= look:  # neither this one nor any after it is primed before
            break
        look = min(look, _begin(s, job) - PRIME)
    return look


def _reach(s: Situation) -> datetime:
    """A job that starts later than this, and has not begun, is nothing that could be due."""
    return s.now + PRIME - min(_offset(s), timedelta(0))


def _held(s: Situation) -> list[OnAir]:
    """What holds the loudspeaker, and what sounds beneath it."""
    if s.on_air is None:
        return []
    return [s.on_air, *([OnAir(s.on_air.beneath, sounding=True)] if s.on_air.beneath else [])]


def _sounds(s: Situation, job: Job) -> bool:
    """Whether this job sounds now: what is sounding is finished as it began."""
    return any(held.sounding and held.job.id == job.id for held in _held(s))


def _must_stop(s: Situation, on_air: OnAir) -> Cut | None:
    """Why what holds the loudspeaker must let go, if it must."""
    job = on_air.job
    if job.id not in s.jobs:
        return Cut(job.id, Step.WITHDRAWN)
    if on_air.sounding:
        forbidden = _forbidden(s, job, s.now)
        if _is_over(s, job, forbidden):
            return Cut(job.id, Step.SOUNDED)
        return Cut(job.id, Step.PREEMPTED, forbidden) if forbidden else None
    edited = s.jobs[job.id] != job
    early = s.clock_known and s.now < _begin(s, job) - PRIME  # the clock jumped back
    unsure = not s.clock_known and job.bulletin_class is not BulletinClass.EMERGENCY
    if edited or early or unsure or _forbidden(s, job, max(s.now, _begin(s, job))):
        return Cut(job.id, None)
    return None


def _is_over(s: Situation, job: Job, forbidden: Reason | None) -> bool:
    """Whether the time of a relay is up: at once where it may not sound any more, else the player ends it itself."""
    if job.relay is None or not s.clock_known:
        return False
    end = relays.end(job.relay, _begin(s, job))
    return s.now >= (end - relays.OVERRUN if forbidden else end + relays.OVERRUN)


def _without(s: Situation, cut: Cut) -> Situation:
    """The situation after ``cut``: what lay beneath is on air again."""
    left = [held for held in _held(s) if held.job.id != cut.job]
    s = replace(s, on_air=left[0] if left else None)
    record = s.records.get(cut.job)
    if record is None:
        return s
    released = msgspec.structs.replace(record, phase=record.released(cut.then))
    return replace(s, docket=s.docket.knowing(released))


def _endings(s: Situation, reached: Iterable[Job]) -> list[End]:
    held = {each.job.id for each in _held(s)}
    unplanned = [(record.job, None) for record in s.docket.strays]
    ends = []
    for job_id, job in [*unplanned, *((job.id, job) for job in reached)]:
        record = s.records.get(job_id)
        if job_id in held or (record and record.phase is Phase.ENDED):
            continue
        end = _ending(s, job, record)
        if end:
            ends.append(end)
    return ends


def _ending(s: Situation, job: Job | None, record: Record | None) -> End | None:
    """The outcome of a job that does not hold the loudspeaker, if it has come to one."""
    if job is None:
        assert record is not None
        sounded_ms = 0 if relays.is_name(record.asset) else record.position_ms
        late = s.now > record.deadline + max(_offset(s), timedelta(0)) + timedelta(milliseconds=sounded_ms)
        return End(record.job, *(_too_late(s, record) if late else (Step.WITHDRAWN, None)))
    known, record = record, record or fresh(job)
    if _is_as_good_as_sounded(job, record):
        return End(job.id, Step.SOUNDED)
    timed = s.clock_known or job.bulletin_class is BulletinClass.EMERGENCY
    if timed and s.now > _last_moment(s, job, record):
        return End(job.id, *(_too_late(s, record) if known else (Step.MISSED, Reason.LATE)))
    if s.clock_known and s.now >= _begin(s, job):
        forbidden = _forbidden(s, job, s.now)
        if forbidden:
            return End(job.id, _unfinished(record) or Step.REFUSED, forbidden)
    return None


def _is_as_good_as_sounded(job: Job, record: Record) -> bool:
    if record.phase is Phase.WAITING or not record.asset or record.asset != audio_of(job):
        return False
    return record.position_ms > 0 and relays.length_ms(job) - record.position_ms <= REST_MS


def _too_late(s: Situation, record: Record) -> tuple[Step, Reason]:
    """What became of a job whose last moment passed."""
    unready = s.unready.get(record.job)
    if standing_in.is_siren(record.asset) and record.position_ms:
        return Step.INTERRUPTED, unready or Reason.LATE  # heard, and not what it is about
    if record.phase is Phase.ON_AIR:
        return Step.INTERRUPTED, Reason.LATE
    if record.phase is Phase.PAUSED:
        return Step.PREEMPTED, Reason.OUTRANKED
    if unready:
        return Step.MISSED, unready
    return Step.MISSED, Reason.OUTRANKED if s.on_air else Reason.LATE


def _unfinished(record: Record) -> Step | None:
    """How a job ends that has sounded in part and may not go on; None when it has not sounded."""
    return {Phase.ON_AIR: Step.INTERRUPTED, Phase.PAUSED: Step.PREEMPTED}.get(record.phase)


def _forbidden(s: Situation, job: Job, moment: datetime) -> Reason | None:
    """Why the node must not sound this job at ``moment``, whatever the plan says."""
    if job.bulletin_class is BulletinClass.EMERGENCY:
        return None
    if not policy.may_sound(job.bulletin_class, moment, s.config.quiet_hours, s.config.zone):
        return Reason.QUIET_HOURS
    if s.config.maintenance:
        return Reason.MAINTENANCE
    record = s.records.get(job.id)
    begun = record is not None and record.phase is not Phase.WAITING
    return None if begun else s.over.get(job.id)


def _wants_air(s: Situation, job: Job) -> bool:
    """Whether the job should hold the loudspeaker now, if it were alone."""
    record = s.records.get(job.id) or fresh(job)
    if record.phase is Phase.ENDED or job.id in s.unready or any(job.id == held.job.id for held in _held(s)):
        return False
    if not s.clock_known:
        return job.bulletin_class is BulletinClass.EMERGENCY and s.now >= job.start
    begin = _begin(s, job)
    return s.now >= begin - PRIME and not _forbidden(s, job, max(s.now, begin))


def _give_air(s: Situation, job: Job) -> list[Act]:
    """The loudspeaker to ``job``, cutting into what holds it if ``job`` may."""
    at = max(s.now, _begin(s, job)) if s.clock_known else s.now
    live_ms = relays.gone_ms(job.relay, _begin(s, job), at) if job.relay else None
    start = Start(job, at, _position_ms(job, s.records.get(job.id)) if live_ms is None else live_ms)
    if s.on_air is None:
        return [start]
    before = s.on_air.sounding or _begin(s, s.on_air.job) < at  # it sounds, or will have begun by then
    if before and at - s.now > CUT_LEAD:
        return []
    if not precedence.cuts_in(job, s.on_air.job) and not _goes_ahead(s, job, s.on_air):
        return []
    return [_give_way(s.on_air), start]


def _goes_ahead(s: Situation, job: Job, on_air: OnAir) -> bool:
    """Whether a job takes the place of one that is only primed: it stands higher and is not later."""
    higher = _standing(s, job) < _standing(s, on_air.job)
    return not on_air.sounding and higher and job.start <= on_air.job.start


def _standing(s: Situation, job: Job) -> precedence.Standing:
    return precedence.standing(job, s.jobs.values())


def _give_way(on_air: OnAir) -> Cut | Duck:
    if on_air.sounding and ducking.ducks(on_air.job):
        return Duck(on_air.job.id)
    if not on_air.sounding:
        return Cut(on_air.job.id, None)
    dropped = on_air.job.after_cut is AfterCut.DROP
    return Cut(on_air.job.id, Step.PREEMPTED if dropped else Step.PAUSED, Reason.OUTRANKED)


def _position_ms(job: Job, record: Record | None) -> int:
    """Where a job goes on: an emergency, a restarting job and other audio at the beginning, else where it stopped."""
    if record is None or job.bulletin_class is BulletinClass.EMERGENCY or job.after_cut is AfterCut.RESTART:
        return 0
    return record.position_ms if record.asset == audio_of(job) else 0


def _last_moment(s: Situation, job: Job, record: Record | None) -> datetime:
    """The last moment at which the job may begin or go on."""
    deadline = job.deadline + max(_offset(s), timedelta(0))
    if job.relay:
        begun = record is not None and record.position_ms > 0
        return relays.last_moment(job.relay, _begin(s, job), deadline, begun=begun)
    return deadline + timedelta(milliseconds=_position_ms(job, record))


def _begin(s: Situation, job: Job) -> datetime:
    """When the job's first sample leaves on this node: its start and the node's offset."""
    begin = job.start + _offset(s)
    if begin < job.start and _forbidden(s, job, begin) and not _forbidden(s, job, job.start):
        return job.start
    return begin


def _offset(s: Situation) -> timedelta:
    return timedelta(milliseconds=s.config.offset_ms)
