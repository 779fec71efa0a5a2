"""The inbox of a link: what has arrived and was not yet taken.

- Bounded by count and by bytes: what would go over is refused, counted, and the connection stays.
- Written to by the network's thread, emptied by the owner's; one condition stands between them.
"""

from __future__ import annotations

import threading
from collections import deque

from wire.errors import Reason, Refusal
from wire.link import Message

MOST_REFUSALS = 1000  # kept until asked for; what comes after is only in the log
_MESSAGE_BYTES = 200  # what a message costs beside its payload


class Inbox:
    """Messages waiting for their owner."""

    def __init__(self, most_messages: int, most_bytes: int) -> None:
        """``most_messages``, ``most_bytes``: what may wait; both at least 1."""
        self._most_messages, self._most_bytes = most_messages, most_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._refusals: deque[Refusal] = deque()
        self._stirred = False
        self._changed = threading.Condition()

    def put(self, message: Message) -> bool:
        """Add ``message``; False, and a refusal, when there is no room for it."""
        size = len(message.payload) + len(message.topic) + _MESSAGE_BYTES
        with self._changed:
            if len(self._messages) >= self._most_messages or self._bytes + size > self._most_bytes:
                waiting = f"{len(self._messages)} messages of {self._bytes} bytes are waiting"
                self._note(Refusal(Reason.INBOX_FULL, message.topic[:200], waiting))
                return False
            self._messages.append(message)
            self._bytes += size
            self._changed.notify_all()
        return True

    def take(self, timeout_seconds: float) -> list[Message]:
        """Everything waiting, oldest first; waits up to the timeout, or until `stir`, when there is nothing."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._stirred, timeout_seconds)
            taken = list(self._messages)
            self._messages.clear()
            self._bytes, self._stirred = 0, False
        return taken

    def stir(self) -> None:
        """Make a waiting `take` return now, or the next one return at once."""
        with self._changed:
            self._stirred = True
            self._changed.notify_all()

    def refuse(self, refusal: Refusal) -> None:
        """Note something that was refused before it got here."""
        with self._changed:
            self._note(refusal)

    def refusals(self) -> list[Refusal]:
        """What was refused since the last call."""
        with self._changed:
            noted = list(self._refusals)
            self._refusals.clear()
        return noted

    def _note(self, refusal: Refusal) -> None:
        if len(self._refusals) < MOST_REFUSALS:
            self._refusals.append(refusal)
