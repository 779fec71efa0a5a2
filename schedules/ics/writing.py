"""Bookings become a calendar file that any calendar program reads.

- Moments are in UTC; what repeats by RFC 5545 is one event with its rule, on the clock of its zone, which the file
  explains (VTIMEZONE).
- What a calendar program has no rule for (the lunar calendar, a rule that both counts and ends) is written as one event
  for each coming in the window.
- The same booking has the same UID in every file, so that a program that reads a newer one replaces the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import icalendar

from schedules import calendars, moments
from schedules.calendars import Recurrence, RuleError

ZONE_YEARS = 10  # how far past the window the file explains the zones of what repeats
_PRODUCER = "-//Loa//loa-radio//VI"
_DAY = timedelta(days=1)

Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Entry:
    """What one booking says in a calendar. ``start``: the first possible moment where it repeats (aware)."""

    uid: str
    start: datetime
    duration: timedelta
    summary: str
    description: str = ""
    recurrence: Recurrence | None = None


def write(entries: Iterable[Entry], window: Window, now: datetime, name: str) -> str:
    """The entries that come in [since, until), as the text of a calendar called ``name``; lines end with CRLF.

    Raises RuleError and BadMoment for a recurrence that is none.
    """
    calendar = icalendar.Calendar()
    calendar.add("PRODID", _PRODUCER)
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", "PUBLISH")
    calendar.add("X-WR-CALNAME", _plain(name))
    earliest = window[0]
    for entry in entries:
        for event in _events(entry, window):
            event.add("DTSTAMP", now.astimezone(UTC).replace(microsecond=0))
            calendar.add_component(event)
            earliest = min(earliest, entry.start)
    calendar.add_missing_timezones(date(earliest.year - 1, 1, 1), date(window[1].year + ZONE_YEARS, 1, 1))
    return str(calendar.to_ical(), "utf-8")


def _events(entry: Entry, window: Window) -> Iterator[icalendar.Event]:
    """Its events in the window: none, one, or one for each coming."""
    if entry.recurrence is None:
        if window[0] <= entry.start < window[1]:
            yield _event(entry, entry.start.astimezone(UTC))
        return
    found = calendars.occurrences(entry.recurrence, entry.start, *window)
    if not found:
        return
    if series := _series(entry, entry.recurrence, window[1]):
        yield series
        return
    for start in found:
        yield _event(replace(entry, uid=f"{start:%Y%m%dT%H%M%SZ}-{entry.uid}"), start)


def _event(entry: Entry, start: datetime) -> icalendar.Event:
    event = icalendar.Event()
    event.add("UID", entry.uid)
    event.add("SUMMARY", _plain(entry.summary).replace("\n", " "))
    if entry.description:
        event.add("DESCRIPTION", _plain(entry.description))
    event.add("DTSTART", start)
    if entry.duration:
        event.add("DURATION", entry.duration)
    return event


def _series(entry: Entry, kept: Recurrence, until: datetime) -> icalendar.Event | None:
    """It as one event with its rule, None where RFC 5545 has no such rule."""
    parts = kept.rule.strip().upper().removeprefix("RRULE:")
    if calendars.is_listed(parts) or ("COUNT=" in parts and kept.until):
        return None
    try:
        first = calendars.starts(kept.rule, entry.start, entry.start, until, kept.zone)[0]
    except RuleError:  # more comings since its start than we walk through
        return None
    rule = icalendar.vRecur.from_ical(parts)
    if end := calendars.end_of(kept):
        rule["UNTIL"] = [end.replace(microsecond=0)]
    event = _event(entry, moments.local(first, kept.zone))  # RFC 5545: DTSTART is the first coming
    event.add("RRULE", rule)
    left_out = [moment for day in kept.but for moment in _comings(kept, entry.start, date.fromisoformat(day))]
    if left_out:
        event.add("EXDATE", [moments.local(moment, kept.zone) for moment in left_out])
    return event


def _comings(kept: Recurrence, first: datetime, day: date) -> list[datetime]:
    """When the rule itself comes on a local day."""
    since, until = (moments.at_local(each, time(), kept.zone) for each in (day, day + _DAY))
    return calendars.starts(kept.rule, first, since, until, kept.zone) if until > first else []


def _plain(text: str) -> str:
    """Without the characters that a calendar may not hold (RFC 5545, 3.1)."""
    return "".join(each for each in text if each in "\n\t" or each.isprintable())
