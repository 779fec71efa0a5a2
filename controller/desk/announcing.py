"""Announcements at the desk: from the text to the approved booking, and back."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from controller.desk import programming, rules
from controller.desk.inbox import ORDINARY_LATE_SECONDS, Inbox
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
    Role,
    User,
    VoiceState,
)
from wire.plan import AfterCut, BulletinClass, Late

EMERGENCY_LATE_SECONDS = 6 * 3600
VIETNAMESE = "vi"
_OPEN = (AnnouncementState.DRAFT, AnnouncementState.RETURNED)


class Announcing(Inbox):
    """The part of the desk where announcements are written, placed, approved and withdrawn."""

    _own_approval: OwnApproval

    def announce(self, wish: Wish, who: User, now: datetime) -> Announced:
        """Enter a wish. An approver's is approved at once, an editor's waits for approval. Raises DeskError."""
        rules.need(who, Role.EDITOR)
        key = own_key(wish.idempotency_key, who)
        known = self.known(wish.idempotency_key, who)
        if known:
            return known
        announcement = self._worded(blank(who, now), _draft_of(wish), now)
        if wish.draft:
            act = Act(who.name, "drafted", announcement.id, announcement.title, now)
            made = self._store.announcements.create(announcement, None, act)
        else:
            booking = self._placed(
                announcement, Placing(wish.areas, wish.start, key, wish.recurrence, wish.slot), who, now
            )
            sent = self._sent(announcement, who)
            act = Act(who.name, _sending(sent), sent.id, f"booking={booking.id} title={sent.title}", now)
            made = self._store.announcements.create(sent, booking, act, self._deliveries(sent, [booking], now))
        self._bell()
        return made

    def known(self, key: str | None, who: User) -> Announced | None:
        """What ``who`` made with this idempotency key, None where nothing was; also what was withdrawn since."""
        made = self._store.bookings.by_key(own_key(key, who))
        return Announced(made.announcement, made.id) if made else None

    def consider(self, wish: Wish, who: User, now: datetime) -> None:
        """Raises what `announce` would raise, and writes nothing."""
        rules.need(who, Role.EDITOR)
        announcement = self._worded(blank(who, now), _draft_of(wish), now)
        if not wish.draft:
            self._placed(announcement, Placing(wish.areas, wish.start, None, wish.recurrence, wish.slot), who, now)

    def edit(self, announcement_id: str, version: int, draft: Draft, who: User, now: datetime) -> Announcement:
        """New words for a draft, or for one that was returned; new text is voiced anew. Raises DeskError."""
        held = self._open(announcement_id, who)
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
        held = self._open(announcement_id, who)
        booking = self._placed(held, replace(placing, idempotency_key=key), who, now)
        sent = replace(self._sent(held, who), updated_at=now)
        act = Act(who.name, _sending(sent), held.id, f"booking={booking.id} title={sent.title}", now)
        self._update(sent, held.version, act, booking, self._deliveries(sent, [booking], now))
        self._bell()
        return Announced(held.id, booking.id)

    def approve(self, announcement_id: str, who: User, now: datetime) -> Announcement:
        """Let a submitted announcement on the air. Raises DeskError."""
        held = self._submitted(announcement_id, who)
        if not rules.may_approve(who, held.author, held.bulletin_class, self._own_approval):
            raise DeskError("desk.own_announcement")
        wanted = self._wanted(held)
        for booking in wanted:
            rules.still_to_come(booking, now, self._zone, self._quiet_over(booking.areas)(booking.start or now))
            self._keep_policies(held, booking, now)
        approved = replace(held, state=AnnouncementState.APPROVED, approver=who.id, reason="", updated_at=now)
        act = Act(who.name, "approved", held.id, held.title, now)
        saved = self._update(approved, held.version, act, deliveries=self._deliveries(approved, wanted, now))
        self._bell()
        return saved

    def return_(self, announcement_id: str, reason: str, who: User, now: datetime) -> Announcement:
        """Send a submitted announcement back to its author; its bookings are withdrawn. Raises DeskError."""
        held = self._submitted(announcement_id, who)
        why = reason.strip()[:500]
        if not why:
            raise DeskError("desk.no_reason")
        returned = replace(held, state=AnnouncementState.RETURNED, reason=why, updated_at=now)
        return self._end(returned, held.version, Act(who.name, "returned", held.id, why, now))

    def withdraw_announcement(self, announcement_id: str, who: User, now: datetime) -> Announcement:
        """Take an announcement and all its bookings back; one that is withdrawn stays so. Raises DeskError."""
        held = self._mine(announcement_id, who)
        if held.state is AnnouncementState.WITHDRAWN:
            return held
        gone = replace(held, state=AnnouncementState.WITHDRAWN, updated_at=now)
        return self._end(gone, held.version, Act(who.name, "withdrew", held.id, held.title, now))

    def withdraw(self, booking_id: str, who: User, now: datetime) -> None:
        """Take one booking back; one that is withdrawn stays so. Raises DeskError."""
        booking = self._store.bookings.get(booking_id)
        if booking is None:
            raise DeskError("desk.unknown_booking", booking=booking_id[:80])
        if booking.created_by != who.id:
            rules.need(who, Role.APPROVER)
        self._within_reach(booking, who)
        self._store.bookings.withdraw(booking_id, Act(who.name, "withdrew", booking_id, booking.announcement, now))
        self._bell()

    def voice_again(self, announcement_id: str, who: User, now: datetime) -> None:
        """Let the station try once more to voice what it could not. Raises DeskError."""
        held = self._mine(announcement_id, who)
        self._store.announcements.voice_again(held.id, Act(who.name, "voice again", held.id, held.title, now))
        self._bell()

    def _sent(self, announcement: Announcement, who: User) -> Announcement:
        """On its way: approved where ``who`` may do that, else waiting for somebody who may."""
        if rules.may_approve(who, announcement.author, announcement.bulletin_class, self._own_approval):
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
        kinds = {area.id: area.kind for area in self._store.roster.areas()}
        emergency = announcement.bulletin_class is BulletinClass.EMERGENCY
        areas = rules.areas(placing.areas, kinds, self._store.roster.nodes(), who)
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
            late_for_seconds=EMERGENCY_LATE_SECONDS if emergency else ORDINARY_LATE_SECONDS,
            after_cut=AfterCut.RESTART if emergency else AfterCut.RESUME,
            idempotency_key=placing.idempotency_key,
        )
        self._keep_policies(announcement, booking, now)
        return booking

    def _start(self, placing: Placing, bulletin_class: BulletinClass, now: datetime) -> datetime | None:
        """The start asked for, of one that comes once or again and again. Raises DeskError."""
        if placing.slot is not None:
            return None
        quiet = self._quiet_over(placing.areas)
        if placing.recurrence is None:
            return rules.start(placing.start, bulletin_class, now, self._zone, quiet(placing.start or now))
        moments = rules.recurring(placing.recurrence, placing.start, bulletin_class, now)
        for moment in moments[: rules.LOOKED_AT]:
            rules.start(moment, bulletin_class, now, self._zone, quiet(moment))
        return placing.start

    def _mine(self, announcement_id: str, who: User) -> Announcement:
        """The announcement, if ``who`` wrote it or may approve it."""
        held = self._store.announcements.get(announcement_id)
        if held is None:
            raise DeskError("desk.unknown_announcement", announcement=announcement_id[:80])
        rules.need(who, Role.EDITOR if held.author == who.id else Role.APPROVER)
        for booking in self._wanted(held):
            self._within_reach(booking, who)
        return held

    def _open(self, announcement_id: str, who: User) -> Announcement:
        held = self._mine(announcement_id, who)
        if held.state not in _OPEN:
            raise DeskError("desk.wrong_state", state=held.state.value)
        return held

    def _submitted(self, announcement_id: str, who: User) -> Announcement:
        rules.need(who, Role.APPROVER)
        held = self._mine(announcement_id, who)
        if held.state is not AnnouncementState.SUBMITTED:
            raise DeskError("desk.wrong_state", state=held.state.value)
        return held

    def _wanted(self, held: Announcement) -> list[BookingRow]:
        return [each for each in self._store.bookings.of(held.id) if each.state is not BookingState.WITHDRAWN]

    def _within_reach(self, booking: BookingRow, who: User) -> None:
        kinds = {area.id: area.kind for area in self._store.roster.areas()}
        rules.areas(booking.areas, kinds, self._store.roster.nodes(), who)

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
            raise _as_desk(wrong) from None

    def _end(self, newer: Announcement, version: int, act: Act) -> Announcement:
        try:
            ended = self._store.announcements.end(newer, version, act)
        except StoreError as wrong:
            raise _as_desk(wrong) from None
        self._bell()
        return ended


def _as_desk(wrong: StoreError) -> Exception:
    return DeskError("desk.stale") if wrong.key == "store.stale" else wrong


def own_key(key: str | None, who: User) -> str | None:
    """The key as it is kept: those of two people never meet."""
    return f"{who.id}:{key[:200]}" if key else None


def blank(who: User, now: datetime) -> Announcement:
    """An announcement of which nothing is known but its author."""
    return Announcement(f"a{secrets.token_hex(6)}", title="", text="", author=who.id, created_at=now, updated_at=now)


def _draft_of(wish: Wish) -> Draft:
    return Draft(
        wish.text, wish.title, wish.bulletin_class, wish.level, wish.recording, times=wish.times, drill=wish.drill
    )


def _sending(sent: Announcement) -> str:
    return "approved" if sent.state is AnnouncementState.APPROVED else "submitted"
