"""Days left out at the desk: one coming of a booking that comes again is taken back, the others stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from controller.desk import rules
from controller.desk.approving import Approving
from controller.desk.wishes import DeskError
from controller.store import StoreError
from controller.store.rows import Act, BookingRow, BookingState, User
from schedules import moments
from schedules.calendars import occurrences
from schedules.recurring import comings

LONGEST = timedelta(hours=3)  # that anything sounds
SOON = timedelta(days=8)


class Sparing(Approving):
    """The part of the desk where single days are taken back."""

    def comings(self, booking: BookingRow, now: datetime) -> list[datetime]:
        """When a booking that comes again will, within a year; empty for one that does not, or is only offered."""
        if booking.recurrence is None or booking.start is None or booking.state is not BookingState.WANTED:
            return []
        return occurrences(booking.recurrence, booking.start, now, now + rules.FARTHEST)

    def next_coming(self, booking: BookingRow, now: datetime) -> datetime | None:
        """The first of its `comings`; most come again soon, so a few days are looked at before the whole year."""
        if booking.recurrence is None or booking.start is None or booking.state is not BookingState.WANTED:
            return None
        for ahead in (SOON, rules.FARTHEST):
            if found := comings(booking.recurrence, booking.start, now, now + ahead):
                return found[0]
        return None

    def leave_out(self, booking_id: str, day: date, known: int, who: User, now: datetime) -> None:
        """Let it not come on that local ``day``; one that is left out stays so.

        ``known``: how many days whoever asks saw left out. Raises DeskError, also when that has changed since.
        """
        booking = self._own_booking(booking_id, who, now)
        kept, written = booking.recurrence, day.isoformat()
        if kept is None or booking.start is None or booking.state is not BookingState.WANTED:
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
        self._without(booking, day, who, now)

    def stop(self, booking_id: str, who: User, now: datetime) -> bool:
        """What sounds of it now ends: it is taken back, or, if it comes again, left out on this day only.

        One that was taken back already, or comes again and has nothing on the air, stays as it is: False. Raises
        DeskError.
        """
        booking = self._own_booking(booking_id, who, now)
        if booking.recurrence is None or booking.start is None:
            return self.withdraw(booking_id, who, now)
        begun = comings(booking.recurrence, booking.start, now - LONGEST, now + timedelta(seconds=1))
        if not begun or booking.state is not BookingState.WANTED:
            return False
        self._without(booking, moments.local(begun[-1], booking.recurrence.zone).date(), who, now)
        return True

    def _without(self, booking: BookingRow, day: date, who: User, now: datetime) -> None:
        kept, written = booking.recurrence, day.isoformat()
        assert kept is not None
        if len(kept.but) >= rules.MOST_EXCEPTIONS:
            raise DeskError("desk.too_many_exceptions", most=rules.MOST_EXCEPTIONS)
        newer = replace(booking, recurrence=replace(kept, but=tuple(sorted((*kept.but, written)))))
        act = Act(who.name, "left out a day", booking.announcement, f"booking={booking.id} day={written}", now)
        try:
            self._store.bookings.repeat_otherwise(newer, kept, act)
        except StoreError as wrong:
            raise (DeskError("desk.stale") if wrong.key == "store.stale" else wrong) from None
        self._bell()

    def _own_booking(self, booking_id: str, who: User, now: datetime) -> BookingRow:
        """The booking, if ``who`` made it or may approve it."""
        booking = self._store.bookings.get(booking_id)
        if booking is None:
            raise DeskError("desk.unknown_booking", booking=booking_id[:80])
        self._may_take_back(booking, who, now)
        return booking
