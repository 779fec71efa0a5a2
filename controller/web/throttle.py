"""Slows down guessing: so many tries at once for each key, then one at a time, as tries come back. Pure.

- A key is whatever tries are counted by: a name, an address, both, or a browser that has been let in before.
- All that is kept of a key is the moment at which it is clean again (generic cell rate, ITU-T I.371); past it, nothing.
- Keys are capped: when there are too many, those that are nearly clean are dropped first, never the ones in the act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from threading import Lock

FORGOTTEN_AFTER = timedelta(minutes=15)  # all tries of a key have come back by then
MOST_KEYS = 10_000
_NONE = timedelta(0)


class Throttle:
    """Counts tries. Safe from any thread."""

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        self._most_keys = most_keys
        self._clean_at: dict[str, datetime] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._clean_at)

    def take(self, patience: Mapping[str, int], now: datetime) -> timedelta:
        """Take a try from each key of ``patience`` (key -> tries at once); how long to wait if one has none left.

        Zero means the try is allowed and was counted. A refused try is not counted.
        """
        with self._lock:
            after = {key: self._after(key, now) + FORGOTTEN_AFTER / most for key, most in patience.items()}
            wait = max((clean - now - FORGOTTEN_AFTER for clean in after.values()), default=_NONE)
            if wait > _NONE:
                return wait
            self._clean_at |= after
            if len(self._clean_at) > self._most_keys:
                self._make_room(now)
            return _NONE

    def give_back(self, patience: Mapping[str, int], now: datetime) -> None:
        """The try that was just taken from each key was no guess."""
        with self._lock:
            for key, most in patience.items():
                self._clean_at[key] = self._after(key, now) - FORGOTTEN_AFTER / most

    def forget(self, keys: Iterable[str]) -> None:
        """These keys are clean again."""
        with self._lock:
            for key in keys:
                self._clean_at.pop(key, None)

    def _after(self, key: str, now: datetime) -> datetime:
        return max(self._clean_at.get(key, now), now)

    def _make_room(self, now: datetime) -> None:
        """Drop what is clean, and a tenth more than is too many, so that this is rare."""
        kept = sorted((clean, key) for key, clean in self._clean_at.items() if clean > now)
        self._clean_at = {key: clean for clean, key in kept[-(self._most_keys * 9 // 10) :]}
