"""Alerts that were taken in, what each became, and the official codes of areas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from controller.cap import Earlier, Kind, Reference
from controller.store import chain, inbox
from controller.store.alert_tables import alerts, area_codes
from controller.store.announcements import insert_announcement, replace_announcement
from controller.store.bookings import insert_booking, withdraw_bookings
from controller.store.database import Database
from controller.store.rows import Act, Announcement, AnnouncementState, BookingRow
from controller.store.shapes import all_shaped, columns

MOST_KNOWN = 1000  # of one sender, the newest


@dataclass(frozen=True)
class AlertRow:
    """An alert as it was taken in, under the name that its sender gave it.

    ``areas``: what it means here; ``unknown``: places that are none of ours; ``outside``: those that whoever took it in
    does not answer for; ``notes``: keys of what else a person should know. It may be heard until ``expires``.
    """

    sender: str
    identifier: str
    kind: Kind
    sender_name: str
    sent: datetime
    expires: datetime
    taken_by: str  # a user's id
    taken_at: datetime
    digest: str
    references: tuple[Reference, ...] = ()
    announcement: str | None = None
    areas: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """What an alert brings with it: an announcement, placed or not, and those that it takes the place of."""

    announcement: Announcement | None = None
    booking: BookingRow | None = None
    overtaken: tuple[Announcement, ...] = ()


class Alerts:
    """What came from elsewhere. One that is here stays here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, row: AlertRow, made: Made, acts: Sequence[Act]) -> None:
        """Keep an alert with all that it brings, or nothing.

        Raises StoreError: ``store.conflict`` where it is known, ``store.stale`` where what it overtakes has changed.
        """
        with self._database.wishing() as connection:
            connection.execute(sa.insert(alerts), columns(row))
            for each in made.overtaken:
                gone = replace(each, state=AnnouncementState.WITHDRAWN, updated_at=row.taken_at)
                replace_announcement(connection, gone, each.version)
                withdraw_bookings(connection, each.id)
                inbox.take_back(connection, each.id)
            if made.announcement:
                insert_announcement(connection, made.announcement)
            if made.booking:
                insert_booking(connection, made.booking)
            chain.append(connection, acts)

    def known(self, sender: str) -> list[Earlier]:
        """What there is of a sender, the newest first."""
        mine = sa.select(alerts).where(alerts.c.sender == sender).order_by(alerts.c.taken_at.desc())
        rows = self._rows(mine.limit(MOST_KNOWN))
        return [Earlier(Reference(row.sender, row.identifier), row.references) for row in rows]

    def get(self, sender: str, identifier: str) -> AlertRow | None:
        """One alert."""
        mine = (alerts.c.sender == sender) & (alerts.c.identifier == identifier)
        return next(iter(self._rows(sa.select(alerts).where(mine))), None)

    def of(self, announcement: str) -> AlertRow | None:
        """The alert that became this announcement."""
        return next(iter(self._rows(sa.select(alerts).where(alerts.c.announcement == announcement))), None)

    def newest(self, limit: int, first: int = 0) -> list[AlertRow]:
        """What was taken in last, the newest first, from the ``first`` (0) of them on."""
        newest = sa.select(alerts).order_by(alerts.c.taken_at.desc(), alerts.c.identifier)
        return self._rows(newest.offset(first).limit(limit))

    def codes(self) -> dict[str, str]:
        """The area of each official code, ``kind=value``."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(area_codes).order_by(area_codes.c.area, area_codes.c.code))
            return {row.code: row.area for row in rows}

    def set_codes(self, area: str, codes: Iterable[str], act: Act) -> None:
        """Let an area be known by these codes alone; a code that another had is this one's now."""
        with self._database.wishing(act) as connection:
            wanted = tuple(codes)
            connection.execute(sa.delete(area_codes).where((area_codes.c.area == area) | area_codes.c.code.in_(wanted)))
            rows: list[Mapping[str, str]] = [{"code": code, "area": area} for code in wanted]
            if rows:
                connection.execute(sa.insert(area_codes), rows)

    def _rows(self, query: sa.Select[tuple[object, ...]]) -> list[AlertRow]:
        with self._database.reading() as connection:
            return all_shaped(AlertRow, connection.execute(query))
