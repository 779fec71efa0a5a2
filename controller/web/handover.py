"""Connections on their way from one thread to another: each is taken once, or closed at the end. Nothing is lost."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from threading import Lock

Wake = Callable[[Callable[[], None]], None]  # calls what it is given on the thread that takes, soon or never


class Handover:
    """Safe from any thread."""

    def __init__(self) -> None:
        self._on_their_way: set[socket.socket] = set()
        self._lock, self._is_over = Lock(), False

    def give(self, connection: socket.socket, take: Callable[[], None], wake: Wake) -> None:
        """``take`` is called over there, unless the end comes before. Raises OSError after the end."""
        with self._lock:
            if self._is_over:
                raise OSError(errno.ESHUTDOWN, "the server is ending")
            self._on_their_way.add(connection)
            wake(lambda: self._arrived(connection, take))

    def end(self) -> None:
        """Close what nobody took, and give no more."""
        with self._lock:
            self._is_over = True
            for each in self._on_their_way:
                each.close()
            self._on_their_way.clear()

    def _arrived(self, connection: socket.socket, take: Callable[[], None]) -> None:
        with self._lock:
            if connection not in self._on_their_way:
                return
            self._on_their_way.remove(connection)
        take()
