"""A broker inside the process: the link for tests and for trying things out.

- Retained messages, wildcards and wills are as a real broker has them; the QoS is ignored, nothing is lost.
- Delivery happens inside `publish`, in the caller's thread: what was published has arrived.
- `drop` cuts one client, `down` ends the broker, `forget` wipes what it had retained.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from wire import topics
from wire.errors import Reason, Refusal
from wire.inbox import Inbox
from wire.link import Link, Message, Will

MOST_MESSAGES, MOST_WAITING_BYTES = 100_000, 64 * 1024 * 1024


class Loopback:
    """An in-memory broker; `link` makes its clients."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self._links: list[LoopbackLink] = []
        self._up = True
        self._lock = threading.RLock()

    def link(self, client_id: str, will: Will | None = None) -> Link:
        """A client of this broker, not yet started."""
        return LoopbackLink(self, client_id, will)

    def forget(self) -> None:
        """Lose every retained message; clients stay connected and are told nothing."""
        with self._lock:
            self.retained.clear()

    def drop(self, link: Link) -> None:
        """Cut one client off, so that its will is published; it stays cut until `restore`."""
        with self._lock:
            if isinstance(link, LoopbackLink) and link in self._links:
                self._leave(link)

    def restore(self, link: Link) -> None:
        """Let a dropped client connect again."""
        if isinstance(link, LoopbackLink):
            self._join(link)

    def down(self) -> None:
        """End the broker: everybody is disconnected, nobody's will is said."""
        with self._lock:
            self._up = False
            for link in self._links:
                link.connection(False)

    def up(self) -> None:
        """Begin again after `down`: everybody reconnects."""
        with self._lock:
            self._up = True
            for link in self._links:
                link.connection(True)
                self._resend(link, link.wanted)

    def publish(self, message: Message) -> None:
        """Keep ``message`` if it is to be retained (an empty one erases), and give it to all who listen."""
        with self._lock:
            if message.retained and message.payload:
                self.retained[message.topic] = message.payload
            elif message.retained:
                self.retained.pop(message.topic, None)
            for link in self._links:
                link.deliver(Message(message.topic, message.payload))

    def _join(self, link: LoopbackLink) -> None:
        with self._lock:
            for other in [known for known in self._links if known.client_id == link.client_id and known is not link]:
                self._leave(other)
            if link not in self._links:
                self._links.append(link)
                link.connection(self._up)
                self._resend(link, link.wanted)

    def _leave(self, link: LoopbackLink, *, clean: bool = False) -> None:
        with self._lock:
            if link not in self._links:
                return
            self._links.remove(link)
            link.connection(False)
            if self._up and link.will is not None and not clean:
                self.publish(Message(link.will.topic, link.will.payload, retained=True))

    def _resend(self, link: LoopbackLink, filters: Iterable[str]) -> None:
        with self._lock:
            new = set(filters)
            for topic, payload in self.retained.items():
                if any(topics.matches(wanted, topic) for wanted in new):
                    link.deliver(Message(topic, payload, retained=True))


class LoopbackLink:
    """One client of a `Loopback`; a `wire.link.Link`."""

    def __init__(self, broker: Loopback, client_id: str, will: Will | None) -> None:
        self.client_id, self.will = client_id, will
        self.wanted: set[str] = set()
        self._broker = broker
        self._inbox = Inbox(MOST_MESSAGES, MOST_WAITING_BYTES)
        self._connected = False
        self._connections = 0

    def start(self) -> None:
        """As `Link.start`."""
        self._broker._join(self)

    def stop(self) -> None:
        """As `Link.stop`."""
        self._broker._leave(self, clean=True)

    def publish(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> bool:  # noqa: ARG002 - the broker ignores it
        """As `Link.publish`."""
        if not self._connected:
            return False
        if len(payload) > topics.MOST_BYTES:
            self._inbox.refuse(Refusal(Reason.TOO_BIG, topic, f"{len(payload)} bytes, not sent"))
            return False
        self._broker.publish(Message(topic, payload, retained=retain))
        return True

    def listen(self, filters: Iterable[tuple[str, int]]) -> None:
        """As `Link.listen`."""
        wanted = {wanted for wanted, _ in filters}
        new, self.wanted = wanted - self.wanted, wanted
        if self._connected:
            self._broker._resend(self, new)

    def take(self, timeout_seconds: float) -> list[Message]:
        """As `Link.take`."""
        return self._inbox.take(timeout_seconds)

    def wake(self) -> None:
        """As `Link.wake`."""
        self._inbox.stir()

    def connections(self) -> int:
        """As `Link.connections`."""
        return self._connections

    def connected(self) -> bool:
        """As `Link.connected`."""
        return self._connected

    def refusals(self) -> list[Refusal]:
        """As `Link.refusals`."""
        return self._inbox.refusals()

    def deliver(self, message: Message) -> None:
        """Called by the broker: take the message in if it was asked for."""
        if self._connected and any(topics.matches(wanted, message.topic) for wanted in self.wanted):
            self._inbox.put(message)

    def connection(self, made: bool) -> None:
        """Called by the broker: the connection was made, or is gone."""
        if made != self._connected:
            self._connected = made
            self._connections += made
            self._inbox.stir()
