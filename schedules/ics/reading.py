"""A calendar file becomes events with their occurrences in a window; what cannot be read is named.

- The occurrences are exactly those of recurring-ical-events, with all it knows: RDATE, EXDATE, RECURRENCE-ID, DURATION,
  SEQUENCE, cancelled events (marked, not left out), X-WR-TIMEZONE.
- An event whose rule we expand to the same moments carries it as a `Recurrence`; any other has its occurrences alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import icalendar
import recurring_ical_events
from icalendar.timezone import tzp

from schedules import calendars, moments
from schedules.calendars import Recurrence, RuleError
from schedules.ics import bounds
from schedules.ics.blocks import Block, IcsError, cut

MOST_OCCURRENCES = 20_000  # of one event in the window
MOST_ZONE_RULES, MOST_ZONE_LINES = 40, 3_000  # each is looked at for every moment in that zone
_HEAD = ("VERSION", "PRODID", "CALSCALE", "X-WR-TIMEZONE")
_WHEN = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
# the libraries' ways of not reading what a stranger wrote; OSError: a zone that is a folder of zones
_UNREADABLE = (
    *(ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, AssertionError, RecursionError, OSError),
)

Window = tuple[datetime, datetime]
Parsed = Any  # an icalendar.Event: what a stranger wrote may stand in any of its properties


class Part(NamedTuple):
    """One event as it stands in the file. ``unread``: the names of its times and rules that were passed over."""

    line: int
    event: Parsed
    unread: tuple[str, ...]


@dataclass(frozen=True)
class Occurrence:
    """One coming of an event. ``key``: its RECURRENCE-ID, in UTC where it has a zone. ``start`` in UTC."""

    key: str
    start: datetime
    duration: timedelta
    summary: str
    description: str
    all_day: bool
    cancelled: bool


@dataclass(frozen=True)
class Event:
    """An event with all that changes it: same UID. ``line`` counts from 1; ``start`` in UTC, of its first coming.

    ``repeats``: it comes more than once, or is changed on some day. ``unread``: the names of its times and rules that
    are none, and were passed over.
    """

    uid: str
    line: int
    summary: str
    start: datetime
    occurrences: tuple[Occurrence, ...]
    recurrence: Recurrence | None = None
    repeats: bool = False
    unknown_zone: str = ""
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Content:
    """What a calendar holds, in the order of its lines, and what could not be read."""

    events: tuple[Event, ...]
    faults: tuple[IcsError, ...]


def read(text: str, since: datetime, until: datetime, zone_name: str) -> Content:
    """The events of ``text`` with their occurrences that touch [since, until); aware datetimes.

    Raises IcsError for a text that is no calendar or too large; BadMoment for the zone.
    """
    pieces = cut(text)
    faults, events = list(pieces.faults), []
    tzp.use_default()  # forgets the zones of the calendar before
    for zone in pieces.zones:
        _learn(zone)
    reader = _Reader(_head(pieces.head), (moments.local(since, zone_name), moments.local(until, zone_name)), zone_name)
    for group in _groups(pieces.events, faults):
        try:
            events.append(reader.event(group))
        except IcsError as wrong:
            faults.append(wrong)
    return Content(tuple(events), tuple(sorted(faults, key=lambda each: each.line)))


def _groups(blocks: Iterable[Block], faults: list[IcsError]) -> Iterable[list[Part]]:
    """The events by UID, each with its changes; one without a UID stands alone."""
    groups: dict[str, list[Part]] = {}
    for block in blocks:
        try:
            event = icalendar.Event.from_ical(block.text)
            if not isinstance(event, icalendar.Event):
                raise TypeError("no event")
            part = Part(block.line, event, _unread(block, event))
            groups.setdefault(str(event.get("UID", f"\0{block.line}")), []).append(part)
        except _UNREADABLE as wrong:
            faults.append(IcsError("schedules.ics_bad_event", line=block.line, summary="–", detail=str(wrong)[:100]))
    return groups.values()


def _learn(zone: Block) -> None:
    """Make a calendar's own zone known, unless its rules are none that a zone has."""
    rules = [line.partition(":")[2] for line in zone.lines if line.upper().startswith("RRULE")]
    if len(rules) > MOST_ZONE_RULES or len(zone.lines) > MOST_ZONE_LINES:
        return
    try:
        if all("FREQ=YEARLY" in rule.upper() and calendars.fires(rule, datetime(2000, 1, 1)) for rule in rules):  # noqa: DTZ001
            icalendar.Timezone.from_ical(zone.text)
    except (*_UNREADABLE, RuleError):
        return  # what uses it has an unknown zone


