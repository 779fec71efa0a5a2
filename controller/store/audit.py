"""Who did what (append-only, chained, with sealed checkpoints), and how often what was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.store import chain
from controller.store.audit_tables import act_head, acts, checkpoints
from controller.store.chain import Link
from controller.store.database import Database
from controller.store.fact_tables import refusals
from controller.store.facts import RefusalCount
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns, shaped
from wire.errors import Refusal

AT_ONCE = 1000  # lines read in one go when the whole log is


@dataclass(frozen=True)
class Checkpoint:
    """A sealed statement of what the log's first ``number`` lines are; ``envelope`` is the seal over it."""

    number: int
    envelope: bytes
    at: datetime


class Acts:
    """The audit log. There is no way to change or remove a line."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, act: Act) -> None:
        """One line more."""
        with self._database.writing() as connection:
            chain.append(connection, [act])

    def head(self) -> tuple[int, str]:
        """The number of the newest line and its hash; 0 and `chain.BEFORE_ALL` before the first."""
        with self._database.reading() as connection:
            number, newest = connection.execute(sa.select(act_head.c.number, act_head.c.hash)).one()
        return int(number), str(newest)

    def links(self, after: int = 0) -> Iterator[Link]:
        """Every line behind number ``after`` as it stands there, by number; read piece by piece."""
        while True:
            rest = sa.select(acts).where(acts.c.number > after).order_by(acts.c.number).limit(AT_ONCE)
            with self._database.reading() as connection:
                rows = connection.execute(rest).all()
            for row in rows:
                yield Link(row.number, shaped(Act, row), row.hash)
                after = row.number
            if len(rows) < AT_ONCE:
                return

    def unnumbered(self) -> int:
        """Lines that stand outside the chain: nobody but this program's own hand may write."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(acts.c.number < 1)).scalar_one())

    def witness(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; one that is held for that number stands."""
        enter = self._database.upsert(checkpoints).values(columns(checkpoint))
        with self._database.writing() as connection:
            connection.execute(enter.on_conflict_do_nothing(index_elements=["number"]))

    def checkpoints(self) -> list[Checkpoint]:
        """Every checkpoint, by number."""
        with self._database.reading() as connection:
            return all_shaped(Checkpoint, connection.execute(sa.select(checkpoints).order_by(checkpoints.c.number)))

    def newest_checkpoint(self) -> Checkpoint | None:
        """The last one, None before the first."""
        with self._database.reading() as connection:
            newest = sa.select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1)
            row = connection.execute(newest).first()
        return shaped(Checkpoint, row) if row else None

    def recent(self, limit: int | None = 100, what: Iterable[str] = ()) -> list[Act]:
        """The newest lines first, no more than ``limit``; those that say one of ``what``, if anything is named."""
        one_of = tuple(what)
        query = sa.select(acts).where(acts.c.what.in_(one_of)) if one_of else sa.select(acts)
        with self._database.reading() as connection:
            return all_shaped(Act, connection.execute(query.order_by(acts.c.id.desc()).limit(limit)))

    def recent_links(
        self, limit: int = 100, what: Iterable[str] = (), below: int | None = None
    ) -> list[tuple[Link, str]]:
        """As `recent`, each in its place of the chain, with the hash of the line before; empty where there is none.

        ``below``: those that were written before the line of that number; none where there is no such line.
        """
        one_of, query = tuple(what), _linked()
        query = query.where(acts.c.what.in_(one_of)) if one_of else query
        if below is not None:
            query = query.where(acts.c.id < _at(below))
        with self._database.reading() as connection:
            return [_pair(row) for row in connection.execute(query.order_by(acts.c.id.desc()).limit(limit))]

    def link(self, number: int) -> tuple[Link, str] | None:
        """The line of that number, as `recent_links` has it."""
        with self._database.reading() as connection:
            row = connection.execute(_linked().where(acts.c.number == number)).first()
        return _pair(row) if row else None

    def about(self, subject: str, limit: int = 100) -> list[Act]:
        """The newest lines about one thing first."""
        mine = sa.select(acts).where(acts.c.subject == subject)
        with self._database.reading() as connection:
            return all_shaped(Act, connection.execute(mine.order_by(acts.c.id.desc()).limit(limit)))


def _linked() -> sa.Select[Any]:
    """Lines with the hash of the line before."""
    before = acts.alias()
    return sa.select(acts, before.c.hash.label("before")).outerjoin(before, before.c.number == acts.c.number - 1)


def _at(number: int) -> sa.ScalarSelect[int]:
    """Where the line of that number stands in the order of writing."""
    return sa.select(acts.c.id).where(acts.c.number == number).scalar_subquery()


def _pair(row: Any) -> tuple[Link, str]:
    first = chain.BEFORE_ALL if row.number == 1 else ""
    return Link(row.number, shaped(Act, row), row.hash), row.before or first


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
