"""Precedence: class first, then level, then start, then name. A total order, the same on every node.

- A drill stands below every real broadcast of its class: an exercise never takes the air from an alert.
- Of two priority items that clash a commune's order decides: one may name bookings that it goes ahead of.
- Only an emergency interrupts. The decision table is in `docs/schedules.md`, and is tested line by line.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from wire.plan import BulletinClass, Job, Level

_CLASS = {BulletinClass.EMERGENCY: 0, BulletinClass.PRIORITY: 1, BulletinClass.ORDINARY: 2}
_LEVEL = {Level.CENTRAL: 0, Level.PROVINCE: 1, Level.DISTRICT: 2, Level.COMMUNE: 3}

Rank = tuple[int, bool, int]
Order = tuple[Rank, datetime, str]
Standing = tuple[Order, int, Order]

SAME_CLASH = timedelta(hours=6)  # of a booking that comes again, the one it clashes with


def rank(job: Job) -> Rank:
    """How high a job stands, lower is higher: (class, drill, level)."""
    return _CLASS[job.bulletin_class], job.drill, _LEVEL[job.level]


def order(job: Job) -> Order:
    """The sort key among jobs that want the loudspeaker at once: highest rank, then earliest, then name."""
    return rank(job), job.start, job.id


def standing(job: Job, jobs: Iterable[Job]) -> Standing:
    """The sort key among ``jobs`` where a commune has ordered some: just ahead of the first that ``job`` goes before.

    Only priority items are ordered so, and only behind one that names nothing itself: the order stays total, whatever
    somebody wrote.
    """
    own = order(job)
    if not job.before or job.bulletin_class is not BulletinClass.PRIORITY:
        return own, 1, own
    ahead_of = [order(other) for other in jobs if other.id != job.id and _goes_before(job, other)]
    first, behind = min([(own, 1), *((each, 0) for each in ahead_of)])
    return first, behind, own


def _goes_before(job: Job, other: Job) -> bool:
    named = other.id in job.before or other.id.rpartition(":")[0] in job.before
    alike = other.bulletin_class is job.bulletin_class and other.drill is job.drill and not other.before
    return named and alike and abs(other.start - job.start) <= SAME_CLASH


def cuts_in(job: Job, playing: Job) -> bool:
    """Whether ``job`` interrupts ``playing``.

    Only an emergency does: it cuts into every lower class, into a drill, and into an emergency of a lower
    level. A priority job goes ahead of waiting ordinary ones but does not cut a sentence in half (Circular
    39/2020: "ahead in the programme"); equal rank waits its turn.
    """
    if job.bulletin_class is not BulletinClass.EMERGENCY:
        return False
    return rank(job) < rank(playing)
