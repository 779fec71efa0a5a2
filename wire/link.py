"""The link: how messages travel. An interface; `loopback` and `mqtt` implement it and pass the same tests.

- Messages wait in a bounded inbox until the owner takes them: no code of ours runs on a network thread.
- A message larger than `topics.MOST_BYTES` is neither sent nor does it reach the inbox; `refusals()` says so.
- Publishing never blocks and never raises for a broker that is down; what matters is published again on
  `connections()` changing, because the store (or the outbox) is the truth and the broker only transport.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from wire.errors import Refusal


class Message(msgspec.Struct, frozen=True):
    """One message as it arrived."""

    topic: str
    payload: bytes
    retained: bool = False


class Will(msgspec.Struct, frozen=True):
    """What the broker says in our name when the connection dies."""

    topic: str
    payload: bytes


class Link(Protocol):
    """A connection to a broker that heals itself."""

    def start(self) -> None:
        """Begin connecting, and keep connected until `stop`. Returns at once, broker or no broker."""

    def stop(self) -> None:
        """Send what is queued if connected, disconnect cleanly (no will), release everything. Idempotent."""

    def publish(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> bool:
        """Hand over one message; False when not connected (then it is dropped, not queued)."""

    def listen(self, filters: Iterable[tuple[str, int]]) -> None:
        """The complete set of (filter, QoS) wanted: subscribes to the new, unsubscribes from the gone.

        Kept over reconnects; a subscription that the broker refuses is tried again.
        """

    def take(self, timeout_seconds: float) -> list[Message]:
        """Everything that has arrived, oldest first; waits up to the timeout when there is nothing yet.

        Returns early, empty, when `wake` is called or the connection state changes.
        """

    def wake(self) -> None:
        """Make a waiting `take` return now. Safe from any thread."""

    def connections(self) -> int:
        """How many times a connection has been made so far: a change means "publish again what is retained"."""

    def connected(self) -> bool:
        """Whether messages can travel now."""

    def refusals(self) -> list[Refusal]:
        """What the link itself refused since the last call (too big, inbox full)."""