def _head(lines: Iterable[str]) -> Mapping[str, object]:
    """The calendar's own properties that matter to its events."""
    kept = [line for line in lines if line.upper().startswith(_HEAD)]
    try:
        return dict(icalendar.Calendar.from_ical("\r\n".join(["BEGIN:VCALENDAR", *kept, "END:VCALENDAR", ""])))
    except _UNREADABLE:
        return {}


class _Reader:
    """Reads one event after the other, and counts what that takes."""

    def __init__(self, head: Mapping[str, object], window: Window, zone_name: str) -> None:
        """``window`` in the zone's local time."""
        self._head, self._window, self._zone = head, window, zone_name
        self._steps_left = bounds.MOST_STEPS_IN_ALL

    def event(self, group: list[Part]) -> Event:
        """One event and its changes. Raises IcsError."""
        line, core, _ = next((part for part in group if "RECURRENCE-ID" not in part.event), group[0])
        named = {"line": line, "summary": _words(core, "SUMMARY")[:80] or "–"}
        if not all(isinstance(part.event.get("DTSTART"), icalendar.vDDDTypes) for part in group):
            raise IcsError("schedules.ics_no_start", **named)
        try:
            for part in group:
                self._bound(part.event, named)
            found = self._occurrences([part.event for part in group])
            if len(found) > MOST_OCCURRENCES:
                raise IcsError("schedules.ics_too_often", **named, most=MOST_OCCURRENCES)
            start = self._moment(core["DTSTART"].dt)
            recurrence = self._recurrence(core, start, found) if len(group) == 1 else None
        except (*_UNREADABLE, moments.BadMoment) as wrong:
            raise IcsError("schedules.ics_bad_event", **named, detail=str(wrong)[:100]) from None
        return Event(
            uid=str(core.get("UID", "")),
            line=line,
            summary=_words(core, "SUMMARY"),
            start=start,
            occurrences=tuple(sorted(found, key=lambda each: (each.start, each.key))),
            recurrence=recurrence,
            repeats=len(group) > 1 or any(name in core for name in ("RRULE", "RDATE", "RECURRENCE-ID")),
            unknown_zone=next((zone for part in group if (zone := _unknown_zone(part.event))), ""),
            unread=tuple(sorted({name for part in group for name in part.unread})),
        )

    def _bound(self, part: Parsed, named: dict[str, object]) -> None:
        """Refuse what would be followed for too long. Raises IcsError."""
        begin, since, until = _wall(part["DTSTART"].dt), *map(_wall, self._window)
        if _length(part) > bounds.LONGEST and ("RRULE" in part or "RDATE" in part):
            raise IcsError("schedules.ics_lasts", **named, days=bounds.LONGEST.days)
        if len(_dates(part, "RDATE")) > MOST_OCCURRENCES:
            raise IcsError("schedules.ics_too_often", **named, most=MOST_OCCURRENCES)
        for rule in _rules(part):
            try:
                steps = bounds.steps(rule, begin, until)
                if bounds.steps(rule, max(begin, since), until) > bounds.MOST_IN_WINDOW:
                    raise IcsError("schedules.ics_too_often", **named, most=MOST_OCCURRENCES)
            except RuleError as wrong:
                if wrong.key == "schedules.rule_too_often":
                    raise IcsError("schedules.ics_too_often", **named, most=bounds.MOST_STEPS) from None
                continue  # how it cannot be read is the library's to say
            if not steps:
                raise IcsError("schedules.ics_never", **named, rule=rule[:80])
            self._steps_left -= steps
        if self._steps_left < 0:
            raise IcsError("schedules.ics_too_much", **named)

    def _occurrences(self, parts: Iterable[Parsed]) -> list[Occurrence]:
        calendar = icalendar.Calendar()
        for name, value in self._head.items():
            calendar[name] = value
        for part in parts:
            calendar.add_component(part)
        return [self._occurrence(each) for each in recurring_ical_events.of(calendar).between(*self._window)]

    def _occurrence(self, part: Parsed) -> Occurrence:
        begin, end = part["DTSTART"].dt, part["DTEND"].dt
        start = self._moment(begin)
        return Occurrence(
            key=_key(part["RECURRENCE-ID"].dt),
            start=start,
            duration=self._moment(end) - start,
            summary=_words(part, "SUMMARY"),
            description=_words(part, "DESCRIPTION"),
            all_day=not isinstance(begin, datetime),
            cancelled=_words(part, "STATUS").upper() == "CANCELLED",
        )

    def _recurrence(self, part: Parsed, start: datetime, found: list[Occurrence]) -> Recurrence | None:
        """Its rule, if we expand that to the same moments."""
        rules, begin = _rules(part), part["DTSTART"].dt
        if len(rules) != 1 or "RDATE" in part or "RECURRENCE-ID" in part:
            return None
        zone = _zone_of(begin, self._zone)
        try:
            but = sorted({moments.local(self._moment(day), zone).date().isoformat() for day in _dates(part, "EXDATE")})
            kept = Recurrence(rules[0], zone, tuple(but))
            since, until = self._window
            ours = calendars.occurrences(kept, start, since, until)
        except (RuleError, moments.BadMoment, OverflowError):
            return None
        return kept if ours == sorted(each.start for each in found if since <= each.start < until) else None

    def _moment(self, value: date) -> datetime:
        """A date, a local time or a moment, in UTC. Raises BadMoment."""
        if not isinstance(value, datetime):
            return moments.at_local(value, time(), self._zone)
        if value.tzinfo is None:
            return moments.at_local(value.date(), value.time(), self._zone)
        return value.astimezone(UTC)


