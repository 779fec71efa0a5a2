"""Which units are areas here already, and what the others will be called. Pure.

- One that is here is known by its code, then by its id, then by its plain name under the same parent.
- An id is the slug of the name without the word for its kind; two of one id get the kind or the code.
- Former communes come in as groups beside the tree, whatever became of them. Nothing is ever deleted.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, count

from controller.gazetteer.units import Gazetteer, GazetteerError, Structure, Unit
from controller.roster import Area, AreaKind, ancestors

_KIND = re.compile(r"(thành phố|thị trấn|thị xã|đặc khu|tỉnh|huyện|quận|phường|xã) (?=\S)", re.IGNORECASE)
_OTHER = re.compile(r"[^a-z0-9]+")
MOST_SLUG_CHARS = 40


class State(StrEnum):
    """What an import does with a unit."""

    NEW = "new"
    RENAMED = "renamed"
    UNTOUCHED = "untouched"


@dataclass(frozen=True)
class Found:
    """A unit as an area: ``code`` with its kind; ``was`` is the name that it had."""

    unit: Unit
    area: Area
    code: str
    state: State
    was: str = ""


@dataclass(frozen=True)
class Plan:
    """What an import would do, in the order in which areas are entered; ``located``: how many get a position by it."""

    found: tuple[Found, ...]
    structure: Structure
    located: int = 0

    def of(self, state: State) -> tuple[Found, ...]:
        """Those of which it does that."""
        return tuple(each for each in self.found if each.state is state)

    @property
    def positions(self) -> tuple[tuple[str, float, float], ...]:
        """Area, latitude, longitude, where they are known; of areas of the tree, each once."""
        found = {each.area.id: each for each in reversed(self.found) if each.area.kind is not AreaKind.GROUP}
        known = ((each.area.id, each.unit.latitude, each.unit.longitude) for each in found.values())
        return tuple((area, lat, lon) for area, lat, lon in known if lat is not None and lon is not None)


def _never(_area: str) -> bool:
    return False


@dataclass(frozen=True)
class Here:
    """What is here: the areas, and the area of each code; ``left``: whether one that moved was once called so."""

    areas: Iterable[Area] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    left: Callable[[str], bool] = _never


@dataclass
class _Book:
    """Areas that are here or planned, and by what they are known."""

    areas: dict[str, Area]
    codes: dict[str, str]  # code with its kind -> area
    left: Callable[[str], bool]
    placed: dict[str, str] = field(default_factory=dict)  # a unit's code -> area

    def free(self, choices: Iterable[str]) -> str:
        """The first that no area has or had; if it must be, the last with a number."""
        wanted = list(choices)
        numbered = (f"{wanted[-1]}-{number}" for number in count(2))
        return next(each for each in chain(wanted, numbered) if each not in self.areas and not self.left(each))

    def is_more_than(self, area: str, code: str) -> bool:
        """Whether an area became more than the unit of that code: others went into it, or it is one of today's."""
        kind = code.partition("=")[0]
        today = Structure.NOW.code("")
        return any(
            place == area and own != code and own.startswith((f"{kind}=", today)) for own, place in self.codes.items()
        )

    def is_known_by(self, area: str, kind: str) -> bool:
        """Whether an area has a code of that kind already."""
        return any(place == area and code.startswith(kind) for code, place in self.codes.items())


def plan(held: Gazetteer, structure: Structure, here: Here, former: bool = False) -> Plan:
    """What the import of a province would do here. ``former``: its old communes come as groups.

    Raises GazetteerError where the file has no units of that structure.
    """
    units = held.units if structure is Structure.NOW else held.former
    if not units or (former and not held.former):
        raise GazetteerError("gazetteer.no_province", province=held.province)
    book = _Book({each.id: each for each in here.areas}, dict(here.codes), here.left)
    found = _placed(units, structure, book)
    if former and structure is Structure.NOW:
        found += _groups(held.former, book, book.placed[held.province])
    return Plan(tuple(found), structure)


def _placed(units: tuple[Unit, ...], structure: Structure, book: _Book) -> list[Found]:
    """Those that are here already first: nothing new takes their names."""
    slugs = Counter((each.parent, slug(bare(each.name))) for each in units)
    return [_take(each, structure, book, slugs[each.parent, slug(bare(each.name))] > 1) for each in units]


