"""Connections on their way from one thread to another: each is taken once, or closed at the end. Nothing is lost."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from threading import Condition

Wake = Callable[[Callable[[], None]], None]  # calls what it is given on the thread that takes, soon or never


class Handover:
    """Safe from any thread. No lock is held while somebody is woken: whoever takes may hold one of their own."""

    def __init__(self) -> None:
        self._on_their_way: set[socket.socket] = set()
        self._changed = Condition()
        self._waking, self._is_over = 0, False

    def give(self, connection: socket.socket, take: Callable[[], None], wake: Wake) -> None:
        """``take`` is called over there, unless the end comes before. Raises OSError after the end."""
        with self._changed:
            if self._is_over:
                raise OSError(errno.ESHUTDOWN, "the server is ending")
            self._on_their_way.add(connection)
            self._waking += 1
        try:
            wake(lambda: self._arrived(connection, take))
        finally:
            with self._changed:
                self._waking -= 1
                self._changed.notify_all()

    def end(self) -> None:
        """Close what nobody took, and give no more: nobody is woken any more when this returns."""
        with self._changed:
            self._is_over = True
            self._changed.wait_for(lambda: self._waking == 0)
            for each in self._on_their_way:
                each.close()
            self._on_their_way.clear()

    def _arrived(self, connection: socket.socket, take: Callable[[], None]) -> None:
        with self._changed:
            if connection not in self._on_their_way:
                return
            self._on_their_way.remove(connection)
        take()
