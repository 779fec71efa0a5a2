"""Which days: conditions on a day, and what must be known of it to judge them. Pure, without a library of calendars.

- What is known of a day (its holiday, its names in the lunar calendar) is handed in; `schedules.calendars` finds it.
- Every condition that is there must hold: within the dates, in one of the terms, on one of the lunar days, not left
  out, and as its holidays say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

MOST_TET_DAYS = 15
_LOOKED_THROUGH_DAYS = 4000  # a span that is longer has every weekday in it, whatever is left out
_LUNAR = re.compile(r"(?P<day>[1-9][0-9]?)(?:/(?P<month>[1-9][0-9]?))?|tet(?P<offset>[+-][1-9][0-9]?)?")
_LAST_DAYS = (29, 30)  # of a lunar month, which has the one or the other

Span = tuple[int, int]  # ordinals of the first and the last day
LunarDay = tuple[int, int]  # day, and month or 0 for every month


class Holidays(StrEnum):
    """What a holiday does to a slot."""

    AS_USUAL = "as-usual"
    SKIP = "skip"
    ONLY = "only"


@dataclass(frozen=True)
class DayFacts:
    """What is known of a day: its holidays by name, the lunar days that it is (``15``, ``15/7``, ``tet-1``).

    ``lunar_date`` is such as ``15/7``, with ``*`` behind it in a leap month; empty when it is not known.
    """

    holidays: tuple[str, ...] = ()
    lunar: frozenset[str] = frozenset()
    lunar_date: str = ""


Facts = Callable[[date], DayFacts]


@dataclass(frozen=True)
class Term:
    """A named span of days, such as a school term; both days belong to it."""

    name: str
    since: date
    until: date


@dataclass(frozen=True)
class Days:
    """The days on which something holds, beside its weekdays. Without any condition: all."""

    since: date | None = None
    until: date | None = None  # the last day
    but: tuple[date, ...] = ()
    holidays: Holidays = Holidays.AS_USUAL
    lunar: tuple[str, ...] = ()  # on any of these
    terms: tuple[Term, ...] = ()  # in any of these


ALL_DAYS = Days()


def unknown(day: date) -> DayFacts:
    """The facts of somebody who has none. Raises ValueError: who is asked about a holiday must know them."""
    raise ValueError(f"nothing is known of {day}")


def holds(days: Days, day: date, facts: Facts) -> bool:
    """Whether ``day`` is one of ``days``; ``facts`` are asked only where a condition needs them."""
    if days is ALL_DAYS:
        return True
    if (days.since and day < days.since) or (days.until and day > days.until) or day in days.but:
        return False
    if days.terms and not any(term.since <= day <= term.until for term in days.terms):
        return False
    if days.lunar and facts(day).lunar.isdisjoint(days.lunar):
        return False
    return days.holidays is Holidays.AS_USUAL or bool(facts(day).holidays) is (days.holidays is Holidays.ONLY)


def may_meet(one: Days, other: Days, apart: int, weekday: int) -> bool:
    """Whether some day of ``one`` on this weekday may have a day of ``other`` ``apart`` (0 or 1) days later.

    False is certain. Dates, terms, weekdays and lunar days are reckoned out, each by itself; holidays only on one day.
    """
    if not apart and {one.holidays, other.holidays} == {Holidays.SKIP, Holidays.ONLY}:
        return False
    if one.lunar and other.lunar and not _lunar_meet(one.lunar, other.lunar, apart):
        return False
    left_out = {day.toordinal() for day in one.but} | {day.toordinal() - apart for day in other.but}
    shared = _shared(_spans(one), [(first - apart, last - apart) for first, last in _spans(other)])
    return any(_has(span, weekday, left_out) for span in shared)


def lunar_name(written: str) -> str:
    """``written`` as `DayFacts` says it: ``1``, ``15/7``, ``tet``, ``tet-1``. Raises ValueError for no lunar day."""
    name = written.strip().lower().removeprefix("lunar:").replace("tết", "tet")
    found = _LUNAR.fullmatch(name)
    if not found:
        raise ValueError(written)
    most = int(found["day"] or 0) <= 30 and int(found["month"] or 0) <= 12
    if not most or abs(int(found["offset"] or 0)) > MOST_TET_DAYS:
        raise ValueError(written)
    return name


def _spans(days: Days) -> list[Span]:
    whole = (days.since or date.min).toordinal(), (days.until or date.max).toordinal()
    if not days.terms:
        return [whole]
    return _shared([whole], [(term.since.toordinal(), term.until.toordinal()) for term in days.terms])


def _shared(these: Iterable[Span], those: list[Span]) -> list[Span]:
    pairs = ((max(a[0], b[0]), min(a[1], b[1])) for a in these for b in those)
    return [(first, last) for first, last in pairs if first <= last]


def _has(span: Span, weekday: int, left_out: set[int]) -> bool:
    first, last = span
    if last - first > _LOOKED_THROUGH_DAYS:
        return True
    first = max(first, 1)
    return any(day not in left_out for day in range(first + (weekday - first + 1) % 7, last + 1, 7))


def _lunar_meet(one: tuple[str, ...], other: tuple[str, ...], apart: int) -> bool:
    these = {later for name in one for each in _lunar_days(name) for later in _later(each, apart)}
    those = {each for name in other for each in _lunar_days(name)}
    return any(a[0] == b[0] and (a[1] == b[1] or 0 in (a[1], b[1])) for a in these for b in those)


def _lunar_days(name: str) -> list[LunarDay]:
    """Every day and month that ``name`` may be."""
    found = _LUNAR.fullmatch(name)
    assert found
    if found["day"]:
        day, month = int(found["day"]), int(found["month"] or 0)
        return [(each, month) for each in (_LAST_DAYS if day == 30 else (day,))]
    offset = int(found["offset"] or 0)
    if offset >= 0:
        return [(1 + offset, 1)]
    return [(last + 1 + offset, 12) for last in _LAST_DAYS]


def _later(there: LunarDay, apart: int) -> list[LunarDay]:
    """``there``, ``apart`` days later: the next day may be the first of the next month, or of a leap one."""
    day, month = there
    if not apart:
        return [there]
    turned = [(1, 0 if month == 0 else month % 12 + 1)] if day in _LAST_DAYS else []
    return turned + ([(day + 1, month)] if day < 30 else [])
