"""Days left out at the desk: one coming of a booking that comes again is taken back, the others stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from controller.desk import rules
from controller.desk.announcing import Announcing
from controller.desk.wishes import DeskError
from controller.store import StoreError
from controller.store.rows import Act, BookingRow, BookingState, Role, User
from schedules import moments
from schedules.calendars import occurrences


class Sparing(Announcing):
    """The part of the desk where single days are taken back."""

    def comings(self, booking: BookingRow, now: datetime) -> list[datetime]:
        """When a booking that comes again will, within a year; empty for one that does not."""
        if booking.recurrence is None or booking.start is None or booking.state is BookingState.WITHDRAWN:
            return []
        return occurrences(booking.recurrence, booking.start, now, now + rules.FARTHEST)

    def leave_out(self, booking_id: str, day: date, known: int, who: User, now: datetime) -> None:
        """Let it not come on that local ``day``; one that is left out stays so.

        ``known``: how many days whoever asks saw left out. Raises DeskError, also when that has changed since.
        """
        booking = self._own_booking(booking_id, who)
        kept, written = booking.recurrence, day.isoformat()
        if kept is None or booking.start is None or booking.state is BookingState.WITHDRAWN:
            raise DeskError("desk.not_repeating")
        if written in kept.but:
            return
        if len(kept.but) != known:
            raise DeskError("desk.stale")
        days = {moments.local(each, kept.zone).date() for each in self.comings(booking, now)}
        shown = f"{day:%d/%m/%Y}"
        if day not in days:
            raise DeskError("desk.no_coming", day=shown)
        if days == {day}:
            raise DeskError("desk.last_coming", day=shown)
        if len(kept.but) >= rules.MOST_EXCEPTIONS:
            raise DeskError("desk.too_many_exceptions", most=rules.MOST_EXCEPTIONS)
        newer = replace(booking, recurrence=replace(kept, but=tuple(sorted((*kept.but, written)))))
        act = Act(who.name, "left out a day", booking.announcement, f"booking={booking.id} day={written}", now)
        try:
            self._store.bookings.repeat_otherwise(newer, kept, act)
        except StoreError as wrong:
            raise (DeskError("desk.stale") if wrong.key == "store.stale" else wrong) from None
        self._bell()

    def _own_booking(self, booking_id: str, who: User) -> BookingRow:
        """The booking, if ``who`` made it or may approve it."""
        booking = self._store.bookings.get(booking_id)
        if booking is None:
            raise DeskError("desk.unknown_booking", booking=booking_id[:80])
        rules.need(who, Role.EDITOR if booking.created_by == who.id else Role.APPROVER)
        self._within_reach(booking, who)
        return booking
