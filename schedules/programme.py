"""A programme (khung chương trình): a commune's standing week, and its expansion to moments.

- A slot is a local time of day on some weekdays and a length; it may go over midnight and is one occurrence.
- A weekday is the weekday of the zone's calendar, never UTC's: Monday 05:00 in Lạng Sơn is Sunday 22:00 UTC.
- What a day's clock does not show: `schedules.moments` (the jump of a summer time, a day that a zone leaves out).
- It does not know announcements, files or nodes; `schedules.timetable` is its form as a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from schedules import moments

DAY = timedelta(days=1)
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES


@dataclass(frozen=True)
class Slot:
    """One line of the week."""

    label: str
    weekdays: tuple[int, ...]  # Monday is 0, as `date.weekday` says; ascending, at least one
    start: time  # whole minutes, on the clock of the programme's zone
    length: timedelta  # whole minutes, from one minute to a day


@dataclass(frozen=True)
class Programme:
    """The standing week of one area."""

    area: str
    title: str
    zone: str = moments.DEFAULT_ZONE
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True)
class Occurrence:
    """A slot on one day: from ``start`` until before ``end``, both UTC."""

    slot: Slot
    start: datetime
    end: datetime


def occurrences(programme: Programme, since: datetime, until: datetime) -> list[Occurrence]:
    """Every occurrence that begins in [since, until), by start, then as the programme lists its slots."""
    found = [each for slot in programme.slots for each in _of_slot(slot, programme.zone, since, until)]
    return sorted(found, key=lambda each: each.start)


def upcoming(programme: Programme, now: datetime, most: int = 10) -> list[Occurrence]:
    """The next ``most`` occurrences that begin after ``now`` or now itself; fewer only when there are no slots."""
    days = 8  # a weekly slot comes within it; a zone that leaves a day out only makes the walk longer
    while any(slot.weekdays for slot in programme.slots):
        found = occurrences(programme, now, now + days * DAY)
        if len(found) >= most:
            return found[:most]
        days *= 2
    return []


def running(programme: Programme, now: datetime) -> list[Occurrence]:
    """The occurrences that have begun and not ended, also those of yesterday evening."""
    longest = max((slot.length for slot in programme.slots), default=timedelta(0))
    begun = occurrences(programme, now - longest, now + timedelta(microseconds=1))
    return [each for each in begun if now < each.end]


def overlaps(programme: Programme) -> list[tuple[Slot, Slot]]:
    """The pairs of slots that claim the same minute of the week, the earlier claim first; also over Sunday night.

    A slot that is longer than the time to its own next occurrence stands with itself.
    """
    claims = sorted(_claims(programme), key=lambda claim: claim[:2])
    pairs: dict[tuple[int, int], None] = {}
    for at, (begin, index, length) in enumerate(claims):
        for ahead in range(1, len(claims) + 1):
            later_begin, later, _ = claims[(at + ahead) % len(claims)]
            later_begin += _WEEK_MINUTES if at + ahead >= len(claims) else 0
            if later_begin >= begin + length:
                break
            pairs[index, later] = None
    return [(programme.slots[one], programme.slots[other]) for one, other in pairs]


def _of_slot(slot: Slot, zone: str, since: datetime, until: datetime) -> Iterator[Occurrence]:
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    day = moments.local(since, zone).date() - DAY  # the clock may have been set back over midnight
    last = moments.local(until, zone).date() + DAY
    while day <= last:
        start = moments.occurs(day, slot.start, zone) if day.weekday() in slot.weekdays else None
        if start and since <= start < until:
            yield Occurrence(slot, start, start + slot.length)
        day += DAY


def _claims(programme: Programme) -> Iterator[tuple[int, int, int]]:
    """(first minute of the week, place of the slot, minutes) of every slot on every one of its days."""
    for index, slot in enumerate(programme.slots):
        minutes = slot.length // timedelta(minutes=1)
        for weekday in slot.weekdays:
            yield weekday * _DAY_MINUTES + slot.start.hour * 60 + slot.start.minute, index, minutes
