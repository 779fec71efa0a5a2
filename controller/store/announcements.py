"""Announcements: texts, their way through approval, and whether they have become sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from controller.store import finding, inbox
from controller.store.bookings import booking_of_key, insert_booking, withdraw_bookings
from controller.store.database import Database
from controller.store.errors import StoreError
from controller.store.rows import (
    Act,
    Announced,
    Announcement,
    AnnouncementState,
    BookingRow,
    InboxItem,
    VoiceFault,
    VoiceState,
)
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import announcements
from wire.plan import BulletinClass

_AT_ONCE = 500  # named in one query

_URGENCY = {BulletinClass.EMERGENCY.value: 0, BulletinClass.PRIORITY.value: 1}


class Announcements:
    """What somebody wants to be heard."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        announcement: Announcement,
        booking: BookingRow | None = None,
        act: Act | None = None,
        deliveries: Sequence[InboxItem] = (),
    ) -> Announced:
        """Enter an announcement, its booking with it, and its ``deliveries`` into inboxes.

        A booking whose ``idempotency_key`` is known enters nothing and gives what was made the first time.
        """
        made = Announced(announcement.id, booking.id if booking else None)
        try:
            with self._database.wishing(act) as connection:
                known = booking and booking_of_key(connection, booking.idempotency_key)
                if known:
                    raise _Known(known)
                insert_announcement(connection, announcement)
                if booking:
                    insert_booking(connection, booking)
                inbox.deliver(connection, deliveries)
        except _Known as before:
            return Announced(before.booking.announcement, before.booking.id)
        except StoreError as wrong:
            known = self._entered_meanwhile(booking) if wrong.key == "store.conflict" else None
            if known is None:
                raise
            return Announced(known.announcement, known.id)
        return made

    def get(self, announcement_id: str) -> Announcement | None:
        """One announcement."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(announcements).where(announcements.c.id == announcement_id)).first()
        return shaped(Announcement, row) if row else None

    def update(
        self,
        announcement: Announcement,
        expected_version: int,
        act: Act | None = None,
        booking: BookingRow | None = None,
        deliveries: Sequence[InboxItem] = (),
    ) -> Announcement:
        """Replace an announcement by this one, whose version becomes ``expected_version + 1``; enter ``booking``.

        Raises StoreError ``store.stale`` when somebody else has changed it since that version.
        """
        with self._database.wishing(act) as connection:
            newer = replace_announcement(connection, announcement, expected_version)
            if booking:
                insert_booking(connection, booking)
            inbox.deliver(connection, deliveries)
        return newer

    def end(self, announcement: Announcement, expected_version: int, act: Act | None = None) -> Announcement:
        """As `update`, and every booking of it is withdrawn."""
        with self._database.wishing(act) as connection:
            newer = replace_announcement(connection, announcement, expected_version)
            withdraw_bookings(connection, newer.id)
            inbox.take_back(connection, newer.id)
        return newer

    def wait_again(self, announcement: Announcement, expected_version: int, act: Act | None = None) -> Announcement:
        """As `update`, and what no commune has decided on yet leaves their inboxes as if it had never been sent."""
        with self._database.wishing(act) as connection:
            newer = replace_announcement(connection, announcement, expected_version)
            inbox.unsend(connection, newer.id)
        return newer

    def waiting_for_voice(self, limit: int) -> list[Announcement]:
        """What has yet to become sound: emergencies first, then priority, each oldest first."""
        urgency = sa.case(_URGENCY, value=announcements.c.bulletin_class, else_=2)
        waiting = (announcements.c.voice_state == VoiceState.WAITING.value) & (
            announcements.c.state != AnnouncementState.WITHDRAWN.value
        )
        query = sa.select(announcements).where(waiting).order_by(urgency, announcements.c.created_at).limit(limit)
        with self._database.reading() as connection:
            return all_shaped(Announcement, connection.execute(query))

    def set_spoken(
        self, announcement_id: str, script_hash: str, spoken: str, rewrites: tuple[dict[str, object], ...]
    ) -> bool:
        """The spoken form; False, and nothing written, when the script is no longer the one hashed."""
        return self._of_script(announcement_id, script_hash, {"spoken": spoken, "spoken_rewrites": list(rewrites)})

    def set_voiced(
        self, announcement_id: str, script_hash: str, asset: str, passed_over: VoiceFault | None = None
    ) -> bool:
        """The finished sound of the script hashed; False, and nothing written, when that has changed.

        Sound that was sent for approval stays what it is, whatever a voice makes of the same script later.
        ``passed_over``: why a voice before the one that read it did not.
        """
        error = columns(passed_over) if passed_over else None
        values = {"asset": asset, "voice_state": VoiceState.DONE.value, "voice_error": error}
        return self._of_script(announcement_id, script_hash, values)

    def set_voice_failed(self, announcement_id: str, script_hash: str, fault: VoiceFault) -> bool:
        """Why the script hashed did not become sound; False, and nothing written, when that has changed."""
        values = {"voice_state": VoiceState.FAILED.value, "voice_error": columns(fault)}
        return self._of_script(announcement_id, script_hash, values)

    def voice_again(self, announcement_id: str, act: Act | None = None) -> None:
        """Let the station try a failed voice once more."""
        failed = (announcements.c.id == announcement_id) & (announcements.c.voice_state == VoiceState.FAILED.value)
        with self._database.wishing(act) as connection:
            waiting = {"voice_state": VoiceState.WAITING.value, "voice_error": None}
            connection.execute(sa.update(announcements).where(failed).values(waiting))

    def _of_script(self, announcement_id: str, script_hash: str, values: Mapping[str, object]) -> bool:
        """Set ``values`` while the script is still the one hashed; the version stays, the words are the same."""
        mine = announcements.c.id == announcement_id
        with self._database.wishing() as connection:
            row = connection.execute(sa.select(announcements).where(mine).with_for_update()).first()
            held = shaped(Announcement, row) if row else None
            if held is None or held.script_hash != script_hash or _heard_otherwise(held, values.get("asset")):
                return False
            connection.execute(sa.update(announcements).where(mine).values(values))
        return True

    def _entered_meanwhile(self, booking: BookingRow | None) -> BookingRow | None:
        """The booking that another process entered with the same key between our look and our write."""
        with self._database.reading() as connection:
            return booking_of_key(connection, booking.idempotency_key) if booking else None

    def of(self, ids: Iterable[str]) -> dict[str, Announcement]:
        """Those of these announcements that there are, by id."""
        wanted, found = list(dict.fromkeys(ids)), dict[str, Announcement]()
        with self._database.reading() as connection:
            for first in range(0, len(wanted), _AT_ONCE):
                mine = announcements.c.id.in_(wanted[first : first + _AT_ONCE])
                rows = all_shaped(Announcement, connection.execute(sa.select(announcements).where(mine)))
                found |= {each.id: each for each in rows}
        return found

    def list(
        self, limit: int | None = 200, state: AnnouncementState | None = None, authors: Iterable[str] | None = None
    ) -> list[Announcement]:
        """The newest first, of one state or of all, of these ``authors`` (ids) or of everybody; None: no limit."""
        query = sa.select(announcements).order_by(announcements.c.created_at.desc(), announcements.c.id).limit(limit)
        if state is not None:
            query = query.where(announcements.c.state == state.value)
        if authors is not None:
            query = query.where(announcements.c.author.in_([*authors]))
        with self._database.reading() as connection:
            return all_shaped(Announcement, connection.execute(query))


def _heard_otherwise(held: Announcement, asset: object) -> bool:
    """Whether it was sent on with another sound than this one."""
    sent = held.state in (AnnouncementState.SUBMITTED, AnnouncementState.APPROVED)
    return sent and asset is not None and held.asset is not None and held.asset != asset


def insert_announcement(connection: sa.Connection, announcement: Announcement) -> None:
    """Within a transaction: one announcement more."""
    connection.execute(sa.insert(announcements), columns(announcement))
    finding.enter(connection, announcement)


def replace_announcement(connection: sa.Connection, announcement: Announcement, expected_version: int) -> Announcement:
    """Within a transaction: `Announcements.update` of the words alone. Raises ``store.stale``."""
    newer = replace(announcement, version=expected_version + 1)
    held = (announcements.c.id == newer.id) & (announcements.c.version == expected_version)
    if not connection.execute(sa.update(announcements).where(held).values(columns(newer))).rowcount:
        raise StoreError("store.stale", announcement=newer.id)
    finding.reword(connection, newer)
    return newer


class _Known(Exception):
    """Undoes a transaction whose wish had been entered before."""

    def __init__(self, booking: BookingRow) -> None:
        super().__init__(booking.id)
        self.booking = booking
