"""An evil broker: families of messages made of true documents, seeded, and a link that brings them to a node.

- It has heard everything that was ever sealed, holds keys of its own, and here even what no broker has: documents
  that the true keys sealed wrongly (expired, from the future, too far), so that no rule is saved by another.
- Every message would sound something now if it were obeyed.
"""

from __future__ import annotations

import base64
import random
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from makers_node import (
    COMMUNE,
    HAMLET,
    NODE,
    ROOT,
    STATION,
    T0,
    ack_topic,
    make_config,
    make_emergency,
    make_grant,
    make_job,
    make_plan,
    make_trust,
    plan_message,
    sealed,
    trust_message,
)
from makers_wire import EVERY, release, renewed

from wire import codec, packing, seal, topics
from wire.errors import Refusal
from wire.link import Link, Message
from wire.plan import BulletinClass, Lane, Plan
from wire.receipt import Ack
from wire.release import KIND as RELEASE
from wire.seal import Envelope, Signer

EVIL, COMMUNE_KEY = Signer(b"e" * 32), Signer(b"c" * 32)
TOPIC_OF_PLAN, TOPIC_OF_URGENT = topics.PLAN.topic(area=COMMUNE), topics.URGENT.topic(area=COMMUNE)
TOPIC_OF_CERTIFICATE = topics.CERTIFICATE.topic(node=NODE)
TOPIC_OF_CONFIG, TOPIC_OF_TRUST = topics.CONFIG.topic(node=NODE), topics.TRUST.topic()
HELD = 1_000_000  # the serial of everything that the node holds: what is lower was true once
ABOVE = 10 * HELD
Family = Callable[[], Message]


def true_trust(serial: int = HELD, **changed: object) -> tuple[str, bytes]:
    """The station for the province, and a commune's key for its own ordinary programme."""
    own = make_grant(COMMUNE_KEY, (COMMUNE,), BulletinClass.ORDINARY)
    return trust_message(make_grant(), own, serial=serial, **changed)


def certificate(signer: Signer = STATION, **changed: object) -> tuple[str, bytes]:
    """The answer to a question that this node may have put."""
    told = msgspec.structs.replace(renewed(), **{"node": NODE, "issued_at": T0, **changed})
    return TOPIC_OF_CERTIFICATE, sealed("certificate", told, signer)


