"""What stands in the slots of programmes: announcements one after the other, fixed items, what fills the rest. Pure.

- What was asked for under a series goes into the next slots of it, by class and then by age, as long as it fits whole:
  nothing is ever cut in the middle of a sentence. A shorter one may use what a longer one leaves over.
- A slot that begins within `CLOSED_BEFORE` takes nothing more, and what stands in it stays: its nodes have the plan.
- A fixed item's job is named by its area, what it is, and when its slot begins: an edit elsewhere does not rename it.
- A relay has what the others of its slot leave over. One whose source the station does not know is only shown.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import msgspec

from schedules import relays
from schedules.booking import Booking
from schedules.days import Facts
from schedules.laying import GAP, Audio, Room, Sounding, room_of
from schedules.programme import Kind, Occurrence, Overrun, Programme, occurrences
from wire.plan import MAX_AUDIO_MS, AfterCut, BulletinClass, Late, Relay

CLOSED_BEFORE = timedelta(minutes=2)
Relayed = Callable[[str, int], tuple[str, Relay] | None]  # a source's name, milliseconds -> title and relay
_URGENCY = {BulletinClass.EMERGENCY: 0, BulletinClass.PRIORITY: 1, BulletinClass.ORDINARY: 2}


@dataclass(frozen=True)
class Standing:
    """A programme while it is in force: its occurrences that begin in [since, until)."""

    programme: Programme
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Asked:
    """A booking that asks for a series' slot; ``start`` is where it was put before, if it was."""

    id: str
    series: str
    length: timedelta
    bulletin_class: BulletinClass
    asked_at: datetime
    start: datetime | None = None


class Note(StrEnum):
    """Why a booking does not stand in the first slot that it asked for."""

    LATER = "later"  # the slots before had no room left
    TOO_LONG = "too_long"  # longer than the whole slot
    NO_SLOT = "no_slot"  # no such slot in the days ahead


@dataclass(frozen=True)
class Place:
    """Where a booking stands now; ``start`` None: nowhere in the days ahead."""

    id: str
    start: datetime | None
    note: Note | None = None


def expand(standings: Iterable[Standing], since: datetime, until: datetime, facts: Facts) -> list[Occurrence]:
    """Every occurrence that begins in [since, until) under the programme in force at that moment, by start."""
    found = []
    for each in standings:
        first, last = max(since, each.since), min(until, each.until) if each.until else until
        if first < last:
            found += occurrences(each.programme, first, last, facts)
    return sorted(found, key=lambda occurrence: occurrence.start)


def place(found: Sequence[Occurrence], asked: Sequence[Asked], audio: Audio, now: datetime) -> list[Place]:
    """Where each of ``asked`` stands, by name. ``found``: `expand` from a day before ``now`` on."""
    closing = now + CLOSED_BEFORE
    fixed = {each.id: Place(each.id, each.start) for each in asked if _is_fixed(each, found, closing)}
    open_ = sorted((each for each in asked if each.id not in fixed), key=_turn)
    queue = _Queue(open_)
    nexts = {id(one): other.start for one, other in pairwise(found)}
    for occurrence in found:
        if occurrence.start > closing:
            queue.fill(occurrence, room_of(occurrence, audio), nexts.get(id(occurrence)))
    return sorted([*fixed.values(), *queue.places()], key=lambda each: each.id)


def bookings_of(
    area: str, soundings: Iterable[Sounding], known: Mapping[str, Booking], relayed: Relayed = lambda _source, _ms: None
) -> list[Booking]:
    """What ``soundings`` add to the bookings ``known``: fixed items that have audio, relays, and what comes again."""
    counted: Counter[tuple[datetime, Kind, str]] = Counter()
    found = []
    for each in soundings:
        if each.again and each.booking in known:
            again = {"starts": (each.start,), "repeats": True, "late": Late.SKIP, "after_cut": AfterCut.DROP}
            found.append(msgspec.structs.replace(known[each.booking], **again))
        elif each.asset and not each.booking:
            key = each.occurrence.start, each.item.kind, each.item.asset
            found.append(_fixed(area, each, counted[key]))
            counted[key] += 1
        elif each.item.kind is Kind.RELAY:
            found += _relays(area, each, relayed)
    return found


