"""Moments and local times: the only place where the station's zone meets UTC.

- Every datetime is aware; UTC inside, local only to compare with a policy or to show.
- A local time that does not exist (spring forward) means the moment the clocks jump to; one that occurs
  twice means the first (PEP 495, fold=0).
- Nothing is rounded: a time of day that stands in a file is `HH:MM`, exactly.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_ZONE = "Asia/Ho_Chi_Minh"

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_SOON = re.compile(r"\+([0-9]{1,7})([smh])")
_BARE = re.compile(r"([0-9]|[01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}
_MOST_CHARS = 40
_NO_ZONES = {"localtime", "posixrules", "Factory"}  # files beside the zones: what they say differs by machine


class BadMoment(ValueError):
    """A time that cannot be read; the message shows the forms that can.

    ``key`` names the sentence for a person (`words`), ``facts`` fill it.
    """

    def __init__(self, key: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.key, self.facts = key, facts


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises BadMoment."""
    try:
        if name in _NO_ZONES:
            raise ValueError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{name[:_MOST_CHARS]!r} is not an IANA time zone, such as {DEFAULT_ZONE}"
        raise BadMoment("schedules.bad_zone", message, zone=name[:_MOST_CHARS], example=DEFAULT_ZONE) from None


def local(moment: datetime, zone_name: str) -> datetime:
    """``moment`` on the zone's clock."""
    return moment.astimezone(zone(zone_name))


def at_local(day: date, clock: time, zone_name: str) -> datetime:
    """The moment, in UTC, when the zone's clock shows ``clock`` on ``day``; the jump when it skips that time.

    Raises BadMoment for a day at the very ends of the calendar, which has no moment in UTC.
    """
    there = zone(zone_name)
    wall = datetime.combine(day, clock.replace(fold=0, tzinfo=None))
    try:
        moment = wall.replace(tzinfo=there).astimezone(UTC)
        if moment.astimezone(there).replace(tzinfo=None, fold=0) == wall:
            return moment
        return _jump(wall.replace(tzinfo=there, fold=1).astimezone(UTC), moment, there)
    except OverflowError:
        raise _unreadable(wall.isoformat()) from None


@lru_cache(maxsize=1024)
def clock_time(text: str) -> time:
    """``HH:MM`` as a time. Raises BadMoment."""
    found = _CLOCK.fullmatch(text)
    if not found:
        message = f"{text[:_MOST_CHARS]!r} is not a time of day, such as 05:00"
        raise BadMoment("schedules.bad_clock", message, text=text[:_MOST_CHARS])
    return time(int(found[1]), int(found[2]))


def read(text: str, now: datetime, zone_name: str) -> datetime:
    """A time as a person or a program writes it, as a moment in UTC.

    Takes ISO 8601 with or without zone (a date alone is its midnight), ``YYYY-MM-DD HH:MM[:SS]``,
    ``dd/mm/yyyy HH:MM[:SS]``, ``HH:MM[:SS]`` (the next time the clock shows it) and ``+90s``/``+5m``/``+2h``
    from now. Without a zone, local. Raises BadMoment.
    """
    text = text.strip()
    if soon := _SOON.fullmatch(text):
        return now.astimezone(UTC) + timedelta(seconds=int(soon[1]) * _UNIT_SECONDS[soon[2]])
    if clock := _bare(text):
        return next_at(clock, now, zone_name)
    wall = _written(text)
    try:
        return wall.astimezone(UTC) if wall.tzinfo else at_local(wall.date(), wall.time(), zone_name)
    except OverflowError:
        raise _unreadable(text) from None


def read_past(text: str, now: datetime, zone_name: str) -> datetime:
    """As `read`, for what lies behind: ``HH:MM[:SS]`` is the last time that the clock showed it. Raises BadMoment."""
    clock = _bare(text.strip())
    return last_at(clock, now, zone_name) if clock else read(text, now, zone_name)


def next_at(clock: time, now: datetime, zone_name: str) -> datetime:
    """The next moment after ``now`` (or now itself) when the zone's clock shows ``clock``."""
    today = local(now, zone_name).date()
    # the day before and two days on: a zone may jump over midnight, or leave a whole day out
    moments = (occurs(today + timedelta(days=ahead), clock, zone_name) for ahead in range(-1, 3))
    return min(moment for moment in moments if moment and moment >= now)


def last_at(clock: time, now: datetime, zone_name: str) -> datetime:
    """The last moment before ``now`` (or now itself) when the zone's clock showed ``clock``."""
    today = local(now, zone_name).date()
    moments = (occurs(today + timedelta(days=ahead), clock, zone_name) for ahead in range(-2, 2))  # as in `next_at`
    return max(moment for moment in moments if moment and moment <= now)


def occurs(day: date, clock: time, zone_name: str) -> datetime | None:
    """`at_local`, or None where ``day`` ends before it shows ``clock`` (Apia has no 30 December 2011)."""
    moment = at_local(day, clock, zone_name)
    return moment if local(moment, zone_name).date() == day else None


def within(clock: time, since: time, until: time) -> bool:
    """Whether ``clock`` lies in [since, until), a span that may go over midnight; equal ends are an empty span."""
    if since <= until:
        return since <= clock < until
    return clock >= since or clock < until


def _bare(text: str) -> time | None:
    """A time of day without its day."""
    found = _BARE.fullmatch(text)
    return time(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _written(text: str) -> datetime:
    """``text`` as a date and time, aware where it names a zone. Raises BadMoment."""
    for form in ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"):
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 – a local time; `read` gives it its zone
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _unreadable(text) from None


def _jump(before: datetime, after: datetime, there: tzinfo) -> datetime:
    """The first second in (before, after], both UTC, at which the zone has the offset that it has at ``after``."""
    settled = after.astimezone(there).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        offset = (before + timedelta(seconds=middle)).astimezone(there).utcoffset()
        low, high = (low, middle) if offset == settled else (middle, high)
    return before.replace(microsecond=0) + timedelta(seconds=high)


def _unreadable(text: str) -> BadMoment:
    shown = text[:_MOST_CHARS]
    message = f"{shown!r} is not a time, such as 2026-11-24 17:00, 24/11/2026 17:00, 17:00 or +5m"
    return BadMoment("schedules.bad_moment", message, text=shown)
