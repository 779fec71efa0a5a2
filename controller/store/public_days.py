"""What was aired, for everybody to read, and the days of it that were sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from controller.store.asrun import read_receipt
from controller.store.columns import key, moment, octets, whole
from controller.store.database import Database
from controller.store.fact_tables import outcomes
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import announcements, bookings, metadata, nodes, users
from wire.receipt import Receipt, Step

public_days = sa.Table("public_days", metadata, key("day"), whole("number"), octets("envelope"), moment("closed_at"))

_SOUNDED = (Step.SOUNDED.value, Step.INTERRUPTED.value, Step.PREEMPTED.value)


@dataclass(frozen=True)
class PublicDay:
    """A day (ISO) of the public log, the ``number``-th that was closed, under the station's seal."""

    day: str
    number: int
    envelope: bytes
    closed_at: datetime


@dataclass(frozen=True)
class Aired:
    """One job on one loudspeaker, and what is known of its announcement; empty for an item of the programme."""

    receipt: Receipt
    home: str
    title: str
    text: str
    bulletin_class: str
    level: str
    drill: bool
    changed_at: datetime | None
    ordered_for: str  # the area of whoever approved it, "*" for the whole station


class PublicDays:
    """The public log. What is closed stands: there is no way to change or remove a day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def aired(self, since: datetime, until: datetime) -> Iterator[Aired]:
        """All that sounded of what was planned in ``since`` <= start < ``until``, in the order of planning."""
        told = [row for row in self._rows(since) if since <= row.receipt.planned_start < until]
        yield from sorted(told, key=lambda row: (row.receipt.planned_start, row.receipt.job, row.home))

    def close(self, day: PublicDay) -> None:
        """Keep a sealed day; one that is held stands."""
        enter = self._database.upsert(public_days).values(columns(day))
        with self._database.writing() as connection:
            connection.execute(enter.on_conflict_do_nothing(index_elements=["day"]))

    def closed(self, limit: int = 10_000) -> list[PublicDay]:
        """The days that were closed, the newest first."""
        newest = sa.select(public_days).order_by(public_days.c.number.desc()).limit(limit)
        with self._database.reading() as connection:
            return all_shaped(PublicDay, connection.execute(newest))

    def day(self, day: str) -> PublicDay | None:
        """That day, if it is closed."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(public_days).where(public_days.c.day == day)).first()
        return shaped(PublicDay, row) if row else None

    def _rows(self, since: datetime) -> list[Aired]:
        about = (announcements.c.title, announcements.c.text, announcements.c.bulletin_class, announcements.c.level)
        query = (
            sa.select(outcomes.c.body, nodes.c.home, *about, announcements.c.drill, announcements.c.updated_at)
            .add_columns(users.c.area)
            .join(nodes, nodes.c.id == outcomes.c.node)
            .outerjoin(bookings, bookings.c.id == outcomes.c.booking)
            .outerjoin(announcements, announcements.c.id == bookings.c.announcement)
            .outerjoin(users, users.c.id == announcements.c.approver)
            .where((outcomes.c.received_at >= since) & outcomes.c.step.in_(_SOUNDED))
        )
        with self._database.reading() as connection:
            found = [(read_receipt(row.body), row) for row in connection.execute(query)]
        return [
            Aired(
                *(receipt, row.home, row.title or "", row.text or "", row.bulletin_class or "", row.level or ""),
                *(bool(row.drill), row.updated_at, row.area or ""),
            )
            for receipt, row in found
            if receipt.measured is not None and receipt.measured.sounded_ms > 0
        ]
