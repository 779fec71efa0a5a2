"""The transmitter: seals and numbers what nodes must hold, keeps it in the store, and publishes it.

- The store first: a document is committed under its serial before anybody hears of it.
- The broker is only transport: after every new connection all documents are published again, emergencies first.
- What could not be handed to the broker waits here by topic, the newest of each, and goes out with the next look.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from controller import public_log, witness
from controller.configs import NOTHING_KEPT, wanted_config
from controller.holdings import LINES, compare
from controller.releases import PREFIX as RELEASES
from controller.releases import Published, of_node, published
from controller.revocations import Revocations
from controller.roster import Node
from controller.settings import Settings
from controller.store import Store
from controller.store.facts import Condition, Document, IssuedConfig, IssuedPlan
from controller.trustbook import TRUST_NAME
from schedules import moments
from schedules.planner import VALIDITY, AreaLane
from schedules.rulebook import Rulebook
from wire import codec, seal, topics
from wire.link import Link
from wire.plan import Job, Lane, Plan
from wire.receipt import Ack
from wire.renewal import Renewed
from wire.seal import Sealer

log = logging.getLogger(__name__)

LAG = timedelta(seconds=20)  # how long after issue a node may still report what came before
Issued = Document | IssuedConfig | IssuedPlan


class Transmitter:
    """The only place where the station's key is used and where anything is published."""

    def __init__(self, store: Store, link: Link, signer: Sealer, settings: Settings) -> None:
        self._store, self._link, self._signer, self._settings = store, link, signer, settings
        self.key = signer.public
        self._revocations = Revocations(store, settings, signer)
        self._connections = 0
        self._lock = threading.RLock()  # over what waits: several ticks publish
        self._waiting: dict[str, bytes] = {}  # topic -> payload not handed to the broker yet
        self._plans: dict[AreaLane, IssuedPlan] = {(each.area, each.lane): each for each in store.plans.current()}
        self._digests: dict[AreaLane, tuple[tuple[Job, ...], int, str]] = {}  # jobs, above which serial, and its name
        self._trust: Document | None = None
        self._said_at: dict[str, datetime] = {}  # topic -> when it was last published again
        self._overtaken: dict[str, int] = {}  # topic -> a serial above ours that some node holds
        self.is_overtaken = False  # set when plans and configs must be issued anew
        self._rulebooks: dict[str, list[tuple[date, Rulebook]]] = {}
        self._standby = NOTHING_KEPT
        self._releases: tuple[Published, ...] = ()
        self._day = date.min
        self._configs: dict[str, IssuedConfig] = {each.node: each for each in store.plans.configs()}

    def testify(self, now: datetime) -> None:
        """Seal the audit log as it stands. A folder that cannot be written is tried again at the next look."""
        try:
            witness.testify(self._store, self._signer, self._settings.state_dir, now)
        except OSError as wrong:
            log.warning("not_witnessed error=%s", wrong)

    def keep_revocations(self, now: datetime) -> int:
        """Seal what was taken away, so that a restored backup does not give it back. How many files."""
        return self._revocations.keep(now)

    def close_days(self, now: datetime) -> int:
        """Seal the days of the public log that nothing more is expected of. How many."""
        return public_log.close_days(self._store, self._signer, self._settings, now)

    def issue_urgent(self, wanted: Mapping[AreaLane, tuple[Job, ...]], now: datetime) -> int:
        """Issue and publish every urgent plan that differs from what is held. How many were issued.

        It comes first, and `issue_plans` after it: then whatever had been overtaken is issued anew.
        """
        self.is_overtaken = False
        return self._issue(Lane.URGENT, wanted, now)

    def issue_plans(self, wanted: Mapping[AreaLane, tuple[Job, ...]], now: datetime) -> int:
        """The same of the ordinary plans.

        An area whose jobs are all gone gets an empty plan, once; when that has run out it is dropped.
        """
        return self._issue(Lane.PLAN, wanted, now)

    def _issue(self, lane: Lane, wanted: Mapping[AreaLane, tuple[Job, ...]], now: datetime) -> int:
        known = wanted.keys() | self._plans.keys() | self._overtaken_plans()
        return sum(self._issue_plan(key, wanted.get(key, ()), now) for key in sorted(known) if key[1] is lane)

    def issue_configs(self, nodes: Iterable[Node], now: datetime) -> int:
        """Issue and publish the config of every node whose wanted state, of this day, differs from what is held."""
        self._rulebooks, self._standby = self._store.policies.all(), self._store.standby.look()
        self._releases = published(self._store.documents.named(RELEASES))
        self._day = moments.local(now, self._settings.zone).date()
        return sum(self._issue_config(node, now) for node in nodes)

    def keep_published(self) -> None:
        """Publish everything after a new connection, and what could not be handed over before."""
        connections = self._link.connections()
        if connections != self._connections:
            self._connections = connections
            with self._lock:
                self._waiting = self._everything()
            log.info("publishing documents=%d", len(self._waiting))
        for topic in list(self._waiting):
            with self._lock:
                payload = self._waiting.get(topic)
                if payload is not None and not self._hand_over(topic, payload):
                    return

    def take_trust(self) -> None:
        """Publish the root's word when the store holds a newer one; it is sealed elsewhere."""
        document = self._store.documents.get(TRUST_NAME)
        if document is not None and document != self._trust:
            self._trust = document
            self._publish(topics.TRUST.topic(), document.envelope)

    def reissue(self, conditions: Iterable[tuple[Node, Condition]], now: datetime) -> int:
        """Publish again what online nodes, by their newest health, do not hold. How many documents.

        A document issued or published again less than `LAG` before the node spoke is not missed yet.
        """
        issued = self._issued(now)
        serials = {topic: each.serial for topic, each in issued.items()}
        lacking: dict[str, bytes] = {}
        for node, condition in conditions:
            health, heard = condition.health, condition.health_received_at
            if not condition.online or health is None or heard is None:
                continue
            compared = compare(node, health, serials)
            for topic in compared.behind:
                if heard - self._said_at.get(topic, _since(issued[topic])) > LAG:
                    lacking[topic] = issued[topic].envelope
            self._note_overtaken(compared.ahead, now)
        for topic, envelope in lacking.items():
            log.info("reissued topic=%s", topic)
            self._said_at[topic] = now
            self._publish(topic, envelope)
        return len(lacking)

    def overtaken(self) -> tuple[str, ...]:
        """Topics of which some node held more than we had issued."""
        return tuple(self._overtaken)

    def serials(self, now: datetime) -> dict[str, int]:
        """The newest serial of every document in force, by its topic."""
        return {topic: each.serial for topic, each in self._issued(now).items()}

    def acknowledge(self, acks: Iterable[Ack]) -> None:
        """Tell nodes up to which receipt all is stored. What is lost on the way is asked for again by the node."""
        for ack in acks:
            sealed = self._sealed(topics.ACKS, codec.write(ack))
            self._link.publish(topics.ACKS.topic(node=ack.node), sealed, retain=True, qos=1)

    def certify(self, renewed: Iterable[Renewed]) -> None:
        """Tell nodes their next certificates. What is lost on the way is asked for again."""
        for each in renewed:
            sealed = self._sealed(topics.CERTIFICATE, codec.write(each))
            self._link.publish(topics.CERTIFICATE.topic(node=each.node), sealed, retain=False, qos=1)

    def _issued(self, now: datetime) -> dict[str, Issued]:
        """Every document in force, by its topic."""
        issued: dict[str, Issued] = {topics.TRUST.topic(): self._trust} if self._trust else {}
        issued |= {topics.CONFIG.topic(node=node): config for node, config in list(self._configs.items())}
        plans = [(key, plan) for key, plan in list(self._plans.items()) if now < plan.valid_until]
        return issued | {_topic(key): plan for key, plan in plans}

    def _note_overtaken(self, ahead: Mapping[str, int], now: datetime) -> None:
        """Remember what some node holds above what was issued: it is issued anew, above that.

        Serials follow the clock (`store.plans`), so one past this second is no honest one, or from a clock astray.
        """
        for topic, serial in ahead.items():
            if serial > now.timestamp():
                log.warning("ahead_of_the_clock topic=%s serial=%d", topic, serial)
            elif serial > self._overtaken.get(topic, 0) and topic != topics.TRUST.topic():
                log.warning("overtaken topic=%s serial=%d", topic, serial)
                self._overtaken[topic] = serial
                self.is_overtaken = True

    def _issue_plan(self, key: AreaLane, jobs: tuple[Job, ...], now: datetime) -> bool:
        area, lane = key
        held = self._plans.get(key)
        digest = self._digest_of(key, jobs)
        if held and held.digest == digest:
            if not jobs and held.valid_until < now:
                self._drop(key)
            if not jobs or held.valid_until - now > VALIDITY / 2:
                return False

        def make(serial: int) -> bytes:
            return self._sealed(LINES[lane], codec.write(Plan(area, lane, serial, now, now + VALIDITY, jobs)))

        issued = self._store.plans.issue(area, lane, digest, make, now)
        if issued is None:
            return False
        self._plans[key] = issued
        log.info("issued area=%s lane=%s serial=%d jobs=%d", area, lane.value, issued.serial, len(jobs))
        self._publish(_topic(key), issued.envelope)
        return True

    def _digest_of(self, key: AreaLane, jobs: tuple[Job, ...]) -> str:
        """As it was, while these are the same jobs above the same serial."""
        above = self._overtaken.get(_topic(key), 0)
        known = self._digests.get(key)
        if known is None or known[0] is not jobs or known[1] != above:
            known = self._digests[key] = jobs, above, self._digest(_topic(key), *map(codec.write, jobs))
        return known[2]

    def _drop(self, key: AreaLane) -> None:
        """The empty plan has run out, and whatever came before it earlier still: the topic may be bare again."""
        self._store.plans.drop(*key)
        del self._plans[key], self._digests[key]
        self._publish(_topic(key), b"")

    def _issue_config(self, node: Node, now: datetime) -> bool:
        wanted = wanted_config(node, self._settings, self._rulebooks, self._day, self._standby)
        wanted = replace(wanted, releases=of_node(self._releases, node))
        digest = self._digest(topics.CONFIG.topic(node=node.id), codec.write(wanted))
        held = self._configs.get(node.id)
        if held and held.digest == digest:
            return False

        def make(serial: int) -> bytes:
            return self._sealed(topics.CONFIG, codec.write(replace(wanted, serial=serial, issued_at=now)))

        issued = self._store.plans.issue_config(node.id, digest, make, now)
        if issued is None:
            return False
        self._configs[node.id] = issued
        log.info("issued config node=%s serial=%d", node.id, issued.serial)
        self._publish(topics.CONFIG.topic(node=node.id), issued.envelope)
        return True

    def _overtaken_plans(self) -> set[AreaLane]:
        found = ((topics.recognise(topic), lane) for topic in self._overtaken for lane in Lane)
        return {(known[1]["area"], lane) for known, lane in found if known and known[0] is LINES[lane]}

    def _digest(self, topic: str, *content: bytes) -> str:
        """Names what a document says, by which key, and above what: a new key issues everything anew."""
        above = b"%d" % self._overtaken.get(topic, 0)
        return hashlib.sha256(b"\n".join((self._signer.public.raw, above, *content))).hexdigest()

    def _sealed(self, line: topics.Line, payload: bytes) -> bytes:
        return seal.seal(line.name, payload, self._signer, packed=line is topics.URGENT)

    def _everything(self) -> dict[str, bytes]:
        """Every document by topic, in the order in which nodes need them."""
        ordered = {topics.TRUST.topic(): self._trust.envelope} if self._trust else {}
        plans: dict[Lane, dict[str, bytes]] = {lane: {} for lane in Lane}
        for key, plan in self._plans.items():
            plans[key[1]][_topic(key)] = plan.envelope
        configs = {topics.CONFIG.topic(node=node): config.envelope for node, config in self._configs.items()}
        return ordered | plans[Lane.URGENT] | configs | plans[Lane.PLAN]

    def _publish(self, topic: str, payload: bytes) -> None:
        with self._lock:
            self._waiting[topic] = payload
            self._hand_over(topic, payload)

    def _hand_over(self, topic: str, payload: bytes) -> bool:
        """Give the broker what waits under ``topic``; it waits on when the broker does not take it."""
        handed = self._link.publish(topic, payload, retain=True, qos=1)
        if handed:
            del self._waiting[topic]
        return handed


def _topic(key: AreaLane) -> str:
    return LINES[key[1]].topic(area=key[0])


def _since(issued: Issued) -> datetime:
    return issued.stored_at if isinstance(issued, Document) else issued.issued_at
