"""What has changed, and where: asked a few times a second by whoever tells open pages, so each look is cheap.

- Numbers say that something was written (`written`); what was touched since, or a small table before and after, says
  in which areas.
- Everything here only reads, a few columns at a time, found by an index or in a table that stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.store.alarm_tables import alarm_watch, alarms
from controller.store.database import Database
from controller.store.fact_tables import health, outcomes, presence, receipts, streams
from controller.store.tables import announcements, bookings, inbox, plans, policies, programmes, recordings, tidings
from controller.store.unheard import unheard
from controller.store.written import written
from wire.receipt import OUTCOMES

_AT_ONCE = 500

# Small tables, read whole: first the area, then what says which row it is and how it is.
_STANDING: Mapping[str, sa.Select[Any]] = {
    "inbox": sa.select(inbox.c.area, inbox.c.announcement).where(inbox.c.state == "waiting"),
    "plans": sa.select(plans.c.area, plans.c.lane, plans.c.serial),
    "policies": sa.select(policies.c.area, policies.c.since, policies.c.set_at),
    "programmes": sa.select(programmes.c.area, programmes.c.since, programmes.c.applied_at),
    "unheard": sa.select(unheard.c.area, unheard.c.id).where(unheard.c.answered_at.is_(None)),
    "alarms": sa.select(alarms.c.place, *(each for each in alarms.c if each.name != "place")).where(
        alarms.c.cleared_at.is_(None)
    ),
}
STANDING = frozenset(_STANDING)

_WISHES, _ROSTER, _CHANGES = ".wishes", ".roster", ".changes"  # no table is called so
_NUMBERS = sa.union_all(
    sa.select(sa.literal(_WISHES), tidings.c.wishes),
    sa.select(sa.literal(_ROSTER), tidings.c.roster),
    sa.select(sa.literal(_CHANGES), sa.func.sum(alarm_watch.c.changes)),
    sa.select(written.c.subject, written.c.number),
)


@dataclass(frozen=True)
class Numbers:
    """How often anything was wished, each table was written, the station found something new of alarms, and the roster
    was written.
    """

    wishes: int
    tables: Mapping[str, int]
    alarms: int
    roster: int = 0

    def of(self, *names: str) -> tuple[int, ...]:
        """The numbers of these tables; of one that was never written 0."""
        return tuple(self.tables.get(name, 0) for name in names)


@dataclass(frozen=True)
class Touched:
    """An announcement that was touched, or one of its bookings.

    ``names``: by which a programme's item may call it; ``areas``: of all its bookings; ``slotted``: of those that ask
    for a slot of a programme.
    """

    names: frozenset[str]
    author: str
    bulletin_class: str
    areas: frozenset[str]
    slotted: frozenset[str]


@dataclass(frozen=True)
class Told:
    """A job that a node told of; ``booking``: the job's first part."""

    job: str
    node: str
    booking: str


@dataclass(frozen=True)
class Nodes:
    """What is known of every node: whether it is there, when its health came, how far its streams are stored."""

    there: Mapping[str, tuple[object, ...]]
    health: Mapping[str, datetime]
    streams: Mapping[tuple[str, str], int]


