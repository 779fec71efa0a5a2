"""Programmes: each area's standing weeks by the day from which they hold; what was in force is kept.

- A programme holds from the beginning of its day on, or from when it was applied where that was later; until the next.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from itertools import pairwise

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns
from controller.store.tables import programmes
from schedules import moments, timetable
from schedules.placing import Standing
from schedules.programme import Programme

MOST_PARSED = 1024


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

    def apply(self, row: ProgrammeRow, act: Act | None = None) -> None:
        """From its day on this programme holds; one of the same area and day is replaced."""
        values = columns(row)
        enter = self._database.upsert(programmes).values(values)
        with self._database.wishing(act) as connection:
            connection.execute(enter.on_conflict_do_update(index_elements=["area", "since"], set_=values))

    def of(self, area: str) -> list[ProgrammeRow]:
        """Every programme that was applied to exactly this area, the latest day first."""
        return self._rows(sa.select(programmes).where(programmes.c.area == area).order_by(programmes.c.since.desc()))

    def in_force(self, area: str, moment: datetime) -> ProgrammeRow | None:
        """The programme that exactly this area has at ``moment``."""
        return next((row for row in self.of(area) if row.begins <= moment), None)

    def standings(self) -> dict[str, list[Standing]]:
        """Every area's programmes in order, each while it holds."""
        by_area: dict[str, list[ProgrammeRow]] = defaultdict(list)
        for row in self._rows(sa.select(programmes).order_by(programmes.c.area, programmes.c.since)):
            by_area[row.area].append(row)
        return {area: _standings(rows) for area, rows in by_area.items()}

    def _rows(self, query: sa.Select[tuple[object, ...]]) -> list[ProgrammeRow]:
        with self._database.reading() as connection:
            return all_shaped(ProgrammeRow, connection.execute(query))


def _standings(rows: list[ProgrammeRow]) -> list[Standing]:
    ends = [later.begins for _, later in pairwise(rows)]
    return [Standing(row.programme, row.begins, end) for row, end in zip(rows, [*ends, None], strict=True)]


@lru_cache(maxsize=MOST_PARSED)
def _parsed(body: str) -> Programme:
    return timetable.read(body)
