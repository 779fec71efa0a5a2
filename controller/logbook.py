"""The logbook: what nodes say is recognised, checked, and stored in few transactions.

- Nothing that arrives can raise: what is not right is refused under its reason, logged, and counted with its
  place; the good messages beside it are stored.
- A receipt counts only under its node's own seal. An acknowledgement is given only for what is committed.
- It publishes nothing: the acknowledgements are for the caller to send.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from controller.doubles import Double, Doubles
from wire import codec, seal, topics
from wire.errors import Reason, Refusal
from wire.health import Health
from wire.link import Message
from wire.presence import Presence
from wire.receipt import Ack, Receipts
from wire.renewal import Renewal
from wire.seal import PublicKey
from words import Said

log = logging.getLogger(__name__)

AHEAD = timedelta(minutes=10)  # how far a node's clock may run ahead of ours
MOST_STRANGERS = 1000  # names kept between two looks
_YEARS = range(1970, 2200)  # a node that does not know the time may begin at 1970
_NUL = b"\\u0000"  # JSON's way to write the one character that no PostgreSQL text holds


class _AsRun(Protocol):
    def store_batches(self, batches: Sequence[Receipts], received_at: datetime) -> list[int]: ...


class _Health(Protocol):
    def take_presence(self, messages: Sequence[Presence], received_at: datetime) -> list[Presence]: ...

    def take_health(self, messages: Sequence[Health], received_at: datetime) -> list[Health]: ...


class _Refusals(Protocol):
    def count_all(self, refused: list[Refusal], at: datetime) -> None: ...


class Books(Protocol):
    """What the logbook writes into: the part of `controller.store.Store` that it needs."""

    @property
    def asrun(self) -> _AsRun: ...

    @property
    def health(self) -> _Health: ...

    @property
    def refusals(self) -> _Refusals: ...


Keys = Callable[[str], PublicKey | None]
Heard = Presence | Health | Receipts | Renewal
T = TypeVar("T", Presence, Health, Receipts)


class _Refused(Exception):
    """A message that is not right; kept inside this file."""

    def __init__(self, reason: Reason, detail: str, node: str = "") -> None:
        super().__init__(detail)
        self.reason, self.detail, self.node = reason, detail, node


@dataclass
class _Arrivals:
    """One call's messages, sorted."""

    presence: list[Presence] = field(default_factory=list)
    health: list[Health] = field(default_factory=list)
    receipts: list[Receipts] = field(default_factory=list)
    renewals: list[Renewal] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


class Logbook:
    """Takes what nodes say into the store."""

    def __init__(self, store: Books, keys: Keys) -> None:
        """``keys``: a node's public key, None for a node that is not enrolled; asked once for each message."""
        self._store, self._keys = store, keys
        self._asked: dict[str, Renewal] = {}
        self._doubles, self._twice = Doubles(), list[Double]()
        self._strangers: set[str] = set()
        self._owed: list[Presence] = []  # said once by a node, so kept here while the store cannot take it

    def take(self, messages: list[Message], now: datetime) -> list[Ack]:
        """Store ``messages``; the acknowledgements to send, one for each stream heard.

        Raises StoreError only, when the store cannot take anything (full, gone): nothing is acknowledged then,
        so nodes send their receipts again, and presence is kept for the next call.
        """
        arrived = self._sorted(messages, now)
        self._asked |= {each.node: each for each in arrived.renewals}
        arrived.presence[:0] = self._owed
        self._owed = list({each.node: each for each in arrived.presence}.values())
        self._store_states(arrived, now)
        self._owed = []
        acks = self._store_receipts(arrived, now)
        self._count(arrived.refused, now)
        return acks

    def asked(self) -> list[Renewal]:
        """The nodes that have asked for a certificate since the last call; of each its last question."""
        asked, self._asked = list(self._asked.values()), {}
        return asked

    def strangers(self) -> set[str]:
        """Names without a key under which somebody spoke since the last call."""
        heard, self._strangers = self._strangers, set()
        return heard

    def seen_twice(self) -> list[Double]:
        """The nodes that were seen to live twice since the last call."""
        seen, self._twice = self._twice, []
        return seen

    def _sorted(self, messages: list[Message], now: datetime) -> _Arrivals:
        arrived = _Arrivals()
        for message in messages:
            try:
                self._sort(message, arrived, now)
            except _Refused as refused:
                arrived.refused.append(Refusal(refused.reason, _place(message.topic, refused.node), refused.detail))
            except Exception as unforeseen:  # noqa: BLE001 - around one message: the next one is not its fault
                detail = f"{type(unforeseen).__name__}: {unforeseen}"
                arrived.refused.append(Refusal(Reason.MALFORMED, _place(message.topic, ""), detail))
        return arrived

    def _sort(self, message: Message, arrived: _Arrivals, now: datetime) -> None:
        recognised = topics.recognise(message.topic)
        if recognised is None or recognised[0].down:
            raise _Refused(Reason.UNKNOWN_TOPIC, f"topic {message.topic[:80]!r}")
        line, named = recognised
        node = named["node"]
        key = self._keys(node)
        if key is None:
            if not message.retained and len(self._strangers) < MOST_STRANGERS:
                self._strangers.add(node)
            raise _Refused(Reason.NOT_ENROLLED, f"topic {message.topic[:120]}")
        try:
            said = _read(line, message.payload, key)
        except codec.TooBig as wrong:
            raise _Refused(Reason.TOO_BIG, str(wrong), node) from None
        except codec.Malformed as wrong:
            raise _Refused(Reason.MALFORMED, str(wrong), node) from None
        except _Refused as wrong:
            wrong.node = node
            raise
        if said.node != node:
            raise _Refused(Reason.WRONG_AREA, f"speaks for {said.node}", node)
        _check_times(said, node, now)
        if isinstance(said, Presence | Health) and not message.retained:
            double = self._doubles.hear(said, now)
            self._twice += [double] if double else []
        if isinstance(said, Presence):
            arrived.presence.append(said)
        elif isinstance(said, Health):
            arrived.health.append(said)
        elif isinstance(said, Renewal):
            arrived.renewals.append(said)
        else:
            arrived.receipts.append(said)

    def _store_states(self, arrived: _Arrivals, now: datetime) -> None:
        books, refused = self._store.health, arrived.refused
        for old in _keep(arrived.presence, lambda some: books.take_presence(some, now), refused):
            refused.append(Refusal(Reason.ROLLED_BACK, f"{old.node}/presence", f"of {old.at}: a newer one is held"))
        for late in _keep(arrived.health, lambda some: books.take_health(some, now), refused):
            refused.append(Refusal(Reason.ROLLED_BACK, f"{late.node}/health", f"of {late.at}: a newer one is held"))

    def _store_receipts(self, arrived: _Arrivals, now: datetime) -> list[Ack]:
        upto: dict[tuple[str, str], int] = {}

        def store(batches: list[Receipts]) -> list[Receipts]:
            stored = self._store.asrun.store_batches(batches, now)
            upto.update({(each.node, each.stream): number for each, number in zip(batches, stored, strict=True)})
            return []

        _keep(arrived.receipts, store, arrived.refused)
        return [Ack(node, stream, number, now) for (node, stream), number in upto.items()]

    def _count(self, refused: list[Refusal], now: datetime) -> None:
        for each in refused[:20]:
            log.warning("refused reason=%s where=%s detail=%r", each.reason, each.where, each.detail[:200])
        if len(refused) > 20:
            log.warning("refused more=%d", len(refused) - 20)
        if refused:
            self._store.refusals.count_all(refused, now)


