"""Gains: how loud each of the voices is that sound together. They move together, and never sum to more than 1.

- So what is mixed never clips, whatever the voices are: of two in a cross-fade one falls as the other rises, and
  under one that goes on beneath the upper one is softer by just so much.
- A move runs along half a cosine. One that begins in the midst of another goes on from where that one was.
"""

from __future__ import annotations

from typing import Any


class Gains:
    """The gains by name, 0..1 each. Whoever gives the targets keeps their sum at 1 or less."""

    def __init__(self) -> None:
        self._before: dict[object, float] = {}
        self._after: dict[object, float] = {}
        self._length, self._done = 0, 0  # samples

    @property
    def left(self) -> int:
        """Samples until the move is over; 0 when nothing moves."""
        return self._length - self._done

    def move(self, targets: dict[object, float], samples: int) -> None:
        """Go to ``targets`` within so many samples. Who is not named is gone, who is new comes from nothing."""
        self._before = {name: self.level(name) for name in targets}
        self._after = dict(targets)
        self._length, self._done = samples, 0

    def level(self, name: object) -> float:
        """The gain of the next sample."""
        before, after = self._before.get(name, 0.0), self._after.get(name, 0.0)
        if not self.left:
            return after
        return before + (after - before) * float(self._way(self._done))

    def over(self, name: object, samples: int) -> Any:
        """The gain of each of the next samples, at most ``left`` while something moves: a number, or float64 (n,)."""
        import numpy as np

        before, after = self._before.get(name, 0.0), self._after.get(name, 0.0)
        if not self.left or before == after:
            return after
        return before + (after - before) * self._way(np.arange(self._done, self._done + samples))

    def pass_by(self, samples: int) -> None:
        """So many samples have been given."""
        self._done = min(self._length, self._done + samples)

    def _way(self, place: Any) -> Any:
        """How much of the way is gone at ``place``, 0..1."""
        import numpy as np

        return 0.5 - 0.5 * np.cos(np.pi * place / self._length)
