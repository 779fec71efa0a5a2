"""The inbox of communes: ordinary bulletins from above, each waiting in every commune to be given its time, or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from controller.store import chain
from controller.store.bookings import insert_booking
from controller.store.database import Database
from controller.store.errors import StoreError
from controller.store.rows import Act, BookingRow, BookingState, InboxItem, InboxState
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import bookings, inbox

_WAITING = inbox.c.state == InboxState.WAITING.value


class Inbox:
    """What was delivered to communes, and what became of it there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, announcement: str, area: str) -> InboxItem | None:
        """One announcement in one commune."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(inbox).where(_of(announcement, area))).first()
        return shaped(InboxItem, row) if row else None

    def of(self, announcement: str) -> list[InboxItem]:
        """One announcement in every commune, by area."""
        return self._rows(sa.select(inbox).where(inbox.c.announcement == announcement).order_by(inbox.c.area))

    def waiting(self) -> list[InboxItem]:
        """Everything that waits, the nearest deadline first."""
        return self._rows(sa.select(inbox).where(_WAITING).order_by(inbox.c.deadline, inbox.c.area))

    def decided(self, since: datetime) -> list[InboxItem]:
        """What no longer waits and was decided since, the newest first."""
        past = ~_WAITING & (inbox.c.decided_at >= since)
        return self._rows(sa.select(inbox).where(past).order_by(inbox.c.decided_at.desc(), inbox.c.area))

    def decide(self, item: InboxItem, act: Act, booking: BookingRow | None = None) -> InboxItem:
        """Keep what became of a waiting ``item``, with the booking that was made for it.

        Raises StoreError ``store.stale`` when somebody else was first.
        """
        with self._database.wishing(act) as connection:
            mine = sa.update(inbox).where(_of(item.announcement, item.area) & _WAITING)
            if not connection.execute(mine.values(columns(item))).rowcount:
                raise StoreError("store.stale", announcement=item.announcement)
            if booking:
                insert_booking(connection, booking)
        return item

    def call_off(self, offer: BookingRow, act: Act) -> bool:
        """Take back what is offered, and what came of it: it waits nowhere, and no time it was given holds any more.

        False when it was taken back already.
        """
        own = (bookings.c.id == offer.id) & (bookings.c.state == BookingState.OFFERED.value)
        mine = (inbox.c.announcement == offer.announcement) & inbox.c.booking.is_not(None)
        with self._database.wishing(act) as connection:
            gone = sa.update(bookings).values(state=BookingState.WITHDRAWN.value)
            if not connection.execute(gone.where(own)).rowcount:
                return False
            connection.execute(gone.where(bookings.c.id.in_(sa.select(inbox.c.booking).where(mine))))
            take_back(connection, offer.announcement)
        return True

    def lapse(self, now: datetime, who: str) -> list[InboxItem]:
        """End what waited past its deadline; each is in the audit log. What ended."""
        with self._database.reading() as connection:
            due = all_shaped(InboxItem, connection.execute(sa.select(inbox).where(_WAITING & (inbox.c.deadline < now))))
        if not due:
            return []
        lapsed = [replace(each, state=InboxState.LAPSED, decided_at=now) for each in due]
        with self._database.wishing() as connection:
            for each in lapsed:
                connection.execute(
                    sa.update(inbox).where(_of(each.announcement, each.area) & _WAITING).values(columns(each))
                )
            done = (Act(who, "lapsed", each.announcement, f"area={each.area}", now) for each in lapsed)
            chain.append(connection, done)
        return lapsed

    def _rows(self, query: sa.Select[tuple[object, ...]]) -> list[InboxItem]:
        with self._database.reading() as connection:
            return all_shaped(InboxItem, connection.execute(query))


def deliver(connection: sa.Connection, items: Iterable[InboxItem]) -> None:
    """Within a transaction: put ``items`` into their communes' inboxes; one that is there already stays as it is."""
    for item in items:
        if not connection.execute(sa.select(inbox.c.state).where(_of(item.announcement, item.area))).first():
            connection.execute(sa.insert(inbox), columns(item))


def take_back(connection: sa.Connection, announcement: str) -> None:
    """Within a transaction: what still waits of an announcement is taken out of every inbox."""
    mine = (inbox.c.announcement == announcement) & _WAITING
    connection.execute(sa.update(inbox).where(mine).values(state=InboxState.WITHDRAWN.value))


def unsend(connection: sa.Connection, announcement: str) -> None:
    """Within a transaction: what still waits of an announcement was never sent."""
    connection.execute(sa.delete(inbox).where((inbox.c.announcement == announcement) & _WAITING))


def _of(announcement: str, area: str) -> sa.ColumnElement[bool]:
    return (inbox.c.announcement == announcement) & (inbox.c.area == area)
