"""The library: the finished audio that programmes may name – approved, voiced announcements – by id, title, recording.

- Nearest to the area first, then the newest. What was looked up is kept in mind until an announcement that bears one
  of the names is touched, or for a minute: people may have moved to other areas meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.tables import announcements, assets, recordings, tidings, users
from controller.store.wanted import ON_THE_AIR
from schedules.laying import Audio
from wire.names import lies_within
from wire.plan import Asset, BulletinClass

KEPT = timedelta(seconds=60)
MOST_NAMES = 5000  # kept in mind at once
_NAMES = (announcements.c.id, announcements.c.title, recordings.c.sha256, recordings.c.file_name)
_FROM = (
    sa.select(announcements.c.id)
    .select_from(announcements)
    .outerjoin(recordings, recordings.c.sha256 == announcements.c.recording)
)
Row = sa.Row[tuple[object, ...]]


class Library:
    """Audio by area and name. Safe from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._named: frozenset[str] = frozenset()
        self._seen, self._until = -1, datetime.min.replace(tzinfo=UTC)
        self._ids: frozenset[str] = frozenset()  # of the announcements found
        self._rows: list[Row] = []
        self._shelves: dict[str, _Shelf] = {}

    def look(self, references: Iterable[str], now: datetime) -> Callable[[str], Audio]:
        """For an area, the finished audio of each of ``references``, as of ``now``."""
        named = frozenset(references)
        if not named:
            return lambda _area: lambda _reference: None
        with self._lock:
            if not named <= self._named or self._is_stale(now):
                both = self._named | named
                self._look_up(both if len(both) <= MOST_NAMES else named, now)
            rows, shelves = self._rows, self._shelves

        def audio(area: str) -> Audio:
            if area not in shelves:
                shelves[area] = _Shelf(area, rows)
            return shelves[area].audio

        return audio

    def _is_stale(self, now: datetime) -> bool:
        if not now < self._until <= now + KEPT:
            return True
        with self._database.reading() as connection:
            wishes = connection.execute(sa.select(tidings.c.wishes)).scalar_one()
            if wishes == self._seen:
                return False
            touched = announcements.c.touched >= self._seen
            mine = announcements.c.id.in_(self._ids) | _bears(self._named)
            stale = connection.execute(_FROM.where(touched & mine).limit(1)).first() is not None
        self._seen = wishes
        return stale

    def _look_up(self, named: frozenset[str], now: datetime) -> None:
        columns = [column.label(f"name_{number}") for number, column in enumerate(_NAMES)]
        query = (
            sa.select(assets, users.c.area, announcements.c.created_at.label("made_at"), *columns)
            .select_from(announcements)
            .join(assets, assets.c.sha256 == announcements.c.asset)
            .join(users, users.c.id == announcements.c.author)
            .outerjoin(recordings, recordings.c.sha256 == announcements.c.recording)
            .where(ON_THE_AIR & ~announcements.c.drill)
            .where(announcements.c.bulletin_class != BulletinClass.EMERGENCY.value)
            .where(_bears(named))
            .order_by(announcements.c.created_at.desc(), announcements.c.id)
        )
        with self._database.reading() as connection:
            self._seen = connection.execute(sa.select(tidings.c.wishes)).scalar_one()
            self._rows = list(connection.execute(query))
        self._named, self._until, self._shelves = named, now + KEPT, {}
        self._ids = frozenset(row.name_0 for row in self._rows)


class _Shelf:
    """The audio that one area's programme may name."""

    def __init__(self, area: str, rows: Iterable[Row]) -> None:
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


def _bears(named: frozenset[str]) -> sa.ColumnElement[bool]:
    """Whether an announcement bears one of these names."""
    return sa.or_(*(name.in_(sorted(named)) for name in _NAMES))
