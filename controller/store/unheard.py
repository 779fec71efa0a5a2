"""What listeners said that they could not hear: a few words from whoever lives there, and what was answered.

- Nobody's name is kept, and no address. After a year it is forgotten.
- So many a day in an area, no more: who floods one commune's list leaves the others'.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from controller.store.columns import key, moment, text, within
from controller.store.database import Database
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import metadata

KEPT = timedelta(days=366)

unheard = sa.Table(
    "unheard",
    metadata,
    key("id"),
    text("area"),
    text("announcement", nullable=True),
    text("kind"),
    text("words"),
    moment("told_at"),
    text("answered_by", nullable=True),
    moment("answered_at", nullable=True),
    text("answer"),
    sa.Index("unheard_by_time", "told_at"),
    sa.Index("unheard_by_area", "area", "told_at"),
)


class Ailment(StrEnum):
    """What is wrong with what is heard."""

    SILENT = "silent"
    FAINT = "faint"
    GARBLED = "garbled"
    LOUD = "loud"
    SQUEALING = "squealing"


@dataclass(frozen=True)
class UnheardRow:
    """What somebody in ``area`` said; ``announcement`` that it was about. ``answered_by``: a user's id."""

    id: str
    area: str
    announcement: str | None
    kind: Ailment
    words: str
    told_at: datetime
    answered_by: str | None = None
    answered_at: datetime | None = None
    answer: str = ""


class UnheardBook:
    """What was said, the newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tell(self, row: UnheardRow, since: datetime, most: int) -> bool:
        """Keep what was said, unless the area has ``most`` since then; whether it was kept. Forgets what is old."""
        lately = sa.select(sa.func.count()).where((unheard.c.area == row.area) & (unheard.c.told_at >= since))
        with self._database.writing() as connection:
            if connection.execute(lately).scalar_one() >= most:
                return False
            connection.execute(sa.delete(unheard).where(unheard.c.told_at < row.told_at - KEPT))
            connection.execute(sa.insert(unheard).values(columns(row)))
            return True

    def get(self, unheard_id: str) -> UnheardRow | None:
        """One of them."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(unheard).where(unheard.c.id == unheard_id)).first()
        return shaped(UnheardRow, row) if row else None

    def told(
        self, areas: Iterable[str], open_only: bool, before: tuple[datetime, str] | None, limit: int
    ) -> list[UnheardRow]:
        """What was said in ``areas`` (``*``: everywhere) and below, the newest first, behind ``before``."""
        query = sa.select(unheard).where(within(unheard.c.area, areas))
        if open_only:
            query = query.where(unheard.c.answered_at.is_(None))
        if before is not None:
            at, name = before
            same = (unheard.c.told_at == at) & (unheard.c.id > name)
            query = query.where((unheard.c.told_at < at) | same)
        with self._database.reading() as connection:
            newest = query.order_by(unheard.c.told_at.desc(), unheard.c.id).limit(limit)
            return all_shaped(UnheardRow, connection.execute(newest))

    def waiting(self, areas: Iterable[str]) -> int:
        """How many of these areas nobody has answered."""
        query = sa.select(sa.func.count()).where(unheard.c.answered_at.is_(None) & within(unheard.c.area, areas))
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def answer(self, unheard_id: str, by: str, answer: str, act: Act) -> bool:
        """Say what came of it; False where that was said before. ``by``: a user's id."""
        mine = (unheard.c.id == unheard_id) & unheard.c.answered_at.is_(None)
        values = {"answered_by": by, "answered_at": act.at, "answer": answer}
        with self._database.wishing(act) as connection:
            return connection.execute(sa.update(unheard).where(mine).values(values)).rowcount == 1
