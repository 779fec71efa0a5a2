"""The plan of the days ahead in lines: every coming of a booking on its own local day, with how far it is.

- What was asked for now stands under today; what has no place in the slots of the programme yet stands on no day.
- What comes again stands at each coming, whenever it came first; each says whether this one is held back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from controller.store.rows import BookingRow, BookingView
from controller.web import reading
from controller.web.language import chosen
from controller.web.times import day_name
from controller.web.window import window
from controller.web.withheld import Withheld, stage_of
from schedules.calendars import occurrences
from schedules.moments import local

AHEAD = timedelta(days=14)
BEHIND = timedelta(hours=6)
_ON_ITS_WAY = {"planned", "repeating", "begun"}


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


def lines(views: Iterable[BookingView], held: Withheld, now: datetime) -> list[Line]:
    """Every coming from a few hours ago to two weeks ahead, by time; those without a time stand at ``now``."""
    found = [line for view in views for line in _of(view, held, now)]
    return sorted(found, key=lambda line: (line.at or now, line.v.booking.id))


def by_day(some: Iterable[Line], now: datetime) -> list[tuple[str, date, list[Line]]]:
    """Lines by local day: (name of the day, the day, its lines)."""
    zone = window().settings.zone
    today = local(now, zone).date()
    grouped = groupby(some, key=lambda line: local(line.at or now, zone).date())
    return [(day_name(day, today, chosen()), day, list(each)) for day, each in grouped]


def _of(view: BookingView, held: Withheld, now: datetime) -> list[Line]:
    stage = reading.stage(view, now)
    return [Line(view, at, _stage_at(view, at, stage, (held, now))) for at in _comings(view.booking, now)]


def _comings(booking: BookingRow, now: datetime) -> list[datetime] | list[None]:
    if booking.start is None:
        return [None]
    if booking.recurrence is None:
        return [booking.start]
    return occurrences(booking.recurrence, booking.start, now - BEHIND, now + AHEAD)


def _stage_at(view: BookingView, at: datetime | None, stage: str, known: tuple[Withheld, datetime]) -> str:
    held, now = known
    if at is None or stage not in _ON_ITS_WAY:
        return stage
    return stage_of(view.booking, at, held) or ("begun" if at <= now else stage)
