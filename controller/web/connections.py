"""Who may hold a connection to the web, and how long a request may take to arrive.

- Requests are gathered without a thread, so whoever drips a head or a body holds a place, never a worker; and not for
  long: a head has seconds, a body as long as a slow but honest line needs for its size.
- One address holds a part of all places, and no flood more than all: memory and descriptors are bounded.
- Many nodes may sit behind one address of a mobile carrier. So a connection on which a node's whole request has come
  (for audio, for a certificate) counts apart while it is answered, up to a part that leaves room for all others: what
  holds a place and asks for nothing is what the small part is for.
- A proxy on this machine speaks for many, so this machine's own addresses are not counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address
from threading import Lock
from time import monotonic
from typing import Any

from waitress.channel import HTTPChannel

from controller.web.guesses import place
from controller.web.refusal import Refusal
from controller.web.viewers import Task, Viewer
from wire import enrolment, renewal

MOST_CONNECTIONS = 2000
MOST_BY_ADDRESS = 200  # a commune's whole office behind one address; an IPv6 network of 64 bits is one
MOST_ANSWERED_BY_ADDRESS = 1000  # nodes of a carrier, besides those
OF_NODES = ("/audio/", enrolment.PATH, renewal.PATH)  # where their paths begin
HEAD_SECONDS = 20.0
BODY_SECONDS = 60.0
LEAST_BYTES_PER_SECOND = 2048


class Crowd:
    """Counts who is inside, by address. Safe from any thread."""

    def __init__(
        self,
        most: int = MOST_CONNECTIONS,
        most_by_address: int = MOST_BY_ADDRESS,
        most_answered: int = MOST_ANSWERED_BY_ADDRESS,
    ) -> None:
        self._most, self._most_by_address, self._most_answered = most, most_by_address, most_answered
        self._inside: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()  # of those
        self._lock = Lock()

    def enter(self, address: str) -> bool:
        """Whether one more may come from there; counted if so."""
        where = place(address)
        with self._lock:
            if self._inside.total() >= self._most:
                return False
            if self._inside[where] - self._answered[where] >= self._most_by_address and not _here(address):
                return False
            self._inside[where] += 1
            return True

    def leave(self, address: str) -> None:
        """One that had come in is gone."""
        where = place(address)
        with self._lock:
            self._inside[where] -= 1
            if self._inside[where] <= 0:
                del self._inside[where]

    def answer(self, address: str) -> bool:
        """A node's request has come from there; whether its connection counts apart from now on."""
        where = place(address)
        with self._lock:
            if self._answered[where] >= self._most_answered:
                return False
            self._answered[where] += 1
            return True

    def rest(self, address: str) -> bool:
        """It is answered; whether there is a place for it to wait for another request: half are for who comes anew."""
        where = place(address)
        with self._lock:
            self._answered[where] -= 1
            if self._answered[where] <= 0:
                del self._answered[where]
            return self._inside[where] - self._answered[where] <= self._most_by_address // 2 or _here(address)

    def __len__(self) -> int:
        return self._inside.total()


def late(waited: float, head_is_here: bool, body_bytes: int) -> bool:
    """Whether a request that began to arrive ``waited`` seconds ago, with a body of that size, takes too long."""
    return waited > (BODY_SECONDS + body_bytes / LEAST_BYTES_PER_SECOND if head_is_here else HEAD_SECONDS)


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection, as waitress has it. ``left`` is called once, when it ends."""

    error_task_class = Refusal
    task_class = Task

    def __init__(self, server: Any, connection: Any, address: Any, adjustments: Any, left: Callable[[], None]) -> None:
        self._left: Callable[[], None] | None = left
        self._crowd, self._from, self._counts_apart = server.crowd, address[0], False
        self._arriving: Any = None
        self._since: float | None = monotonic()  # a first request is waited for no longer than for its head
        super().__init__(server, connection, address, adjustments, map=server._map)

    def received(self, data: bytes) -> bool:
        """Note when the request that is arriving began. A viewer has nothing more to ask: whoever does, is let go."""
        if isinstance(next(iter(self.requests), None), Viewer):
            self.will_close = True
            return False
        taken = bool(super().received(data))
        if self.request is not self._arriving or self.request is None:
            self._arriving = self.request
            self._since = None if self.request is None else monotonic()
        return taken

    def begin(self) -> None:
        """A whole request is here, before any worker has it: a node's counts apart."""
        if not self._counts_apart and getattr(self.requests[0], "path", "").startswith(OF_NODES):
            self._counts_apart = self._crowd.answer(self._from)

    def service(self) -> None:
        """A request is answered, or a viewer's connection stays."""
        first = self.requests[0]
        if isinstance(first, Viewer):
            first.begin()
        else:
            super().service()

    def settle(self) -> None:
        """Where a node has its answer: its connection counts as any other's again, or ends."""
        if self._counts_apart and not self.requests and not self.total_outbufs_len:
            self._counts_apart = False
            if not self._crowd.rest(self._from):
                self.will_close = True

    def is_late(self) -> bool:
        """Whether what is arriving should have arrived by now."""
        arriving = self._arriving
        if self._since is None or self.requests:  # nothing begun, or one is being answered
            return False
        head, size = (arriving.headers_finished, arriving.content_length) if arriving else (False, 0)
        return late(monotonic() - self._since, head, max(size, arriving.body_bytes_received if arriving else 0))

    def del_channel(self, map: Any = None) -> None:  # noqa: A002 - waitress calls it so
        """It is gone: its place is free."""
        super().del_channel(map)
        for each in self.requests:
            if isinstance(each, Viewer):
                each.close()
        if self._counts_apart:
            self._counts_apart = False
            self._crowd.rest(self._from)
        left, self._left = self._left, None
        if left is not None:
            left()


def _here(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
