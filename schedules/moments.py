"""Moments and local times: the only place where the station's zone meets UTC.

- Every datetime is aware; UTC inside, local only to compare with a policy or to show.
- A local time that does not exist (spring forward) means the moment the clocks jump to; one that occurs
  twice means the first (PEP 495, fold=0).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_ZONE = "Asia/Ho_Chi_Minh"


class BadMoment(ValueError):
    """A time that cannot be read; the message shows the forms that can."""


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises BadMoment."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadMoment(f"{name!r} is not an IANA time zone, such as {DEFAULT_ZONE}") from None


def local(moment: datetime, zone_name: str) -> datetime:
    """``moment`` on the zone's clock."""
    return moment.astimezone(zone(zone_name))


def at_local(day: date, clock: time, zone_name: str) -> datetime:
    """The moment, in UTC, when the zone's clock shows ``clock`` on ``day``."""
    return datetime.combine(day, clock, zone(zone_name)).astimezone(UTC)


def clock_time(text: str) -> time:
    """``HH:MM`` as a time. Raises BadMoment."""
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise BadMoment(f"{text!r} is not a time of day, such as 05:00") from None


def read(text: str, now: datetime, zone_name: str) -> datetime:
    """A time as a person or a program writes it, as a moment in UTC.

    Takes ISO 8601 with or without zone, ``YYYY-MM-DD HH:MM[:SS]``, ``dd/mm/yyyy HH:MM``, ``HH:MM`` (the next
    time the clock shows it) and ``+90s``/``+5m``/``+2h`` from now. Without a zone, local. Raises BadMoment.
    """
    text = text.strip()
    if text[:1] == "+" and text[1:-1].isdigit() and text[-1:] in "smh" and len(text) < 10:
        return now.astimezone(UTC) + timedelta(seconds=int(text[1:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]])
    if len(text) == 5 and text[2] == ":":
        return next_at(clock_time(text), now, zone_name)
    for form in ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone(zone_name)).astimezone(UTC)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone(zone_name))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadMoment(
            f"{text[:40]!r} is not a time, such as 2026-11-24 17:00, 24/11/2026 17:00, 17:00 or +5m"
        ) from None


def next_at(clock: time, now: datetime, zone_name: str) -> datetime:
    """The next moment after ``now`` (or now itself) when the zone's clock shows ``clock``."""
    today = local(now, zone_name).date()
    moment = at_local(today, clock, zone_name)
    return moment if moment >= now else at_local(today + timedelta(days=1), clock, zone_name)


def within(clock: time, since: time, until: time) -> bool:
    """Whether ``clock`` lies in [since, until), a span that may go over midnight; equal ends are an empty span."""
    if since <= until:
        return since <= clock < until
    return clock >= since or clock < until
