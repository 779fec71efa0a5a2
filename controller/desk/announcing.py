"""Announcements at the desk: from the text to the approved booking, and back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from controller.desk import fresh, programming, reach, rules
from controller.desk.fresh import Critical
from controller.desk.inbox import ORDINARY_LATE_SECONDS, Inbox
from controller.desk.seconding import Seconding
from controller.desk.wishes import DeskError, Draft, OwnApproval, Placing, Wish
from controller.store import StoreError
from controller.store.rows import (
    Act,
    Announced,
    Announcement,
    AnnouncementState,
    BookingRow,
    BookingState,
    InboxItem,
    RecordingRow,
    User,
    VoiceState,
)
from wire.plan import BulletinClass, Late

EMERGENCY_LATE_SECONDS = 6 * 3600
VIETNAMESE = "vi"
_OPEN = (AnnouncementState.DRAFT, AnnouncementState.RETURNED)


class Announcing(Inbox, Seconding):
    """The part of the desk where announcements are written, placed, approved and withdrawn."""

    _own_approval: OwnApproval

    def announce(self, wish: Wish, who: User, now: datetime) -> Announced:
        """Enter a wish. It is approved at once where ``who`` may do that, else it waits. Raises DeskError."""
        reach.need(who, reach.to_write(wish.bulletin_class), now)
        key = own_key(wish.idempotency_key, who)
        known = self.known(wish.idempotency_key, who)
        if known:
            return known
        announcement = self._worded(blank(who, now), _draft_of(wish), now)
        if wish.draft:
            return self._drafted(announcement, key, who, now)
        booking = self._placed(announcement, replace(wish.placing, idempotency_key=key), who, now)
        proven(announcement, who, now)
        sent = self._sent(announcement, booking, who, now)
        act = Act(who.name, _sending(sent), sent.id, f"booking={booking.id} title={sent.title}", now)
        made = self._store.announcements.create(sent, booking, act, self._deliveries(sent, [booking], now))
        self._bell()
        return made

    def _drafted(self, blank: Announcement, key: str | None, who: User, now: datetime) -> Announced:
        """Keep a draft. Its id is made of its key: the same key from the same person is the same draft."""
        draft = replace(blank, id=_id_of(key)) if key else blank
        held = self._store.announcements.get(draft.id)
        if held is not None and held.author != who.id:
            draft, held = blank, None
        if held is None:
            try:
                act = Act(who.name, "drafted", draft.id, draft.title, now)
                self._store.announcements.create(draft, None, act)
            except StoreError as wrong:
                if wrong.key != "store.conflict" or not key:
                    raise
            self._bell()
        return Announced(draft.id, None)

    def known(self, key: str | None, who: User) -> Announced | None:
        """What ``who`` made with this idempotency key, None where nothing was; also what was withdrawn since."""
        made = self._store.bookings.by_key(own_key(key, who))
        return Announced(made.announcement, made.id) if made else None

    def consider(self, wish: Wish, who: User, now: datetime) -> None:
        """Raises what `announce` would raise, and writes nothing."""
        reach.need(who, reach.to_write(wish.bulletin_class), now)
        announcement = self._worded(blank(who, now), _draft_of(wish), now)
        if not wish.draft:
            self._placed(announcement, replace(wish.placing, idempotency_key=None), who, now)

    def edit(self, announcement_id: str, version: int, draft: Draft, who: User, now: datetime) -> Announcement:
        """New words for a draft, or for one that was returned; new text is voiced anew. Raises DeskError."""
        held = self._open(announcement_id, who, now)
        reach.need(who, reach.to_write(draft.bulletin_class), now)
        newer = self._worded(held, draft, now)
        saved = self._update(newer, version, Act(who.name, "edited", held.id, newer.title, now))
        self._bell()
        return saved

    def submit(self, announcement_id: str, placing: Placing, who: User, now: datetime) -> Announced:
        """Place a draft in time and send it on its way, as `announce` does. Raises DeskError."""
        key = own_key(placing.idempotency_key, who)
        known = self.known(placing.idempotency_key, who)
        if known:
            return known
        held = self._open(announcement_id, who, now)
        booking = self._placed(held, replace(placing, idempotency_key=key), who, now)
        proven(held, who, now)
        sent = replace(self._sent(held, booking, who, now), updated_at=now)
        act = Act(who.name, _sending(sent), held.id, f"booking={booking.id} title={sent.title}", now)
        self._update(sent, held.version, act, booking, self._deliveries(sent, [booking], now))
        self._bell()
        return Announced(held.id, booking.id)

    def _sent(self, announcement: Announcement, booking: BookingRow | None, who: User, now: datetime) -> Announcement:
        """On its way: approved where ``who`` may do that alone, else waiting for somebody who may."""
        kind, homes = announcement.bulletin_class, reach.homes_of(self._store)
        areas = [homes[area] for area in booking.areas] if booking else []
        may = reach.may(who, reach.to_approve(kind), areas, now)
        alone = booking is None or not self.wide(announcement, [booking])
        if alone and rules.may_approve(may, announcement.author == who.id, kind, self._own_approval):
            return replace(announcement, state=AnnouncementState.APPROVED, approver=who.id, reason="")
        return replace(announcement, state=AnnouncementState.SUBMITTED, approver=None, reason="")

    def _worded(self, held: Announcement, draft: Draft, now: datetime) -> Announcement:
        """The announcement with these words; its sound is kept only while it would be made the same again."""
        recorded = self._recorded(draft)
        words = rules.text(draft.text, recorded)
        newer = replace(
            held,
            title=rules.title(draft.title, words or (recorded.file_name if recorded else "")),
            text=words,
            bulletin_class=draft.bulletin_class,
            level=draft.level,
            recording=draft.recording,
            language=recorded.language if recorded else VIETNAMESE,
            times=rules.times(draft.times),
            drill=draft.drill,
            updated_at=now,
        )
        if newer.script == held.script:
            return newer
        unread = replace(newer, spoken="", spoken_rewrites=())
        return replace(unread, asset=None, voice_state=VoiceState.WAITING, voice_error=None)

    def _recorded(self, draft: Draft) -> RecordingRow | None:
        if draft.recording is None:
            return None
        found = self._store.recordings.get(draft.recording)
        if found is None:
            raise DeskError("desk.unknown_recording")
        return found

    def _placed(self, announcement: Announcement, placing: Placing, who: User, now: datetime) -> BookingRow:
        emergency = announcement.bulletin_class is BulletinClass.EMERGENCY
        areas = reach.places(self._store, placing.areas, who, reach.acts_on(announcement, who), now)
        booking = BookingRow(
            id=f"b{secrets.token_hex(6)}",
            announcement=announcement.id,
            areas=areas,
            state=self._state(announcement, areas),
            start=self._start(replace(placing, areas=areas), announcement.bulletin_class, now),
            recurrence=placing.recurrence,
            slot=programming.slot(self._store, replace(placing, areas=areas), announcement.bulletin_class),
            created_by=who.id,
            created_at=now,
            bulletin_class=announcement.bulletin_class,
            level=announcement.level,
            late=Late.UNTIL_EXPIRY if emergency else Late.PLAY_LATE,
            late_for_seconds=self._late_for(announcement, placing.start or now),
            after_cut=rules.after_cut(placing.after_cut, announcement.bulletin_class),
            idempotency_key=placing.idempotency_key,
        )
        self._keep_policies(announcement, booking, now)
        return booking

    def _late_for(self, announcement: Announcement, start: datetime) -> int:
        """How many seconds after ``start`` it may still begin; what an alert became, not beyond that one's end."""
        if announcement.bulletin_class is not BulletinClass.EMERGENCY:
            return ORDINARY_LATE_SECONDS
        alert = self._store.alerts.of(announcement.id)
        if alert is None:
            return EMERGENCY_LATE_SECONDS
        left = int((alert.expires - start).total_seconds())
        if left <= 0:
            raise DeskError("desk.alert_over")
        return left

    def _start(self, placing: Placing, bulletin_class: BulletinClass, now: datetime) -> datetime | None:
        """The start asked for, of one that comes once or again and again. Raises DeskError."""
        if placing.slot is not None:
            return None
        return self._begin(placing.start, placing.recurrence, placing.areas, bulletin_class, now)

    def _mine(self, announcement_id: str, who: User, now: datetime, *, for_use: bool = False) -> Announcement:
        """The announcement, if ``who`` wrote it or may let it on the air, wherever it is placed.

        What is placed nowhere is of the area that its author belongs to, unless it is only to be used (``for_use``).
        """
        held = self._store.announcements.get(announcement_id)
        if held is None:
            raise DeskError("desk.unknown_announcement", announcement=announcement_id[:80])
        acts, placed = reach.acts_on(held, who), self._wanted(held)
        author = self._store.people.get(held.author)
        free = placed or for_use or held.author == who.id or author is None
        reach.need(who, acts, now, None if free or author is None else author.area)
        for booking in placed:
            reach.places(self._store, booking.areas, who, acts, now)
        return held

    def _open(self, announcement_id: str, who: User, now: datetime) -> Announcement:
        held = self._mine(announcement_id, who, now)
        if held.state not in _OPEN:
            raise DeskError("desk.wrong_state", state=held.state.value)
        return held

    def _wanted(self, held: Announcement) -> list[BookingRow]:
        return [each for each in self._store.bookings.of(held.id) if each.state is not BookingState.WITHDRAWN]

    def _update(
        self,
        newer: Announcement,
        version: int,
        act: Act,
        booking: BookingRow | None = None,
        deliveries: Sequence[InboxItem] = (),
    ) -> Announcement:
        try:
            return self._store.announcements.update(newer, version, act, booking, deliveries)
        except StoreError as wrong:
            raise as_desk(wrong) from None

    def _end(self, newer: Announcement, version: int, act: Act) -> Announcement:
        try:
            ended = self._store.announcements.end(newer, version, act)
        except StoreError as wrong:
            raise as_desk(wrong) from None
        self._bell()
        return ended


def proven(announcement: Announcement, who: User, now: datetime) -> None:
    """Raises NotFresh for an emergency by somebody who has not just proved who they are."""
    if announcement.bulletin_class is BulletinClass.EMERGENCY:
        fresh.need(who, Critical.EMERGENCY, now)


def as_desk(wrong: StoreError) -> Exception:
    """What the store refuses, as the desk says it."""
    return DeskError("desk.stale") if wrong.key == "store.stale" else wrong


def own_key(key: str | None, who: User) -> str | None:
    """The key as it is kept: those of two people never meet."""
    return f"{who.id}:{key[:200]}" if key else None


def _id_of(key: str) -> str:
    return f"a{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def blank(who: User, now: datetime) -> Announcement:
    """An announcement of which nothing is known but its author."""
    return Announcement(f"a{secrets.token_hex(6)}", title="", text="", author=who.id, created_at=now, updated_at=now)


def _draft_of(wish: Wish) -> Draft:
    return Draft(
        wish.text, wish.title, wish.bulletin_class, wish.level, wish.recording, times=wish.times, drill=wish.drill
    )


def _sending(sent: Announcement) -> str:
    return "approved" if sent.state is AnnouncementState.APPROVED else "submitted"
