"""What one node has been through: when it was online, how its jobs ended, what it sounded last.

- Every question names one node and is answered by an index that begins with it, however many there are.
- An ending counts on the day for which it was planned: receipts may come days later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from controller.store.asrun import asked_for, outcome_of, taken_back
from controller.store.database import Database
from controller.store.fact_tables import outcomes, presence, sounded, spells
from controller.store.facts import Outcome
from wire import codec
from wire.receipt import Step

MOST_BYTES = 8192  # of one receipt
MOST_ENDINGS = 20_000  # of one question: more than two hundred a day in 90 days
Spell = tuple[datetime, datetime | None]


class _Planned(msgspec.Struct):
    planned_start: datetime


class NodePast:
    """Reads what nodes said, a node at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def spells(self, node: str, since: datetime) -> list[Spell]:
        """When it was online from ``since`` on, oldest first; one that is not over has no end."""
        late = (spells.c.node == node) & (spells.c.until.is_(None) | (spells.c.until > since))
        query = sa.select(spells.c.since, spells.c.until).where(late).order_by(spells.c.since)
        with self._database.reading() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    def first_heard(self, node: str) -> datetime | None:
        """When it was first heard of; before that nothing is known."""
        spoke = sa.select(sa.func.min(spells.c.since)).where(spells.c.node == node)
        known = sa.select(presence.c.since).where(presence.c.node == node)
        with self._database.reading() as connection:
            found = [connection.execute(query).scalar() for query in (spoke, known)]
        return min(filter(None, found), default=None)

    def endings(self, node: str, since: datetime) -> list[tuple[datetime, Step]]:
        """For when each job was planned whose end came from ``since`` on, and how it ended; those taken back are not.

        The newest `MOST_ENDINGS` of them.
        """
        mine = (outcomes.c.node == node) & (outcomes.c.received_at >= since)
        query = sa.select(outcomes.c.body, outcomes.c.step).where(mine & (outcomes.c.step != Step.WITHDRAWN.value))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(outcomes.c.received_at.desc()).limit(MOST_ENDINGS)).all()
        return [(codec.read(_Planned, row[0].encode(), MOST_BYTES).planned_start, Step(row[1])) for row in rows]

    def outcomes(self, node: str, first: int, limit: int) -> Sequence[Outcome]:
        """Its as-run log from the ``first`` (0) on, what was told last first; without items taken back unheard."""
        query = asked_for([outcomes.c.node == node, ~taken_back()]).offset(first).limit(limit)
        with self._database.reading() as connection:
            return [outcome_of(row) for row in connection.execute(query).mappings()]

    def last_sounded(self, node: str) -> Outcome | None:
        """The job that it sounded last, as far as it has told."""
        when = sa.select(sounded.c.received_at).where(sounded.c.node == node).scalar_subquery()
        at = (outcomes.c.node == node) & (outcomes.c.received_at == when) & (outcomes.c.step == Step.SOUNDED.value)
        with self._database.reading() as connection:
            found = [outcome_of(row) for row in connection.execute(asked_for([at])).mappings()]
        return max(found, key=lambda each: each.measured.started_at if each.measured else each.at, default=None)