def _take(unit: Unit, structure: Structure, book: _Book, shared: bool) -> Found:
    code = structure.code(unit.code)
    above = f"{book.placed[unit.parent]}:" if unit.parent else ""
    plain, kind = slug(bare(unit.name)), slug(_KIND.match(unit.name)[1] if _KIND.match(unit.name) else "")  # type: ignore[index]
    choices = [above + each for each in (plain, f"{plain}-{kind}".strip("-"), f"{plain}-{unit.code}")]
    here = (
        book.codes.get(code)
        or _by_id(unit, choices, (code, shared), book)
        or _by_name(unit, above, (code, shared), book)
    )
    if here not in book.areas:
        here = book.free(choices[1 if shared else 0 :])
        return _kept(Found(unit, Area(here, unit.name, unit.kind), code, State.NEW), book)
    held = book.areas[here]
    if held.name == unit.name or held.kind is AreaKind.GROUP or book.is_more_than(here, code):
        return _kept(Found(unit, held, code, State.UNTOUCHED, held.name), book)
    return _kept(Found(unit, Area(here, unit.name, held.kind), code, State.RENAMED, held.name), book)


def _kept(found: Found, book: _Book) -> Found:
    book.areas[found.area.id], book.codes[found.code] = found.area, found.area.id
    book.placed[found.unit.code] = found.area.id
    return found


def _by_id(unit: Unit, choices: list[str], known: tuple[str, bool], book: _Book) -> str | None:
    """The area of such an id that is of that kind: a district of before may be called as a commune of today is."""
    code, shared = known
    kind = code.partition("=")[0] + "="
    free = [each for each in choices[1 if shared else 0 :] if each in book.areas and not book.is_known_by(each, kind)]
    return next((each for each in free if book.areas[each].kind is unit.kind), None)


def _by_name(unit: Unit, above: str, known: tuple[str, bool], book: _Book) -> str | None:
    """The one area of that name under the same parent; two of one name are nobody's."""
    code, shared = known
    kind = code.partition("=")[0] + "="
    parent = (above[:-1],) if above else ()
    beside = [each for each in book.areas.values() if ancestors(each.id)[:1] == parent and each.kind is unit.kind]
    for form in (slug,) if shared else (slug, _bare_slug):
        same = [
            each.id for each in beside if form(each.name) == form(unit.name) and not book.is_known_by(each.id, kind)
        ]
        if len(same) == 1:
            return same[0]
    return None


def _groups(former: tuple[Unit, ...], book: _Book, province: str) -> list[Found]:
    names = {each.code: each.name for each in former}
    communes = [each for each in former if each.kind is AreaKind.COMMUNE]
    often = Counter(slug(bare(each.name)) for each in communes)
    twice = Counter(each.name for each in communes)
    found = []
    for each in communes:
        code, plain = Structure.BEFORE.code(each.code), slug(bare(each.name))
        own = f"{province}:cu-{plain}" + (f"-{each.code}" if often[plain] > 1 else "")
        shown = f"{each.name}, {names[each.parent]}" if twice[each.name] > 1 else each.name
        here = book.codes.get(code) or (own if own in book.areas else book.free([own]))
        held = book.areas.get(here)
        name = f"{shown} (cũ)" if held is None or held.kind is AreaKind.GROUP else held.name  # it went into another
        state = State.NEW if held is None else State.UNTOUCHED if held.name == name else State.RENAMED
        area = Area(here, name, held.kind if held else AreaKind.GROUP)
        book.areas[here], book.codes[code] = area, here
        found.append(Found(each, area, code, state, held.name if held else ""))
    return found


def slug(text: str) -> str:
    """A name as the wire carries it: a-z, figures and hyphens; empty for a text of which nothing is left."""
    marks = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    plain = "".join(each for each in marks if not unicodedata.combining(each))
    return _OTHER.sub("-", plain).strip("-")[:MOST_SLUG_CHARS].strip("-")


def _bare_slug(name: str) -> str:
    return slug(bare(name))


def bare(name: str) -> str:
    """A name without the word for its kind."""
    return _KIND.sub("", name, count=1) if _KIND.match(name) else name
