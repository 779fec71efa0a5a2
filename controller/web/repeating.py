"""The part of the compose form that says how an announcement comes again: typed fields <-> a recurrence. Pure.

- Nothing typed is lost: what makes no rule stays as it was typed, with a sentence beside its field.
- Bounds are here so that they are told in a person's words; the desk keeps its own.
- A recurrence that these fields cannot show stands in the last of them, as its rule is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from controller.web.times import moment, written_day
from schedules import calendars
from schedules.calendars import DATES, LUNAR, Recurrence
from schedules.moments import at_local, local
from words import Said

HOWS = ("daily", "weekly", "monthly", "lunar", "dates", "rule")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LUNAR_DAYS = ("1", "15", "30", "TET")
MOST_WEEKS = 8
MOST_DATES = 50  # as many as a rule has room for
MOST_LEFT_OUT = 400
LAST_DAY = "-1"
_LAST_SECOND = time(23, 59, 59)
_WEEKLY = re.compile(r"FREQ=WEEKLY(;INTERVAL=[1-8])?;BYDAY=((?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:MO|TU|WE|TH|FR|SA|SU))*)")
_MONTHLY = re.compile(r"FREQ=MONTHLY;BYMONTHDAY=(-1|[1-9]|[12][0-9]|3[01])")
_BETWEEN = re.compile(r"[\s,;]+")

Field = Callable[[str, int, str], str]


class TimingError(Said):
    """What makes no time or rule; ``field`` is where."""

    def __init__(self, field: str, key: str, **facts: object) -> None:
        super().__init__(key, **facts)
        self.field = field


@dataclass(frozen=True)
class Repeating:
    """As it was typed: days as ``dd/mm/yyyy``, several of them with commas, spaces or lines between."""

    how: str = "weekly"
    weekdays: tuple[str, ...] = ()
    weeks: str = "1"
    month_day: str = "1"
    lunar: tuple[str, ...] = ()
    lunar_other: str = ""
    dates: str = ""
    rule: str = ""
    until: str = ""
    but: str = ""


def read(field: Field, several: Callable[[str], list[str]]) -> Repeating:
    """Out of a form: ``field`` gives one value, ``several`` all of a name."""
    how = field("repeat", 10, "weekly")
    return Repeating(
        how=how if how in HOWS else "weekly",
        weekdays=tuple(dict.fromkeys(each[:4] for each in several("weekdays")))[:20],
        weeks=field("weeks", 4, "1"),
        month_day=field("month_day", 4, "1"),
        lunar=tuple(dict.fromkeys(each[:6] for each in several("lunar")))[:20],
        lunar_other=field("lunar_other", 200, ""),
        dates=field("dates", 20_000, ""),
        rule=field("rule", 600, ""),
        until=field("until", 40, ""),
        but=field("but", 40_000, ""),
    )


def recurrence_of(typed: Repeating, begin: datetime, zone: str) -> Recurrence:
    """The recurrence that was typed, from ``begin`` on. Raises TimingError."""
    last = _last(typed, begin, zone)
    left_out = _days(typed.but, "but", MOST_LEFT_OUT)
    return Recurrence(_rule(typed), zone, tuple(sorted(each.isoformat() for each in left_out)), last)


def first_of(typed: Repeating, day: date | None, clock: tuple[str, str], zone: str) -> datetime | None:
    """The first possible moment: at ``clock`` on the day chosen, or on the earliest of the dates; None for no time."""
    if typed.how == "dates":
        named = _days(typed.dates, "dates", MOST_DATES)
        day = min(named, default=None)
    return moment(day, *clock, zone) if day else None


def repeating_of(kept: Recurrence) -> Repeating:
    """The fields that make this recurrence."""
    rule = kept.rule.strip().upper().removeprefix("RRULE:")
    until = f"{local(kept.until, kept.zone):%d/%m/%Y}" if kept.until else ""
    but = ", ".join(f"{date.fromisoformat(day):%d/%m/%Y}" for day in kept.but)
    return replace(_fields(rule, kept.rule), until=until, but=but)


def _fields(rule: str, written: str) -> Repeating:
    if rule == "FREQ=DAILY":
        return Repeating("daily")
    if found := _WEEKLY.fullmatch(rule):
        return Repeating("weekly", weekdays=tuple(found[2].split(",")), weeks=(found[1] or "=1").rpartition("=")[2])
    if found := _MONTHLY.fullmatch(rule):
        return Repeating("monthly", month_day=found[1])
    if rule.startswith(LUNAR):
        parts = rule.removeprefix(LUNAR).replace(" ", "").split(",")
        chips = tuple(part for part in parts if part in LUNAR_DAYS)
        return Repeating("lunar", lunar=chips, lunar_other=", ".join(part for part in parts if part not in LUNAR_DAYS))
    if calendars.is_listed(rule):
        days = rule.removeprefix(DATES).split(",")
        return Repeating("dates", dates=", ".join(f"{date.fromisoformat(day):%d/%m/%Y}" for day in days))
    return Repeating("rule", rule=written)


def _rule(typed: Repeating) -> str:
    """The rule, as `Recurrence` has it. Raises TimingError."""
    if typed.how == "weekly":
        return _weekly(typed)
    if typed.how == "monthly":
        if not _MONTHLY.fullmatch(f"FREQ=MONTHLY;BYMONTHDAY={typed.month_day}"):
            raise TimingError("month_day", "web.problem_month_day")
        return f"FREQ=MONTHLY;BYMONTHDAY={typed.month_day}"
    if typed.how == "lunar":
        others = [each.upper() for each in _BETWEEN.split(typed.lunar_other.strip()) if each]
        if not typed.lunar and not others:
            raise TimingError("lunar", "web.problem_lunar")
        return LUNAR + ",".join(dict.fromkeys((*typed.lunar, *others)))
    if typed.how == "dates":
        named = _days(typed.dates, "dates", MOST_DATES)
        if not named:
            raise TimingError("dates", "web.problem_dates")
        return DATES + ",".join(f"{day:%Y%m%d}" for day in sorted(named))
    if typed.how == "rule" and not typed.rule.strip():
        raise TimingError("rule", "web.problem_rule")
    return typed.rule.strip() if typed.how == "rule" else "FREQ=DAILY"


def _weekly(typed: Repeating) -> str:
    if not typed.weekdays or not set(typed.weekdays) <= set(WEEKDAYS):
        raise TimingError("weekdays", "web.problem_weekdays")
    if typed.weeks not in {str(number) for number in range(1, MOST_WEEKS + 1)}:
        raise TimingError("weeks", "web.problem_weeks", most=MOST_WEEKS)
    gap = "" if typed.weeks == "1" else f";INTERVAL={typed.weeks}"
    return f"FREQ=WEEKLY{gap};BYDAY={','.join(each for each in WEEKDAYS if each in typed.weekdays)}"


def _last(typed: Repeating, begin: datetime, zone: str) -> datetime | None:
    """The last possible moment, None for no end. Raises TimingError."""
    if not typed.until.strip():
        return None
    day = written_day(typed.until)
    if day is None or day.year >= date.max.year:
        raise TimingError("until", "web.problem_until")
    last = at_local(day, _LAST_SECOND, zone)
    if last < begin:
        raise TimingError("until", "web.problem_until_before")
    return last


def _days(text: str, field: str, most: int) -> list[date]:
    """Every day that is named in a field, each once. Raises TimingError."""
    found: dict[date, None] = {}
    for part in _BETWEEN.split(text.strip()):
        day = written_day(part) if part else None
        if part and (day is None or not timedelta(0) <= day - date(1970, 1, 1) < timedelta(days=200 * 366)):
            raise TimingError(field, "web.problem_day", day=part[:20])
        if day:
            found[day] = None
        if len(found) > most:
            raise TimingError(field, "web.problem_too_many_days", most=most)
    return list(found)
