"""The planner: bookings in, the jobs of every area out. Pure and deterministic.

- Emergencies go into the urgent lane, everything else into the plan lane (one publish each, ADR 1).
- A job stays in its plan for two days past its deadline, so that a node that was off reports it as missed.
- The same bookings, in any order, give the same jobs in the same order: an unchanged area has unchanged bytes.
- A plan that would be larger than its topic carries, or longer than a node reads, ends earlier than the
  horizon; what did not fit enters as the window moves on. A node never meets a plan it must refuse for its size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import is_

from schedules.booking import Booking
from wire import codec, topics
from wire.plan import MAX_JOBS, BulletinClass, Job, Lane

HORIZON = timedelta(days=14)
KEPT_PAST = timedelta(days=2)
VALIDITY = timedelta(days=15)

AreaLane = tuple[str, Lane]

_TICK = timedelta(microseconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)

_ENVELOPE_BYTES = 4096  # the plan's own fields, and the signatures around it
_ROOM_BYTES = {  # the seal carries its payload as base64: three bytes become four
    Lane.PLAN: topics.PLAN.most_bytes * 3 // 4 - _ENVELOPE_BYTES,
    Lane.URGENT: topics.URGENT.most_bytes * 3 // 4 - _ENVELOPE_BYTES,
}


def jobs_of(booking: Booking, now: datetime) -> list[Job]:
    """The jobs that ``booking`` asks for between two days ago and the horizon, in order of start."""
    jobs = []
    for start in sorted({start.astimezone(UTC) for start in booking.starts}):
        deadline = booking.deadline(start)
        if deadline + KEPT_PAST < now or start > now + HORIZON:
            continue
        jobs.append(
            Job(
                id=job_id(booking, start),
                title=booking.title,
                bulletin_class=booking.bulletin_class,
                level=booking.level,
                start=start,
                deadline=deadline,
                late=booking.late,
                after_cut=booking.after_cut,
                asset=booking.asset,
                spoken=booking.spoken,
                drill=booking.drill,
                before=booking.before,
                relay=booking.relay,
                duck=booking.duck,
                cosigned=booking.cosigned,
            )
        )
    return jobs


def job_id(booking: Booking, start: datetime) -> str:
    """The job of one occurrence: the booking's own name when it airs once, else with the start in UTC.

    The id must outlive edits: a job that changes its name is a new job to the node, and sounds again.
    """
    if not booking.repeats and all(other == booking.starts[0] for other in booking.starts):
        return booking.id
    return coming_id(booking.id, start)


def coming_id(booking: str, start: datetime) -> str:
    """The job of one occurrence of a booking that comes again."""
    moment = start.astimezone(UTC)
    fraction = f"-{moment:%f}" if moment.microsecond else ""
    return f"{booking}:{moment:%Y%m%dt%H%M%S}{fraction}"


def plan(bookings: Iterable[Booking], now: datetime) -> dict[AreaLane, tuple[Job, ...]]:
    """The jobs of every (area, lane) that has any, sorted by start and name. No two bookings give a job of one name."""
    return Planner().plan(bookings, now)


class Planner:
    """`plan` again and again: an area in which no booking is another one, and into whose window none has come, is not
    worked out again. Its jobs are the same object then."""

    def __init__(self) -> None:
        self._drawn: dict[AreaLane, _Drawn] = {}

    def plan(self, bookings: Iterable[Booking], now: datetime) -> dict[AreaLane, tuple[Job, ...]]:
        """What `plan` gives."""
        wanted: dict[AreaLane, list[Booking]] = defaultdict(list)
        for booking in bookings:
            lane = Lane.URGENT if booking.bulletin_class is BulletinClass.EMERGENCY else Lane.PLAN
            for area in booking.areas if len(booking.areas) == 1 else set(booking.areas):
                wanted[area, lane].append(booking)
        asked = _Asked(now)
        self._drawn = {key: self._draw(key, theirs, asked) for key, theirs in sorted(wanted.items())}
        return {key: drawn.jobs for key, drawn in self._drawn.items() if drawn.jobs}

    def _draw(self, key: AreaLane, theirs: list[Booking], asked: _Asked) -> _Drawn:
        held = self._drawn.get(key)
        if held and held.holds(theirs, asked.now):
            return held
        jobs, sizes = [], []
        for booking in theirs:
            for job, size_bytes in asked.sized(booking):
                jobs.append(job)
                sizes.append((job.id, size_bytes))
        until = min((_next_change(booking, asked.now) for booking in theirs), default=asked.now)
        return _Drawn(theirs, asked.now, until, _fitting(jobs, key[1], dict(sizes)))


@dataclass(frozen=True)
class _Drawn:
    """The jobs that ``bookings`` give one area, from ``since`` until before ``until``."""

    bookings: list[Booking]
    since: datetime
    until: datetime
    jobs: tuple[Job, ...]

    def holds(self, bookings: list[Booking], now: datetime) -> bool:
        """Whether it is still what these bookings give."""
        alike = len(bookings) == len(self.bookings) and all(map(is_, bookings, self.bookings))
        return alike and self.since <= now < self.until


class _Asked:
    """The jobs of each booking at one moment, with their sizes on the wire, worked out once for all its areas."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._known: dict[int, list[tuple[Job, int]]] = {}  # by the object: what comes again in a slot shares a name

    def sized(self, booking: Booking) -> list[tuple[Job, int]]:
        """Each job with its bytes, and the comma behind it."""
        if id(booking) not in self._known:
            self._known[id(booking)] = [(job, len(codec.write(job)) + 1) for job in jobs_of(booking, self.now)]
        return self._known[id(booking)]


def _next_change(booking: Booking, now: datetime) -> datetime:
    """The next moment at which its jobs are others with nothing changed: one comes near, or is past and forgotten."""
    ahead = (start - HORIZON for start in booking.starts)
    behind = (booking.deadline(start) + KEPT_PAST + _TICK for start in booking.starts)
    return min((moment for moment in (*ahead, *behind) if moment > now), default=_NEVER)


def merge(plans: Iterable[tuple[datetime, tuple[Job, ...]]]) -> dict[str, Job]:
    """The union of several plans, as (issued_at, jobs): a job met twice is one, as the newest plan says it."""
    merged: dict[str, Job] = {}
    for _, jobs in sorted(plans, key=lambda each: each[0]):
        merged.update((job.id, job) for job in jobs)
    return merged


def of_areas(plans: Mapping[AreaLane, tuple[Job, ...]], areas: Iterable[str], now: datetime) -> list[Job]:
    """What a node that listens to ``areas`` makes of ``plans`` issued at ``now``: every job once, by start and name."""
    mine = frozenset(areas)
    merged = merge((now, jobs) for (area, _), jobs in plans.items() if area in mine)
    return sorted(merged.values(), key=lambda job: (job.start, job.id))


def _fitting(jobs: list[Job], lane: Lane, sizes: dict[str, int]) -> tuple[Job, ...]:
    """The earliest of ``jobs`` that a plan of this lane has room for, in order."""
    fitting: list[Job] = []
    room_bytes = _ROOM_BYTES[lane]
    for job in sorted(jobs, key=lambda job: (job.start, job.id))[:MAX_JOBS]:
        room_bytes -= sizes[job.id]
        if room_bytes < 0:
            break
        fitting.append(job)
    return tuple(fitting)
