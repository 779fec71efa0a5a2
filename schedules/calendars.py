"""Recurrences and holidays: the one door to python-dateutil and holidays (controller only).

- Rules are RFC 5545 recurrence rules, expanded on the wall clock of the station's zone and only then turned
  into moments: every Monday 05:00 stays at 05:00 when a zone's offset changes.
- Or they go by the lunar calendar, as `lunar` knows it: ``LUNAR:1,15`` (every month), ``LUNAR:15/7`` (every year),
  ``LUNAR:TET-1`` (the day before Tết), at the local time of the first possible moment.
- Or they name their days: ``DATES:20261125,20261201``, at that same time.
- Answers are finite, and found in finite time: a window is always given, no rule that never fires is followed, and what
  would fill it without end is refused.
- The lists of holidays are the library's; they follow the yearly decisions only as fast as its releases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import prod
from types import MappingProxyType

import holidays
from dateutil.rrule import rrule, rrulestr

from schedules import lunar, moments
from schedules.days import MOST_TET_DAYS, DayFacts
from words import Said

MOST_STARTS = 5_000
MOST_STEPS = 50_000  # occurrences walked over between the first and the end of the window
MOST_RULE_CHARS = 500
MOST_TIMES_A_DAY = 1_440
MOST_TIMES_TO_PICK_FROM = 24  # a day, for BYSETPOS, which lays out a whole year of them
LUNAR = "LUNAR:"
DATES = "DATES:"

_WHEN = "BYSETPOS BYMONTH BYWEEKNO BYYEARDAY BYMONTHDAY BYDAY BYHOUR BYMINUTE BYSECOND"
RULE_PARTS = frozenset(re.findall(r"\w+", f"FREQ INTERVAL COUNT UNTIL WKST {_WHEN}"))  # RFC 5545, 3.3.10

# the largest number of each part, and of weekdays within a month: past it the library leaves its own tables
_MOST = {"BYSETPOS": 366, "BYYEARDAY": 366, "BYMONTHDAY": 31, "BYWEEKNO": 53, "BYMONTH": 12, "BYDAY": 53}
_MOST_IN_A_MONTH = 5

_TOO_FAST = ("SECONDLY", "MINUTELY", "HOURLY")
_PARTS = re.compile(r"[A-Z-]+=[A-Z0-9,+-]+(;[A-Z-]+=[A-Z0-9,+-]+)*")
_DATES = re.compile(r"[0-9]{8}(,[0-9]{8})*")
_WIDEST_JUMP = timedelta(days=3)  # more than any zone ever moved its clocks
_TICK = timedelta(microseconds=1)
_LAST_SECOND = timedelta(days=1) - timedelta(seconds=1)


class RuleError(Said):
    """A recurrence rule that cannot be read, or fires more often than a radio may."""


@dataclass(frozen=True)
class Recurrence:
    """How a booking comes again: by a rule on the clock of ``zone``, not on the days ``but``, not past ``until``.

    ``rule``: an RRULE (RFC 5545), or ``LUNAR:`` and days of the lunar calendar (`lunar.read`), or ``DATES:`` and days.
    ``but``: local dates as ``2026-12-31``, ascending.
    """

    rule: str
    zone: str = moments.DEFAULT_ZONE
    but: tuple[str, ...] = ()
    until: datetime | None = None


def occurrences(recurrence: Recurrence, first: datetime, since: datetime, until: datetime) -> list[datetime]:
    """The moments (UTC, ascending) in [since, until) at which it comes; ``first`` is the first possible one.

    Raises RuleError, also for a day in ``but`` that is none; BadMoment for the zone.
    """
    last = min(until, recurrence.until + _TICK) if recurrence.until else until
    left_out = {_day(text) for text in recurrence.but}
    found = starts(recurrence.rule, first, since, last, recurrence.zone)
    return [moment for moment in found if moments.local(moment, recurrence.zone).date() not in left_out]


def starts(rule: str, first: datetime, since: datetime, until: datetime, zone_name: str) -> list[datetime]:
    """The moments (UTC, ascending) in [since, until) at which ``rule`` fires; the first possible is ``first``.

    ``rule`` is the value of an RRULE (``FREQ=WEEKLY;BYDAY=MO,WE``), with or without the ``RRULE:`` before it;
    COUNT counts from ``first``. A local time of an occurrence that does not exist is the jump; a day that
    does not exist (31 April) is left out, as RFC 5545 says. Raises RuleError; BadMoment for the zone.
    A rule that begins with ``LUNAR:`` names days of the lunar calendar (`lunar.read`), with ``DATES:`` local days.
    """
    written = rule.strip().upper().removeprefix("RRULE:")
    if written.startswith(DATES):
        return _dated_starts(written.removeprefix(DATES), first, (since, until), zone_name)
    if written.startswith(LUNAR):
        return _lunar_starts(written.removeprefix(LUNAR), first, (since, until), zone_name)
    begin = moments.local(first, zone_name).replace(tzinfo=None, fold=0)
    near = moments.local(min(since, until), zone_name).replace(tzinfo=None, fold=0) - _WIDEST_JUMP
    found: list[datetime] = []
    for step, wall in enumerate(_walls(written, begin, zone_name)):
        if wall < near and step < MOST_STEPS:
            continue  # what is days before is not worth its moment
        moment = moments.at_local(wall.date(), wall.time(), zone_name)
        if moment >= until:
            break
        if moment >= since:
            found.append(moment)
        if len(found) > MOST_STARTS or step >= MOST_STEPS:
            raise RuleError("schedules.rule_too_often", rule=written[:80], most=MOST_STARTS)
    return sorted(set(found))  # two local times in the hour that a zone leaves out are one moment


def fires(rule: str, begin: datetime) -> bool:
    """Whether ``rule``, as any program may have written it, ever fires from ``begin`` (naive) on: within 28 years.

    COUNT and UNTIL are not looked at, nor parts that RFC 5545 does not know. Raises RuleError for what is no rule, and
    for too many times a day. The library looks for the first time until the year 9999, whatever UNTIL says; so it is
    asked about the same days as near to that year as a whole cycle of 28 years lets it. What names a number that no
    calendar has, such as a twentieth Friday of a month, counts as never.
    """
    parts = dict(part.split("=", 1) for part in rule.strip().upper().split(";") if "=" in part)
    kept = {key: parts[key] for key in parts if key in RULE_PARTS - {"COUNT", "UNTIL"}}
    read = _read(kept, begin.replace(year=_late_twin(begin.year)))
    return not _beyond(kept) and next(iter(read), None) is not None


def _late_twin(year: int) -> int:
    """The year from 9944 to 9971 with the same days of the week as ``year``."""
    days = date(year, 1, 1).weekday(), date(year, 12, 31).weekday()
    return next(
        late for late in range(9944, 9972) if days == (date(late, 1, 1).weekday(), date(late, 12, 31).weekday())
    )


def end_of(recurrence: Recurrence) -> datetime | None:
    """The last possible moment (UTC) of it, None for one without end. Raises RuleError for an UNTIL that is none."""
    found = re.search(r"\bUNTIL=([^;]*)", recurrence.rule.upper())
    if not found:
        return recurrence.until
    try:
        wall = _until(found[1], recurrence.zone)
        moment = moments.at_local(wall.date(), wall.time(), recurrence.zone)
    except (ValueError, OverflowError) as error:
        raise RuleError("schedules.bad_rule", rule=recurrence.rule[:80], detail=str(error)[:100]) from None
    return min(moment, recurrence.until) if recurrence.until else moment


def is_lunar(rule: str) -> bool:
    """Whether ``rule`` goes by the lunar calendar."""
    return rule.strip().upper().startswith(LUNAR)


def is_listed(rule: str) -> bool:
    """Whether ``rule`` names its days: by the lunar calendar or by their dates, and not as RFC 5545 does."""
    return is_lunar(rule) or rule.strip().upper().startswith(DATES)


def holiday(day: date, language: str = "vi") -> str | None:
    """The name of the Vietnamese public holiday on ``day`` (days in lieu too), or None."""
    return holidays_of(day.year, language).get(day)


@lru_cache(maxsize=64)
def holidays_of(year: int, language: str = "vi") -> Mapping[date, str]:
    """The Vietnamese public holidays of ``year`` by day, named in ``vi`` or ``en``."""
    spoken = "en_US" if language == "en" else "vi"
    named = holidays.country_holidays("VN", years=year, language=spoken)
    return MappingProxyType(dict(sorted(named.items())))


@lru_cache(maxsize=4096)
def facts_of(day: date, language: str = "vi") -> DayFacts:
    """What is known of ``day``: its public holidays, named in ``vi`` or ``en``, and every lunar day that it is."""
    named = holidays_of(day.year, language).get(day, "")
    found = tuple(name.strip() for name in named.split(";") if name.strip())
    try:
        there = lunar.lunar_day(day)
        return DayFacts(found, _lunar_names(day, there), f"{there.day}/{there.month}{'*' * there.leap}")
    except lunar.LunarError:  # beyond the years known
        return DayFacts(found)


def _lunar_names(day: date, there: lunar.LunarDay) -> frozenset[str]:
    """``15`` and ``15/7``, in a leap month only ``15``; ``30`` for a last day too; ``tet-1`` near Tết."""
    last = there.day == 29 and lunar.lunar_day(day + timedelta(days=1)).day == 1
    numbers = (29, 30) if last else (there.day,)
    names = {str(number) for number in numbers}
    if not there.leap:
        names |= {f"{number}/{there.month}" for number in numbers}
    for offset in range(-MOST_TET_DAYS, MOST_TET_DAYS + 1):
        try:
            first = lunar.lunar_day(day - timedelta(days=offset))
        except lunar.LunarError:
            continue
        if (first.day, first.month, first.leap) == (1, 1, False):
            names.add(f"tet{offset:+d}" if offset else "tet")
    return frozenset(names)


def _lunar_starts(days: str, first: datetime, window: tuple[datetime, datetime], zone_name: str) -> list[datetime]:
    """The moments in ``window``, from ``first`` on, at its local time on the lunar ``days``. Raises RuleError."""
    since, until = max(first, window[0]), window[1]
    clock = moments.local(first, zone_name).time()
    day, found = moments.local(since, zone_name).date(), []
    try:
        kept = lunar.read(days)
        while (moment := moments.at_local(day, clock, zone_name)) < until:
            if moment >= since and any(lunar.kept_on(each, day) for each in kept):
                found.append(moment)
            day += timedelta(days=1)
    except lunar.LunarError as wrong:
        raise RuleError(wrong.key, **wrong.facts) from None
    return sorted(set(found))  # a day that a zone leaves out has the moment of the next


def _dated_starts(days: str, first: datetime, window: tuple[datetime, datetime], zone_name: str) -> list[datetime]:
    """The moments in ``window``, from ``first`` on, at its local time on the ``days``. Raises RuleError."""
    since, clock = max(first, window[0]), moments.local(first, zone_name).time()
    if len(days) > MOST_RULE_CHARS or not _DATES.fullmatch(days):
        raise RuleError("schedules.bad_dates", days=days[:80])
    try:
        named = {date.fromisoformat(day) for day in days.split(",")}
    except ValueError:
        raise RuleError("schedules.bad_dates", days=days[:80]) from None
    found = {moments.at_local(day, clock, zone_name) for day in named}
    return sorted(moment for moment in found if since <= moment < window[1])


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RuleError("schedules.bad_exception", day=text[:40]) from None


def _walls(written: str, begin: datetime, zone_name: str) -> Iterable[datetime]:
    """When ``written`` fires on the wall clock (naive). Raises RuleError."""
    if len(written) > MOST_RULE_CHARS or not _PARTS.fullmatch(written):
        raise RuleError("schedules.bad_rule", rule=written[:80], detail="FREQ=…;BYDAY=…")
    parts = dict(part.split("=", 1) for part in written.split(";"))
    if parts.get("FREQ") in _TOO_FAST:
        raise RuleError("schedules.rule_too_often", rule=written[:80], most=MOST_STARTS)
    wrong = _why_not(written, parts) or _beyond(parts)
    if wrong:
        raise RuleError("schedules.bad_rule", rule=written[:80], detail=wrong)
    try:
        if "UNTIL" in parts:
            parts["UNTIL"] = f"{_until(parts['UNTIL'], zone_name):%Y%m%dT%H%M%S}"
    except (ValueError, OverflowError) as error:
        raise RuleError("schedules.bad_rule", rule=written[:80], detail=str(error)[:100]) from None
    return _read(parts, begin) if fires(written, begin) else ()


def _read(parts: dict[str, str], begin: datetime) -> rrule:
    """A rule on naive wall clock time. Raises RuleError."""
    rule = ";".join(f"{key}={value}" for key, value in parts.items())
    times_a_day = prod(len(set(parts.get(key, "").split(","))) for key in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    if times_a_day > (MOST_TIMES_TO_PICK_FROM if "BYSETPOS" in parts else MOST_TIMES_A_DAY):
        raise RuleError("schedules.rule_too_often", rule=rule[:80], most=MOST_STARTS)
    try:
        read = rrulestr(rule, dtstart=begin)
        assert isinstance(read, rrule)  # one rule and nothing else: no line breaks, no DTSTART
        return read
    except (ValueError, OverflowError, TypeError, IndexError, AssertionError) as error:  # the library's ways
        raise RuleError("schedules.bad_rule", rule=rule[:80], detail=str(error)[:100]) from None


def _beyond(parts: dict[str, str]) -> str:
    """The part whose numbers are larger than a calendar's; empty when none is."""
    by_month = parts.get("FREQ") == "MONTHLY" or "BYMONTH" in parts
    for key, most in (_MOST | ({"BYDAY": _MOST_IN_A_MONTH} if by_month else {})).items():
        if any(len(digits) > 3 or int(digits) > most for digits in re.findall(r"[0-9]+", parts.get(key, ""))):
            return f"{key} is at most {most}"
    return ""


def _why_not(written: str, parts: dict[str, str]) -> str:
    """What the library would take and should not."""
    if len(parts) < written.count(";") + 1:
        return "a part stands twice"
    if "FREQ" not in parts:
        return "FREQ is missing"
    if unknown := sorted(set(parts) - RULE_PARTS):
        return f"{unknown[0][:40]} is not a part of a rule"
    if "COUNT" in parts and "UNTIL" in parts:
        return "COUNT and UNTIL exclude each other"
    for key in ("COUNT", "INTERVAL"):
        if key in parts and not re.fullmatch(r"[1-9][0-9]{0,4}", parts[key]):
            return f"{key} is a whole number from 1"
    return ""


def _until(text: str, zone_name: str) -> datetime:
    """An UNTIL as naive local time: a moment in UTC, a local time, or a day, which counts whole."""
    if text.endswith("Z"):
        moment = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return moments.local(moment, zone_name).replace(tzinfo=None, fold=0)
    if "T" in text:
        return datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 – the rule runs on the wall clock
    return datetime.strptime(text, "%Y%m%d") + _LAST_SECOND  # noqa: DTZ007 – the rule runs on the wall clock