class Evil:
    """``families``: by name, what makes the next message of it. ``now``: the node's time, which does not move here."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.dice, self.now, self._number = random.Random(seed), now, 0
        self.held = {Lane.PLAN: HELD, Lane.URGENT: HELD}  # the serials that the commune has now
        self.true = self._true(HELD)
        self.certificate = certificate()
        self.old = [self._true(serial) for serial in (1, 77, HELD - 1)]
        self.families: dict[str, Family] = {
            "forged": self.forged,
            "altered": self.altered,
            "spliced": self.spliced,
            "replayed": self.replayed,
            "truncated": self.truncated,
            "re-addressed": self.re_addressed,
            "downgraded": self.downgraded,
            "overreaching": self.overreaching,
            "forked": self.forked,
            "expired": self.expired,
            "from the future": self.from_the_future,
            "at impossible times": self.at_impossible_times,
            "oversized": self.oversized,
            "deeply nested": self.deeply_nested,
            "any bytes": self.any_bytes,
        }

    # ---- what there is to work with ------------------------------------------------------------------------------

    def _true(self, serial: int) -> dict[str, bytes]:
        """One of everything that goes down, by topic, sealed as it should be. What is held now is for tomorrow."""
        tomorrow = self.now + timedelta(days=1 if serial == HELD else 0)
        urgent = self.plan(Lane.URGENT, tomorrow, serial=serial)
        named = seal.unwrap(seal.seal(RELEASE, codec.write(release()), ROOT), 4096)
        return dict(
            [
                true_trust(serial),
                (TOPIC_OF_CONFIG, sealed("config", make_config(serial, T0, releases=(named,)))),
                plan_message(self.plan(Lane.PLAN, tomorrow, serial=serial)),
                (TOPIC_OF_URGENT, seal.seal("urgent", codec.write(urgent), STATION, packed=True)),
                plan_message(self.plan(Lane.PLAN, tomorrow, area=HAMLET, serial=serial)),
            ]
        )

    def plan(self, lane: Lane = Lane.PLAN, start: datetime | None = None, **changed: object) -> Plan:
        """A plan with one item that would sound at once, if nothing else is said."""
        self._number += 1
        make = make_emergency if lane is Lane.URGENT else make_job
        job = make(f"evil-{self._number}", start or self.now)
        facts: dict[str, object] = {"serial": ABOVE + self._number, "issued_at": T0} | changed
        return make_plan(job, lane=lane, **facts)  # type: ignore[arg-type]

    def pick(self, documents: dict[str, bytes] | None = None) -> tuple[str, bytes]:
        """Of ``documents``; without: what is held, and a certificate, which has no serial and so is not."""
        documents = documents or dict([*self.true.items(), self.certificate])
        topic = self.dice.choice(list(documents))
        return topic, documents[topic]

    def hears(self, lane: Lane, message: tuple[str, bytes]) -> None:
        """The station has said something new of the commune; what it said before is old."""
        topic, raw = message
        self.old.append({**self.old[-1], topic: self.true[topic]})
        self.true[topic] = raw
        self.held[lane] += 1

    def _opened(self, raw: bytes) -> Envelope:
        return seal.unwrap(raw, topics.MOST_BYTES)

    # ---- the families --------------------------------------------------------------------------------------------

    def forged(self) -> Message:
        """By a key of its own, in its own name or in the station's, or with the true seal beside it."""
        lane = self.dice.choice((Lane.PLAN, Lane.URGENT))
        topic, raw = self.dice.choice(
            (
                lambda: plan_message(self.plan(lane), EVIL),
                lambda: (TOPIC_OF_CONFIG, sealed("config", make_config(ABOVE), EVIL)),
                self._own_trust,
                lambda: (ack_topic(), sealed("acks", Ack(NODE, "s", 10**9, T0), EVIL)),
                lambda: certificate(EVIL),
            )
        )()
        made = self._opened(raw)
        own = made.signatures[0]
        truth = ROOT if topic == TOPIC_OF_TRUST else STATION
        claims = msgspec.structs.replace(own, keyid=truth.public.id)
        signatures = self.dice.choice(((own,), (claims,), (claims, own), (own, claims)))
        return Message(topic, codec.write(msgspec.structs.replace(made, signatures=signatures)))

    def _own_trust(self) -> tuple[str, bytes]:
        """A trust document that names the attacker, sealed by the attacker, the station or a commune: not the root."""
        wants = make_trust(make_grant(EVIL, ("*",)), serial=ABOVE)
        return TOPIC_OF_TRUST, sealed("trust", wants, self.dice.choice((EVIL, STATION, COMMUNE_KEY)))

    def altered(self) -> Message:
        """One to three bytes of a true document changed, gone, or put in."""
        topic, raw = self.pick()
        made = bytearray(raw)
        for _ in range(self.dice.randint(1, 3)):
            at = self.dice.randrange(len(made))
            deed = self.dice.randrange(3)
            if deed == 0:
                made[at] ^= 1 << self.dice.randrange(8)
            elif deed == 1:
                del made[at]
            else:
                made.insert(at, self.dice.randrange(256))
        return Message(topic, bytes(made))

    def spliced(self) -> Message:
        """The seal of one true document over another's contents (mix-and-match)."""
        topic, raw = self.pick()
        _, other = self.pick(self.dice.choice(self.old))
        lends, takes = self._opened(other), self._opened(raw)
        if self.dice.random() < 0.5:
            made = msgspec.structs.replace(takes, signatures=lends.signatures)
        else:
            made = msgspec.structs.replace(lends, signatures=takes.signatures)
        return Message(topic, codec.write(made))

    def replayed(self) -> Message:
        """What was true once."""
        return Message(*self.pick(self.dice.choice(self.old)))

    def truncated(self) -> Message:
        topic, raw = self.pick()
        return Message(topic, raw[: self.dice.randrange(1, len(raw))])

    def re_addressed(self) -> Message:
        """A true document where it does not belong: another area, node, lane, direction or version, or nowhere."""
        topic, raw = self.pick()
        area = self.dice.choice(("ha-giang", "lang-son", f"{COMMUNE}:thon-9", "loa-02", HAMLET, COMMUNE, NODE))
        others = [topics.PLAN.topic(area=area), topics.URGENT.topic(area=area), topics.CONFIG.topic(node="loa-02")]
        others += [TOPIC_OF_CERTIFICATE, topics.CERTIFICATE.topic(node="loa-02")]
        others += [ack_topic(), TOPIC_OF_CONFIG, TOPIC_OF_TRUST, topics.HEALTH.topic(node=NODE), "$SYS/broker/uptime"]
        others += [topic.replace("v1", "v0"), topic.replace("v1", "v2"), f"{topic}/", topic.upper(), "radio/v1/trust/x"]
        others += [topics.LIVE.topic(area=COMMUNE, session="s1"), topics.RECEIPTS.topic(node=NODE), f"\0{topic}"]
        others += [f"radio/v1/areas/{self.dice.randrange(10**9)}/plan", "x" * self.dice.randrange(1, 60_000)]
        return Message(self.dice.choice([each for each in others if each != topic]), raw)

    def downgraded(self) -> Message:
        """Another kind, another form, a weaker seal, or none."""
        topic, raw = self.pick()
        made = self._opened(raw)
        bare = msgspec.structs.replace
        weaker = (
            lambda: codec.write(bare(made, payloadType=made.payloadType + packing.SUFFIX)),
            lambda: codec.write(bare(made, payloadType=made.payloadType.removesuffix(packing.SUFFIX) + "\0")),
            lambda: codec.write(bare(made, payloadType="application/json")),
            lambda: codec.write(bare(made, payloadType=made.payloadType.replace("loa", "loa0"))),
            lambda: codec.write(bare(made, signatures=(bare(made.signatures[0], sig=""),))),
            lambda: codec.write(bare(made, signatures=(bare(made.signatures[0], sig="A" * 88),))),
            lambda: made.body(),
            lambda: codec.write(EVERY[self.dice.choice(list(EVERY))]),
            lambda: raw.replace(b'"signatures":', b'"signature":'),
            lambda: sealed("release", release(), ROOT),
            lambda: sealed("receipts" if topic != TOPIC_OF_TRUST else "plan", self.plan()),
        )
        return Message(topic, self.dice.choice(weaker)())

    def overreaching(self) -> Message:
        """A true key beyond what the root gave it: another area, a higher class, another lane or kind."""
        urgent = self.plan(Lane.URGENT)
        made: tuple[tuple[str, bytes], ...] = (
            plan_message(urgent, COMMUNE_KEY),
            plan_message(self.plan(area="lang-son"), COMMUNE_KEY),
            plan_message(make_plan(make_emergency("evil", self.now), serial=ABOVE)),
            (TOPIC_OF_PLAN, sealed("plan", urgent)),
            (TOPIC_OF_URGENT, sealed("urgent", self.plan())),
            (TOPIC_OF_PLAN, sealed("plan", self.plan(area="ha-giang"))),
            (TOPIC_OF_CONFIG, sealed("config", make_config(ABOVE, node="loa-02"))),
            (ack_topic(), sealed("acks", Ack("loa-02", "s", 9, T0))),
            certificate(node="loa-02"),
            certificate(COMMUNE_KEY),
        )
        return Message(*self.dice.choice(made))

    def forked(self) -> Message:
        """The serial that is held, with other words under the true seal: what a second holder of the key would say."""
        lane = self.dice.choice((Lane.PLAN, Lane.URGENT))
        return Message(*plan_message(self.plan(lane, serial=self.held[lane])))

    def expired(self) -> Message:
        past = self.now - timedelta(seconds=self.dice.randrange(1, 10**7))
        lane = self.dice.choice((Lane.PLAN, Lane.URGENT))
        if self.dice.random() < 0.2:
            return Message(*true_trust(ABOVE, valid_until=past))
        return Message(*plan_message(self.plan(lane, issued_at=past - timedelta(days=1), valid_until=past)))

    def from_the_future(self) -> Message:
        ahead = self.now + timedelta(hours=1, seconds=self.dice.randrange(10**7))
        made: tuple[tuple[str, bytes], ...] = (
            plan_message(self.plan(self.dice.choice((Lane.PLAN, Lane.URGENT)), issued_at=ahead)),
            (TOPIC_OF_CONFIG, sealed("config", make_config(ABOVE, ahead))),
            true_trust(ABOVE, issued_at=ahead, valid_until=ahead + timedelta(days=9)),
            (ack_topic(), sealed("acks", Ack(NODE, "s", 9, ahead))),
            certificate(issued_at=ahead),
        )
        return Message(*self.dice.choice(made))

    def at_impossible_times(self) -> Message:
        year = self.dice.choice((1, 999, 1969, 2201, 9999))
        job = make_job("evil", self.now)
        wrong = (
            msgspec.structs.replace(job, deadline=self.now - timedelta(seconds=1)),
            msgspec.structs.replace(job, start=job.start.replace(year=year), deadline=job.deadline.replace(year=9999)),
            msgspec.structs.replace(job, deadline=self.now + timedelta(days=401)),
        )
        return Message(*plan_message(make_plan(self.dice.choice(wrong), serial=ABOVE)))

    def oversized(self) -> Message:
        """One byte more than the topic allows, or very many; and what is small until it is unpacked."""
        topic, raw = self.pick()
        line = topics.recognise(topic)
        assert line
        if line[0] is topics.URGENT and self.dice.random() < 0.05:
            return Message(topic, _bomb())
        if line[0] is topics.PLAN and self.dice.random() < 0.95:
            topic, line = TOPIC_OF_CONFIG, (topics.CONFIG, {})
        return Message(topic, raw + b" " * (line[0].most_bytes - len(raw) + self.dice.choice((1, 2, 1000))))

    def deeply_nested(self) -> Message:
        deep = self.dice.randrange(1500, 20_000)
        bracket = self.dice.choice((b"[", b'{"a":', b'[{"a":'))
        nest = bracket * deep
        if self.dice.random() < 0.5:
            return Message(self.pick()[0], nest)
        if self.dice.random() < 0.5:
            return Message(self.pick()[0], b'{"payloadType":"x","x":' + nest)
        return Message(TOPIC_OF_PLAN, seal.seal("plan", b'{"x":' + nest, STATION))

    def any_bytes(self) -> Message:
        topic = self.dice.choice((*self.true, ack_topic(), TOPIC_OF_CERTIFICATE))
        return Message(topic, self.dice.randbytes(self.dice.randrange(1, 400)))


def _bomb() -> bytes:
    """Eight megabytes of blanks, sealed by the station: some kilobytes while packed."""
    maker = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = maker.compress(b" " * (2 * packing.MOST_BYTES)) + maker.flush()
    covered = "application/vnd.loa.urgent+json" + packing.SUFFIX
    signature = STATION.sign(seal._pre_authentication(covered, packed))
    made = {
        "payloadType": covered,
        "payload": base64.b64encode(packed).decode(),
        "signatures": [{"keyid": STATION.public.id, "sig": base64.b64encode(signature).decode()}],
    }
    return msgspec.json.encode(made)


class EvilLink:
    """A link whose broker brings, besides what was published, whatever it likes: asked for or not."""

    def __init__(self, inner: Link) -> None:
        self.brings: list[Message] = []
        self._inner = inner
        self.start, self.stop, self.listen, self.wake = inner.start, inner.stop, inner.listen, inner.wake
        self.connections, self.connected, self.publish = inner.connections, inner.connected, inner.publish

    def take(self, timeout_seconds: float) -> list[Message]:
        brought, self.brings = self.brings, []
        return self._inner.take(timeout_seconds) + brought

    def refusals(self) -> list[Refusal]:
        return self._inner.refusals()
