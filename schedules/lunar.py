"""The Vietnamese lunar calendar (âm lịch): the one door to lunar-vn, and the rules of observances (controller only).

- Vietnam reckons by the meridian of UTC+7 (Decision 121/CP of 1967, in force from 1968); China by UTC+8. In some years
  the two differ by a day, in 1985 by a month: a library for the Chinese calendar is wrong here.
- What is not checked is not answered: days from 1968 to 2050, on which three independent sources agree (tests).
- A monthly day (mùng một, rằm) comes in every month, a leap month (tháng nhuận) too; a yearly one only in the regular
  month. Day 30 of a month that has 29 is its last day. Tết is day 1 of month 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import lunar_vn

from words import Said

FIRST_DAY, LAST_DAY = date(1968, 1, 29), date(2050, 12, 31)  # from Tết of 1968, the first year by UTC+7
MOST_PARTS = 40
MOST_TET_DAYS = 15

_DAY = timedelta(days=1)
_PART = re.compile(r"(?P<day>[1-9][0-9]?)(?:/(?P<month>[1-9][0-9]?))?|TET(?P<offset>[+-][1-9][0-9]?)?")


class LunarError(Said):
    """A lunar day that cannot be, or lies where the calendar has not been checked."""


@dataclass(frozen=True)
class LunarDay:
    """A day of the lunar calendar: day 1–30 of month 1–12, ``leap`` in the month that follows the regular one."""

    day: int
    month: int
    year: int
    leap: bool = False


@dataclass(frozen=True)
class Observance:
    """What is kept by the lunar calendar: a ``day`` of every month or of one, or a day counted from Tết."""

    day: int = 0
    month: int = 0
    from_tet: int | None = None  # days after the first day of Tết; negative before it


@lru_cache(maxsize=4096)
def lunar_day(day: date) -> LunarDay:
    """``day`` (1968-01-29 to 2050-12-31) in the lunar calendar. Raises LunarError for another."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise LunarError("schedules.lunar_unknown", day=day.isoformat(), first=FIRST_DAY.year, last=LAST_DAY.year)
    found = lunar_vn.convert_solar_to_lunar(day.day, day.month, day.year)
    return LunarDay(found.day, found.month, found.year, found.leap)


def solar_day(wanted: LunarDay) -> date | None:
    """The day that is ``wanted``, None where that year has no such day. Raises LunarError outside the years known."""
    try:
        found = lunar_vn.convert_lunar_to_solar(wanted.day, wanted.month, wanted.year, int(wanted.leap))
    except ValueError:  # no such leap month, or numbers that are no day
        return None
    return found if lunar_day(found) == wanted else None  # the library reckons on past the end of a month


def yearly(day: int, month: int, year: int) -> date | None:
    """When a yearly ``day``/``month`` is kept in a lunar year: in the regular month, day 30 at the latest on its last.

    None for what is no day of a month. Raises LunarError outside the years known.
    """
    found = solar_day(LunarDay(day, month, year))
    return found or (solar_day(LunarDay(29, month, year)) if day == 30 else None)


def tet(year: int) -> date:
    """The first day of Tết of ``year``, 1968–2050. Raises LunarError."""
    found = solar_day(LunarDay(1, 1, year))
    if found is None:
        raise LunarError("schedules.lunar_unknown", day=str(year), first=FIRST_DAY.year, last=LAST_DAY.year)
    return found


def read(text: str) -> tuple[Observance, ...]:
    """What ``text`` names: ``1,15`` of every month, ``15/7`` every year, ``TET``, ``TET-1``. Raises LunarError."""
    parts = text.upper().replace(" ", "").split(",")
    if len(parts) > MOST_PARTS:
        raise LunarError("schedules.bad_lunar_part", part=text[:40])
    return tuple(_observance(part) for part in parts)


def kept_on(observance: Observance, day: date) -> bool:
    """Whether ``observance`` falls on ``day``. Raises LunarError outside the years known."""
    if observance.from_tet is not None:
        counted = lunar_day(day - observance.from_tet * _DAY)
        return (counted.day, counted.month, counted.leap) == (1, 1, False)
    there = lunar_day(day)
    if observance.month and (there.month != observance.month or there.leap):
        return False
    if there.day == observance.day:
        return True
    return observance.day == 30 and there.day == 29 and lunar_day(day + _DAY).day == 1


def _observance(part: str) -> Observance:
    found = _PART.fullmatch(part)
    if not found:
        raise LunarError("schedules.bad_lunar_part", part=part[:40])
    if found["day"] is None:
        observance = Observance(from_tet=int(found["offset"] or 0))
    else:
        observance = Observance(int(found["day"]), int(found["month"] or 0))
    if observance.day > 30 or observance.month > 12 or abs(observance.from_tet or 0) > MOST_TET_DAYS:
        raise LunarError("schedules.bad_lunar_part", part=part[:40])
    return observance
