"""A calendar file cut into its events, each with the line where it begins: text only.

- Folded lines are made one. Of an event its own properties are kept; what lies inside it (alarms) is not.
- An event that does not end, or stands in another one, is a fault of its own; the next one is read again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from words import Said

MOST_CHARS = 2_000_000
MOST_EVENTS = 2_000
MOST_DEPTH = 8
_ZONE, _EVENT = "VTIMEZONE", "VEVENT"


class IcsError(Said):
    """A calendar, or an event of it, that cannot be taken. ``line`` counts from 1."""

    @property
    def line(self) -> int:
        """Where it stands; 1 for the whole file."""
        line = self.facts.get("line", 1)
        return line if isinstance(line, int) else 1


@dataclass(frozen=True)
class Block:
    """The content lines of one event or one zone, from its BEGIN to its END; ``line`` counts from 1."""

    line: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a text that a parser takes."""
        return "\r\n".join((*self.lines, ""))


@dataclass
class Cut:
    """A calendar's own properties, its zones, its events, and what is no event."""

    head: list[str] = field(default_factory=list)
    zones: list[Block] = field(default_factory=list)
    events: list[Block] = field(default_factory=list)
    faults: list[IcsError] = field(default_factory=list)


def cut(text: str) -> Cut:
    """``text`` in pieces. Raises IcsError: too long, too deep, too many events, no calendar or several."""
    if len(text) > MOST_CHARS:
        raise IcsError("schedules.ics_too_long", most=MOST_CHARS)
    knife = _Knife()
    for line, content in _unfolded(text):
        knife.take(line, content)
    knife.close()
    if knife.calendars != 1:
        raise IcsError("schedules.ics_no_calendar", count=knife.calendars)
    return knife.made


def _unfolded(text: str) -> list[tuple[int, str]]:
    """The content lines, each with the number of the line where it begins."""
    found: list[tuple[int, list[str]]] = []
    lines = (line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n"))
    for number, line in enumerate(lines, start=1):
        if line[:1] in {" ", "\t"} and found:
            found[-1][1].append(line[1:])
        elif line:
            found.append((number, [line]))
    return [(number, "".join(pieces)) for number, pieces in found]


class _Knife:
    """Where the cutting stands: what has begun and not ended."""

    def __init__(self) -> None:
        self.made = Cut()
        self.calendars = 0
        self._open: list[str] = []
        self._piece: tuple[int, list[str]] | None = None  # the event or zone that is being read

    def take(self, number: int, content: str) -> None:
        """One content line."""
        name, _, value = content.partition(":")
        name, value = name.strip().upper(), value.strip().upper()
        if name == "BEGIN":
            self._begin(number, value, content)
        elif name == "END":
            self._end(value, content)
        elif self._piece and (len(self._open) == 2 or self._open[1] == _ZONE):
            self._piece[1].append(content)
        elif self._open == ["VCALENDAR"]:
            self.made.head.append(content)

    def close(self) -> None:
        """The file has ended: so must have what began in it."""
        self._not_closed()

    def _begin(self, number: int, value: str, content: str) -> None:
        if value == _EVENT and _EVENT in self._open:
            self._not_closed()
            self._open = self._open[: self._open.index(_EVENT)]
        if len(self._open) >= MOST_DEPTH:
            raise IcsError("schedules.ics_too_deep", line=number, most=MOST_DEPTH)
        self._open.append(value)
        self.calendars += self._open == ["VCALENDAR"]
        if self._open in (["VCALENDAR", _EVENT], ["VCALENDAR", _ZONE]):
            self._piece = (number, [content])
        elif self._piece and _ZONE in self._open:
            self._piece[1].append(content)

    def _end(self, value: str, content: str) -> None:
        if not self._open:
            return
        value = value if value in self._open else self._open[-1]  # misspelt: it ends what began last
        if self._piece and value != self._open[-1] and _EVENT in self._open[self._open.index(value) + 1 :]:
            self._not_closed()
        self._open = self._open[: len(self._open) - 1 - self._open[::-1].index(value)]
        if not self._piece:
            return
        if len(self._open) > 1:
            if self._open[1] == _ZONE:
                self._piece[1].append(content)
            return
        line, lines = self._piece
        self._piece = None
        into = self.made.zones if value == _ZONE else self.made.events
        if len(into) >= MOST_EVENTS:
            raise IcsError("schedules.ics_too_many_events", most=MOST_EVENTS)
        into.append(Block(line, (*lines, content)))

    def _not_closed(self) -> None:
        if self._piece:
            self.made.faults.append(IcsError("schedules.ics_not_closed", line=self._piece[0]))
        self._piece = None
