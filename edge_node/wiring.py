"""The wiring: which GPIO lines the node has, as its settings write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"(gpiochip[0-9]{1,3}):(!?)([0-9]{1,4})", re.ASCII)


@dataclass(frozen=True)
class Line:
    """One line of one chip: ``gpiochip0:17``, or ``gpiochip0:!17`` when it is active low."""

    chip: str
    offset: int
    active_low: bool = False

    @classmethod
    def read(cls, written: str) -> Line | None:
        """The line that a setting names; None for an empty one. Raises ValueError."""
        if not written:
            return None
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise ValueError(f"not a line: {written!r}")
        return cls(found[1], int(found[3]), bool(found[2]))


@dataclass(frozen=True)
class Wiring:
    """What is wired; None where nothing is."""

    mains: Line | None = None
    battery: Line | None = None
    amplifier: Line | None = None
