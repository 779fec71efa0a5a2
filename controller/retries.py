"""Trying again: what failed is left alone for a while, longer each time, and given up after the last."""

from __future__ import annotations

from datetime import datetime, timedelta

PAUSES = tuple(timedelta(seconds=each) for each in (2, 5, 15, 60, 300))


class Retries:
    """Remembers failures by name, in memory: after a restart everything may be tried at once."""

    def __init__(self) -> None:
        self._failed: dict[str, tuple[int, datetime]] = {}

    def may(self, name: str, now: datetime) -> bool:
        """Whether ``name`` may be tried now."""
        return name not in self._failed or now >= self._failed[name][1]

    def failed(self, name: str, now: datetime) -> datetime | None:
        """When ``name``, which failed just now, may be tried again; None after the last pause, and forgotten."""
        times = self._failed[name][0] if name in self._failed else 0
        if times >= len(PAUSES):
            self.forget(name)
            return None
        again = now + PAUSES[times]
        self._failed[name] = (times + 1, again)
        return again

    def forget(self, name: str) -> None:
        """``name`` has come right."""
        self._failed.pop(name, None)
