"""The inbox at the desk: a commune places what came from above, or declines it; and orders what clashes.

- An ordinary bulletin from above is not planned: it waits in every commune that it is meant for, until its deadline.
- Two priority items that clash sound in the order of their levels, unless the commune says otherwise in time.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from controller import orders, rights
from controller.desk import reach, rules
from controller.desk.policing import Policing
from controller.desk.wishes import DeskError
from controller.rights import Permission
from controller.roster import communes_of
from controller.store import StoreError
from controller.store.rows import (
    Act,
    Announcement,
    AnnouncementState,
    BookingRow,
    BookingState,
    InboxItem,
    InboxState,
    User,
)
from schedules.calendars import Recurrence
from schedules.clashes import Clash
from wire.plan import BulletinClass, Level

DECIDE_WITHIN = timedelta(days=3)  # where the sender named no time
ORDINARY_LATE_SECONDS = 30 * 60


class Inbox(Policing):
    """The part of the desk where communes decide over what comes from above."""

    def place(self, announcement: str, area: str, start: datetime | None, who: User, now: datetime) -> BookingRow:
        """Give it a time in the commune ``area`` (None: now). Raises DeskError.

        What comes again and again keeps its days: the commune gives it their hour, that of ``start``.
        """
        item, booking = self._to_place(announcement, area, start, who, now)
        placed = replace(item, state=InboxState.PLACED, decided_by=who.id, decided_at=now, booking=booking.id)
        self._decide(placed, Act(who.name, "placed", announcement, f"area={area} booking={booking.id}", now), booking)
        return booking

    def decline(self, announcement: str, area: str, reason: str, who: User, now: datetime) -> InboxItem:
        """It will not sound in this commune, for this reason. Raises DeskError."""
        item, _ = self._open_item(announcement, area, who, now)
        why = rules.reason(reason, "desk.no_decline_reason")
        declined = replace(item, state=InboxState.DECLINED, decided_by=who.id, decided_at=now, reason=why)
        self._decide(declined, Act(who.name, "declined", announcement, f"area={area} why={why}", now))
        return declined

    def inbox(self, who: User, now: datetime) -> list[InboxItem]:
        """What waits for this person's decision, the nearest deadline first."""
        return [each for each in self._store.inbox.waiting() if rights.may(who, Permission.WRITE, each.area, now)]

    def clashes(self, who: User, now: datetime) -> list[Clash]:
        """The priority items of this person's place that clash with one from above, decided or not."""
        found = orders.clashes(self._store, now)
        homes = reach.homes_of(self._store) if found else {}

        def mine(clash: Clash) -> bool:
            return reach.may(who, Permission.WRITE, [homes.get(area, area) for area in clash.own.areas], now)

        return [clash for clash in found if mine(clash)]

    def order(self, own: str, above: str, own_first: bool, who: User, now: datetime) -> None:
        """Which of two that clash goes first in this commune. Raises DeskError, also when it is too late."""
        reach.need(who, Permission.WRITE, now)
        clash = next((c for c in self.clashes(who, now) if (c.own.id, c.above.id) == (own, above)), None)
        if clash is None:
            raise DeskError("desk.no_clash")
        if now > clash.decide_by:
            raise DeskError("desk.too_late_to_order")
        row = self._store.bookings.get(own)
        assert row is not None
        others = tuple(each for each in row.before or () if each != above)
        start = clash.at if own_first and row.recurrence is None else row.start  # to go first it must begin as early
        act = Act(who.name, orders.ORDERED, own, f"{'before' if own_first else 'after'}={above}", now)
        if not self._store.bookings.order(own, (*others, above) if own_first else others, start, act):
            raise DeskError("desk.no_clash")
        self._bell()

    def _offered(self, announcement: Announcement, areas: tuple[str, ...]) -> bool:
        """Whether each commune places it itself: an ordinary bulletin from above that reaches communes."""
        from_above = announcement.level is not Level.COMMUNE
        ordinary = announcement.bulletin_class is BulletinClass.ORDINARY
        return from_above and ordinary and bool(self._communes(areas))

    def _state(self, announcement: Announcement, areas: tuple[str, ...]) -> BookingState:
        """What a booking of it begins as."""
        return BookingState.OFFERED if self._offered(announcement, areas) else BookingState.WANTED

    def _deliveries(self, sent: Announcement, bookings: list[BookingRow], now: datetime) -> list[InboxItem]:
        """What goes into inboxes once ``sent`` is approved."""
        if sent.state is not AnnouncementState.APPROVED:
            return []
        offered = [each for each in bookings if each.state is BookingState.OFFERED]
        deadlines = {
            area: now + DECIDE_WITHIN if booking.start is None or booking.recurrence else booking.start
            for booking in offered
            for area in self._communes(booking.areas)
        }
        return [InboxItem(sent.id, area, now, deadline) for area, deadline in deadlines.items()]

    def _communes(self, areas: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        return communes_of(self._store.roster.areas(), self._store.roster.nodes(), areas)

    def _offer(self, held: Announcement, area: str) -> tuple[BookingRow, tuple[str, ...]]:
        """The booking that offers it to this commune, and which areas or nodes there it was sent to.

        Raises DeskError where none does any more: what was meant for one hamlet is never for the whole commune.
        """
        for each in self._store.bookings.of(held.id):
            meant = self._communes(each.areas).get(area, ()) if each.state is BookingState.OFFERED else ()
            if meant:
                return each, meant
        raise DeskError("desk.decided_already")

    def _to_place(
        self, announcement: str, area: str, start: datetime | None, who: User, now: datetime
    ) -> tuple[InboxItem, BookingRow]:
        """An item of an inbox, and the booking that gives it that time here. Raises DeskError."""
        item, held = self._open_item(announcement, area, who, now)
        offer, meant = self._offer(held, area)
        recurrence = offer.recurrence
        if recurrence is not None and offer.start is not None:
            if start is None:
                raise DeskError("desk.repeats_at")
            recurrence, start = rules.at_hour(recurrence, offer.start, start)
        self._begin(start, recurrence, meant, BulletinClass.ORDINARY, now)
        booking = BookingRow(
            id=f"b{secrets.token_hex(6)}",
            announcement=announcement,
            areas=meant,
            start=start,
            recurrence=recurrence,
            created_by=who.id,
            created_at=now,
            level=held.level,
            late_for_seconds=ORDINARY_LATE_SECONDS,
        )
        self._keep_policies(held, booking, now)
        return item, booking

    def _begin(
        self,
        start: datetime | None,
        recurrence: Recurrence | None,
        areas: tuple[str, ...],
        kind: BulletinClass,
        now: datetime,
    ) -> datetime | None:
        """The ``start`` asked for, of one that comes once (None: now), or again and again. Raises DeskError."""
        quiet = self._quiet_over(areas)
        if recurrence is None:
            return rules.start(start, kind, now, self._zone, quiet(start or now))
        for moment in rules.recurring(recurrence, start, kind, now)[: rules.LOOKED_AT]:
            rules.start(moment, kind, now, self._zone, quiet(moment))
        return start

    def _open_item(self, announcement: str, area: str, who: User, now: datetime) -> tuple[InboxItem, Announcement]:
        reach.need(who, Permission.WRITE, now)
        item, held = self._store.inbox.get(announcement, area), self._store.announcements.get(announcement)
        if item is None or held is None:
            raise DeskError("desk.unknown_announcement", announcement=announcement[:80])
        reach.need(who, Permission.WRITE, now, area)
        if item.state is not InboxState.WAITING or held.state is not AnnouncementState.APPROVED:
            raise DeskError("desk.decided_already")
        self._offer(held, area)
        return item, held

    def _decide(self, item: InboxItem, act: Act, booking: BookingRow | None = None) -> None:
        try:
            self._store.inbox.decide(item, act, booking)
        except StoreError as wrong:
            raise (DeskError("desk.decided_already") if wrong.key == "store.stale" else wrong) from None
        self._bell()