class Traces:
    """Where to look for what is new."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def numbers(self) -> Numbers:
        """All of them, of one moment."""
        with self._database.reading() as connection:
            found = {row[0]: int(row[1] or 0) for row in connection.execute(_NUMBERS)}
        return Numbers(found.pop(_WISHES), found, found.pop(_CHANGES), found.pop(_ROSTER))

    def standing(self, table: str) -> frozenset[tuple[Any, ...]]:
        """One of `STANDING` as it is: the area of each row stands first."""
        with self._database.reading() as connection:
            return frozenset(tuple(row) for row in connection.execute(_STANDING[table]))

    def touched(self, wishes: int, limit: int) -> list[Touched] | None:
        """What was touched after that number of wishes; None for more than ``limit`` of them."""
        with self._database.reading() as connection:
            mine = sa.select(announcements.c.id).where(announcements.c.touched > wishes)
            theirs = sa.select(bookings.c.announcement).where(bookings.c.touched > wishes)
            ids = {row[0] for query in (mine, theirs) for row in connection.execute(query.limit(limit + 1))}
            if len(ids) > limit:
                return None
            booked = sa.select(bookings.c.announcement, bookings.c.areas, bookings.c.slot)
            placed: list[Any] = list(connection.execute(booked.where(bookings.c.announcement.in_(ids))))
            about = ("id", "title", "recording", "author", "bulletin_class")
            query = sa.select(*(announcements.c[each] for each in about), recordings.c.file_name)
            query = query.outerjoin(recordings, recordings.c.sha256 == announcements.c.recording)
            rows: list[Any] = list(connection.execute(query.where(announcements.c.id.in_(ids))))
        return [_touched(row, [each for each in placed if each.announcement == row.id]) for row in rows]

    def programmes(self) -> dict[str, str]:
        """The area of every programme that was ever applied, and what all of its programmes say."""
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for area, body in connection.execute(sa.select(programmes.c.area, programmes.c.body)):
                found[area] = found.get(area, "") + body
        return found

    def outcomes(self, since: datetime | None, limit: int) -> list[tuple[datetime, Told]]:
        """Those that were stored at ``since`` or later, what came last first."""
        query = sa.select(outcomes.c.received_at, outcomes.c.job, outcomes.c.node, outcomes.c.booking)
        if since is not None:
            query = query.where(outcomes.c.received_at >= since)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(outcomes.c.received_at.desc()).limit(limit))
            return [(row[0], Told(*row[1:])) for row in rows]

    def nodes(self) -> Nodes:
        """Of all nodes: the more there are, the rarer it should be asked."""
        state = sa.select(presence.c.node, presence.c.state, presence.c.since, presence.c.version)
        with self._database.reading() as connection:
            there = {row[0]: tuple(row[1:]) for row in connection.execute(state)}
            measured = {row[0]: row[1] for row in connection.execute(sa.select(health.c.node, health.c.received_at))}
            stored = connection.execute(sa.select(streams.c.node, streams.c.stream, streams.c.upto))
            return Nodes(there, measured, {(row[0], row[1]): row[2] for row in stored})

    def steps(self, spans: Sequence[tuple[str, str, int, int]]) -> list[Told]:
        """What receipts tell beside outcomes. ``spans``: node, stream, and the numbers (after, up to)."""
        found = []
        with self._database.reading() as connection:
            for node, stream, after, upto in spans:
                mine = (receipts.c.node == node) & (receipts.c.stream == stream)
                mine &= (receipts.c.number > after) & (receipts.c.number <= upto)
                mine &= receipts.c.step.not_in([step.value for step in OUTCOMES])
                jobs = connection.execute(sa.select(receipts.c.job).where(mine).distinct()).scalars()
                found += [Told(job, node, job.partition(":")[0]) for job in jobs]
        return found

    def booked(self, ids: Iterable[str]) -> dict[str, tuple[frozenset[str], str]]:
        """The areas and the class of those of ``ids`` that are bookings."""
        wanted, found = sorted(set(ids)), {}
        with self._database.reading() as connection:
            for first in range(0, len(wanted), _AT_ONCE):
                mine = bookings.c.id.in_(wanted[first : first + _AT_ONCE])
                for row in connection.execute(
                    sa.select(bookings.c.id, bookings.c.areas, bookings.c.bulletin_class).where(mine)
                ):
                    found[row[0]] = (frozenset(row[1]), row[2])
        return found


def _touched(row: Any, placed: Iterable[Any]) -> Touched:
    names = frozenset(each for each in (row.id, row.title, row.recording, row.file_name) if each)
    areas, slotted = set[str](), set[str]()
    for each in placed:
        areas.update(each.areas)
        slotted.update(each.areas if each.slot else ())
    return Touched(names, row.author, row.bulletin_class, frozenset(areas), frozenset(slotted))
