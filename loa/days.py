"""A day that a person names on the command line, as the span of time that it is where the station stands."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from loa import house
from schedules import moments

_DAY_MONTH_YEAR = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


def span_of(day: str | None, zone: str) -> tuple[datetime, datetime]:
    """From the midnight with which ``day`` (``2026-11-30``, ``30/11/2026``; None: today) begins to the next one.

    Raises BadMoment.
    """
    there = moments.local(house.now(), zone).date() if day is None else _written(day)
    try:
        ends = there + timedelta(days=1)
        return moments.at_local(there, time(), zone), moments.at_local(ends, time(), zone)
    except OverflowError:  # the last day has no end
        raise _no_day(str(day)) from None


def _written(day: str) -> date:
    found = _DAY_MONTH_YEAR.fullmatch(day.strip())
    try:
        return date(*map(int, reversed(found.groups()))) if found else date.fromisoformat(day.strip())
    except ValueError:
        raise _no_day(day) from None


def _no_day(day: str) -> moments.BadMoment:
    return moments.BadMoment("loa.bad_day", f"{day[:40]!r} is not a day, such as 2026-11-30", text=day[:40])
