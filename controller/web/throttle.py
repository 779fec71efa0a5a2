"""Slows down guessing of passwords: a pure count of failures by key, forgotten after a quarter of an hour.

- A key is a name with an address, an address, or a name: each with its own patience.
- It forgets the oldest keys before it grows past its cap, so it cannot be used to fill the memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock

FORGOTTEN_AFTER = timedelta(minutes=15)
MOST_KEYS = 10_000


class Throttle:
    """Counts failures. Safe from any thread."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, datetime]] = OrderedDict()
        self._lock = Lock()

    def take(self, patience: Mapping[str, int], now: datetime) -> timedelta:
        """Count a try against each key of ``patience`` (key -> tries allowed); how long to wait if one is past it.

        Zero means the try is allowed and was counted. A refused try is not counted.
        """
        with self._lock:
            wait = max((self._wait(key, most, now) for key, most in patience.items()), default=timedelta(0))
            if wait <= timedelta(0):
                for key in patience:
                    count, _ = self._failures.pop(key, (0, now))
                    self._failures[key] = (count + 1, now)
                while len(self._failures) > MOST_KEYS:
                    self._failures.popitem(last=False)
            return max(wait, timedelta(0))

    def forget(self, key: str) -> None:
        """A success: the key is clean again."""
        with self._lock:
            self._failures.pop(key, None)

    def _wait(self, key: str, most: int, now: datetime) -> timedelta:
        count, last = self._failures.get(key, (0, now))
        if now - last >= FORGOTTEN_AFTER:
            self._failures.pop(key, None)
            return timedelta(0)
        return last + FORGOTTEN_AFTER - now if count >= most else timedelta(0)
