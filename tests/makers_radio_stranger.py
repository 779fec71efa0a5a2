"""A stranger who reaches the broker: says anything to nodes and station, and looks at what the broker keeps."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from datetime import timedelta

import msgspec
from makers_radio_processes import DONG_DANG, DONGDANG, TAM_THANH, TAMTHANH, Commune
from makers_sound import utc_now
from makers_wire import eventually

from controller.keys import Keyring
from controller.store.rows import AssetRow
from wire import codec, seal, topics
from wire.errors import Reason
from wire.health import Health, Vitals
from wire.mqtt import MqttLink
from wire.plan import AfterCut, Asset, BulletinClass, Job, Lane, Late, Level, Plan
from wire.presence import Presence, State
from wire.receipt import Receipt, Receipts, Step
from wire.seal import Signer
from wire.trust import Trust

Wrong = tuple[str, bytes, Reason]  # a topic, what is said there, and why it must be refused
DEEP = b"[" * 15_000
HUGE_BYTES = 5_000_000
PLAN, URGENT = topics.PLAN.topic(area=DONG_DANG), topics.URGENT.topic(area=DONG_DANG)


class Stranger:
    """A client of the broker with keys of its own; ``stolen`` is the station's key, for what may not pass even so."""

    def __init__(self, radio: Commune, asset: AssetRow) -> None:
        self.radio, self.key = radio, Signer.generate()
        self.stolen = Keyring(radio.settings.keys_dir).station()
        self.asset = Asset(asset.sha256, asset.size_bytes, asset.duration_ms, asset.media_type, asset.sha256)
        self.serial = 1_000 + max(each.serial for each in radio.store.plans.current())
        self.link = MqttLink("stranger", radio.crew.broker.host, radio.crew.broker.port, clean=True)
        self.link.start()
        eventually(self.link.connected)

    def close(self) -> None:
        self.link.stop()

    def say(self, wrong: Iterable[Wrong]) -> None:
        for topic, payload, _ in wrong:
            assert self.link.publish(topic, payload, retain="/plan" in topic, qos=1)

    def job(self, name: str = "h1", **changed: object) -> Job:
        """An emergency that would sound at once."""
        now = utc_now()
        job = Job(
            id=name,
            title="Giả",
            bulletin_class=BulletinClass.EMERGENCY,
            level=Level.CENTRAL,
            start=now,
            deadline=now + timedelta(hours=1),
            late=Late.UNTIL_EXPIRY,
            after_cut=AfterCut.RESTART,
            asset=self.asset,
        )
        return msgspec.structs.replace(job, **changed)

    def plan(self, *jobs: Job, **changed: object) -> Plan:
        now = utc_now()
        plan = Plan(DONG_DANG, Lane.URGENT, self.serial, now, now + timedelta(days=1), jobs or (self.job(),))
        return msgspec.structs.replace(plan, **changed)

    def sealed(self, document: msgspec.Struct, kind: str = "urgent", key: Signer | None = None) -> bytes:
        return seal.seal(kind, codec.write(document), key or self.stolen)

    def forged(self, document: msgspec.Struct, kind: str, name: str) -> bytes:
        """Sealed by the stranger's key under the name of another."""
        true = codec.read(seal.Envelope, self.sealed(document, kind, self.key), topics.MOST_BYTES)
        signature = msgspec.structs.replace(true.signatures[0], keyid=name)
        return codec.write(msgspec.structs.replace(true, signatures=(signature,)))

    def to_a_node(self, older: bytes) -> list[Wrong]:
        """What node `DONGDANG` must refuse. ``older``: a plan of its area that a newer one has replaced."""
        now, store = utc_now(), self.radio.store
        held = store.plans.of(DONG_DANG, Lane.PLAN)
        other = store.plans.of(TAM_THANH, Lane.PLAN)
        assert held
        assert other
        fork = self.plan(lane=Lane.PLAN, serial=held.serial, jobs=())
        backwards = self.job(deadline=now - timedelta(hours=1))
        config = topics.CONFIG.topic(node=DONGDANG)
        others = {each.node: each.envelope for each in store.plans.configs()}[TAMTHANH]
        trust = Trust(self.serial, now, now + timedelta(days=1), ())
        return [
            (PLAN, b"\xff\x00 not a plan", Reason.MALFORMED),
            (URGENT, DEEP, Reason.MALFORMED),
            (URGENT, self.sealed(self.plan(), key=self.key), Reason.UNKNOWN_KEY),
            (topics.TRUST.topic(), self.sealed(trust, "trust"), Reason.UNKNOWN_KEY),
            (URGENT, self.forged(self.plan(), "urgent", self.stolen.public.id), Reason.BAD_SEAL),
            (PLAN, older, Reason.ROLLED_BACK),
            (PLAN, self.sealed(fork, "plan"), Reason.FORKED),
            (URGENT, self.sealed(self.plan(valid_until=now - timedelta(minutes=1))), Reason.EXPIRED),
            (URGENT, self.sealed(self.plan(issued_at=now + timedelta(hours=1))), Reason.FROM_THE_FUTURE),
            (PLAN, other.envelope, Reason.WRONG_AREA),
            (config, others, Reason.WRONG_AREA),
            (config, self.sealed(self.plan()), Reason.WRONG_KIND),
            (URGENT, self.sealed(self.plan(self.job(bulletin_class=BulletinClass.ORDINARY))), Reason.WRONG_CLASS),
            (URGENT, self.sealed(self.plan(backwards)), Reason.WRONG_TIME),
            (URGENT, b" " * (topics.URGENT.most_bytes + 1), Reason.TOO_BIG),
        ]

    def to_the_station(self) -> list[tuple[Wrong, str]]:
        """What the station must refuse, and where it counts that."""
        now = utc_now()
        said = {line.name: line.topic(node=DONGDANG) for line in topics.TABLE if "{node}" in line.pattern}
        ghost, ugly = topics.HEALTH.topic(node="ghost"), f"{topics.PREFIX}/nodes/BAD NAME/health"
        batch = Receipts(DONGDANG, "s1", (Receipt(1, "h1", Step.SOUNDED, now, now),))
        node_key = self.radio.store.roster.node(DONGDANG)
        assert node_key
        named = seal.PublicKey.from_hex(node_key.public_key).id
        future, old = (
            self.health(at=now + timedelta(hours=1)),
            Presence(DONGDANG, State.OFFLINE, "b", now.replace(2020)),
        )
        wrong = [
            (said["presence"], b"\xff\xfe", Reason.MALFORMED),
            (said["presence"], codec.write(old), Reason.ROLLED_BACK),
            (said["health"], DEEP, Reason.MALFORMED),
            (said["health"], b" " * (topics.HEALTH.most_bytes + 1), Reason.TOO_BIG),
            (said["health"], self.health(node=TAMTHANH), Reason.WRONG_AREA),
            (said["health"], future, Reason.FROM_THE_FUTURE),
            (said["receipts"], codec.write(batch), Reason.MALFORMED),
            (said["receipts"], self.sealed(batch, "receipts", self.key), Reason.UNKNOWN_KEY),
            (said["receipts"], self.forged(batch, "receipts", named), Reason.BAD_SEAL),
            (said["receipts"], self.sealed(self.plan()), Reason.WRONG_KIND),
        ]
        counted = [(each, f"{DONGDANG}/{each[0].rpartition('/')[2]}") for each in wrong]
        counted += [((ghost, self.health(node="ghost"), Reason.NOT_ENROLLED), "health")]
        return [*counted, ((ugly, b"{}", Reason.UNKNOWN_TOPIC), "topics")]

    def health(self, **changed: object) -> bytes:
        made = Health(DONGDANG, utc_now(), "b", "0", Vitals())
        return codec.write(msgspec.structs.replace(made, **changed))

    def send_a_huge_message(self) -> bool:
        """Publish 5 MB, past our own link, on an area's plan; whether the broker hung up on us."""
        broker, topic = self.radio.crew.broker, PLAN.encode()
        body = len(topic).to_bytes(2, "big") + topic + b"x" * HUGE_BYTES
        length = bytes((len(body) >> shift) & 127 | (128 if len(body) >> shift + 7 else 0) for shift in (0, 7, 14, 21))
        with socket.create_connection((broker.host, broker.port), timeout=60) as raw:
            raw.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04huge")
            assert raw.recv(4) == b"\x20\x02\x00\x00"
            try:
                raw.sendall(b"\x31" + length + body)
                raw.sendall(b"\xc0\x00")
                return raw.recv(2) == b""
            except ConnectionError:
                return True


def retained(radio: Commune) -> dict[str, bytes]:
    """What a fresh client is given of all that the broker keeps at this moment."""
    link = MqttLink("onlooker", radio.crew.broker.host, radio.crew.broker.port, clean=True)
    link.listen([(f"{topics.PREFIX}/#", 1)])
    link.start()
    try:
        eventually(link.connected)
        found: dict[str, bytes] = {}
        while messages := link.take(0.5):
            found.update({each.topic: each.payload for each in messages if each.retained})
        return found
    finally:
        link.stop()


def issued(radio: Commune) -> dict[str, bytes]:
    """What the store says that the broker should keep for the nodes."""
    store, lines = radio.store, {Lane.PLAN: topics.PLAN, Lane.URGENT: topics.URGENT}
    trust = store.documents.get("trust")
    assert trust
    wanted = {topics.TRUST.topic(): trust.envelope}
    wanted |= {lines[each.lane].topic(area=each.area): each.envelope for each in store.plans.current()}
    return wanted | {topics.CONFIG.topic(node=each.node): each.envelope for each in store.plans.configs()}
