"""Free air: from now until when the loudspeaker is certainly not needed, as far as the plans held say.

- Pure, and careful: everything that is open counts, also what quiet hours or a limit would refuse in its second.
- Not free at all: while something holds the loudspeaker, while a job that has begun may still go on, while the time
  is not known, and from the start of an emergency to its deadline, sounded or not: another may follow.
- What arrives later is not in it. Whoever uses the answer asks again right before.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from schedules.docket import Situation
from schedules.due import PRIME
from schedules.situation import Phase
from wire.plan import BulletinClass, Job


def free_until(s: Situation, planned: Iterable[Job], most: timedelta) -> datetime | None:
    """Until when nothing is to begin, at most ``most`` ahead; None when the air is not free now.

    ``planned``: every job of the plans, also those that have their outcome.
    """
    if s.on_air is not None or not s.clock_known:
        return None
    end = s.now + most
    early = min(timedelta(milliseconds=s.config.offset_ms), timedelta(0))
    if any(_is_alarm(job, s.now) for job in planned) or any(_has_begun(s, job) for job in s.docket.jobs):
        return None
    for job in s.docket.jobs.values():
        end = min(end, job.start + early - PRIME)
    return end if end > s.now else None


def _is_alarm(job: Job, now: datetime) -> bool:
    return job.bulletin_class is BulletinClass.EMERGENCY and job.start <= now <= job.deadline


def _has_begun(s: Situation, job: str) -> bool:
    record = s.records.get(job)
    return record is not None and record.phase in (Phase.ON_AIR, Phase.PAUSED)
