"""A programme (khung chương trình): a commune's standing week, and its expansion to moments.

- A slot is a local time of day on some weekdays and a length; it may go over midnight and is one occurrence.
- A weekday is the weekday of the zone's calendar, never UTC's: Monday 05:00 in Lạng Sơn is Sunday 22:00 UTC.
- Conditions (dates, holidays, lunar days, terms: `schedules.days`) are those of the local day on which it begins.
- A slot that says ``instead`` takes the place of every other occurrence that it runs into, whole.
- What a day's clock does not show: `schedules.moments` (the jump of a summer time, a day that a zone leaves out).
- It does not know announcements, files or nodes; `schedules.timetable` is its form as a text, `schedules.placing`
  fills its slots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from schedules import days, moments
from schedules.days import ALL_DAYS, Days, Facts, Term
from wire.plan import BulletinClass

DAY = timedelta(days=1)
FARTHEST_DAYS = 800  # how far ahead a slot that comes rarely is looked for
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES


class Kind(StrEnum):
    """What an item of a slot is."""

    ANNOUNCEMENTS = "announcements"  # what was asked for under the name of its series
    RELAY = "relay"  # another station's programme
    MUSIC = "music"
    ANTHEM = "anthem"
    OPENING = "opening"
    CLOSING = "closing"


class Fill(StrEnum):
    """What sounds in the rest of a slot."""

    NOTHING = "nothing"
    MUSIC = "music"  # its music, as often as it fits whole
    REPEAT = "repeat"  # its announcements again, as often as they fit whole


class Overrun(StrEnum):
    """What happens to announcements that do not fit in a slot."""

    CUT = "cut"  # nothing begins that would go over the end: the rest comes in the series' next slot
    NEXT_SLOT = "next-slot"  # the rest comes in the next slot that takes announcements, of whatever series
    EXTEND = "extend"  # what begins before the end may go over it, but not into another slot


@dataclass(frozen=True)
class Item:
    """One part of a slot. ``asset``: an announcement's id or title, or a recording's; ``source``: a relay's name."""

    kind: Kind
    asset: str = ""
    series: str = ""
    classes: tuple[BulletinClass, ...] = ()  # of announcements; empty: every class
    source: str = ""
    duck: bool = False  # goes on beneath an emergency


@dataclass(frozen=True)
class Slot:
    """One line of the week."""

    label: str
    weekdays: tuple[int, ...]  # Monday is 0, as `date.weekday` says; ascending, at least one
    start: time  # whole minutes, on the clock of the programme's zone
    length: timedelta  # whole minutes, from one minute to a day
    days: Days = ALL_DAYS
    instead: bool = False
    items: tuple[Item, ...] = ()
    fill: Fill = Fill.NOTHING
    overrun: Overrun = Overrun.CUT


@dataclass(frozen=True)
class Programme:
    """The standing week of one area."""

    area: str
    title: str
    zone: str = moments.DEFAULT_ZONE
    slots: tuple[Slot, ...] = ()
    terms: tuple[Term, ...] = ()


@dataclass(frozen=True)
class Occurrence:
    """A slot on one day: from ``start`` until before ``end``, both UTC."""

    slot: Slot
    start: datetime
    end: datetime


def occurrences(
    programme: Programme, since: datetime, until: datetime, facts: Facts = days.unknown
) -> list[Occurrence]:
    """Every occurrence that begins in [since, until), by start, then as the programme lists its slots."""
    instead = any(slot.instead for slot in programme.slots)
    reach = max((slot.length for slot in programme.slots), default=timedelta(0)) if instead else timedelta(0)
    window = since - reach, until + reach
    found = [each for slot in programme.slots for each in _of_slot(slot, programme.zone, window, facts)]
    if instead:
        found = [each for each in _not_replaced(found) if since <= each.start < until]
    return sorted(found, key=lambda each: each.start)


def upcoming(programme: Programme, now: datetime, most: int = 10, facts: Facts = days.unknown) -> list[Occurrence]:
    """The next ``most`` occurrences that begin after ``now`` or now itself; fewer only when no more are near."""
    ahead = 8  # a weekly slot comes within it; a zone that leaves a day out only makes the walk longer
    found: list[Occurrence] = []
    while programme.slots and ahead <= FARTHEST_DAYS:
        found = occurrences(programme, now, now + ahead * DAY, facts)
        if len(found) >= most:
            return found[:most]
        ahead *= 2
    return found


def running(programme: Programme, now: datetime, facts: Facts = days.unknown) -> list[Occurrence]:
    """The occurrences that have begun and not ended, also those of yesterday evening."""
    longest = max((slot.length for slot in programme.slots), default=timedelta(0))
    begun = occurrences(programme, now - longest, now + timedelta(microseconds=1), facts)
    return [each for each in begun if now < each.end]


def overlaps(programme: Programme) -> list[tuple[Slot, Slot]]:
    """The pairs of slots that would want the same minute of a day, the earlier claim first; also over Sunday night.

    Not those whose days never meet, nor those of which one, and only one, comes instead of the other.
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
            if _clash(programme.slots[index], programme.slots[later], begin, later_begin):
                pairs[index, later] = None
    return [(programme.slots[one], programme.slots[other]) for one, other in pairs]


def _clash(one: Slot, other: Slot, begin: int, later: int) -> bool:
    if one.instead is not other.instead:
        return False
    day = begin // _DAY_MINUTES
    return days.may_meet(one.days, other.days, later // _DAY_MINUTES - day, day % 7)


def _not_replaced(found: list[Occurrence]) -> list[Occurrence]:
    instead = [each for each in found if each.slot.instead]
    return [
        each
        for each in found
        if each.slot.instead or not any(other.start < each.end and each.start < other.end for other in instead)
    ]


def _of_slot(slot: Slot, zone: str, window: tuple[datetime, datetime], facts: Facts) -> Iterator[Occurrence]:
    since, until = window[0].astimezone(UTC), window[1].astimezone(UTC)
    day = moments.local(since, zone).date() - DAY  # the clock may have been set back over midnight
    last = moments.local(until, zone).date() + DAY
    while day <= last:
        wanted = day.weekday() in slot.weekdays and days.holds(slot.days, day, facts)
        start = moments.occurs(day, slot.start, zone) if wanted else None
        if start and since <= start < until:
            yield Occurrence(slot, start, start + slot.length)
        day += DAY


def _claims(programme: Programme) -> Iterator[tuple[int, int, int]]:
    """(first minute of the week, place of the slot, minutes) of every slot on every one of its days."""
    for index, slot in enumerate(programme.slots):
        minutes = slot.length // timedelta(minutes=1)
        for weekday in slot.weekdays:
            yield weekday * _DAY_MINUTES + slot.start.hour * 60 + slot.start.minute, index, minutes
