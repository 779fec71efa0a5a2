"""The namesake: another station that seals with our key, such as a copy of this one that somebody started. Pure.

- It is looked for only where a node holds more than we issued: there the broker's own documents are listened to.
- What is under our seal, newer than this run and not issued by it, is a namesake's. What was issued before a backup
  was put back is older than the run that has the backup.
- It is told, counted and shown, and changes nothing else: who of two is the right one, no machine knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from wire import codec, seal, topics
from wire.config import NodeConfig
from wire.errors import Reason, Refusal
from wire.link import Message
from wire.plan import Plan
from wire.seal import PublicKey

PLACE = "station"  # before the line's name, where it is counted
MOST_SUSPECTED = 20  # topics listened to at once; one is enough to know


class Namesake:
    """``own``: the key that only this station should have."""

    def __init__(self, own: PublicKey) -> None:
        self._own = {str(own.id): own}
        self._suspected: dict[str, None] = {}
        self._began: datetime | None = None

    def begin(self, now: datetime) -> None:
        """This run of the station begins: nothing that it has not issued itself is of later than now."""
        self._began = now

    def suspect(self, overtaken: Iterable[str]) -> bool:
        """Topics of which some node holds more than we issued. Whether there is one more to listen to."""
        before = len(self._suspected)
        for topic in overtaken:
            if len(self._suspected) < MOST_SUSPECTED:
                self._suspected[topic] = None
        return len(self._suspected) > before

    def filters(self) -> list[tuple[str, int]]:
        """What to listen to besides the nodes."""
        return [(topic, 1) for topic in self._suspected]

    def overhear(self, messages: Iterable[Message], issued: Mapping[str, int]) -> list[Refusal]:
        """What of these documents that go down is a namesake's. ``issued``: our newest serial by topic."""
        found = ((message, self._sealed(message)) for message in messages)
        return [
            _told(message.topic, document, issued.get(message.topic, 0))
            for message, document in found
            if document is not None and self._is_another_s(document, issued.get(message.topic, 0))
        ]

    def _is_another_s(self, document: Plan | NodeConfig, serial: int) -> bool:
        return self._began is not None and document.issued_at > self._began and document.serial > serial

    def _sealed(self, message: Message) -> Plan | NodeConfig | None:
        """The document under our own seal; None for anything else."""
        known = topics.recognise(message.topic)
        if known is None or known[0] not in (topics.PLAN, topics.URGENT, topics.CONFIG):
            return None
        try:
            envelope = seal.unwrap(message.payload, known[0].most_bytes)
            if not seal.is_kind(envelope, known[0].name) or not seal.sealed_by(envelope, self._own):
                return None
            document = codec.read(known[0].kind, envelope.body(), known[0].most_bytes)
        except (codec.Malformed, codec.TooBig):
            return None
        return document if isinstance(document, Plan | NodeConfig) else None


def apart(messages: Iterable[Message]) -> tuple[list[Message], list[Message]]:
    """What nodes say, and what goes down to them."""
    down: list[Message] = []
    up: list[Message] = []
    for message in messages:
        known = topics.recognise(message.topic)
        (down if known and known[0].down else up).append(message)
    return up, down


def _told(topic: str, document: Plan | NodeConfig, serial: int) -> Refusal:
    known = topics.recognise(topic)
    assert known
    detail = f"serial {document.serial} of {document.issued_at} under our own seal, we issued {serial}: {topic}"
    return Refusal(Reason.FORKED, f"{PLACE}/{known[0].name}", detail)
