"""What goes on the air: the bookings that have a time, and all that stands in the slots of programmes.

- `place` gives what asked for a slot its start, and keeps it: what was planned is what is done, whoever restarts.
- `to_plan` is what the planner is fed, by the station and by every preview.
- An item's audio is an approved, voiced announcement, the nearest to the area: by id, title or its recording.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from controller.store.bookings import Bookings
from controller.store.database import Database
from controller.store.library import Library
from controller.store.programmes import Programmes
from controller.store.tables import announcements, assets, bookings, nodes
from controller.store.wanted import ON_THE_AIR, WANTED
from schedules import laying, placing, relays
from schedules.booking import Booking
from schedules.calendars import facts_of
from schedules.laying import Audio, Sounding
from schedules.placing import Asked, Place, Relayed, Standing
from schedules.planner import HORIZON, KEPT_PAST
from schedules.programme import Kind, Occurrence, Programme
from schedules.relays import Source
from wire.plan import Asset, BulletinClass, Relay

DAY = timedelta(days=1)
Placed = list[tuple[datetime, Booking]]  # what stands in the slots of an area, by start


@dataclass(frozen=True)
class _Waiting:
    """A booking that asked for a slot, and what was written of its place so far."""

    asked: Asked
    areas: tuple[str, ...]
    note: str | None


@dataclass(frozen=True)
class _Laid:
    """What an area's slots add to the bookings, and all of which it was made."""

    standings: list[Standing]
    day: date
    placed: Placed
    audio: list[Asset | None]
    bookings: list[Booking]


