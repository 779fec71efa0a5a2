"""Whose turn it is: of very many open pages only some are told at once, and the next as soon as one has been answered.

- A page that is told asks for itself again. What is told and not yet here, and what is being answered, are counted.
- What may wait (a measurement, the passing of time) gets a share of one processor and no more, however many pages are
  open: what a page costs is measured.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic

MOST_AT_ONCE = 2  # pages told, or being answered: more only wait for each other's processor
COMING_SECONDS = 0.5  # how long one that was told is waited for
PATIENT_SHARE = 0.15  # of a processor, for what may wait
MOST_SAVED_SECONDS = 1.0  # of that share
FIRST_GUESS_SECONDS = 0.05  # what a page costs, before any was asked for
WEIGHT = 0.1  # of the newest page in the mean


class Turns:
    """Counts pages on their way. ``clock`` gives seconds that never go back. Safe from any thread."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._coming: deque[float] = deque()
        self._answering = 0
        self._cost = FIRST_GUESS_SECONDS
        self._saved, self._saved_at = MOST_SAVED_SECONDS, clock()

    def told(self, patiently: bool = False) -> None:
        """A page was told, or, of what may wait, told at the cost of that share."""
        with self._lock:
            self._coming.append(self._clock())
            if patiently:
                self._saved -= self._cost

    def begin(self) -> None:
        """A page asks for itself."""
        with self._lock:
            self._answering += 1
            if self._coming:
                self._coming.popleft()

    def end(self, spent_seconds: float) -> None:
        """It is answered, which took that much of a processor."""
        with self._lock:
            self._answering -= 1
            self._cost += WEIGHT * (spent_seconds - self._cost)

    def room(self) -> int:
        """How many more may be told now."""
        with self._lock:
            while self._coming and self._clock() - self._coming[0] >= COMING_SECONDS:
                self._coming.popleft()
            return max(0, MOST_AT_ONCE - self._answering - len(self._coming))

    def can_afford(self) -> bool:
        """Whether one more may be told of what could wait."""
        with self._lock:
            now = self._clock()
            self._saved = min(MOST_SAVED_SECONDS, self._saved + PATIENT_SHARE * (now - self._saved_at))
            self._saved_at = now
            return self._saved >= self._cost