def _read(line: topics.Line, payload: bytes, key: PublicKey) -> Heard:
    """The message in ``payload``, its seal checked where the line is sealed. Raises _Refused, codec's errors."""
    if len(payload) > line.most_bytes:
        raise codec.TooBig(len(payload), line.most_bytes)
    body = _unsealed(line, payload, key) if line.sealed else payload
    if _NUL in body:
        raise codec.Malformed("holds the character NUL")
    said = codec.read(line.kind, body, line.most_bytes)
    assert isinstance(said, Presence | Health | Receipts | Renewal)
    return said


def _unsealed(line: topics.Line, payload: bytes, key: PublicKey) -> bytes:
    """The payload of an envelope that is of this line's kind and sealed by the node's own key."""
    envelope = seal.unwrap(payload, line.most_bytes)
    if not seal.is_kind(envelope, line.name):
        raise _Refused(Reason.WRONG_KIND, f"sealed as {envelope.payloadType}")
    if all(signature.keyid != key.id for signature in envelope.signatures):
        raise _Refused(Reason.UNKNOWN_KEY, f"sealed by {envelope.signatures[0].keyid}, the node's key is {key.id}")
    if not seal.sealed_by(envelope, {key.id: key}):
        raise _Refused(Reason.BAD_SEAL, "the signature does not fit the bytes")
    return envelope.body()


def _check_times(said: Heard, node: str, now: datetime) -> None:
    """Raises _Refused for a moment that no calendar of ours holds, or that this clock cannot believe."""
    for moment in _moments(said):
        if moment.year not in _YEARS:
            raise _Refused(Reason.MALFORMED, f"the year {moment.year}", node)
    if not isinstance(said, Receipts) and said.at > now + AHEAD:
        raise _Refused(Reason.FROM_THE_FUTURE, f"said at {said.at}, it is {now}", node)


def _moments(said: Heard) -> Iterator[datetime]:
    if not isinstance(said, Receipts):
        yield said.at
        return
    for receipt in said.receipts:
        yield from (receipt.at, receipt.planned_start)
        if receipt.measured:
            yield from (receipt.measured.started_at, receipt.measured.ended_at)


def _keep(items: list[T], store: Callable[[list[T]], list[T]], refused: list[Refusal]) -> list[T]:
    """``store(items)``; when the database cannot keep one of them, halves, until only that one is refused."""
    if not items:
        return []
    try:
        return store(items)
    except Said as wrong:
        if wrong.key != "store.bad_row":
            raise
        if len(items) == 1:
            where = f"{items[0].node}/{type(items[0]).__name__.lower()}"
            refused.append(Refusal(Reason.MALFORMED, where, str(wrong)))
            return []
    half = len(items) // 2
    return _keep(items[:half], store, refused) + _keep(items[half:], store, refused)


def _place(topic: str, node: str) -> str:
    """Where a refusal is counted: an enrolled node's own line, else only the line, so that counters stay few."""
    recognised = topics.recognise(topic)
    if recognised is None:
        return "topics"
    return f"{node}/{recognised[0].name}" if node else recognised[0].name
