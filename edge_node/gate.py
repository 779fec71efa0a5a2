"""The gate: nothing reaches the node's decisions but what a key sealed that may, for this node, area, class and time.

- A small pure machine: bytes in; an admitted document, a duplicate or a named refusal out. No clock, no file.
- The order of checks is the order of the code: topic, size, envelope, kind, key, seal, grant, contents, serial,
  times. Nothing inside a payload is looked at before its seal is true (TUF 1.0, §5; DSSE v1).
- Serials never go back: a lower one is a roll-back, the same one with other bytes a fork.
- A new trust document judges everything held again, and what was refused for an unknown key once more.
- Trust is what enough of the roots sealed. Roots change by links that travel beside it (`wire.roots`); a document under
  newer roots replaces what older ones sealed whatever its serial, so that a thief's high serial is no wall.
- Documents read back from disk (``restoring``) were in time when they came; whether a plan still counts is asked
  of `jobs` at every moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from edge_node import contents, cosigning
from edge_node.contents import Document, Refused
from schedules.planner import merge
from wire import codec, roots, seal, topics
from wire.config import NodeConfig
from wire.errors import Reason, Refusal
from wire.health import Held
from wire.names import KeyId
from wire.plan import Job, Lane, Plan
from wire.receipt import Ack
from wire.renewal import Renewed
from wire.roots import RootSet, Unrooted
from wire.seal import Envelope, PublicKey
from wire.trust import Grant, Trust

MOST_STRANGER_BYTES = 8 * 1024 * 1024  # of documents by unknown keys, kept until the next trust document


@dataclass(frozen=True)
class Admitted:
    """A document that the node obeys from now on, and what else changed by it."""

    kind: str  # the topic's name in the table
    topic: str
    raw: bytes
    document: Document
    also: tuple[Admitted | Refusal, ...] = ()


@dataclass(frozen=True)
class Duplicate:
    """The document held already."""

    topic: str


Verdict = Admitted | Duplicate | Refusal


@dataclass(frozen=True)
class _Held:
    raw: bytes
    body: bytes
    document: Trust | NodeConfig | Plan


class Gate:
    """``home``: the area where the node hangs. ``roots``: the pinned keys that may seal trust, and how many must;
    given as public keys in hex, any one of them may.
    """

    def __init__(self, node: str, home: str, roots: RootSet | tuple[str, ...]) -> None:
        self._node, self._home = node, home
        self.roots = (
            roots if isinstance(roots, RootSet) else RootSet.of(roots)
        )  # in force; as far as the trust document held has led
        self._keys: dict[KeyId, PublicKey] = {}
        self._grants: dict[KeyId, list[Grant]] = {}
        self._held: dict[str, _Held] = {}
        self._strangers: dict[str, bytes] = {}
        self._valid: list[Plan] = []  # of which `_merged` is the union
        self._merged: Mapping[str, Job] | None = None

    @property
    def trust(self) -> Trust | None:
        """The trust document in force."""
        held = self._held.get(topics.TRUST.topic())
        return held.document if held and isinstance(held.document, Trust) else None

    @property
    def config(self) -> NodeConfig | None:
        """The config in force."""
        held = self._held.get(topics.CONFIG.topic(node=self._node))
        return held.document if held and isinstance(held.document, NodeConfig) else None

    def listens_to(self) -> list[str]:
        """What to listen to. Without a config: emergencies of the home and of all areas above it."""
        if self.config:
            return topics.of_node(self._node, self.config.areas)
        return topics.of_node(self._node, ()) + topics.urgent_of_home(self._home)

    def plans(self) -> list[Plan]:
        """The plans held, of all areas and both lanes."""
        return [held.document for held in self._held.values() if isinstance(held.document, Plan)]

    def jobs(self, now: datetime) -> Mapping[str, Job]:
        """The union of the plans that are still valid; the same object while that has not changed."""
        valid = [plan for plan in self.plans() if now <= plan.valid_until]
        if self._merged is None or list(map(id, valid)) != list(map(id, self._valid)):
            self._valid, self._merged = valid, merge((plan.issued_at, plan.jobs) for plan in valid)
        return self._merged

    def newest(self) -> datetime:
        """When the newest of what is held was issued. Something must be held."""
        return max(held.document.issued_at for held in self._held.values())

    def serials(self) -> tuple[Held, ...]:
        """The plan serials held by area, for health."""
        serials = {(plan.area, plan.lane): plan.serial for plan in self.plans()}
        areas = sorted({area for area, _ in serials})
        return tuple(Held(a, serials.get((a, Lane.PLAN), 0), serials.get((a, Lane.URGENT), 0)) for a in areas)

    def forget(self, topic: str) -> None:
        """As if the document of ``topic`` had never come."""
        self._held.pop(topic, None)

    def admit(
        self, topic: str, raw: bytes, now: datetime, *, clock_known: bool = True, restoring: bool = False
    ) -> Verdict:
        """Judge one message. ``now``: aware, a lower bound when the clock is not known."""
        held = self._held.get(topic)
        if held and held.raw == raw:
            return Duplicate(topic)
        try:
            verdict = self._judge(topic, raw, contents.Moment(now, clock_known, restoring))
        except codec.TooBig as wrong:
            return Refusal(Reason.TOO_BIG, topic[:300], str(wrong))
        except codec.Malformed as wrong:
            return Refusal(Reason.MALFORMED, topic[:300], str(wrong))
        except Unrooted as wrong:
            return Refusal(wrong.reason, topic[:300], wrong.detail)
        except Refused as wrong:
            if wrong.reason is Reason.UNKNOWN_KEY:
                self._remember_stranger(topic, raw)
            return Refusal(wrong.reason, topic[:300], wrong.detail)
        return verdict

    def _judge(self, topic: str, raw: bytes, moment: contents.Moment) -> Verdict:
        line, area = self._addressed(topic)
        if line is topics.TRUST:
            return self._judge_trust(topic, raw, moment)
        envelope = seal.unwrap(raw, line.most_bytes)
        if not seal.is_kind(envelope, line.name):
            raise Refused(Reason.WRONG_KIND, envelope.payloadType)
        signers = _true_seals(envelope, self._keys)
        body = envelope.body()
        document = codec.read(line.kind, body, line.most_bytes)
        assert isinstance(document, NodeConfig | Plan | Ack | Renewed)
        self._granted(signers, document, area, moment)
        contents.check(document, self._node, area, line.name)
        if isinstance(document, Ack | Renewed):  # of the moment: nothing is held
            contents.check_times(document, moment)
            return Admitted(line.name, topic, raw, document)
        held = self._held.get(topic)
        if held and _is_repeated(held, document, body):
            return Duplicate(topic)
        contents.check_times(document, moment)
        self._held[topic] = _Held(raw, body, document)
        return Admitted(line.name, topic, raw, document, tuple(self._consequences(document)))

    def _judge_trust(self, topic: str, raw: bytes, moment: contents.Moment) -> Verdict:
        """The roots' word, and the changes of roots that lead to whoever sealed it: taken together or not at all."""
        message = roots.read(raw, topics.TRUST.most_bytes)
        envelope = message.envelope
        if not seal.is_kind(envelope, topics.TRUST.name):
            raise Refused(Reason.WRONG_KIND, envelope.payloadType)
        ours = roots.follow(self.roots, message.roots)
        ours.sealed(envelope)
        body = envelope.body()
        trust = codec.read(Trust, body, topics.TRUST.most_bytes)
        contents.check(trust, self._node, self._node, topics.TRUST.name)
        held = self._held.get(topic) if ours.version == self.roots.version else None
        if held and _is_repeated(held, trust, body):
            return Duplicate(topic)
        contents.check_times(trust, moment)
        self.roots, self._held[topic] = ours, _Held(raw, body, trust)
        self._take_grants(trust)
        return Admitted(topics.TRUST.name, topic, raw, trust, tuple(self._judge_again(moment)))

    def _addressed(self, topic: str) -> tuple[topics.Line, str]:
        """The line of a topic that this node listens to, and the area it is about: its own where none is named."""
        known = topics.recognise(topic)
        if known is None or not known[0].down or known[0] is topics.LIVE:
            raise Refused(Reason.UNKNOWN_TOPIC, "not a topic that a node listens to")
        line, named = known
        if topic not in self.listens_to():
            raise Refused(Reason.WRONG_AREA, "not for this node")
        return line, named.get("area", self._node)

    def _granted(self, signers: list[KeyId], document: Document, area: str, moment: contents.Moment) -> None:
        """At least one of the signers may say this. Raises Refused with the first reason why not."""
        trust = self.trust
        assert trust
        if not moment.restoring and moment.now > trust.valid_until:
            raise Refused(Reason.KEY_EXPIRED, f"the trust document was valid until {trust.valid_until}")
        owner = self._home if area == self._node else area  # who may speak for the home may speak for the node
        refusals = []
        for grant in (grant for signer in signers for grant in self._grants[signer]):
            why = contents.why_not_granted(grant, document, owner, moment)
            if why is None:
                if isinstance(document, Plan):
                    cosigning.check(document, trust, grant, (owner, self._home), moment)
                return
            refusals.append(why)
        raise refusals[0]

    def _consequences(self, document: Document) -> list[Admitted | Refusal]:
        if isinstance(document, NodeConfig):
            return self._forget_areas()
        return []

    def _forget_areas(self) -> list[Admitted | Refusal]:
        """The config does not name their areas any more."""
        listened = set(self.listens_to())
        gone = [topic for topic in self._held if topic not in listened]
        for topic in gone:
            del self._held[topic]
        return [Refusal(Reason.WRONG_AREA, topic, "no longer an area of this node") for topic in gone]

    def _take_grants(self, trust: Trust) -> None:
        self._keys, self._grants = {}, {}
        for grant in trust.grants:
            key = PublicKey.from_hex(grant.public_key)
            self._keys[key.id] = key
            self._grants.setdefault(key.id, []).append(grant)

    def _judge_again(self, moment: contents.Moment) -> list[Admitted | Refusal]:
        trust_topic = topics.TRUST.topic()
        config_first = sorted(
            (topic for topic in self._held if topic != trust_topic), key=lambda topic: "/config" not in topic
        )
        again = [(topic, self._held.pop(topic).raw, True) for topic in config_first]
        again += [(topic, raw, moment.restoring) for topic, raw in self._strangers.items()]
        before = {topic for topic, _, restored in again if restored}
        self._strangers = {}
        verdicts: list[Admitted | Refusal] = []
        for topic, raw, restoring in again:
            verdict = self.admit(topic, raw, moment.now, clock_known=moment.clock_known, restoring=restoring)
            if isinstance(verdict, Refusal) or (isinstance(verdict, Admitted) and topic not in before):
                verdicts.append(verdict)
        return verdicts

    def _remember_stranger(self, topic: str, raw: bytes) -> None:
        others = sum(len(each) for name, each in self._strangers.items() if name != topic)
        if others + len(raw) <= MOST_STRANGER_BYTES:
            self._strangers[topic] = raw


def _true_seals(envelope: Envelope, keys: dict[KeyId, PublicKey]) -> list[KeyId]:
    known = [signature.keyid for signature in envelope.signatures if signature.keyid in keys]
    if not known:
        raise Refused(Reason.UNKNOWN_KEY, f"sealed by {envelope.signatures[0].keyid}")
    signers = seal.sealed_by(envelope, {str(name): key for name, key in keys.items()})
    if not signers:
        raise Refused(Reason.BAD_SEAL, f"not the seal of {known[0]}")
    return signers


def _is_repeated(held: _Held, document: Trust | NodeConfig | Plan, body: bytes) -> bool:
    """Whether this is what is held. Raises Refused for a roll-back or a fork."""
    if document.serial < held.document.serial:
        raise Refused(Reason.ROLLED_BACK, f"serial {document.serial}, held {held.document.serial}")
    if document.serial > held.document.serial:
        return False
    if body != held.body:
        raise Refused(Reason.FORKED, f"serial {document.serial} with other bytes")
    return True
