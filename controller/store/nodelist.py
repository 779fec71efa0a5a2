"""The list of nodes, a page at a time: the database says who needs somebody first, whatever their number.

- A state is read out of presence and health, by the same rule as `alarms.signs.state_of`; a test holds both together.
- Who is there and yet in trouble is who belongs to an alarm that is not over: the station judges that, no page does.
- Nobody knows of a node that never spoke whether it is down: it is ``never``, and not ``offline``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from controller.roster import Node
from controller.store import roster
from controller.store.alarm_tables import alarm_members, alarms
from controller.store.database import Database
from controller.store.fact_tables import health, presence
from controller.store.facts import SILENT_AFTER
from controller.store.finding import plain
from controller.store.tables import node_groups, nodes
from wire.presence import State

STATES = ("offline", "silent", "never", "worried", "online", "maintenance", "revoked")  # the worst first
MOST_WORDS = 8
_AT_ONCE = 500


@dataclass(frozen=True)
class Narrowed:
    """Which nodes are asked for. Empty: any.

    Those that hang in ``areas`` (``*``: everywhere) or below, and of them those in, below or of the group ``area``; in
    that state (of `STATES`), in an alarm of that cause, with a word that begins like each of ``words``.
    """

    areas: tuple[str, ...] = ("*",)
    area: str = ""
    state: str = ""
    cause: str = ""
    words: str = ""


@dataclass(frozen=True)
class Listed:
    """A line: a node, its state (of `STATES`), and the causes of the open alarms that it belongs to."""

    node: str
    state: str
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Spot:
    """A node as a map needs it; ``state`` is of `STATES`."""

    id: str
    name: str
    home: str
    state: str


class NodeList:
    """Reads pages of the roster with what is known of each node."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self, asked: Narrowed, now: datetime) -> dict[str, int]:
        """How many there are in each state, whatever state was asked for."""
        every = self._every(asked, now).subquery()
        query = sa.select(every.c.state, sa.func.count()).group_by(every.c.state)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def page(self, asked: Narrowed, now: datetime, first: int, limit: int) -> list[Listed]:
        """The lines from the ``first`` (0) on, at most ``limit``, the worst first."""
        every = self._every(asked, now).subquery()
        query = sa.select(every.c.id, every.c.state)
        if asked.state:
            query = query.where(every.c.state == asked.state)
        rank = sa.case({state: place for place, state in enumerate(STATES)}, value=every.c.state)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(rank, every.c.id).offset(first).limit(limit)).all()
            causes = self._causes(connection, [row[0] for row in found])
        return [Listed(row[0], row[1], causes.get(row[0], ())) for row in found]

    def after(self, asked: Narrowed, now: datetime, node: str, limit: int) -> list[Listed]:
        """In order of name, those after ``node``; ``state`` is by presence and health alone, no cause is told."""
        every = self._every(asked, now, _there(now)).subquery()
        query = sa.select(every.c.id, every.c.state).where(every.c.id > node)
        if asked.state:
            query = query.where(every.c.state == asked.state)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(every.c.id).limit(limit)).all()
        return [Listed(row[0], row[1], ()) for row in found]

    def spots(self, asked: Narrowed, now: datetime) -> list[Spot]:
        """Every node that is asked for, for a map; ``state`` is by presence and health alone."""
        every = self._every(asked, now, _there(now)).subquery()
        query = sa.select(every.c.id, every.c.name, every.c.home, every.c.state)
        if asked.state:
            query = query.where(every.c.state == asked.state)
        with self._database.reading() as connection:
            return [Spot(*row) for row in connection.execute(query.order_by(every.c.id))]

    def open_causes(self, areas: Sequence[str]) -> dict[str, int]:
        """How many nodes of ``areas`` (``*``: everywhere) belong to an open alarm of each cause."""
        query = (
            sa.select(alarms.c.cause, sa.func.count(alarm_members.c.member.distinct()))
            .join(alarm_members, alarm_members.c.alarm == alarms.c.id)
            .join(nodes, nodes.c.id == alarm_members.c.member)
            .where(alarms.c.cleared_at.is_(None) & alarm_members.c.cleared_at.is_(None) & _within(areas))
            .group_by(alarms.c.cause)
        )
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def named(self, ids: Sequence[str]) -> dict[str, Node]:
        """These nodes, by name on the wire; at most a page of them."""
        with self._database.reading() as connection:
            return {each.id: each for each in roster.some_nodes(connection, ids)}

    def _every(
        self, asked: Narrowed, now: datetime, state: sa.ColumnElement[str] | None = None
    ) -> sa.Select[tuple[str, str, str, str]]:
        """Every node of the areas and words, with its ``state`` (None: of `STATES`)."""
        told = _state(now) if state is None else state
        query = (
            sa.select(nodes.c.id, nodes.c.name, nodes.c.home, told.label("state"))
            .outerjoin(presence, presence.c.node == nodes.c.id)
            .outerjoin(health, health.c.node == nodes.c.id)
            .where(_within(asked.areas))
        )
        if asked.area:
            grouped = sa.select(node_groups.c.node).where(node_groups.c.area == asked.area)
            query = query.where(_within([asked.area]) | nodes.c.id.in_(grouped))
        for word in plain(asked.words).split()[:MOST_WORDS]:
            query = query.where(sa.literal(" ").concat(nodes.c.words).contains(f" {word}", autoescape=True))
        if asked.cause:
            query = query.where(nodes.c.id.in_(_troubled(asked.cause)))
        return query

    @staticmethod
    def _causes(connection: sa.Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        query = (
            sa.select(alarm_members.c.member, alarms.c.cause)
            .join(alarms, alarms.c.id == alarm_members.c.alarm)
            .where(alarms.c.cleared_at.is_(None) & alarm_members.c.cleared_at.is_(None))
            .where(alarm_members.c.member.in_(ids))
            .order_by(alarms.c.grade, alarms.c.raised_at, alarms.c.id)
        )
        found: dict[str, tuple[str, ...]] = {}
        for member, cause in connection.execute(query):
            found[member] = (*found.get(member, ()), cause)
        return found


def _state(now: datetime) -> sa.ColumnElement[str]:
    there = _there(now)
    return sa.case(
        (nodes.c.revoked_at.isnot(None), "revoked"),
        (nodes.c.maintenance, "maintenance"),
        (there != "online", there),
        (nodes.c.id.in_(_troubled()), "worried"),
        else_="online",
    )


def _there(now: datetime) -> sa.ColumnElement[str]:
    """By presence and health: never, offline, silent or online."""
    before = now - SILENT_AFTER
    unheard = (health.c.received_at.is_(None) | (health.c.received_at < before)) & (presence.c.since < before)
    return sa.case(
        (presence.c.state.is_(None), "never"),
        (presence.c.state != State.ONLINE.value, "offline"),
        (unheard, "silent"),
        else_="online",
    )


def _troubled(cause: str = "") -> sa.Select[tuple[str]]:
    """The members of the alarms that are not over."""
    query = sa.select(alarm_members.c.member).join(alarms, alarms.c.id == alarm_members.c.alarm)
    query = query.where(alarms.c.cleared_at.is_(None) & alarm_members.c.cleared_at.is_(None))
    return query.where(alarms.c.cause == cause) if cause else query


def _within(areas: Sequence[str]) -> sa.ColumnElement[bool]:
    if "*" in areas:
        return sa.true()
    below = (nodes.c.home.startswith(f"{area}:", autoescape=True) for area in areas)
    return sa.or_(sa.false(), nodes.c.home.in_(areas), *below)
