"""Precedence: class first, then level, then start, then name. A total order, the same on every node.

- A drill stands below every real broadcast of its class: an exercise never takes the air from an alert.
- Only an emergency interrupts. The decision table is in `docs/schedules.md`, and is tested line by line.
"""

from __future__ import annotations

from datetime import datetime

from wire.plan import BulletinClass, Job, Level

_CLASS = {BulletinClass.EMERGENCY: 0, BulletinClass.PRIORITY: 1, BulletinClass.ORDINARY: 2}
_LEVEL = {Level.CENTRAL: 0, Level.PROVINCE: 1, Level.DISTRICT: 2, Level.COMMUNE: 3}

Rank = tuple[int, bool, int]


def rank(job: Job) -> Rank:
    """How high a job stands, lower is higher: (class, drill, level)."""
    return _CLASS[job.bulletin_class], job.drill, _LEVEL[job.level]


def order(job: Job) -> tuple[Rank, datetime, str]:
    """The sort key among jobs that want the loudspeaker at once: highest rank, then earliest, then name."""
    return rank(job), job.start, job.id


def cuts_in(job: Job, playing: Job) -> bool:
    """Whether ``job`` interrupts ``playing``.

    Only an emergency does: it cuts into every lower class, into a drill, and into an emergency of a lower
    level. A priority job goes ahead of waiting ordinary ones but does not cut a sentence in half (Circular
    39/2020: "ahead in the programme"); equal rank waits its turn.
    """
    if job.bulletin_class is not BulletinClass.EMERGENCY:
        return False
    return rank(job) < rank(playing)
