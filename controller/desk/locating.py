"""Where areas and nodes stand, at the desk: entered by whoever equips there, one by one or out of a file.

- Degrees of WGS 84, within Việt Nam with its sea and islands: a pair that was typed the wrong way round is found.
- A file is taken whole or not at all; what is wrong with it is said with its line.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator
from datetime import datetime

from controller.desk import reach
from controller.desk.wishes import DeskError
from controller.rights import Permission
from controller.store import Store
from controller.store.positions import Position
from controller.store.rows import Act, User

LATITUDES, LONGITUDES = (6.0, 24.0), (101.0, 118.0)
MOST_FILE_BYTES, MOST_PLACES = 4_000_000, 50_000
HEAD = ("id", "latitude", "longitude")


class Locating:
    """The part of the desk where places get their positions."""

    _store: Store
    _bell: Callable[[], None]

    def locate(self, place: str, latitude: str, longitude: str, who: User, now: datetime) -> Position:
        """Enter where an area or a node stands; degrees as typed, with a point or a comma. Raises DeskError."""
        found = Position(self._own(place, who, now), *degrees(latitude, longitude), who.id, now)
        self._store.positions.put([found], Act(who.name, "located", found.place, _told(found), now))
        return found

    def locate_nowhere(self, place: str, who: User, now: datetime) -> None:
        """Forget where it stands; what is not known stays so. Raises DeskError."""
        place = self._own(place, who, now)
        self._store.positions.drop(place, Act(who.name, "located", place, "", now))

    def locate_all(self, content: bytes, who: User, now: datetime) -> int:
        """Enter what a CSV file says (``id,latitude,longitude``, UTF-8); how many. Raises DeskError."""
        reach.need(who, Permission.EQUIP, now)
        homes = reach.homes_of(self._store)
        found: dict[str, Position] = {}
        for number, (place, latitude, longitude) in rows(content):
            try:
                if not reach.may(who, Permission.EQUIP, [homes[place]], now):
                    raise KeyError(place)
                found[place] = Position(place, *degrees(latitude, longitude), who.id, now)
            except (KeyError, DeskError) as wrong:
                raise DeskError("desk.position_line", line=number, place=place[:80]) from wrong
        told = f"{len(found)}: {', '.join(sorted(found)[:3])}"
        self._store.positions.put(list(found.values()), Act(who.name, "located", "*", told, now))
        return len(found)

    def _own(self, place: str, who: User, now: datetime) -> str:
        (found,) = reach.places(self._store, [place], who, Permission.EQUIP, now)
        return found


def degrees(latitude: str, longitude: str) -> tuple[float, float]:
    """The pair that was typed. Raises DeskError."""
    pair = _number(latitude), _number(longitude)
    for value, (least, most) in zip(pair, (LATITUDES, LONGITUDES), strict=True):
        if value is None or not least <= value <= most:
            raise DeskError("desk.bad_position", south=6, north=24, west=101, east=118)
    return round(pair[0] or 0.0, 6), round(pair[1] or 0.0, 6)


def rows(content: bytes) -> Iterator[tuple[int, tuple[str, str, str]]]:
    """The lines of a file with their numbers, the head left out. Raises DeskError."""
    if len(content) > MOST_FILE_BYTES:
        raise DeskError("desk.position_file", why="> 4 MB")
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        for number, line in enumerate(lines, start=1):
            cells = tuple(cell.strip() for cell in line)
            if not any(cells) or (number == 1 and cells[:3] == HEAD):
                continue
            if len(cells) != len(HEAD) or number > MOST_PLACES:
                raise DeskError("desk.position_file", why=f"{number}: {','.join(cells)[:60]}")
            yield number, (cells[0], cells[1], cells[2])
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise DeskError("desk.position_file", why=wrong) from wrong


def _number(typed: str) -> float | None:
    text = typed.strip().replace(",", ".")
    if len(text) > 24 or not text.isascii() or "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _told(position: Position) -> str:
    return f"{position.latitude:.5f}, {position.longitude:.5f}"
