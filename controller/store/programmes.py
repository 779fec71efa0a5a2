"""Programmes: each area's standing weeks by the day from which they hold; what was in force is kept.

- A programme holds from the beginning of its day on, or from when it was applied where that was later; until the next.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.errors import StoreError
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns
from controller.store.tables import programmes, tidings
from controller.store.written import written
from schedules import moments, timetable
from schedules.placing import Standing
from schedules.programme import Programme

MOST_PARSED = 1024
_NUMBER = sa.select(written.c.number).where(written.c.subject == programmes.name)


@dataclass(frozen=True)
class ProgrammeRow:
    """A programme as it was applied: ``body`` is its text, ``since`` the local day from which it holds (ISO)."""

    area: str
    since: str
    body: str
    applied_by: str  # a user's id
    applied_at: datetime

    @property
    def programme(self) -> Programme:
        """What the text says."""
        return _parsed(self.body)

    @property
    def begins(self) -> datetime:
        """The moment from which it holds."""
        midnight = moments.at_local(date.fromisoformat(self.since), time(), self.programme.zone)
        return max(midnight, self.applied_at)


class Programmes:
    """The standing weeks of areas."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: tuple[int, dict[str, list[Standing]]] | None = None

    def apply(self, row: ProgrammeRow, act: Act | None = None, edition: str | None = None) -> None:
        """From its day on this programme holds; one of the same area and day is replaced.

        With an ``edition``: only while the area's programmes are those, as `edition_of` says; else it raises
        StoreError ``store.programme_changed``, and nothing is written.
        """
        values = columns(row)
        enter = self._database.upsert(programmes).values(values)
        with self._database.wishing(act) as connection:
            if edition is not None:
                connection.execute(sa.select(tidings.c.wishes).with_for_update())  # one writer after the other
                if edition_of(_rows(connection, _of(row.area))) != edition:
                    raise StoreError("store.programme_changed", area=row.area)
            connection.execute(enter.on_conflict_do_update(index_elements=["area", "since"], set_=values))

    def of(self, area: str) -> list[ProgrammeRow]:
        """Every programme that was applied to exactly this area, the latest day first."""
        return self._rows(_of(area))

    def in_force(self, area: str, moment: datetime) -> ProgrammeRow | None:
        """The programme that exactly this area has at ``moment``."""
        return next((row for row in self.of(area) if row.begins <= moment), None)

    def standings(self) -> dict[str, list[Standing]]:
        """Every area's programmes in order, each while it holds: read again only when one was written."""
        by_area: dict[str, list[ProgrammeRow]] = defaultdict(list)
        with self._database.reading() as connection:
            number = connection.execute(_NUMBER).scalar() or 0  # first: what is read after it is as new, or newer
            held = self._held
            if held is not None and held[0] == number:
                return dict(held[1])
            for row in _rows(connection, sa.select(programmes).order_by(programmes.c.area, programmes.c.since)):
                by_area[row.area].append(row)
        found = {area: standings_of(rows) for area, rows in by_area.items()}
        self._held = number, found
        return dict(found)

    def _rows(self, query: sa.Select[Any]) -> list[ProgrammeRow]:
        with self._database.reading() as connection:
            return _rows(connection, query)


def edition_of(rows: Iterable[ProgrammeRow]) -> str:
    """A short name for exactly these programmes of an area: it differs once somebody has applied another."""
    known = sorted(f"{row.since} {row.applied_at.isoformat()} {row.applied_by} {row.body}" for row in rows)
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]


def standings_of(rows: list[ProgrammeRow]) -> list[Standing]:
    """The programmes of one area, in order of their days, each while it holds."""
    ends = [*(later.begins for later in rows[1:]), None]
    return [Standing(row.programme, row.begins, end) for row, end in zip(rows, ends, strict=False)]


def _of(area: str) -> sa.Select[Any]:
    return sa.select(programmes).where(programmes.c.area == area).order_by(programmes.c.since.desc())


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[ProgrammeRow]:
    return all_shaped(ProgrammeRow, connection.execute(query))


@lru_cache(maxsize=MOST_PARSED)
def _parsed(body: str) -> Programme:
    return timetable.read(body)
