"""Bookings: announcements placed in time, on areas; and what of them the planner may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.store import finding
from controller.store.database import Database
from controller.store.errors import StoreError
from controller.store.rows import Act, AnnouncementState, BookingRow, BookingState, BookingView, VoiceState
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import announcements, bookings
from controller.store.wanted import ON_THE_AIR, READY, WANTED, Wanted
from schedules.booking import Booking
from schedules.calendars import Recurrence

_AT_ONCE = 500  # named in one query
_OPEN = WANTED | (bookings.c.state == BookingState.OFFERED.value)
_VIEW = sa.select(
    bookings,
    announcements.c.title,
    announcements.c.state.label("announcement_state"),
    announcements.c.voice_state,
    announcements.c.asset,
    announcements.c.drill,
).join(announcements, announcements.c.id == bookings.c.announcement)


@dataclass(frozen=True)
class Titled:
    """What an id leads to: an announcement's, or (``booking`` is not empty) a booking's."""

    announcement: str
    title: str
    booking: str = ""


class Bookings:
    """What is to sound when and where."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wanted = Wanted(database)

    def add(self, booking: BookingRow, act: Act | None = None) -> BookingRow:
        """Enter ``booking`` and give it back; one whose key is known enters nothing and gives the first one.

        Raises StoreError ``store.conflict`` for an unknown announcement or person.
        """
        known = self.by_key(booking.idempotency_key)
        if known:
            return known
        with self._database.wishing(act) as connection:
            insert_booking(connection, booking)
        return booking

    def get(self, booking_id: str) -> BookingRow | None:
        """One booking."""
        found = self._rows(sa.select(bookings).where(bookings.c.id == booking_id))
        return found[0] if found else None

    def by_key(self, idempotency_key: str | None) -> BookingRow | None:
        """The booking that was made with this key."""
        with self._database.reading() as connection:
            return booking_of_key(connection, idempotency_key)

    def of(self, announcement_id: str) -> list[BookingRow]:
        """Every booking of one announcement, oldest first."""
        mine = bookings.c.announcement == announcement_id
        return self._rows(sa.select(bookings).where(mine).order_by(bookings.c.created_at))

    def view(self, booking_id: str) -> BookingView | None:
        """One booking with what a list shows."""
        found = self._views(_VIEW.where(bookings.c.id == booking_id))
        return found[0] if found else None

    def views_of(self, announcement_ids: Sequence[str]) -> dict[str, list[BookingView]]:
        """Of each of these announcements its bookings, oldest first."""
        found: dict[str, list[BookingView]] = {}
        for first in range(0, len(announcement_ids), _AT_ONCE):
            mine = bookings.c.announcement.in_(announcement_ids[first : first + _AT_ONCE])
            for view in self._views(_VIEW.where(mine).order_by(bookings.c.created_at)):
                found.setdefault(view.booking.announcement, []).append(view)
        return found

    def titles(self, ids: Sequence[str]) -> dict[str, Titled]:
        """Those of ``ids`` that are bookings' or announcements', and what they are about."""
        booked = sa.select(bookings.c.id, announcements.c.id, announcements.c.title)
        booked = booked.join(announcements, announcements.c.id == bookings.c.announcement)
        told = sa.select(announcements.c.id, announcements.c.title)
        found: dict[str, Titled] = {}
        with self._database.reading() as connection:
            for first in range(0, len(ids), _AT_ONCE):
                some = list(ids[first : first + _AT_ONCE])
                rows = connection.execute(told.where(announcements.c.id.in_(some)))
                found |= {about: Titled(about, title) for about, title in rows}
                placed = connection.execute(booked.where(bookings.c.id.in_(some)))
                found |= {booking: Titled(about, title, booking) for booking, about, title in placed}
        return found

    def unplaced(self) -> list[BookingView]:
        """What is approved, ready and wanted "now", oldest first: the station gives each its start."""
        ready = _VIEW.where(WANTED & bookings.c.start.is_(None) & bookings.c.slot.is_(None) & READY)
        return self._views(ready.order_by(bookings.c.created_at))

    def set_start(self, booking_id: str, start: datetime) -> bool:
        """Give a booking that has none its start; False when it has one already, or is unknown."""
        unplaced = (bookings.c.id == booking_id) & bookings.c.start.is_(None)
        with self._database.wishing() as connection:
            return bool(connection.execute(sa.update(bookings).where(unplaced).values(start=start)).rowcount)

    def agree(self, agreed: Sequence[BookingRow]) -> None:
        """Keep start, lateness and second seal of each of ``agreed``."""
        if not agreed:
            return
        with self._database.wishing() as connection:
            for each in agreed:
                newer = {name: columns(each)[name] for name in ("start", "late_for_seconds", "cosigned")}
                connection.execute(sa.update(bookings).where(bookings.c.id == each.id).values(newer))

    def order(self, booking_id: str, before: tuple[str, ...], start: datetime | None, act: Act) -> bool:
        """Let a wanted booking go ahead of those named, from ``start`` on; False when it is not wanted any more."""
        mine = (bookings.c.id == booking_id) & WANTED
        values = {"before": list(before) or None, "start": start}
        with self._database.wishing(act) as connection:
            return bool(connection.execute(sa.update(bookings).where(mine).values(values)).rowcount)

    def repeat_otherwise(self, booking: BookingRow, held: Recurrence, act: Act) -> None:
        """Let a booking come again as this one says. Raises ``store.stale`` unless it still does as ``held``."""
        mine = sa.select(bookings).where((bookings.c.id == booking.id) & _OPEN).with_for_update()
        with self._database.wishing(act) as connection:
            row = connection.execute(mine).first()
            if row is None or shaped(BookingRow, row).recurrence != held:
                raise StoreError("store.stale", announcement=booking.announcement)
            newer = {"recurrence": columns(booking)["recurrence"]}
            connection.execute(sa.update(bookings).where(bookings.c.id == booking.id).values(newer))

    def withdraw(self, booking_id: str, act: Act | None = None) -> bool:
        """Take a booking back; False when it was withdrawn already, or is unknown."""
        mine = (bookings.c.id == booking_id) & _OPEN
        with self._database.wishing(act) as connection:
            withdrawn = {"state": BookingState.WITHDRAWN.value}
            return bool(connection.execute(sa.update(bookings).where(mine).values(withdrawn)).rowcount)

    def to_plan(self, now: datetime) -> list[Booking]:
        """What the planner may plan: wanted, placed, approved, voiced, and not long past or far ahead.

        An emergency that is not voiced yet is there with its words.

        An asset's ``url`` is its hash: a path below the config's ``media_url``. What was not touched since the last
        look of this process is the same object.
        """
        return self._wanted.to_plan(now)

    def _rows(self, query: sa.Select[Any]) -> list[BookingRow]:
        with self._database.reading() as connection:
            return all_shaped(BookingRow, connection.execute(query))

    def _views(self, query: sa.Select[Any]) -> list[BookingView]:
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            BookingView(
                booking=shaped(BookingRow, row),
                title=row["title"],
                announcement_state=AnnouncementState(row["announcement_state"]),
                voice_state=VoiceState(row["voice_state"]),
                asset=row["asset"],
                drill=row["drill"],
            )
            for row in rows
        ]

    def ahead(self, since: datetime, until: datetime, unready: bool = False) -> list[BookingView]:
        """Every open booking that has no start, or starts in [since, until), or came first before then and comes again.

        All of them, however many: what is to sound is never left out of a list. Those without a start stand first,
        then those that come again; a series that ended before ``since`` is none of them. ``unready``: only what is not
        approved, or has no voice yet.
        """
        near = (bookings.c.start < until) & (bookings.c.recurrence.is_not(None) | (bookings.c.start >= since))
        rank = sa.case((bookings.c.start.is_(None), 0), (bookings.c.recurrence.is_not(None), 1), else_=2)
        query = _VIEW.where(_OPEN & (bookings.c.start.is_(None) | near))
        if unready:
            query = query.where(~ON_THE_AIR)
        found = self._views(query.order_by(rank, bookings.c.start, bookings.c.id))
        return [each for each in found if not _is_over(each.booking, since)]

    def newest_of(self, user_id: str) -> BookingRow | None:
        """The booking that this person made last."""
        mine = sa.select(bookings).where(bookings.c.created_by == user_id)
        found = self._rows(mine.order_by(bookings.c.created_at.desc(), bookings.c.id).limit(1))
        return found[0] if found else None

    def list(
        self,
        limit: int | None = 200,
        since: datetime | None = None,
        until: datetime | None = None,
        wanted_only: bool = False,
    ) -> list[BookingView]:
        """Those without a start first, then the latest start first; ``since`` and ``until`` bound the start.

        ``limit``: of so many; None: of all.
        """
        first = sa.case((bookings.c.start.is_(None), 0), else_=1)
        query = _VIEW.order_by(first, bookings.c.start.desc(), bookings.c.created_at.desc()).limit(limit)
        if since is not None:
            query = query.where(bookings.c.start.is_(None) | (bookings.c.start >= since))
        if until is not None:
            query = query.where(bookings.c.start.is_(None) | (bookings.c.start < until))
        return self._views(query.where(_OPEN) if wanted_only else query)


def _is_over(booking: BookingRow, since: datetime) -> bool:
    """Whether it came again, and its last coming was before ``since``."""
    again = booking.recurrence
    return again is not None and again.until is not None and again.until < since


def insert_booking(connection: sa.Connection, booking: BookingRow) -> None:
    """Within a transaction: one booking more."""
    connection.execute(sa.insert(bookings), columns(booking))
    finding.place(connection, booking.announcement)


def withdraw_bookings(connection: sa.Connection, announcement_id: str) -> None:
    """Within a transaction: every booking of an announcement is taken back."""
    mine = bookings.c.announcement == announcement_id
    connection.execute(sa.update(bookings).where(mine).values(state=BookingState.WITHDRAWN.value))


def booking_of_key(connection: sa.Connection, idempotency_key: str | None) -> BookingRow | None:
    """Within a transaction: the booking that was made with this key."""
    if idempotency_key is None:
        return None
    row = connection.execute(sa.select(bookings).where(bookings.c.idempotency_key == idempotency_key)).first()
    return shaped(BookingRow, row) if row else None
