"""The walk of the station: how a wish becomes a sealed plan, and what nodes say becomes the as-run log.

- Read it from top to bottom: `voice` → `plan` (and `enrol`) on the way out; `hear` → `sweep` on the way back.
- Each is a tick: named, idempotent, called again and again by `controller.clock`. The store says what is still to
  do, so a station that was killed anywhere goes on at its next tick.
- A line here calls a room and does no work itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta

from controller import orders
from controller.configs import NOTHING_KEPT
from controller.logbook import Logbook
from controller.newsroom import spoken
from controller.restraint import Restraint
from controller.retries import Retries
from controller.roster import Node
from controller.settings import Settings
from controller.siren import Siren
from controller.store import Store
from controller.store.rows import Announcement, AssetRow, VoiceFault
from controller.studio import Finished, MasteringError, ShelfError, Studio, Trouble, VoiceError, Wanted
from controller.transmitter import Transmitter
from schedules import moments
from schedules.planner import Planner
from schedules.rulebook import Rulebook
from wire import topics
from wire.link import Link
from wire.plan import BulletinClass
from wire.seal import PublicKey

log = logging.getLogger(__name__)

REPLAN = timedelta(seconds=60)  # the horizon moves on, and half-spent plans are issued anew
MOST_WAITING = 50  # announcements looked at in one tick
NEVER = -1


class Station:
    """One station over one store. Its ticks may run at the same time; the same tick never does."""

    def __init__(self, store: Store, link: Link, studio: Studio, transmitter: Transmitter, settings: Settings) -> None:
        self.store, self.link, self.studio, self.transmitter = store, link, studio, transmitter
        self.logbook, self.restraint = Logbook(store, self._key_of), Restraint(store, settings)
        self.heartbeat: datetime | None = None
        self.bell: Callable[[], None] = _unheard  # rung when there is something new to plan
        self._settings = settings
        self._retries, self._siren = Retries(), Siren(store, studio)
        self._planner = Planner()
        self._keys: dict[str, PublicKey] = {}
        self._nodes: list[Node] = []
        self._rulebooks: dict[str, list[tuple[date, Rulebook]]] = {}
        self._day, self._standby = date.min, NOTHING_KEPT
        self._wishes, self._roster_wishes = (NEVER, NEVER), NEVER
        self._planned_at: datetime | None = None

    def start(self, now: datetime) -> None:
        """Know the nodes, connect, and listen to every one of them."""
        self.enrol(now)
        self.transmitter.take_trust()
        self.link.listen([(line.filter(), line.qos) for line in topics.TABLE if not line.down])
        self.link.start()

    def stop(self) -> None:
        """Say what is still to be said, and disconnect."""
        self.transmitter.keep_published()
        self.link.stop()

    # ---- the way out: text → sound → plan → air ------------------------------------------------------------

    def voice_emergencies(self, now: datetime) -> int:
        """Voice what is urgent, in a tick of its own: never behind a long text. How many became sound."""
        return self._voice(now, urgent=True)

    def voice(self, now: datetime) -> int:
        """Voice everything else, one text a tick, the oldest first. How many became sound."""
        return self._voice(now, urgent=False)

    def plan(self, now: datetime) -> None:
        """Make the plans in the air say what the store says; nothing to do when no wish has changed."""
        self.heartbeat = now
        wishes = self.store.changed(), self.restraint.known
        if wishes != self._wishes or self._planned_at is None or now - self._planned_at >= REPLAN:
            self._place(now)
            self.store.airing.place(now)
            self.transmitter.take_trust()
            plans = self._planner.plan(self.store.airing.to_plan(now), now)
            self.transmitter.issue_urgent(plans, now)
            self.transmitter.issue_plans(self.restraint.apply(plans, now), now)
            self._wishes, self._planned_at = wishes, now
        self.transmitter.keep_published()

    def enrol(self, now: datetime) -> None:
        """Know every node of the roster by its key, and tell each what is wanted of it. Apart: no plan waits for it."""
        wishes, day = self.store.changed(), moments.local(now, self._settings.zone).date()
        if (wishes, day) == (self._roster_wishes, self._day):
            return
        nodes, rulebooks, standby = self.store.roster.nodes(), self.store.policies.all(), self.store.standby.look()
        if (nodes, rulebooks, day, standby) != (self._nodes, self._rulebooks, self._day, self._standby):
            self._keys = {node.id: PublicKey.from_hex(node.public_key) for node in nodes}
            self.restraint.know(nodes, rulebooks)
            self.transmitter.issue_configs(nodes, now)
        self._nodes, self._roster_wishes = nodes, wishes
        self._rulebooks, self._day, self._standby = rulebooks, day, standby

    def _voice(self, now: datetime, urgent: bool) -> int:
        waiting = self.store.announcements.waiting_for_voice(MOST_WAITING)
        mine = [each for each in waiting if (each.bulletin_class is BulletinClass.EMERGENCY) is urgent]
        due = [each for each in mine if self._retries.may(each.id, now)]
        if urgent:
            self._put_into_words(due)
        return sum(self._voiced(each, now) for each in due[: MOST_WAITING if urgent else 1])

    def _put_into_words(self, emergencies: list[Announcement]) -> None:
        """Read what nobody has read yet: nodes can speak it themselves before its voice is made."""
        unread = [each for each in emergencies if not each.spoken and not each.recording]
        for each in unread:
            self._read(each, each.script_hash)
        if unread:
            self.bell()

    def _voiced(self, announcement: Announcement, now: datetime) -> bool:
        """One script: newsroom → studio → shelf → store. False when it failed, or when the script changed meanwhile."""
        script = announcement.script_hash
        wanted = Wanted(announcement.bulletin_class, announcement.drill, announcement.times)
        try:
            if announcement.recording:
                made = self.studio.make_recorded(announcement.recording, wanted)
            else:
                made = self.studio.make(self._read(announcement, script), wanted)
        except (VoiceError, MasteringError, ShelfError) as wrong:
            self._not_voiced(announcement, wrong, now)
            return False
        self.store.assets.put(_asset(made, now))
        log.info("voiced announcement=%s asset=%s seconds=%.1f", announcement.id, made.sha256, made.duration_ms / 1000)
        self._retries.forget(announcement.id)
        kept = self.store.announcements.set_voiced(announcement.id, script, made.sha256, _passed_over(made))
        self.bell()
        return kept

    def _read(self, announcement: Announcement, script: str) -> str:
        """The spoken form, as its author's place says things."""
        reading = spoken(announcement.text, self.store.lexicon.for_author(announcement.author))
        rewrites = tuple(asdict(each) for each in reading.rewrites)
        self.store.announcements.set_spoken(announcement.id, script, reading.text, rewrites)
        return reading.text

    def _not_voiced(
        self, announcement: Announcement, wrong: VoiceError | MasteringError | ShelfError, now: datetime
    ) -> None:
        """What may come right by itself is tried again, later and later; then a person must look."""
        final = isinstance(wrong, VoiceError) and wrong.kind in (Trouble.REFUSED, Trouble.BAD_TEXT)
        again = None if final else self._retries.failed(announcement.id, now)
        log.warning("not_voiced announcement=%s again=%s why=%s", announcement.id, again, wrong)
        if again is None:
            self.store.announcements.set_voice_failed(announcement.id, announcement.script_hash, _fault(wrong))

    def _place(self, now: datetime) -> None:
        """Give what is wanted "now" its second: an emergency this one, the rest a few later so that all have it."""
        for view in self.store.bookings.unplaced():
            emergency = view.booking.bulletin_class is BulletinClass.EMERGENCY
            lead = timedelta(seconds=0 if emergency else self._settings.now_lead_seconds)
            self.store.bookings.set_start(view.booking.id, now + lead)

    def _key_of(self, node: str) -> PublicKey | None:
        return self._keys.get(node)

    # ---- the way back: what nodes say → the log → acknowledged -----------------------------------------------

    def hear(self, now: datetime) -> int:
        """Take what has arrived into the logbook, and acknowledge what is stored. How many messages."""
        messages = self.link.take(0.0)
        for refusal in self.link.refusals():
            log.warning("refused reason=%s where=%s detail=%s", refusal.reason, refusal.where, refusal.detail)
            self.store.refusals.count_all([refusal], now)
        if messages:
            self.transmitter.acknowledge(self.logbook.take(messages, now))
        return len(messages)

    def lapse(self, now: datetime) -> int:
        """End what communes have not placed in time, so that whoever sent it sees that. How many."""
        lapsed = self.store.inbox.lapse(now, "station")
        for item in lapsed:
            log.info("lapsed announcement=%s area=%s", item.announcement, item.area)
        return len(lapsed)

    def stand_by(self, now: datetime) -> bool:
        """Have the siren that every node keeps, made once for ever. Whether it was made now."""
        return self._siren.keep(now)

    def settle(self, now: datetime) -> int:
        """What a commune has not ordered in time goes by its level, and the log says so. How many."""
        return len(orders.settle(self.store, now))

    def sweep(self, now: datetime) -> int:
        """Publish again what some online node lacks. How many documents."""
        nodes = {node.id: node for node in self.store.roster.nodes()}
        conditions = [(nodes[each.node], each) for each in self.store.health.latest() if each.node in nodes]
        published = self.transmitter.reissue(conditions, now)
        if self.transmitter.is_overtaken:
            self._planned_at, self._nodes, self._roster_wishes = None, [], NEVER  # issue everything anew
        return published


def _unheard() -> None:
    """The bell of a station without a metronome: it looks again soon anyway."""


def _passed_over(made: Finished) -> VoiceFault | None:
    """Why the first voice of the chain was not the one, for the author to see."""
    return _fault(made.failures[0].error) if made.failures else None


def _fault(wrong: VoiceError | MasteringError | ShelfError) -> VoiceFault:
    return VoiceFault(wrong.key, {name: str(value) for name, value in wrong.facts.items()})


def _asset(made: Finished, now: datetime) -> AssetRow:
    return AssetRow(
        sha256=made.sha256,
        size_bytes=made.size_bytes,
        duration_ms=made.duration_ms,
        media_type=made.media_type,
        voice=made.voice,
        created_at=now,
        lufs=made.lufs,
        peak_dbtp=made.peak_dbtp,
    )
