"""Who did what (append-only), and how often what was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.fact_tables import refusals
from controller.store.facts import RefusalCount
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns
from controller.store.tables import acts
from wire.errors import Refusal


class Acts:
    """The audit log. There is no way to change or remove a line."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, act: Act) -> None:
        """One line more."""
        with self._database.writing() as connection:
            connection.execute(sa.insert(acts), columns(act))

    def recent(self, limit: int = 100) -> list[Act]:
        """The newest lines first."""
        with self._database.reading() as connection:
            return all_shaped(Act, connection.execute(sa.select(acts).order_by(acts.c.id.desc()).limit(limit)))

    def about(self, subject: str, limit: int = 100) -> list[Act]:
        """The newest lines about one thing first."""
        mine = sa.select(acts).where(acts.c.subject == subject)
        with self._database.reading() as connection:
            return all_shaped(Act, connection.execute(mine.order_by(acts.c.id.desc()).limit(limit)))


class Refusals:
    """Counters by reason and place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, reason: str, where: str, detail: str, at: datetime) -> None:
        """One more refusal for ``reason`` at ``where``."""
        with self._database.writing() as connection:
            count_refusals(self._database, connection, {(reason, where): (1, detail)}, at)

    def count_all(self, refused: Iterable[Refusal], at: datetime) -> None:
        """Many at once: one row for each reason and place."""
        refused = list(refused)
        times = Counter((each.reason.value, each.where) for each in refused)
        newest = {(each.reason.value, each.where): each.detail for each in refused}
        if times:
            with self._database.writing() as connection:
                together = {place: (times[place], newest[place]) for place in times}
                count_refusals(self._database, connection, together, at)

    def all(self) -> list[RefusalCount]:
        """Every counter, the one that counted last first."""
        with self._database.reading() as connection:
            query = sa.select(refusals, refusals.c.place.label("where")).order_by(refusals.c.last_at.desc())
            return all_shaped(RefusalCount, connection.execute(query))


def count_refusals(
    database: Database, connection: sa.Connection, refused: dict[tuple[str, str], tuple[int, str]], at: datetime
) -> None:
    """Within a transaction: (reason, where) -> (how often, the newest detail)."""
    insert = database.upsert(refusals)
    new = insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=["reason", "place"],
        set_={"count": refusals.c.count + new.count, "detail": new.detail, "last_at": new.last_at},
    )
    rows = [
        {"reason": reason, "place": _stored(where), "count": count, "detail": _stored(detail)}
        | {"first_at": at, "last_at": at}
        for (reason, where), (count, detail) in sorted(refused.items())
    ]
    connection.execute(statement, rows)


def _stored(text: str) -> str:
    """Any text in a form that every database keeps: no NUL, no half characters, not endless."""
    return text.replace("\0", "␀").encode(errors="replace").decode()[:300]
