"""What goes on the air: the bookings that have a time, and all that stands in the slots of programmes.

- `place` gives what asked for a slot its start, and keeps it: what was planned is what is done, whoever restarts.
- `to_plan` is what the planner is fed, by the station and by every preview.
- An item's audio is an approved, voiced announcement, the nearest to the area: by id, title or its recording.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from controller.store.bookings import ON_THE_AIR, WANTED, Bookings
from controller.store.database import Database
from controller.store.programmes import Programmes
from controller.store.tables import announcements, assets, bookings, nodes, recordings, users
from schedules import laying, placing
from schedules.booking import Booking
from schedules.calendars import facts_of
from schedules.laying import Audio, Sounding
from schedules.placing import Asked, Place, Relayed, Standing
from schedules.planner import HORIZON, KEPT_PAST
from schedules.programme import Kind, Programme
from schedules.relays import Source
from wire.names import lies_within
from wire.plan import Asset, BulletinClass, Relay

DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Waiting:
    """A booking that asked for a slot, and what was written of its place so far."""

    asked: Asked
    areas: tuple[str, ...]
    note: str | None


class Airing:
    """Bookings and programmes together."""

    def __init__(
        self, database: Database, books: Bookings, programmes: Programmes, sources: Iterable[Source] = ()
    ) -> None:
        self._database, self._books, self._programmes = database, books, programmes
        self.sources = {each.name: each for each in sources}

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
        """What the planner may plan: bookings that have their time, fixed items, and what comes again in a slot."""
        known = self._books.to_plan(now)
        standings = self._programmes.standings()
        if not standings:
            return known
        named = {each.id: each for each in known}
        window = now - KEPT_PAST - DAY, now + HORIZON
        sounding = self._soundings(standings, window, known)
        fallbacks = self._library([each.fallback for each in self.sources.values() if each.fallback])
        return known + [
            more
            for area, each in sounding.items()
            for more in placing.bookings_of(area, each, named, self._relayed(fallbacks(area)))
        ]

    def week(self, area: str, since: datetime, until: datetime, now: datetime) -> list[Sounding]:
        """What stands in the slots of exactly this area that begin in [since, until), as far as it is known now."""
        standings = {area: self._programmes.standings().get(area, [])}
        return self._soundings(standings, (since, until), self._books.to_plan(now))[area]

    def silent(self, area: str, references: Iterable[str]) -> list[str]:
        """Those ``references`` for which the area has no audio yet, in order."""
        wanted = list(dict.fromkeys(references))
        audio = self._library(wanted)(area)
        return [each for each in wanted if audio(each) is None]

    def unknown_sources(self, programme: Programme) -> list[str]:
        """The relays of a programme that are only shown, since the station does not know where they are; in order."""
        items = (item for slot in programme.slots for item in slot.items if item.kind is Kind.RELAY)
        return list(dict.fromkeys(item.source for item in items if item.source not in self.sources))

    def _relayed(self, audio: Audio) -> Relayed:
        def relayed(name: str, duration_ms: int) -> tuple[str, Relay] | None:
            source = self.sources.get(name)
            if source is None:
                return None
            return source.title or name, source.relay(duration_ms, audio(source.fallback) if source.fallback else None)

        return relayed

    def _places(self, waiting: list[_Waiting], now: datetime) -> list[Place]:
        standings, homes = self._programmes.standings(), self._homes()
        library = self._library(_references(standings))
        by_area: dict[str | None, list[Asked]] = defaultdict(list)
        for each in waiting:
            by_area[_governing(each.areas, homes, standings)].append(each.asked)
        places = []
        for area, asked in by_area.items():
            own = standings.get(area, []) if area else []
            found = placing.expand(own, now - DAY, now + HORIZON, facts_of)
            places += placing.place(found, asked, library(area or ""), now)
        return places

    def _soundings(
        self, standings: Mapping[str, list[Standing]], window: tuple[datetime, datetime], known: list[Booking]
    ) -> dict[str, list[Sounding]]:
        """What stands in every occurrence that begins in the window, by area."""
        homes, library = self._homes(), self._library(_references(standings))
        placed: dict[str | None, dict[datetime, tuple[str, timedelta]]] = defaultdict(dict)
        for each in known:
            if each.series:
                area = _governing(each.areas, homes, standings)
                placed[area].update((start, (each.id, each.length)) for start in each.starts)
        found: dict[str, list[Sounding]] = {}
        for area, own in standings.items():
            audio, all_placed = library(area), placed[area]
            found[area] = []
            for occurrence in placing.expand(own, *window, facts_of):
                inside = {at: it for at, it in all_placed.items() if occurrence.start <= at < occurrence.end}
                found[area] += laying.lay_out(occurrence, inside, audio)
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

    def _homes(self) -> dict[str, str]:
        with self._database.reading() as connection:
            return {row.id: row.home for row in connection.execute(sa.select(nodes.c.id, nodes.c.home))}

    def _library(self, references: list[str]) -> Callable[[str], Audio]:
        """For an area, the audio of each of ``references``."""
        if not references:
            return lambda _area: lambda _reference: None
        names = (announcements.c.id, announcements.c.title, recordings.c.sha256, recordings.c.file_name)
        query = (
            sa.select(assets, users.c.area, announcements.c.created_at.label("made_at"), *(_named(names)))
            .select_from(announcements)
            .join(assets, assets.c.sha256 == announcements.c.asset)
            .join(users, users.c.id == announcements.c.author)
            .outerjoin(recordings, recordings.c.sha256 == announcements.c.recording)
            .where(ON_THE_AIR & ~announcements.c.drill)
            .where(announcements.c.bulletin_class != BulletinClass.EMERGENCY.value)
            .where(sa.or_(*(name.in_(references) for name in names)))
            .order_by(announcements.c.created_at.desc(), announcements.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return lambda area: _Shelf(area, rows).audio


class _Shelf:
    """The audio that one area's programme may name."""

    def __init__(self, area: str, rows: Iterable[sa.Row[tuple[object, ...]]]) -> None:
        near = [row for row in rows if lies_within(area, row.area) or lies_within(row.area, area)]
        self._found: dict[str, Asset] = {}
        for row in sorted(near, key=lambda row: -len(row.area)):  # the nearest first, then the newest
            asset = Asset(row.sha256, row.size_bytes, row.duration_ms, row.media_type, url=row.sha256)
            for name in (row.name_0, row.name_1, row.name_2, row.name_3):
                if name:
                    self._found.setdefault(name, asset)

    def audio(self, reference: str) -> Asset | None:
        """The finished audio of that name."""
        return self._found.get(reference)


def _named(columns: tuple[sa.ColumnElement[str], ...]) -> list[sa.Label[str]]:
    return [column.label(f"name_{number}") for number, column in enumerate(columns)]


def _governing(areas: Iterable[str], homes: Mapping[str, str], known: Mapping[str, object]) -> str | None:
    return placing.governing((homes.get(area, area) for area in areas), known)


def _references(standings: Mapping[str, list[Standing]]) -> list[str]:
    """Every name of audio in the items of ``standings``, once."""
    programmes = (each.programme for some in standings.values() for each in some)
    named = (item.asset for programme in programmes for slot in programme.slots for item in slot.items if item.asset)
    return list(dict.fromkeys(named))


def _waiting(row: sa.Row[tuple[object, ...]]) -> _Waiting:
    length = timedelta(milliseconds=row.duration_ms)
    asked = Asked(row.id, row.slot, length, BulletinClass(row.bulletin_class), row.created_at, row.start)
    return _Waiting(asked, tuple(row.areas), row.slot_note)