def _relays(area: str, sounding: Sounding, relayed: Relayed) -> list[Booking]:
    """A relay, in pieces where it is longer than a job may be. It may begin, and go on, nearly until its end.

    It leaves a second to what follows, which is then ready on its own.
    """
    found: list[Booking] = []
    start, until = sounding.start, sounding.until - GAP
    while start < until:
        length = min(until - start, timedelta(milliseconds=MAX_AUDIO_MS))
        told = relayed(sounding.item.source, length // timedelta(milliseconds=1))
        if told is None:
            break
        title, relay = told
        late_for = max(timedelta(0), length - relays.LEAST)
        live = {"late": Late.PLAY_LATE, "late_for": late_for, "after_cut": AfterCut.RESUME}
        piece = {"title": title[:200], "starts": (start,), "asset": None, "relay": relay}
        found.append(msgspec.structs.replace(_fixed(area, sounding, len(found)), **piece, **live))
        start += length
    return found


def governing(areas: Iterable[str], programmes: Iterable[str]) -> str | None:
    """Whose programme holds for all of ``areas``: the nearest that they lie in; None for none, or several."""
    known = frozenset(programmes)
    found = {next((each for each in _upwards(area) if each in known), None) for area in areas}
    return found.pop() if len(found) == 1 else None


def _upwards(area: str) -> list[str]:
    parts = area.split(":")
    return [":".join(parts[:depth]) for depth in range(len(parts), 0, -1)]


def _fixed(area: str, sounding: Sounding, number: int) -> Booking:
    item = sounding.item
    digest = hashlib.sha256(f"{area}\n{item.kind}\n{item.asset or item.source}".encode()).hexdigest()[:12]
    return Booking(
        id=f"p{digest}-{sounding.occurrence.start.astimezone(UTC):%Y%m%dt%H%M}-{number}",
        title=item.asset[:200],
        areas=(area,),
        starts=(sounding.start,),
        asset=sounding.asset,
        late=Late.SKIP,
        after_cut=AfterCut.DROP,
        duck=item.duck,
    )


def _turn(asked: Asked) -> tuple[int, datetime, str]:
    return _URGENCY[asked.bulletin_class], asked.asked_at, asked.id


def _is_fixed(asked: Asked, found: Sequence[Occurrence], closing: datetime) -> bool:
    """Whether it stays where it was put: it begins soon, or its slot does."""
    if asked.start is None:
        return False
    if asked.start <= closing:
        return True
    return any(each.start <= closing and each.start <= asked.start < each.end for each in found)


class _Queue:
    """Who still waits for a place, in their turn."""

    def __init__(self, waiting: list[Asked]) -> None:
        self._waiting = waiting
        self._placed: dict[str, Place] = {}
        self._notes: dict[str, Note] = {}
        self._anywhere: set[str] = set()  # those that any slot may take, since their own had no room

    def fill(self, occurrence: Occurrence, room: Room | None, following: datetime | None) -> None:
        """Put in what fits, in turn."""
        if room is None:
            return
        at, left = room.since, []
        for each in self._waiting:
            if not self._admits(occurrence, each):
                left.append(each)
            elif _fits(occurrence, room, at, each.length, following):
                self._placed[each.id] = Place(each.id, at, self._notes.get(each.id))
                at += timedelta(seconds=-(-each.length // timedelta(seconds=1))) + GAP
            else:
                ever = _fits(occurrence, room, room.since, each.length, following)
                self._notes[each.id] = Note.LATER if ever else self._notes.get(each.id, Note.TOO_LONG)
                if occurrence.slot.overrun is Overrun.NEXT_SLOT:
                    self._anywhere.add(each.id)
                left.append(each)
        self._waiting = left

    def places(self) -> list[Place]:
        """Where everybody stands in the end."""
        nowhere = [Place(each.id, None, self._notes.get(each.id, Note.NO_SLOT)) for each in self._waiting]
        return [*self._placed.values(), *nowhere]

    def _admits(self, occurrence: Occurrence, asked: Asked) -> bool:
        item = next(item for item in occurrence.slot.items if item.kind is Kind.ANNOUNCEMENTS)
        if item.classes and asked.bulletin_class not in item.classes:
            return False
        return item.series == asked.series or asked.id in self._anywhere


def _fits(occurrence: Occurrence, room: Room, at: datetime, length: timedelta, following: datetime | None) -> bool:
    if occurrence.slot.overrun is not Overrun.EXTEND:
        return at + length <= room.until
    return at < room.until and (following is None or at + length + GAP + room.after <= following)
