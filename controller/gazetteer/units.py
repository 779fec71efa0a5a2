"""Units, and what became of them; what is no unit is refused by name.

Codes are those of the General Statistics Office: two digits a province, three a district, five a commune. A code may
mean one unit before 1 July 2025 and another since: the kind of a code says which (`Structure.code`).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from controller.roster import AreaKind
from words import Said

DIGITS = {AreaKind.PROVINCE: 2, AreaKind.DISTRICT: 3, AreaKind.COMMUNE: 5}
CHANGED_ON = "2025-07-01"  # districts ceased, communes were merged (Resolution 202/2025/QH15)
MOST_UNITS = 3000  # of one province
MOST_NAME_CHARS = 100
_CODE = re.compile(r"[0-9]{2,5}")


class GazetteerError(Said):
    """A file that is no list of units; nothing was written."""


class Structure(StrEnum):
    """Which units: since 1 July 2025, or before."""

    NOW = "2025"
    BEFORE = "before"

    def code(self, code: str) -> str:
        """The code with its kind, as areas are known by."""
        return f"{'GSO' if self is Structure.NOW else 'GSO-before'}={code}"


@dataclass(frozen=True)
class Unit:
    """A unit; ``parent`` is a code (empty: a province), the position in degrees, where it is known."""

    code: str
    name: str
    kind: AreaKind
    parent: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Heir:
    """A former commune's code, and that of one it became: ``whole``, or in part."""

    former: str
    heir: str
    whole: bool


@dataclass(frozen=True)
class Gazetteer:
    """A province's units, parents before children, those of before 1 July 2025, and heirs."""

    province: str
    units: tuple[Unit, ...]
    former: tuple[Unit, ...] = ()
    heirs: tuple[Heir, ...] = ()


def unit(row: tuple[object, object, AreaKind, object], place: tuple[object, object] = (None, None)) -> Unit:
    """A unit of code, name, kind and parent's code. Raises GazetteerError."""
    code, name, kind, parent = row
    known = code_of(code, kind)
    return Unit(known, _name(name, known), kind, str(parent or ""), *_position(place, known))


def code_of(code: object, kind: AreaKind) -> str:
    """A code of a unit of that kind. Raises GazetteerError."""
    if not isinstance(code, str) or not _CODE.fullmatch(code) or len(code) != DIGITS.get(kind):
        raise GazetteerError("gazetteer.bad_code", code=str(code)[:40])
    return code


def ordered(units: Iterable[Unit], province: str) -> tuple[Unit, ...]:
    """Each once, by depth and code. Raises GazetteerError for two of one code, or one whose parent is missing."""
    found: dict[str, Unit] = {}
    for each in units:
        if found.setdefault(each.code, each) != each:
            raise GazetteerError("gazetteer.twice", code=each.code)
    if province not in found:
        raise GazetteerError("gazetteer.no_province", province=province)
    for each in found.values():
        if each.kind is not AreaKind.PROVINCE and each.parent not in found:
            raise GazetteerError("gazetteer.no_parent", code=each.code, parent=each.parent[:20])
        if each.parent and DIGITS[each.kind] <= DIGITS[found[each.parent].kind]:
            raise GazetteerError("gazetteer.no_parent", code=each.code, parent=each.parent[:20])
    if len(found) > MOST_UNITS:
        raise GazetteerError("gazetteer.too_many", most=MOST_UNITS)
    return tuple(sorted(found.values(), key=lambda each: (len(each.code), each.code)))


def _name(name: object, code: str) -> str:
    if not isinstance(name, str):
        raise GazetteerError("gazetteer.bad_name", code=code)
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if not 0 < len(shown) <= MOST_NAME_CHARS or not shown.isprintable() or shown[0] in "=+-@":
        raise GazetteerError("gazetteer.bad_name", code=code)
    return shown


def _position(place: tuple[object, object], code: str) -> tuple[float | None, float | None]:
    if place in ((None, None), ("", "")):
        return None, None
    try:
        latitude, longitude = (float(str(each)) for each in place)
    except ValueError:
        raise GazetteerError("gazetteer.bad_position", code=code) from None
    if not (math.isfinite(latitude) and abs(latitude) <= 90 and math.isfinite(longitude) and abs(longitude) <= 180):
        raise GazetteerError("gazetteer.bad_position", code=code)
    return latitude, longitude
