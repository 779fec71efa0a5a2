"""Troubles: what went wrong with each thing, and when it is tried again: later and later, and never all at once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

from wire.errors import Reason

FIRST_BACK_OFF, MOST_BACK_OFF = 1.0, 60.0  # seconds, before jitter
_random = secrets.SystemRandom()


@dataclass
class Trouble:
    """Why a thing is not there, and when it is tried again."""

    reason: Reason
    tries: int
    again_at: float  # monotonic


class Troubles:
    """By name. Not thread-safe: its owner has a lock."""

    def __init__(self) -> None:
        self._all: dict[str, Trouble] = {}

    def note(self, name: str, reason: Reason) -> int:
        """It went wrong. How often it has by now, in a row."""
        before = self._all.get(name)
        tries = before.tries + 1 if before else 1
        pause = min(MOST_BACK_OFF, FIRST_BACK_OFF * 2 ** min(tries - 1, 10)) * _random.uniform(0.5, 1.5)
        self._all[name] = Trouble(reason, tries, time.monotonic() + pause)
        return tries

    def over(self, name: str) -> None:
        """It went well."""
        self._all.pop(name, None)

    def keep_only(self, names: Iterable[str]) -> None:
        """Forget all others."""
        wanted = set(names)
        self._all = {name: trouble for name, trouble in self._all.items() if name in wanted}

    def hurry(self) -> None:
        """Whatever went wrong is tried now."""
        for trouble in self._all.values():
            trouble.again_at = 0.0

    def why(self, name: str) -> Reason | None:
        """What went wrong last; None when nothing did."""
        trouble = self._all.get(name)
        return trouble.reason if trouble else None

    def holds_back(self, name: str) -> bool:
        """Whether it is not to be tried yet."""
        trouble = self._all.get(name)
        return trouble is not None and trouble.again_at > time.monotonic()

    def seconds_to_wait(self) -> float | None:
        """Until the first of them is tried again; None when there is none."""
        times = [trouble.again_at for trouble in self._all.values()]
        return max(0.01, min(times) - time.monotonic()) if times else None
