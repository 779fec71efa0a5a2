"""Folding: what happens again and again becomes few lines, whoever makes it happen. Pure.

- The first of its kind by somebody is a line at once. What follows within `SPAN` is counted, and is one line more with
  the count, when the span is over; while it goes on, one line in each span.
- At most `MOST_NAMED` people have lines of their own in a span; what others do is counted by its kind alone. So there
  is a most that can be written, whatever is tried: 2 × (`MOST_NAMED` + kinds) lines in a span.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SPAN = timedelta(minutes=15)
MOST_NAMED = 12
OTHERS = ""  # whoever has no line of their own


@dataclass(frozen=True)
class Line:
    """What to write: ``count`` times since ``since``; ``detail`` is of the last one."""

    kind: str
    who: str
    detail: str
    count: int
    since: datetime


class Folding:
    """Counts; use it under a lock of one's own."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Line] = {}  # counted since the line that was written; count 0: none yet

    def __len__(self) -> int:
        return len(self._open)

    def note(self, kind: str, who: str, detail: str, now: datetime) -> list[Line]:
        """It happened once more; what to write now."""
        lines = self.due(now)
        place = kind, who
        if place not in self._open and len({name for _, name in self._open if name} | {who}) > MOST_NAMED:
            place = kind, OTHERS
        held = self._open.get(place)
        if held is None:
            self._open[place] = Line(*place, detail, 0, now)
            return [*lines, Line(*place, detail, 1, now)]
        self._open[place] = Line(*place, detail, held.count + 1, held.since)
        return lines

    def due(self, now: datetime) -> list[Line]:
        """What was counted in spans that are over; what goes on is counted anew."""
        over = [line for line in self._open.values() if abs(now - line.since) >= SPAN]
        for line in over:
            del self._open[line.kind, line.who]
            if line.count:
                self._open[line.kind, line.who] = Line(line.kind, line.who, line.detail, 0, now)
        return [line for line in over if line.count]

    def rest(self) -> list[Line]:
        """Everything that was counted and not written, at the end."""
        left = [line for line in self._open.values() if line.count]
        self._open.clear()
        return left
