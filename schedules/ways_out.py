"""Ways out of what a rulebook forbids: computed against the same check, so that each of them really fits. Pure.

- In this order: as priority, where that is all it takes; another time that day; another day; shorter, or heard less
  often; then the other times and days. Three are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from schedules import moments
from schedules.rulebook import Airing, day_of
from wire.plan import BulletinClass
from words import Said

ENOUGH = 3
STEP = timedelta(minutes=5)
DAYS_AHEAD = 31
LEAST_LENGTH = timedelta(seconds=10)

Fits = Callable[[Airing], bool]


class Kind(StrEnum):
    """What would have to change."""

    MOVE = "move"
    DAY = "day"
    SHORTER = "shorter"
    FEWER = "fewer"
    PRIORITY = "priority"


@dataclass(frozen=True)
class Way:
    """``airing`` fits. ``times``: how often it is heard then."""

    kind: Kind
    airing: Airing
    times: int = 1

    def said(self, zone: str) -> Said:
        """As a part of a sentence, in any language."""
        seconds = round(self.airing.length.total_seconds())
        at = f"{moments.local(self.airing.start, zone):%H:%M %d/%m}"
        return Said(f"schedules.way_{self.kind.value}", at=at, seconds=seconds, times=self.times)


@dataclass(frozen=True)
class Asked:
    """What was wanted: ``times`` readings of the same words, on the clock of ``zone``, not before ``now``."""

    airing: Airing
    zone: str
    now: datetime
    times: int = 1


def ways_out(asked: Asked, fits: Fits) -> list[Way]:
    """Up to three, the easiest first. ``fits`` says whether a broadcast breaks nothing and is free."""
    wanted = asked.airing
    found = [Way(Kind.PRIORITY, urgent, asked.times) for urgent in _urgent(wanted) if fits(urgent)]
    same_day = [Way(Kind.MOVE, each, asked.times) for each in _that_day(asked) if fits(each)]
    other_days = (Way(Kind.DAY, each, asked.times) for each in _days(asked) if fits(each))
    found += same_day[:1]
    found += [way for _, way in zip(range(1), other_days, strict=False)]
    found += _less(asked, fits)
    found += _some_time_else(same_day)
    while len(found) < ENOUGH and (way := next(other_days, None)):
        found.append(way)
    return found[:ENOUGH]


def _urgent(wanted: Airing) -> list[Airing]:
    ordinary = wanted.bulletin_class is BulletinClass.ORDINARY
    return [replace(wanted, bulletin_class=BulletinClass.PRIORITY)] * ordinary


def _that_day(asked: Asked) -> Iterator[Airing]:
    """The same on whole five minutes of its day, the nearest first."""
    wanted, day = asked.airing, day_of(asked.airing, asked.zone)
    base = wanted.start.replace(second=0, microsecond=0)
    base -= timedelta(minutes=moments.local(base, asked.zone).minute % 5)
    for step in range(1, 24 * 12):
        for start in (base + step * STEP, base - step * STEP):
            moved = replace(wanted, start=start)
            if start > asked.now and day_of(moved, asked.zone) == day:
                yield moved


def _days(asked: Asked) -> Iterator[Airing]:
    wall = moments.local(asked.airing.start, asked.zone)
    for ahead in range(1, DAYS_AHEAD + 1):
        start = moments.at_local(wall.date() + timedelta(days=ahead), wall.time(), asked.zone)
        yield replace(asked.airing, start=start)


def _less(asked: Asked, fits: Fits) -> list[Way]:
    """Heard less often, or, once only, shorter: the longest that fits."""
    wanted = asked.airing
    for times in range(asked.times - 1, 0, -1):
        fewer = replace(wanted, length=wanted.length * times / asked.times)
        if fits(fewer):
            return [Way(Kind.FEWER, fewer, times)]
    low, high = 0, wanted.length // LEAST_LENGTH
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(replace(wanted, length=middle * LEAST_LENGTH)) else (low, middle - 1)
    return [Way(Kind.SHORTER, replace(wanted, length=low * LEAST_LENGTH))] if low else []


def _some_time_else(same_day: list[Way]) -> list[Way]:
    """Another one that day, not beside the nearest."""
    if not same_day:
        return []
    first = same_day[0].airing.start
    away = [each for each in same_day[1:] if abs(each.airing.start - first) >= timedelta(hours=1)]
    return away[:1]
