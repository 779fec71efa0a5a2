"""The planner: bookings in, the jobs of every area out. Pure and deterministic.

- Emergencies go into the urgent lane, everything else into the plan lane (one publish each, ADR 1).
- A job stays in its plan for two days past its deadline, so that a node that was off reports it as missed.
- The same bookings give the same jobs in the same order, so an unchanged area has unchanged bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from schedules.booking import Booking
from wire.plan import BulletinClass, Job, Lane

HORIZON = timedelta(days=14)
KEPT_PAST = timedelta(days=2)
VALIDITY = timedelta(days=15)

AreaLane = tuple[str, Lane]


def jobs_of(booking: Booking, now: datetime) -> list[Job]:
    """The jobs that ``booking`` asks for between two days ago and the horizon, in order of start."""
    jobs = []
    for start in sorted(set(booking.starts)):
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
            )
        )
    return jobs


def job_id(booking: Booking, start: datetime) -> str:
    """The job of one occurrence: the booking's own name when it airs once, else with the start in UTC."""
    return booking.id if len(booking.starts) == 1 else f"{booking.id}:{start:%Y%m%dt%H%M%S}"


def plan(bookings: Iterable[Booking], now: datetime) -> dict[AreaLane, tuple[Job, ...]]:
    """The jobs of every (area, lane) that has any, sorted by start and name."""
    wanted: dict[AreaLane, list[Job]] = defaultdict(list)
    for booking in bookings:
        lane = Lane.URGENT if booking.bulletin_class is BulletinClass.EMERGENCY else Lane.PLAN
        jobs = jobs_of(booking, now)
        for area in booking.areas:
            wanted[area, lane].extend(jobs)
    return {
        key: tuple(sorted(jobs, key=lambda job: (job.start, job.id))) for key, jobs in sorted(wanted.items()) if jobs
    }


def merge(plans: Iterable[tuple[datetime, tuple[Job, ...]]]) -> dict[str, Job]:
    """The union of several plans, as (issued_at, jobs): a job met twice is one, as the newest plan says it."""
    merged: dict[str, Job] = {}
    for _, jobs in sorted(plans, key=lambda each: each[0]):
        merged.update((job.id, job) for job in jobs)
    return merged
