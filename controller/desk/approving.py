"""Approval at the desk: what waits is let on the air or sent back, what was wished is taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from controller.desk import reach, rules
from controller.desk.announcing import Announcing, as_desk, proven
from controller.desk.wishes import DeskError
from controller.rights import Permission
from controller.store import StoreError
from controller.store.rows import Act, Announcement, AnnouncementState, BookingRow, BookingState, User
from wire.plan import BulletinClass

UNDO_FOR = timedelta(seconds=10)  # from a yes on, as its page offers it
_ON_THE_WAY = timedelta(seconds=5)  # a tap over a weak link
_AHEAD = timedelta(seconds=30)  # what begins sooner may sound already: it is stopped, not undone


class Approving(Announcing):
    """The part of the desk where others decide on what was written."""

    def approve(
        self, announcement_id: str, who: User, now: datetime, passphrase: str = "", seen: int | None = None
    ) -> Announcement:
        """Let a submitted announcement on the air; a wide emergency by the key of ``who`` too.

        ``seen``: the version that ``who`` read, as words, sound and places change only with it; None: not said.
        Raises DeskError, ``desk.unread`` where another one waits by now.
        """
        held = self._submitted(announcement_id, who, now)
        if seen not in (None, held.version):
            raise DeskError("desk.unread")
        if not rules.may_approve(True, held.author == who.id, held.bulletin_class, self._own_approval):
            raise DeskError("desk.own_announcement")
        proven(held, who, now)
        wanted = self._wanted(held)
        for booking in wanted:
            rules.still_to_come(booking, now, self._zone, self._quiet_over(booking.areas)(booking.start or now))
            self._keep_policies(held, booking, now)
        wanted = self._not_beyond(held, wanted, now)
        sealed = {each.id: each for each in self._agreed(held, wanted, who, passphrase, now)}
        self._store.bookings.agree([sealed.get(each.id, each) for each in wanted])
        approved = replace(held, state=AnnouncementState.APPROVED, approver=who.id, reason="", updated_at=now)
        act = Act(who.name, "approved", held.id, held.title, now)
        saved = self._update(approved, held.version, act, deliveries=self._deliveries(approved, wanted, now))
        self._bell()
        return saved

    def may_undo(self, held: Announcement, who: User, now: datetime, on_the_way: timedelta = timedelta(0)) -> bool:
        """Whether ``who`` has just approved it, and nothing of it can have begun. ``on_the_way``: of a tap."""
        is_mine = held.state is AnnouncementState.APPROVED and held.approver == who.id and held.author != who.id
        plain = held.bulletin_class is not BulletinClass.EMERGENCY and self._store.alerts.of(held.id) is None
        if not (is_mine and plain and now - held.updated_at <= UNDO_FOR + on_the_way):
            return False
        starts = [(each.start, each.slot) for each in self._wanted(held)]
        return all(start > now + _AHEAD if start else bool(slot) for start, slot in starts)

    def undo_approval(self, announcement_id: str, who: User, now: datetime) -> Announcement:
        """Take back a yes of some seconds ago: it waits again. Raises DeskError ``desk.too_late_to_undo``."""
        reach.need(who, (Permission.APPROVE, Permission.WARN), now)
        held = self._mine(announcement_id, who, now)
        if not self.may_undo(held, who, now, _ON_THE_WAY):
            raise DeskError("desk.too_late_to_undo")
        waits = replace(held, state=AnnouncementState.SUBMITTED, approver=None, updated_at=now)
        act = Act(who.name, "took back approval", held.id, held.title, now)
        try:
            again = self._store.announcements.wait_again(waits, held.version, act)
        except StoreError as wrong:
            raise as_desk(wrong) from None
        self._bell()
        return again

    def _not_beyond(self, held: Announcement, wanted: list[BookingRow], now: datetime) -> list[BookingRow]:
        """What an alert became begins now, and not after that alert's end. Raises DeskError."""
        if self._store.alerts.of(held.id) is None:
            return wanted
        starts = [(each, each.start or now) for each in wanted]
        return [replace(each, start=at, late_for_seconds=self._late_for(held, at)) for each, at in starts]

    def return_(self, announcement_id: str, reason: str, who: User, now: datetime) -> Announcement:
        """Send a submitted announcement back to its author; its bookings are withdrawn. Raises DeskError."""
        held = self._submitted(announcement_id, who, now)
        why = rules.reason(reason, "desk.no_reason")
        returned = replace(held, state=AnnouncementState.RETURNED, reason=why, updated_at=now)
        return self._end(returned, held.version, Act(who.name, "returned", held.id, why, now))

    def withdraw_announcement(self, announcement_id: str, who: User, now: datetime) -> Announcement:
        """Take an announcement and all its bookings back; one that is withdrawn stays so. Raises DeskError."""
        held = self._mine(announcement_id, who, now)
        if held.state is AnnouncementState.WITHDRAWN:
            return held
        gone = replace(held, state=AnnouncementState.WITHDRAWN, updated_at=now)
        return self._end(gone, held.version, Act(who.name, "withdrew", held.id, held.title, now))

    def withdraw(self, booking_id: str, who: User, now: datetime) -> bool:
        """Take one booking back; False for one that was withdrawn already. Raises DeskError.

        One that communes were offered goes with every time that they gave it: nobody is to hear it.
        """
        booking = self._store.bookings.get(booking_id)
        if booking is None:
            raise DeskError("desk.unknown_booking", booking=booking_id[:80])
        self._may_take_back(booking, who, now)
        act = Act(who.name, "withdrew", booking_id, booking.announcement, now)
        if booking.state is BookingState.OFFERED:
            stood = self._store.inbox.call_off(booking, act)
        else:
            stood = self._store.bookings.withdraw(booking_id, act)
        self._bell()
        return stood

    def voice_again(self, announcement_id: str, who: User, now: datetime) -> None:
        """Let the station try once more to voice what it could not. Raises DeskError."""
        held = self._mine(announcement_id, who, now)
        self._store.announcements.voice_again(held.id, Act(who.name, "voice again", held.id, held.title, now))
        self._bell()

    def _submitted(self, announcement_id: str, who: User, now: datetime) -> Announcement:
        reach.need(who, (Permission.APPROVE, Permission.WARN), now)
        held = self._mine(announcement_id, who, now)
        act = reach.to_approve(held.bulletin_class)
        reach.need(who, act, now)
        for booking in self._wanted(held):
            reach.places(self._store, booking.areas, who, act, now)
        if held.state is not AnnouncementState.SUBMITTED:
            raise DeskError("desk.wrong_state", state=held.state.value)
        return held

    def _may_take_back(self, booking: BookingRow, who: User, now: datetime) -> None:
        """Raises DeskError unless ``who`` made the booking or may let such on the air, in all its areas."""
        kind = booking.bulletin_class
        acts = reach.to_write(kind) if booking.created_by == who.id else reach.to_approve(kind)
        reach.places(self._store, booking.areas, who, acts, now)
