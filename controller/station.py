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

from controller import keyring, orders
from controller.aftermath import Aftermath
from controller.alarms import Surroundings, Watch
from controller.configs import NOTHING_KEPT
from controller.cosigning import Cosigning
from controller.doubles import Double
from controller.eviction import Eviction
from controller.finished import asset_of, fault_of, passed_over
from controller.guestlist import Guestlist
from controller.logbook import Logbook
from controller.namesake import Namesake, apart
from controller.newsroom import spoken
from controller.releases import PREFIX as RELEASES
from controller.renewals import Renewals
from controller.restraint import Restraint
from controller.retries import Retries
from controller.roster import Node
from controller.settings import Settings
from controller.siren import Siren
from controller.store import Store
from controller.store.doubles import DoubleRow
from controller.store.facts import Document
from controller.store.rows import Announcement
from controller.studio import MasteringError, ShelfError, Studio, Trouble, VoiceError, Wanted
from controller.tallies import Tallies
from controller.transmitter import Transmitter
from schedules import moments
from schedules.planner import Planner
from schedules.rulebook import Rulebook
from wire import topics
from wire.errors import Refusal
from wire.link import Link
from wire.plan import BulletinClass
from wire.seal import PublicKey

log = logging.getLogger(__name__)

REPLAN = timedelta(seconds=60)  # the horizon moves on, and half-spent plans are issued anew
MOST_WAITING = 50  # announcements looked at in one tick
MOST_LINES = 20  # in the log, of what was refused in one look
NEVER = -1


