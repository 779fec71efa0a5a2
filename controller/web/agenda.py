"""The plan of the days ahead in lines: every coming of a booking on its own local day, with how far it is.

- What was asked for now stands under today; what has no place in the slots of the programme yet stands on no day.
- It is shown a page at a time: how far something is, is worked out for what the page shows.
- What comes again stands at each coming, whenever it came first; each says whether this one is held back.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from controller.store.rows import BookingRow, BookingView
from controller.web import reading
from controller.web.language import chosen
from controller.web.times import day_name
from controller.web.window import window
from controller.web.withheld import Withheld, stage_of
from schedules.moments import at_local, local
from schedules.recurring import comings as comings_of

AHEAD = timedelta(days=14)
BEHIND = timedelta(hours=6)
PAGE = 80  # lines
_ON_ITS_WAY = {"planned", "repeating", "begun"}


Coming = tuple[BookingView, datetime | None]  # None: now, or in no slot yet


@dataclass(frozen=True)
class Facts:
    """What a line shows that is the same for every reader."""

    booking: str
    title: str
    bulletin_class: str
    drill: bool
    at: datetime | None
    in_no_slot: bool
    slot: str | None
    note: str | None


@dataclass(frozen=True)
class Line:
    """A booking at one of its comings; ``at`` None: now, or in no slot yet."""

    v: BookingView
    at: datetime | None
    stage: str

    @property
    def in_no_slot(self) -> bool:
        """Whether it waits for a slot of the programme."""
        return self.at is None and self.v.booking.slot is not None

    @property
    def facts(self) -> Facts:
        """What it shows, by which it is known."""
        row = self.v.booking
        about = row.id, self.v.title, row.bulletin_class, self.v.drill
        return Facts(*about, self.at, self.in_no_slot, row.slot, row.slot_note)


@dataclass(frozen=True)
class Leaf:
    """A page of comings, of ``total`` on ``last`` pages; where there are several, on which page each day begins."""

    number: int
    last: int
    total: int
    comings: tuple[Coming, ...]
    days: tuple[tuple[str, date, int], ...]  # in words, the day, the page


def comings(views: Iterable[BookingView], now: datetime) -> list[Coming]:
    """Every coming from a few hours ago to two weeks ahead, by time; those without a time stand at ``now``."""
    found = [(view, at) for view in views for at in _comings(view.booking, now)]
    return sorted(found, key=lambda each: (each[1] or now, each[0].booking.id))


def lines(some: Iterable[Coming], held: Withheld, now: datetime) -> list[Line]:
    """How far each of them is, in their order."""
    stages: dict[str, str] = {}  # of bookings that come again, once
    return [_line(view, at, stages, (held, now)) for view, at in some]


def is_timed(coming: Coming) -> bool:
    """Whether it stands on a day; else it waits for a slot of the programme."""
    return coming[1] is not None or coming[0].booking.slot is None


def laid(timed: Sequence[Coming], asked: int, now: datetime) -> Leaf:
    """The page of that number (from 1) of what stands on days, or the last there is."""
    zone = window().settings.zone
    today, moments = local(now, zone).date(), [at or now for _, at in timed]
    last = max(1, -(-len(timed) // PAGE))
    number = max(1, min(asked, last))
    days = _days(moments, zone) if last > 1 else ()
    begin = tuple((day_name(day, today, chosen()), day, first // PAGE + 1) for day, first in days)
    return Leaf(number, last, len(timed), tuple(timed[(number - 1) * PAGE : number * PAGE]), begin)


def by_day(some: Iterable[Line], now: datetime) -> list[tuple[str, date, list[Line]]]:
    """Lines by local day: (name of the day, the day, its lines)."""
    zone = window().settings.zone
    today = local(now, zone).date()
    grouped = groupby(some, key=lambda line: local(line.at or now, zone).date())
    return [(day_name(day, today, chosen()), day, list(each)) for day, each in grouped]


def _days(moments: Sequence[datetime], zone: str) -> Iterator[tuple[date, int]]:
    """Each local day on which any of ``moments`` (ascending) lies, and the place of its first."""
    first = 0
    while first < len(moments):
        day = local(moments[first], zone).date()
        yield day, first
        first = bisect_left(moments, at_local(day + timedelta(days=1), time(), zone), first + 1)


def _line(view: BookingView, at: datetime | None, stages: dict[str, str], known: tuple[Withheld, datetime]) -> Line:
    if view.booking.id not in stages:
        stages[view.booking.id] = reading.stage(view, known[1])
    return Line(view, at, _stage_at(view, at, stages[view.booking.id], known))


def _comings(booking: BookingRow, now: datetime) -> list[datetime] | list[None]:
    if booking.start is None:
        return [None]
    if booking.recurrence is None:
        return [booking.start]
    return comings_of(booking.recurrence, booking.start, now - BEHIND, now + AHEAD)


def _stage_at(view: BookingView, at: datetime | None, stage: str, known: tuple[Withheld, datetime]) -> str:
    held, now = known
    if at is None or stage not in _ON_ITS_WAY:
        return stage
    return stage_of(view.booking, at, held) or ("begun" if at <= now else stage)