def _unread(block: Block, event: Parsed) -> tuple[str, ...]:
    """The times and rules that have a line of their own, and that the parser took for no property."""
    written = {line.upper().split(":")[0].split(";")[0].split(" ")[0] for line in block.lines if line[-1:] != ":"}
    return tuple(sorted(name for name in _WHEN if name in written and name not in event))


def _words(part: Parsed, name: str) -> str:
    """A property as plain text; of several the first."""
    found = part.get(name, "")
    return str(found[0] if isinstance(found, list) else found).strip()


def _rules(part: Parsed) -> list[str]:
    found = part.get("RRULE", [])
    return [rule.to_ical().decode() for rule in (found if isinstance(found, list) else [found])]


def _length(part: Parsed) -> timedelta:
    """How long it lasts on its own clock, whichever end comes first."""
    if "DTEND" in part:
        return abs(_wall(part["DTEND"].dt) - _wall(part["DTSTART"].dt))
    return abs(part["DURATION"].dt) if "DURATION" in part else timedelta(0)


def _dates(part: Parsed, name: str) -> list[date]:
    """All that the lines of EXDATE or RDATE name."""
    found = part.get(name, [])
    return [day.dt for each in (found if isinstance(found, list) else [found]) for day in each.dts]


def _key(value: date) -> str:
    """A RECURRENCE-ID as text: a day, a local time, or a moment in UTC."""
    if not isinstance(value, datetime):
        return value.strftime("%Y%m%d")
    return value.strftime("%Y%m%dT%H%M%S") if value.tzinfo is None else value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _wall(value: date) -> datetime:
    """As its own clock shows it, naive."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else datetime.combine(value, time())


def _zone_of(value: date, usual: str) -> str:
    """The IANA name of the zone of ``value``; empty for a zone that has none."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        return usual
    return str(getattr(value.tzinfo, "key", "UTC" if value.tzinfo is UTC else ""))


def _unknown_zone(part: Parsed) -> str:
    """The name of the zone that its start is written in and nobody knows; empty where there is none."""
    begin = part["DTSTART"]
    naive = isinstance(begin.dt, datetime) and begin.dt.tzinfo is None
    return str(begin.params.get("TZID", ""))[:80] if naive else ""
