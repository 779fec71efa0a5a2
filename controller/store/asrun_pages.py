"""The as-run log page by page, however long it is: each page goes on where the one before ended.

- The newest first, as received; a page is found by its place in an index, never by counting what came before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa

from controller.store.asrun import of_job, outcome_of
from controller.store.database import Database
from controller.store.fact_tables import outcomes, receipts
from controller.store.facts import Outcome
from controller.store.tables import announcements, bookings, node_groups, nodes
from wire.receipt import OUTCOMES, Step

MOST_PAGE = 200
_AT_ONCE = 500  # jobs named in one query
_HEARD = (*OUTCOMES, Step.STARTED)
FEW = 5  # nodes whose lines are gathered one by one


@dataclass(frozen=True)
class Place:
    """Where a page ended: the last line's moment, job and node."""

    at: datetime
    job: str
    node: str


@dataclass(frozen=True)
class Wanted:
    """Which lines: of nodes in any of ``areas`` (``*``: everywhere), of a booking or a job, a node, with that end.

    ``since`` to before ``until``: when they were received; ``after``: where the page before ended.
    """

    areas: tuple[str, ...] = ("*",)
    job: str = ""
    node: str = ""
    step: Step | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: Place | None = None


class AsRunPages:
    """Reads the as-run log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, wanted: Wanted, limit: int) -> list[Outcome]:
        """At most ``limit`` lines (1 to 200)."""
        with self._database.reading() as connection:
            few = "*" not in wanted.areas and len(connection.execute(_nodes_in(wanted.areas)).all()) <= FEW
        query = (
            sa.select(outcomes, nodes.c.name.label("node_name"), announcements.c.title)
            .outerjoin(nodes, nodes.c.id == outcomes.c.node)
            .outerjoin(bookings, bookings.c.id == outcomes.c.booking)
            .outerjoin(announcements, announcements.c.id == bookings.c.announcement)
            .where(*_conditions(wanted, few))
            .order_by(outcomes.c.received_at.desc(), outcomes.c.job, outcomes.c.node)
            .limit(max(1, min(limit, MOST_PAGE + 1)))
        )
        with self._database.reading() as connection:
            return [outcome_of(row) for row in connection.execute(query).mappings()]

    def told(self, jobs: Sequence[str]) -> dict[tuple[str, Step], set[str]]:
        """The nodes that told the beginning or the end of these jobs: by job and step."""
        found: dict[tuple[str, Step], set[str]] = {}
        asked = receipts.c.step.in_([step.value for step in _HEARD])
        with self._database.reading() as connection:
            for first in range(0, len(jobs), _AT_ONCE):
                mine = receipts.c.job.in_(jobs[first : first + _AT_ONCE]) & asked
                query = sa.select(receipts.c.job, receipts.c.step, receipts.c.node).where(mine)
                rows = connection.execute(query.order_by(receipts.c.job, receipts.c.step)).all()
                for (job, step), some in groupby(rows, key=itemgetter(0, 1)):
                    found.setdefault((job, Step(step)), set()).update(row[2] for row in some)
        return found

    def ends(self, job: str, most: int) -> dict[str, Step]:
        """How a job, or a booking when it came last, ended on each node: of the ``most`` outcomes stored last."""
        query = sa.select(outcomes.c.node, outcomes.c.step).where(of_job(job))
        found: dict[str, Step] = {}
        with self._database.reading() as connection:
            for node, step in connection.execute(query.order_by(outcomes.c.received_at.desc()).limit(most)):
                found.setdefault(node, Step(step))
        return found


def _conditions(wanted: Wanted, few: bool) -> Iterable[sa.ColumnElement[bool]]:
    if "*" not in wanted.areas:
        # of many nodes the log is walked by age until the page is full, and not gathered by node and sorted whole
        of_node: sa.ColumnElement[str] = outcomes.c.node if few else outcomes.c.node.concat("")
        yield of_node.in_(_nodes_in(wanted.areas))
    if wanted.job:
        yield of_job(wanted.job)
    if wanted.node:
        yield outcomes.c.node == wanted.node
    if wanted.step is not None:
        yield outcomes.c.step == wanted.step.value
    if wanted.since is not None:
        yield outcomes.c.received_at >= wanted.since
    if wanted.until is not None:
        yield outcomes.c.received_at < wanted.until
    if wanted.after is not None:
        at, job, node = wanted.after.at, wanted.after.job, wanted.after.node
        yield outcomes.c.received_at <= at
        behind = (outcomes.c.job > job) | ((outcomes.c.job == job) & (outcomes.c.node > node))
        yield (outcomes.c.received_at < at) | behind


def _nodes_in(areas: tuple[str, ...]) -> sa.Select[tuple[str]]:
    """The nodes that hang in any of the areas, are put into it, or are it."""
    grouped = sa.select(node_groups.c.node).where(node_groups.c.area.in_(areas))
    below = [nodes.c.home.startswith(f"{area}:", autoescape=True) for area in areas]
    return sa.select(nodes.c.id).where(
        nodes.c.home.in_(areas) | nodes.c.id.in_(areas) | nodes.c.id.in_(grouped) | sa.or_(sa.false(), *below)
    )
