"""What a link is subscribed to, as against what it wants to be: asked for until the broker has granted it.

- `want` may be called from any thread at any time; the network's thread brings it about.
- What is not answered at all is the link's to judge (`unanswered_since`).
- A refused filter is asked for again after 1 s, doubling to 60 s; a new connection asks for everything anew.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Protocol

from wire import topics

BATCH = 20  # filters in one SUBSCRIBE; NATS may lose what is published while it works on one packet
FIRST_RETRY_SECONDS, MOST_RETRY_SECONDS = 1.0, 60.0
FOREVER_SECONDS = 3600.0

log = logging.getLogger(__name__)


class Asker(Protocol):
    """What `bring_about` needs of a client: both return the packet's id."""

    def ask(self, filters: list[tuple[str, int]]) -> int:
        """Send SUBSCRIBE."""

    def ask_no_more(self, filters: list[str]) -> int:
        """Send UNSUBSCRIBE."""


class Subscriptions:
    """Filters wanted, asked for and granted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[str, int] = {}
        self._wild: list[str] = []
        self._ever_wanted = self._changed = False
        self._asked: dict[str, int] = {}  # sent in this connection, and not refused
        self._waiting: dict[int, list[str]] = {}  # packet id -> its filters, in order
        self._asked_at: dict[int, float] = {}
        self._retry_seconds = FIRST_RETRY_SECONDS
        self._refused: set[str] = set()
        self._again_at: float | None = None

    def want(self, filters: Iterable[tuple[str, int]]) -> None:
        """The complete set of (filter, QoS) wanted from now on."""
        with self._lock:
            self._wanted = dict(filters)
            self._wild = [wanted for wanted in self._wanted if "+" in wanted or "#" in wanted]
            self._ever_wanted = self._changed = True

    def begin(self) -> None:
        """A new connection: nothing has been asked for yet."""
        with self._lock:
            self._asked, self._waiting, self._refused, self._changed = {}, {}, set(), True
            self._asked_at = {}
            self._retry_seconds, self._again_at = FIRST_RETRY_SECONDS, None

    def covers(self, topic: str) -> bool:
        """Whether ``topic`` is wanted: a session kept by the broker may still hold filters of an earlier life."""
        with self._lock:
            if not self._ever_wanted or topic in self._wanted:
                return True
            return any(topics.matches(wild, topic) for wild in self._wild)

    def bring_about(self, client: Asker, now: float) -> float:
        """Ask ``client`` for what is missing, and for what is gone no more.

        ``now``: monotonic seconds. Returns after how many seconds to come again, if nothing else happens.
        """
        with self._lock:
            if self._again_at is not None and now >= self._again_at:
                self._refused, self._again_at, self._changed = set(), None, True
            if self._refused and self._again_at is None:
                self._again_at = now + self._retry_seconds
                self._retry_seconds = min(MOST_RETRY_SECONDS, self._retry_seconds * 2)
            if self._changed:
                self._changed = False
                self._ask(client, now)
            return FOREVER_SECONDS if self._again_at is None else max(0.0, self._again_at - now)

    def unanswered_since(self) -> float | None:
        """When the oldest SUBSCRIBE that has no answer was sent (monotonic seconds); None when all have theirs."""
        with self._lock:
            return min(self._asked_at.values(), default=None)

    def _ask(self, client: Asker, now: float) -> None:
        gone = [old for old in self._asked if old not in self._wanted]
        for start in range(0, len(gone), BATCH):
            client.ask_no_more(gone[start : start + BATCH])
        for name in gone:
            del self._asked[name]
        open_filters = self._wanted.items() - self._asked.items()
        missing = sorted((name, qos) for name, qos in open_filters if name not in self._refused)
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            packet = client.ask(batch)
            self._waiting[packet], self._asked_at[packet] = [name for name, _ in batch], now
            self._asked.update(batch)

    def answered(self, packet: int, granted: list[bool]) -> None:
        """The broker's answer to the SUBSCRIBE ``packet``: whether each of its filters, in order, was granted."""
        with self._lock:
            names = self._waiting.pop(packet, [])
            self._asked_at.pop(packet, None)
            # a broker that answers for too few has refused the rest
            refused = [name for at, name in enumerate(names) if at >= len(granted) or not granted[at]]
            for name in refused:
                self._asked.pop(name, None)
            self._refused.update(refused)
        if refused:
            log.warning("subscribe=refused filters=%d first=%s", len(refused), refused[0])
