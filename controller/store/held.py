"""What was held back: jobs that went into no plan of an area, why, and until when. Kept, as the as-run log is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from controller.store import chain
from controller.store.database import Database
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns
from controller.store.tables import held_back


@dataclass(frozen=True)
class HeldBack:
    """A job that an area's plan does not have. ``released_at``: when its rules let it into the plan after all."""

    job: str
    area: str
    booking: str  # the job's first part: what it is an occurrence of
    title: str
    start: datetime
    reason: str
    held_at: datetime
    released_at: datetime | None = None


class HeldBook:
    """What the station held back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, rows: Iterable[HeldBack], done: Iterable[Act]) -> None:
        """Enter what is held back, or released, from now on, and the acts of it."""
        with self._database.writing() as connection:
            for row in rows:
                enter = self._database.upsert(held_back).values(columns(row))
                connection.execute(enter.on_conflict_do_update(index_elements=["job", "area"], set_=columns(row)))
            chain.append(connection, done)

    def since(self, start: datetime, areas: Sequence[str] | None = None) -> list[HeldBack]:
        """What is held back of all that starts from then on; with ``areas`` what is in exactly one of these."""
        mine = (held_back.c.start >= start) & held_back.c.released_at.is_(None)
        if areas is not None:
            mine &= held_back.c.area.in_(areas)
        return self._rows(sa.select(held_back).where(mine).order_by(held_back.c.start, held_back.c.job))

    def areas_since(self, start: datetime) -> dict[tuple[str, datetime], frozenset[str]]:
        """Of all that starts from then on, by booking and start, the areas in which it is held back."""
        mine = (held_back.c.start >= start) & held_back.c.released_at.is_(None)
        found: dict[tuple[str, datetime], set[str]] = defaultdict(set)
        with self._database.reading() as connection:
            for booking, at, area in connection.execute(
                sa.select(held_back.c.booking, held_back.c.start, held_back.c.area).where(mine)
            ):
                found[booking, at].add(area)
        return {key: frozenset(areas) for key, areas in found.items()}

    def of(self, booking: str, since: datetime | None = None) -> list[HeldBack]:
        """What is held back of one booking, or of what of it starts from ``since`` on, by start."""
        mine = (held_back.c.booking == booking) & held_back.c.released_at.is_(None)
        if since is not None:
            mine &= held_back.c.start >= since
        return self._rows(sa.select(held_back).where(mine).order_by(held_back.c.start, held_back.c.area))

    def _rows(self, query: sa.Select[tuple[object, ...]]) -> list[HeldBack]:
        with self._database.reading() as connection:
            return all_shaped(HeldBack, connection.execute(query))
