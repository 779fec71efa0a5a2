"""Times as people here read and write them: the station's zone, 24 hours, day before month. Pure.

- Never a native date or time input: browsers show those in the browser's language, not the page's.
- A day is chosen by a chip or written dd/mm/yyyy; the hour and minute come from lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from schedules.moments import at_local, local
from words import say

CHIPS = 6
HOURS = tuple(f"{hour:02}" for hour in range(24))
MINUTES = tuple(f"{minute:02}" for minute in range(0, 60, 5))


@dataclass(frozen=True)
class Day:
    """A day to choose: ``key`` is ISO, ``name`` and ``short`` what a person reads."""

    key: str
    name: str
    short: str


def day_name(day: date, today: date, language: str) -> str:
    """Today, tomorrow, yesterday, or the weekday."""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((day - today).days)
    return say(f"web.{near or f'weekday_{day.weekday()}'}", language)


def days_ahead(now: datetime, zone: str, language: str) -> list[Day]:
    """The chips: today and the days after it."""
    today = local(now, zone).date()
    days = [today + timedelta(days=ahead) for ahead in range(CHIPS)]
    return [Day(day.isoformat(), day_name(day, today, language), f"{day:%d/%m}") for day in days]


def next_day(now: datetime, zone: str, hour: str) -> str:
    """The day, as a form has it, on which that hour comes next: today, or tomorrow where it is over."""
    there = local(now, zone)
    return (there.date() + timedelta(days=hour <= f"{there:%H}")).isoformat()


def written_day(text: str) -> date | None:
    """``dd/mm/yyyy`` (also with - or . between) or ISO as a date; None when it is neither."""
    text = text.strip().replace("-", "/").replace(".", "/")
    for form in ("%d/%m/%Y", "%Y/%m/%d"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def moment(day: date, hour: str, minute: str, zone: str) -> datetime | None:
    """The moment in UTC when the zone's clock shows that time on that day; None when it is no time of day."""
    try:
        return at_local(day, time(int(hour), int(minute)), zone)
    except (ValueError, OverflowError):
        return None


def shown(at: datetime | None, now: datetime, zone: str, language: str) -> str:
    """``17:00 · Hôm nay 24/11``; the year is added when it is another one, nothing for None."""
    return f"{minute(at, zone)} · {day_of(at, now, zone, language)}" if at else ""


def day_of(at: datetime, now: datetime, zone: str, language: str) -> str:
    """``Hôm nay 24/11``; the year is added when it is another one."""
    here, today = local(at, zone), local(now, zone).date()
    year = "" if here.year == today.year else f"/{here.year}"
    return f"{day_name(here.date(), today, language)} {here:%d/%m}{year}"


def minute(at: datetime, zone: str) -> str:
    """``17:00``."""
    return f"{local(at, zone):%H:%M}"


def second(at: datetime, zone: str) -> str:
    """``17:00:00``, for lines where the second matters."""
    return f"{local(at, zone):%H:%M:%S}"


def span(seconds: float, language: str) -> str:
    """A length of time in its two largest units: ``3 ngày 4 giờ``, ``12 phút``, ``8 giây``."""
    rest, parts = int(seconds), []
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(say(f"web.{unit}", language, count=count))
        elif parts:
            break
    return " ".join(parts[:2]) or say("web.seconds", language, count=0)
