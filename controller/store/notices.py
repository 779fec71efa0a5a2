"""The public page's announcements: what loudspeakers of an area have sounded, and what is kept off it.

- Candidates come by where they were placed (`finding`); what counts is that a loudspeaker of the area sounded it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from controller.roster import ancestors
from controller.store.asrun import read_receipt
from controller.store.columns import key, moment, text
from controller.store.database import Database
from controller.store.fact_tables import outcomes
from controller.store.finding import Finder, Sought
from controller.store.rows import Act, Announcement, AnnouncementState, BookingState
from controller.store.tables import bookings, metadata, node_groups, nodes
from wire.receipt import Step

MOST_PLACED = 100

unlisted = sa.Table("unlisted", metadata, key("announcement"), text("by"), moment("at"))


@dataclass(frozen=True)
class Aired:
    """How an announcement sounded in an area: planned for when, the last time; on how many loudspeakers, ever."""

    at: datetime
    nodes: int


class NoticeBook:
    """What everybody may read and hear again, and what not."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._finder = Finder(database)

    def placed(self, area: str) -> list[Announcement]:
        """The newest approved announcements for ``area``, for what lies in it, or for what it lies in; at most 100."""
        sought = Sought(areas=(area,), or_on=(*ancestors(area), *self._groups(area)), state=AnnouncementState.APPROVED)
        found = [each.announcement for each in self._finder.find(sought, MOST_PLACED)]
        wanted = self._wanted([each.id for each in found]) - self.unlisted([each.id for each in found])
        return [each for each in found if each.id in wanted]

    def aired(self, area: str, announcements: Sequence[str], since: datetime) -> dict[str, Aired]:
        """Which of ``announcements`` sounded on a loudspeaker of ``area``, by what was reported ``since``.

        What was booked and taken back counts no more.
        """
        here = (nodes.c.home == area) | nodes.c.home.startswith(f"{area}:", autoescape=True)
        last, count = sa.func.max(outcomes.c.received_at), sa.func.count(outcomes.c.node.distinct())
        sounded = (outcomes.c.step == Step.SOUNDED.value) & (outcomes.c.received_at >= since)
        mine = bookings.c.announcement.in_(announcements) & (bookings.c.state != BookingState.WITHDRAWN.value)
        query = (
            sa.select(bookings.c.announcement, last.label("last"), count.label("nodes"))
            .join(outcomes, outcomes.c.booking == bookings.c.id)
            .join(nodes, nodes.c.id == outcomes.c.node)
            .where(mine & sounded & here)
            .group_by(bookings.c.announcement)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
            return {row.announcement: Aired(self._planned(connection, row), row.nodes) for row in rows}

    def unlisted(self, announcements: Sequence[str]) -> frozenset[str]:
        """Which of these are kept off the public page."""
        query = sa.select(unlisted.c.announcement).where(unlisted.c.announcement.in_(announcements))
        with self._database.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def unlist(self, announcement: str, by: str, act: Act) -> None:
        """Keep it off the public page; ``by``: a user's id."""
        row = {"announcement": announcement, "by": by, "at": act.at}
        enter = self._database.upsert(unlisted).values(row)
        with self._database.wishing(act) as connection:
            connection.execute(enter.on_conflict_do_nothing(index_elements=["announcement"]))

    def list_again(self, announcement: str, act: Act) -> None:
        """It may stand there again."""
        with self._database.wishing(act) as connection:
            connection.execute(sa.delete(unlisted).where(unlisted.c.announcement == announcement))

    def _wanted(self, announcements: Sequence[str]) -> frozenset[str]:
        """Which of these have a booking that nobody took back."""
        mine = bookings.c.announcement.in_(announcements) & (bookings.c.state != BookingState.WITHDRAWN.value)
        with self._database.reading() as connection:
            return frozenset(connection.execute(sa.select(bookings.c.announcement).where(mine)).scalars())

    def _groups(self, area: str) -> list[str]:
        """The groups that loudspeakers of the area are in."""
        here = (nodes.c.home == area) | nodes.c.home.startswith(f"{area}:", autoescape=True)
        query = sa.select(node_groups.c.area).join(nodes, nodes.c.id == node_groups.c.node).where(here).distinct()
        with self._database.reading() as connection:
            return sorted(connection.execute(query).scalars())

    @staticmethod
    def _planned(connection: sa.Connection, row: sa.Row[tuple[str, datetime, int]]) -> datetime:
        """When what was reported last had been planned for."""
        mine = (bookings.c.announcement == row.announcement) & (outcomes.c.received_at == row.last)
        query = sa.select(outcomes.c.body).join(bookings, bookings.c.id == outcomes.c.booking).where(mine).limit(1)
        return read_receipt(connection.execute(query).scalar_one()).planned_start