class Station:
    """One station over one store. Its ticks may run at the same time; the same tick never does."""

    def __init__(self, store: Store, link: Link, studio: Studio, transmitter: Transmitter, settings: Settings) -> None:
        self.store, self.link, self.studio, self.transmitter = store, link, studio, transmitter
        self.logbook, self.restraint = Logbook(store, self._key_of), Restraint(store, settings)
        self.heartbeat: datetime | None = None
        self.bell: Callable[[], None] = _unheard  # rung when there is something new to plan
        self.late: Callable[[datetime], tuple[str, ...]] = lambda _now: ()  # ticks that hang
        self._watch, self._tallies = Watch(store, settings), Tallies(store, settings.zone)
        self._settings = settings
        self._retries, self._siren = Retries(), Siren(store, studio)
        self._guestlist, self._renewals = Guestlist(store, settings), Renewals(store, settings)
        self._eviction, self._namesake = Eviction(store, settings, link.connected), Namesake(transmitter.key)
        self._cosigning = Cosigning(store, keyring.of(settings))
        self._aftermath = Aftermath(store, keyring.of(settings))
        self._planner = Planner()
        self._keys: dict[str, PublicKey] = {}
        self._nodes: list[Node] = []
        self._rulebooks: dict[str, list[tuple[date, Rulebook]]] = {}
        self._day, self._standby = date.min, NOTHING_KEPT
        self._releases: list[Document] = []
        self._wishes, self._roster_wishes = (NEVER, NEVER), NEVER
        self._planned_at: datetime | None = None

    def start(self, now: datetime) -> None:
        """Know the nodes, connect, and listen to every one of them."""
        self._namesake.begin(now)
        self.enrol(now)
        self.transmitter.take_trust()
        self._listen()
        self.link.start()

    def stop(self) -> None:
        """Say what is still to be said, and disconnect."""
        self.transmitter.keep_published()
        self.link.stop()

    def listening_since(self) -> datetime | None:
        """Since when the broker is reached, as it was noticed; None while it is not."""
        return self._watch.listening_since

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
            plans = self._planner.plan(self._cosigning.kept(self.store.airing.to_plan(now), now), now)
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
        releases = self.store.documents.named(RELEASES)
        known = self._nodes, self._rulebooks, self._day, self._standby, self._releases
        if (nodes, rulebooks, day, standby, releases) != known:
            self._keys = {node.id: PublicKey.from_hex(node.public_key) for node in nodes if not node.revoked_at}
            self.restraint.know(nodes, rulebooks)
            self.transmitter.issue_configs(nodes, now)
            self._guestlist.write(now)
        self._nodes, self._roster_wishes = nodes, wishes
        self._rulebooks, self._day, self._standby, self._releases = rulebooks, day, standby, releases
        self.transmitter.keep_revocations(now)

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
        self.store.assets.put(asset_of(made, now))
        log.info("voiced announcement=%s asset=%s seconds=%.1f", announcement.id, made.sha256, made.duration_ms / 1000)
        self._retries.forget(announcement.id)
        kept = self.store.announcements.set_voiced(announcement.id, script, made.sha256, passed_over(made))
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
            self.store.announcements.set_voice_failed(announcement.id, announcement.script_hash, fault_of(wrong))

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
        messages, overheard = apart(self.link.take(0.0))
        another_s = self._namesake.overhear(overheard, self.transmitter.serials(now)) if overheard else []
        self._aftermath.take(overheard, now)
        self._count([*self.link.refusals(), *another_s], now)
        if messages:
            self.transmitter.acknowledge(self.logbook.take(messages, now))
            self.store.doubles.note(DoubleRow(**asdict(each), first_at=now, last_at=now) for each in self._seen_twice())
            self.transmitter.certify(self._renewals.answer_all(self.logbook.asked(), now))
            strangers = self.logbook.strangers()
            self._eviction.heard(strangers, now)
            self._aftermath.heard(strangers, (node.id for node in self._nodes), now)
        return len(messages)

    def _seen_twice(self) -> list[Double]:
        twice = self.logbook.seen_twice()
        for each in twice:
            log.warning("may_be_cloned node=%s runs=%s,%s", each.node, each.boot_id, each.other_boot_id)
        return twice

    def lapse(self, now: datetime) -> int:
        """End what communes have not placed in time, so that whoever sent it sees that. How many."""
        lapsed = self.store.inbox.lapse(now, "station")
        for item in lapsed:
            log.info("lapsed announcement=%s area=%s", item.announcement, item.area)
        return len(lapsed)

    def work_over(self, now: datetime) -> int:
        """End the maintenance of nodes whose time is up: `enrol` tells them. How many."""
        return len(self.store.roster.end_maintenance(now, "station"))

    def stand_by(self, now: datetime) -> bool:
        """Have the siren that every node keeps, made once for ever. Whether it was made now."""
        return self._siren.keep(now)

    def settle(self, now: datetime) -> int:
        """What a commune has not ordered in time goes by its level, and the log says so. How many."""
        return len(orders.settle(self.store, now))

    def testify(self, now: datetime) -> None:
        """Seal what the audit log says up to now, so that nobody changes it unseen."""
        self.transmitter.testify(now)

    def evict(self, now: datetime) -> int:
        """Throw nodes that were revoked and may still be there off the broker. How many."""
        return len(self._eviction.throw_out(self._nodes, now))

    def certify(self, now: datetime) -> int:
        """Renew what ends soon: the broker's certificate, the station's own, the authority. How many files."""
        return len(self._guestlist.renew(now))

    def publish_days(self, now: datetime) -> int:
        """Seal what the public log says of days that are over, so that nobody changes it unseen. How many days."""
        return self.transmitter.close_days(now)

    def judge(self, now: datetime) -> int:
        """Raise alarms, and clear them, by all that is known now. How many have changed."""
        around = Surroundings(self.link.connected(), self.late(now), self._guestlist.ending)
        return len(self._watch.look(around, now).alarms)

    def add_up(self, now: datetime) -> None:
        """What the overview and the reports show: hours that are over, today's bulletins, what was aired by day."""
        self._tallies.add_up(now)

    def sweep(self, now: datetime) -> int:
        """Publish again what some online node lacks. How many documents."""
        nodes = {node.id: node for node in self.store.roster.nodes()}
        conditions = [(nodes[each.node], each) for each in self.store.health.latest() if each.node in nodes]
        published = self.transmitter.reissue(conditions, now)
        if self.transmitter.is_overtaken:
            self._planned_at, self._nodes, self._roster_wishes = None, [], NEVER  # issue everything anew
        if self._aftermath.look(conditions, now) or self._namesake.suspect(self.transmitter.overtaken()):
            self._listen()
        return published

    def _listen(self) -> None:
        lines = [(line.filter(), line.qos) for line in topics.TABLE if not line.down]
        lines += [(topics.TRUST.topic(), 1)] if self._aftermath.wants_trust else []
        self.link.listen([*lines, *self._namesake.filters()])

    def _count(self, refused: list[Refusal], now: datetime) -> None:
        for each in refused[:MOST_LINES]:
            log.warning("refused reason=%s where=%r detail=%r", each.reason, each.where, each.detail[:300])
        if refused:
            self.store.refusals.count_all(refused, now)


def _unheard() -> None:
    """The bell of a station without a metronome: it looks again soon anyway."""
