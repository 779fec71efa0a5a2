"""Prepared announcements at the desk: kept on every node of an area before they are needed, and booked once more.

- What was approved is what airs: the sound that the approver heard, never made anew.
- A node keeps so many (`MOST_KEPT`) beside its siren; more for any one node is refused here, not dropped there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from controller import rights
from controller.configs import MOST_STANDBY
from controller.desk import reach
from controller.desk.announcing import blank, own_key, proven
from controller.desk.approving import Approving
from controller.desk.wishes import DeskError, Draft, Placing
from controller.rights import Permission
from controller.roster import ancestors, areas_of, nodes_under
from controller.store import StoreError
from controller.store.rows import Act, Announced, Announcement, AnnouncementState, BookingState, User, VoiceState
from controller.store.standby import KeptRow, KeptView
from wire.names import lies_within

MOST_KEPT = MOST_STANDBY - 1  # the siren is one


class Keeping(Approving):
    """The part of the desk where what is prepared is kept ready, and used."""

    def prepare(self, draft: Draft, who: User, now: datetime) -> Announcement:
        """An announcement placed nowhere: approved at once where ``who`` may do that, else waiting for approval.

        Raises DeskError.
        """
        reach.need(who, reach.to_write(draft.bulletin_class), now)
        worded = self._worded(blank(who, now), draft, now)
        proven(worded, who, now)
        sent = self._sent(worded, None, who, now)
        self._store.announcements.create(sent, None, Act(who.name, "prepared", sent.id, sent.title, now))
        self._bell()
        return sent

    def again(self, announcement_id: str, placing: Placing, who: User, now: datetime) -> Announced:
        """Place an approved announcement once more, with the sound that was approved. Raises DeskError."""
        reach.need(who, (Permission.APPROVE, Permission.WARN), now)
        known = self.known(placing.idempotency_key, who)
        if known:
            return known
        held = self._prepared(announcement_id, who, now)
        key = own_key(placing.idempotency_key, who)
        booking = self._placed(held, replace(placing, idempotency_key=key), who, now)
        reach.places(self._store, booking.areas, who, reach.to_approve(held.bulletin_class), now)
        if self.wide(held, [booking]):
            raise DeskError("desk.again_wide")
        proven(held, who, now)
        if booking.state is BookingState.OFFERED:
            raise DeskError("desk.again_offered")
        act = Act(who.name, "booked again", held.id, f"booking={booking.id} asset={held.asset}", now)
        try:
            self._store.bookings.add(booking, act)
        except StoreError as wrong:
            first = self.known(placing.idempotency_key, who) if wrong.key == "store.conflict" else None
            if first is None:
                raise
            return first
        self._bell()
        return Announced(held.id, booking.id)

    def keep_ready(self, announcement_id: str, area: str, who: User, now: datetime) -> None:
        """Have every node of ``area`` keep an approved announcement on its disk. Raises DeskError."""
        held = self._prepared(announcement_id, who, now)
        reach.places(self._store, [area], who, reach.to_approve(held.bulletin_class), now)
        nodes = self._store.roster.nodes()
        kept = self._store.standby.list()
        if any((each.area, each.announcement) == (area, held.id) for each in kept):
            return
        for areas in [(area, *ancestors(area)), *map(areas_of, nodes_under(nodes, [area]))]:
            if len({each.announcement for each in kept if each.area in areas and each.asset}) >= MOST_KEPT:
                raise DeskError("desk.too_many_kept", most=MOST_KEPT, area=areas[0])
        act = Act(who.name, "kept ready", held.id, f"area={area} asset={held.asset}", now)
        self._store.standby.keep(KeptRow(area, held.id, who.id, now), act)
        self._bell()

    def keep_no_longer(self, announcement_id: str, area: str, who: User, now: datetime) -> None:
        """Let the nodes of ``area`` forget it; what is not kept there stays so. Raises DeskError."""
        held = self._store.announcements.get(announcement_id)
        acts = reach.to_approve(held.bulletin_class) if held else Permission.APPROVE
        reach.places(self._store, [area], who, acts, now)
        if any((each.area, each.announcement) == (area, announcement_id) for each in self._store.standby.list()):
            act = Act(who.name, "kept no longer", announcement_id, f"area={area}", now)
            self._store.standby.drop(area, announcement_id, act)
            self._bell()

    def kept_ready(self, who: User, now: datetime) -> list[KeptView]:
        """What is kept for areas that ``who`` speaks for, or that lie above them. Raises DeskError."""
        reach.need(who, Permission.READ, now)
        homes, own = reach.homes_of(self._store), rights.reach(who, Permission.READ, now)
        found = ((homes.get(each.area, each.area), each) for each in self._store.standby.list())
        return [kept for area, kept in found if any(lies_within(area, o) or area in ancestors(o) for o in own)]

    def _prepared(self, announcement_id: str, who: User, now: datetime) -> Announcement:
        """The announcement, approved and voiced, if ``who`` may let it on the air."""
        held = self._mine(announcement_id, who, now, for_use=True)
        reach.need(who, reach.to_approve(held.bulletin_class), now)
        if held.state is not AnnouncementState.APPROVED:
            raise DeskError("desk.wrong_state", state=held.state.value)
        if held.voice_state is not VoiceState.DONE or held.asset is None:
            raise DeskError("desk.not_voiced")
        return held
