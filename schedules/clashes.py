"""Clashes of priority items: one of a commune's own and one from above want the same loudspeakers at once.

- Circular 39/2020 lets the commune user decide the order; until somebody does, the level does (precedence).
- Pure: bookings and what they reach in, pairs out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from schedules.booking import Booking
from wire.plan import BulletinClass, Level

DECIDE_BEFORE = timedelta(minutes=1)  # a node that is to sound it must have the plan by then


@dataclass(frozen=True)
class Clash:
    """``own`` and ``above`` overlap for the first time at ``at`` (UTC); ``own_first`` is what was decided."""

    own: Booking
    above: Booking
    at: datetime
    own_first: bool

    @property
    def decide_by(self) -> datetime:
        """The last moment to change the order."""
        return self.at - DECIDE_BEFORE


def priority_clashes(
    bookings: Iterable[Booking], reach: Callable[[Booking], frozenset[str]], now: datetime
) -> list[Clash]:
    """Every pair that clashes from ``now`` on, by time; ``reach`` gives the nodes that a booking sounds on."""
    priority = [each for each in bookings if each.bulletin_class is BulletinClass.PRIORITY and not each.drill]
    own = [each for each in priority if each.level is Level.COMMUNE]
    above = [each for each in priority if each.level is not Level.COMMUNE]
    found = []
    for one in own:
        for other in above:
            at = _first_overlap(one, other, now)
            if at is not None and reach(one) & reach(other):
                found.append(Clash(one, other, at, other.id in one.before))
    return sorted(found, key=lambda clash: (clash.at, clash.own.id, clash.above.id))


def _first_overlap(one: Booking, other: Booking, now: datetime) -> datetime | None:
    overlaps = [
        min(mine, theirs)
        for mine in one.starts
        for theirs in other.starts
        if mine < theirs + other.length and theirs < mine + one.length and min(mine, theirs) >= now
    ]
    return min(overlaps, default=None)
