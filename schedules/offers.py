"""Offers for what is in conflict: another time at which all loudspeakers are free, or the days left out. Pure.

- In this order: right after, on the first whole minute that is free; moved, to the nearest free five minutes before or
  after; another day, for what comes once and has nowhere to go that day; for what comes again, those days left out.
- An offer that is made is free: nothing sounds then, nothing waits, and whoever asks allows it (policies, quiet hours).
- What comes again keeps its days: only its time of day moves, and must be free on every day looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from schedules import moments
from schedules.conflicts import NO_QUIET, Broadcast, Span, busy
from schedules.laying import GAP
from schedules.rulebook import Airing
from wire.config import QuietHours

STEP_MINUTES = 5
DAYS_AHEAD = 7
AROUND = timedelta(hours=3)  # what may reach over midnight
_DAY_MINUTES = 24 * 60

Allowed = Callable[[Airing], bool]


class Kind(StrEnum):
    """What would change."""

    AFTER = "after"
    MOVE = "move"
    DAY = "day"
    SKIP = "skip"
    PLACES = "places"  # only where nothing is in the way; who knows the areas offers it


@dataclass(frozen=True)
class Offer:
    """``start``: the first coming's new moment; ``days``: those to leave out; ``areas``: where only."""

    kind: Kind
    start: datetime | None = None
    days: tuple[date, ...] = ()
    areas: tuple[str, ...] = ()


@dataclass
class Air:
    """The air over some loudspeakers: what is held there, day by day."""

    reach: frozenset[str]
    held: Iterable[Broadcast]
    zone: str
    quiet: QuietHours = NO_QUIET
    _days: dict[date, list[Span]] = field(default_factory=dict)

    def free(self, start: datetime, length: timedelta) -> bool:
        """Whether nothing sounds from a moment before ``start`` until a moment after its end."""
        days = {moments.local(at, self.zone).date() for at in (start, start + length)}
        since, until = start - GAP, start + length + GAP
        return not any(begun < until and since < ended for day in days for begun, ended in self._busy(day))

    def _busy(self, day: date) -> list[Span]:
        if day not in self._days:
            midnight = moments.at_local(day, time(), self.zone)
            window = midnight - AROUND, midnight + timedelta(days=1) + AROUND
            self._days[day] = busy(self.reach, self.held, window, self.zone, self.quiet)
        return self._days[day]


@dataclass(frozen=True)
class Asked:
    """What is wanted: every ``coming`` looked at, by time; ``repeats`` when it comes again; not before ``now``."""

    comings: tuple[Airing, ...]
    repeats: bool
    now: datetime


def offers(asked: Asked, crossed: Iterable[datetime], air: Air, allowed: Allowed) -> list[Offer]:
    """What could be done about the comings that begin at ``crossed``."""
    found = _Search(asked, air, allowed).times() if len(_clocks(asked, air.zone)) == 1 else []
    days = tuple(sorted({moments.local(each, air.zone).date() for each in crossed}))
    if asked.repeats and days and len(days) < len(asked.comings):
        found.append(Offer(Kind.SKIP, days=days))
    return found


def _clocks(asked: Asked, zone: str) -> set[time]:
    return {moments.local(each.start, zone).time() for each in asked.comings}


@dataclass(frozen=True)
class _Search:
    asked: Asked
    air: Air
    allowed: Allowed

    def times(self) -> list[Offer]:
        """Other times of day, else another day."""
        wall = moments.local(self.asked.comings[0].start, self.air.zone)
        minute = wall.hour * 60 + wall.minute + bool(wall.second or wall.microsecond)
        after = next((each for each in range(minute + 1, _DAY_MINUTES) if self._fits(each)), None)
        moved = next((each for each in _around(minute) if each != after and self._fits(each)), None)
        found = [Offer(Kind.AFTER, self._at(after)[0].start)] if after is not None else []
        found += [Offer(Kind.MOVE, self._at(moved)[0].start)] if moved is not None else []
        return found or self._another_day()

    def _fits(self, minute: int) -> bool:
        tried = self._at(minute)
        clear = all(each.start > self.asked.now and self.air.free(each.start, each.length) for each in tried)
        return clear and all(map(self.allowed, tried))

    def _at(self, minute: int) -> list[Airing]:
        """Every coming on its own day, at that minute of it."""
        clock, zone = time(minute // 60, minute % 60), self.air.zone
        days = (moments.local(each.start, zone).date() for each in self.asked.comings)
        starts = [moments.at_local(day, clock, zone) for day in days]
        return [replace(each, start=start) for each, start in zip(self.asked.comings, starts, strict=True)]

    def _another_day(self) -> list[Offer]:
        if self.asked.repeats:
            return []
        wanted, zone = self.asked.comings[0], self.air.zone
        wall = moments.local(wanted.start, zone)
        for ahead in range(1, DAYS_AHEAD + 1):
            start = moments.at_local(wall.date() + timedelta(days=ahead), wall.time(), zone)
            if self.air.free(start, wanted.length) and self.allowed(replace(wanted, start=start)):
                return [Offer(Kind.DAY, start)]
        return []


def _around(minute: int) -> Iterator[int]:
    """The whole five minutes of a day, the nearest to ``minute`` first."""
    return iter(sorted(range(0, _DAY_MINUTES, STEP_MINUTES), key=lambda each: (abs(each - minute), each)))
