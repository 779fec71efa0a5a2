"""Fetching: in which order a node fetches audio, and how far each may use up the data of a day. Pure.

- The most urgent first: emergencies, the siren, then by start; what is kept at all times comes last.
- With a data budget each kind may bring the day's use up to a share of it, never beyond: what is due on a later day
  up to `LATER`, what is due today up to `TODAY`, what is due today and of priority up to all of it. So what matters
  more still finds room when the day's data run short.
- An emergency, the siren and what is kept at all times know no budget.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import NamedTuple

from schedules import moments
from wire.config import NodeConfig
from wire.plan import Asset, BulletinClass, Job

LATER, TODAY, PRIORITY = 0.8, 0.9, 1.0


class Want(NamedTuple):
    """A file, and up to how many bytes of data the day may come with it; None: it is fetched whatever was used."""

    asset: Asset
    ceiling_bytes: int | None = None


def audio_file(job: Job) -> Asset | None:
    """The file that the job needs, or may need."""
    return job.relay.fallback if job.relay else job.asset


def urgency(job: Job) -> tuple[bool, datetime, str]:
    """What comes first has the least: emergencies, then by start."""
    return job.bulletin_class is not BulletinClass.EMERGENCY, job.start, job.id


def order(jobs: Iterable[Job], config: NodeConfig, now: datetime) -> list[Want]:
    """Every file that is needed, each once, the most urgent first; a file of several jobs has the highest ceiling."""
    tomorrow = midnight_after(now, config.zone)
    ahead = sorted(jobs, key=urgency)
    needs = [
        (_rank(job), Want(file, _ceiling(job, config.data_budget_bytes_per_day, tomorrow)))
        for job in ahead
        if (file := audio_file(job))
    ]
    siren = [(1, Want(each)) for each in config.standby if each.sha256 == config.siren]
    kept = [(3, Want(each)) for each in config.standby]
    wanted: dict[str, Want] = {}
    for _, want in sorted([*needs, *siren, *kept], key=lambda need: need[0]):  # stable: by start within a rank
        held = wanted.setdefault(want.asset.sha256, want)
        wanted[want.asset.sha256] = held._replace(ceiling_bytes=_higher(held.ceiling_bytes, want.ceiling_bytes))
    return list(wanted.values())


def stream_ceiling(budget_bytes: int) -> int | None:
    """Up to how many bytes of data the day may come with a relay's stream."""
    return round(TODAY * budget_bytes) if budget_bytes else None


def midnight_after(now: datetime, zone: str) -> datetime:
    """When the local day of ``now`` ends."""
    return moments.at_local(moments.local(now, zone).date() + timedelta(days=1), time(), zone)


def _rank(job: Job) -> int:
    return 0 if job.bulletin_class is BulletinClass.EMERGENCY else 2


def _ceiling(job: Job, budget_bytes: int, tomorrow: datetime) -> int | None:
    if not budget_bytes or job.bulletin_class is BulletinClass.EMERGENCY:
        return None
    if job.start >= tomorrow:
        return round(LATER * budget_bytes)
    return round((PRIORITY if job.bulletin_class is BulletinClass.PRIORITY else TODAY) * budget_bytes)


def _higher(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