class Airing:
    """Bookings and programmes together. Safe from any thread."""

    def __init__(
        self, database: Database, books: Bookings, programmes: Programmes, sources: Iterable[Source] = ()
    ) -> None:
        self._database, self._books, self._programmes = database, books, programmes
        self.sources = {each.name: each for each in sources}
        self._library = Library(database)
        self._lock = threading.Lock()
        self._laid: dict[str, _Laid] = {}
        self._expanded: dict[str, tuple[list[Standing], date, list[Occurrence]]] = {}

    def place(self, now: datetime) -> int:
        """Give everything that asked for a slot its start, and say why it is late. How many have moved."""
        waiting = self._waiting(now)
        if not waiting:
            return 0
        found = {place.id: place for place in self._places(waiting, now)}
        moved = [
            found[each.asked.id]
            for each in waiting
            if (each.asked.start, each.note) != (found[each.asked.id].start, found[each.asked.id].note)
        ]
        if moved:
            with self._database.wishing() as connection:
                for each in moved:
                    mine = (bookings.c.id == each.id) & WANTED
                    connection.execute(sa.update(bookings).where(mine).values(start=each.start, slot_note=each.note))
        return len(moved)

    def to_plan(self, now: datetime) -> list[Booking]:
        """What the planner may plan: bookings that have their time, fixed items, and what comes again in a slot.

        What nobody touched since the last look is the same object.
        """
        known = self._books.to_plan(now)
        return known + self._standing(known, now)

    def standing(self, now: datetime) -> list[Booking]:
        """What programmes add to the bookings: fixed items, and what comes again in a slot."""
        return self._standing(self._books.to_plan(now), now)

    def _standing(self, known: list[Booking], now: datetime) -> list[Booking]:
        standings = self._programmes.standings()
        if not standings:
            return []
        placed = self._placed(known, standings)
        audio = self._library.look((name for own in standings.values() for name in self._references(own)), now)
        with self._lock:
            laid = ((area, self._lay(area, own, placed[area], (audio(area), now))) for area, own in standings.items())
            self._laid = dict(laid)
            return [each for laid in self._laid.values() for each in laid.bookings]

    def week(self, area: str, since: datetime, until: datetime, now: datetime) -> list[Sounding]:
        """What stands in the slots of exactly this area that begin in [since, until), as far as it is known now."""
        standings = self._programmes.standings()
        own = standings.get(area, [])
        placed = self._placed(self._books.to_plan(now), standings)[area]
        found = placing.expand(own, since, until, facts_of)
        return _soundings(found, placed, self._library.look(self._references(own), now)(area))

    def foreseen(self, asked: Asked, areas: tuple[str, ...], now: datetime) -> Place:
        """Where a booking that is not kept would stand among those that wait."""
        places = self._places([*self._waiting(now), _Waiting(asked, areas, None)], now)
        return next(place for place in places if place.id == asked.id)

    def silent(self, area: str, references: Iterable[str], now: datetime) -> list[str]:
        """Those ``references`` for which the area has no audio yet, in order."""
        wanted = list(dict.fromkeys(references))
        audio = self._library.look(wanted, now)(area)
        return [each for each in wanted if audio(each) is None]

    def unknown_sources(self, programme: Programme) -> list[str]:
        """The relays of a programme that are only shown, since the station does not know where they are; in order."""
        items = (item for slot in programme.slots for item in slot.items if item.kind is Kind.RELAY)
        return list(dict.fromkeys(item.source for item in items if not self.source(item.source)))

    def source(self, name: str) -> Source | None:
        """The relay source that a programme calls ``name``."""
        return relays.source_of(self.sources, name)

    def _references(self, own: Iterable[Standing]) -> list[str]:
        """Every name of audio in the items of an area's programmes, and of what stands in for its relays, once."""
        items = [item for each in own for slot in each.programme.slots for item in slot.items]
        fallbacks = [source.fallback for item in items if item.source and (source := self.source(item.source))]
        return [each for each in dict.fromkeys((*(item.asset for item in items), *fallbacks)) if each]

    def _relayed(self, audio: Audio) -> Relayed:
        def relayed(name: str, duration_ms: int) -> tuple[str, Relay] | None:
            source = self.source(name)
            if source is None:
                return None
            return source.title or name, source.relay(duration_ms, audio(source.fallback) if source.fallback else None)

        return relayed

    def _places(self, waiting: list[_Waiting], now: datetime) -> list[Place]:
        standings = self._programmes.standings()
        homes = self._homes({area for each in waiting for area in each.areas})
        by_area: dict[str | None, list[Asked]] = defaultdict(list)
        for each in waiting:
            by_area[_governing(each.areas, homes, standings)].append(each.asked)
        places = []
        for area, asked in by_area.items():
            own = standings.get(area, []) if area else []
            with self._lock:
                occurrences = self._occurrences(area or "", own, now)
            found = [each for each in occurrences if now - DAY <= each.start < now + HORIZON]
            audio = self._library.look(self._references(own), now)(area or "")
            places += placing.place(found, asked, audio, now)
        return places

    def _placed(self, known: list[Booking], standings: Mapping[str, list[Standing]]) -> dict[str | None, Placed]:
        """What of ``known`` stands in slots, by the area whose programme holds for it."""
        standing = [each for each in known if each.series]
        homes = self._homes({area for each in standing for area in each.areas})
        placed: dict[str | None, Placed] = defaultdict(list)
        for each in standing:
            area = _governing(each.areas, homes, standings)
            placed[area] += [(start, each) for start in each.starts]
        return placed

    def _lay(self, area: str, own: list[Standing], placed: Placed, known: tuple[Audio, datetime]) -> _Laid:
        """What stands in every slot of the days around now; as before, where nothing of it has changed.

        ``known``: the area's audio, and now.
        """
        audio, now = known
        day, heard = _day(now), [audio(each) for each in self._references(own)]
        laid = self._laid.get(area)
        if laid and (laid.standings, laid.day, laid.placed, laid.audio) == (own, day, placed, heard):
            return laid
        soundings = _soundings(self._occurrences(area, own, now), placed, audio)
        named = {each.id: each for _, each in placed}
        return _Laid(own, day, placed, heard, placing.bookings_of(area, soundings, named, self._relayed(audio)))

    def _occurrences(self, area: str, own: list[Standing], now: datetime) -> list[Occurrence]:
        """Every slot that the planner may look at on the day of ``now``, and a day more on either side."""
        day = _day(now)
        held = self._expanded.get(area)
        if held and held[:2] == (own, day):
            return held[2]
        dawn = datetime(day.year, day.month, day.day, tzinfo=UTC)
        found = placing.expand(own, dawn - KEPT_PAST - DAY, dawn + DAY + HORIZON, facts_of)
        self._expanded[area] = own, day, found
        return found

    def _waiting(self, now: datetime) -> list[_Waiting]:
        mine = WANTED & ON_THE_AIR & bookings.c.slot.is_not(None)
        query = (
            sa.select(bookings, assets.c.duration_ms)
            .join(announcements, announcements.c.id == bookings.c.announcement)
            .join(assets, assets.c.sha256 == announcements.c.asset)
            .where(mine & (bookings.c.start.is_(None) | (bookings.c.start >= now - DAY)))
            .order_by(bookings.c.id)
        )
        with self._database.reading() as connection:
            return [_waiting(row) for row in connection.execute(query)]

    def _homes(self, places: set[str]) -> dict[str, str]:
        """Where those of ``places`` hang that are nodes."""
        if not places:
            return {}
        query = sa.select(nodes.c.id, nodes.c.home).where(nodes.c.id.in_(sorted(places)))
        with self._database.reading() as connection:
            return {row.id: row.home for row in connection.execute(query)}


def _soundings(found: Iterable[Occurrence], placed: Placed, audio: Audio) -> list[Sounding]:
    """What stands in each of the occurrences ``found``."""
    lengths = {start: (each.id, each.length) for start, each in placed}
    soundings = []
    for occurrence in found:
        inside = {at: it for at, it in lengths.items() if occurrence.start <= at < occurrence.end}
        soundings += laying.lay_out(occurrence, inside, audio)
    return soundings


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _governing(areas: Iterable[str], homes: Mapping[str, str], known: Mapping[str, object]) -> str | None:
    return placing.governing((homes.get(area, area) for area in areas), known)


def _waiting(row: sa.Row[tuple[object, ...]]) -> _Waiting:
    length = timedelta(milliseconds=row.duration_ms)
    asked = Asked(row.id, row.slot, length, BulletinClass(row.bulletin_class), row.created_at, row.start)
    return _Waiting(asked, tuple(row.areas), row.slot_note)
