"""What sounds now and next: the one rule for every page, and what of a booking it is asked about. Pure.

- THE RULE (`sounds`): a loudspeaker has told its beginning and no end, and it could still last; or the plan lets it
  sound now and it has not ended on every loudspeaker. What nodes tell goes before the plan, as long as it can be so.
- A coming is planned from its start until its length has passed. Of words that have no audio yet a minute is taken.
- What is on the air is ordered as loudspeakers order it: class, then start.
- Two pages ask it about two things (ADR 0039): the home page about wishes, so that what was stopped is gone at once;
  the overview about the plans that were issued (`controller.web.on_air`), counted for a whole province.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from schedules.booking import Booking
from schedules.planner import coming_id
from wire.plan import BulletinClass

LEAST = timedelta(minutes=1)  # how long words without audio are taken to sound
LOOK_BACK = timedelta(hours=3)  # the longest that anything sounds
GRACE = timedelta(minutes=10)  # for what an emergency held up
_BY_CLASS = {BulletinClass.EMERGENCY: 0, BulletinClass.PRIORITY: 1, BulletinClass.ORDINARY: 2}


@dataclass(frozen=True)
class Span:
    """From ``start`` until ``end`` by the plan; a loudspeaker may begin it until ``latest``."""

    start: datetime
    end: datetime
    latest: datetime

    def is_planned(self, now: datetime) -> bool:
        """Whether it sounds now, by the plan."""
        return self.start <= now < self.end

    def may_last(self, now: datetime) -> bool:
        """Whether it could sound now where it began as late as it may; who told no end by then has lost its power."""
        return self.start <= now < self.latest + (self.end - self.start) + GRACE


def sounds(span: Span, now: datetime, sounding: int, is_over: bool) -> bool:
    """Whether it sounds now. ``sounding``: nodes that told its beginning and no end; ``is_over``: all told an end."""
    return (sounding > 0 and span.may_last(now)) or (span.is_planned(now) and not is_over)


def rank(bulletin_class: BulletinClass, start: datetime, job: str) -> tuple[int, datetime, str]:
    """The first of what sounds at once is what loudspeakers let through."""
    return _BY_CLASS.get(bulletin_class, 9), start, job


@dataclass(frozen=True)
class Airing:
    """One coming of a booking: ``job`` is what nodes call it."""

    booking: Booking
    start: datetime

    @property
    def job(self) -> str:
        """The name of it on the wire."""
        return coming_id(self.booking.id, self.start) if self.booking.repeats else self.booking.id

    @property
    def until(self) -> datetime:
        """When it has sounded whole, if it began in time."""
        return self.start + max(LEAST if not self.booking.asset else self.booking.length, timedelta(seconds=1))

    @property
    def span(self) -> Span:
        """When it sounds by the plan, and how late it may."""
        return Span(self.start, self.until, self.booking.deadline(self.start))

    @property
    def rank(self) -> tuple[int, datetime, str]:
        """The first of what sounds at once is what loudspeakers let through."""
        return rank(self.booking.bulletin_class, self.start, self.job)


def lately(bookings: Iterable[Booking], now: datetime, back: timedelta = LOOK_BACK) -> list[Airing]:
    """All that were to begin in the last hours and may sound still, the most important first."""
    found = (
        Airing(booking, start)
        for booking in bookings
        for start in booking.starts[bisect_left(booking.starts, now - back) : bisect_right(booking.starts, now)]
    )
    return sorted((each for each in found if each.span.may_last(now)), key=lambda each: each.rank)


def next_ones(
    bookings: Iterable[Booking], now: datetime, most: int = 3, left_out: Callable[[Airing], bool] = lambda _: False
) -> list[Airing]:
    """The ``most`` nearest comings after ``now``, without those ``left_out`` (held back), by start and name.

    Of each booking only its nearest is looked at until that one is taken, or left out.
    """
    nearest = [(start, place, each, at) for place, each in enumerate(bookings) for start, at in _coming(each, now)]
    heapq.heapify(nearest)
    found: list[Airing] = []
    while nearest and (len(found) < most or nearest[0][0] == found[-1].start):
        start, place, booking, at = nearest[0]
        if at + 1 < len(booking.starts):
            heapq.heapreplace(nearest, (booking.starts[at + 1], place, booking, at + 1))
        else:
            heapq.heappop(nearest)
        airing = Airing(booking, start)
        if not left_out(airing):
            found.append(airing)
    return sorted(found, key=lambda each: (each.start, each.job))[:most]


def _coming(booking: Booking, now: datetime) -> Iterator[tuple[datetime, int]]:
    """The first start after ``now`` and which it is, if there is one."""
    at = bisect_right(booking.starts, now)
    if at < len(booking.starts):
        yield booking.starts[at], at
