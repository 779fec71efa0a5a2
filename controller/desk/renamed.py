"""What areas will be called where they go. Pure.

- One keeps the last part of its name, and its name as people read it, unless that is taken where it comes: every
  commune has its Thôn 1. What is taken then says where it comes from: ``thon-1-dong-dang``, “Thôn 1 (Đồng Đăng)”.
- What another was called before it moved is taken too, for good (`former`).
- Whoever moves a single one may say what it is called there: that is not changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from controller import gazetteer
from controller.desk.former import Former
from controller.roster import Area, ancestors
from wire.names import lies_within

MOST_PART_CHARS, MOST_MARK_CHARS = 60, 24
MOST_SHOWN_CHARS, MOST_FROM_CHARS = 60, 36


@dataclass(frozen=True)
class Renaming:
    """``names``: old → new for all that moves; the ``areas`` as they will be.

    ``called``: new → what people read, of those for whom a name was taken, or whom somebody called so.
    """

    names: Mapping[str, str]
    areas: tuple[Area, ...]
    called: Mapping[str, str]


@dataclass(frozen=True)
class Tree:
    """The areas that there are by name, and the names that others had before."""

    known: Mapping[str, Area]
    left: Former = field(default_factory=Former)


def merged(tree: Tree, area: str, to: str) -> Renaming:
    """All that lies in ``area`` comes into ``to``, and ``area`` is no more."""
    return _placed(tree, area, to, {area: to}, tree.known[area])


def moved(tree: Tree, area: str, to: str, called: str = "") -> Renaming:
    """``area`` with all in it comes under ``to``. ``called``: what people there are to read; empty: as it is."""
    if not called:
        return _placed(tree, area, to, {}, tree.known.get(next(iter(ancestors(area)), "")))
    top = f"{to}:{gazetteer.slug(called)}"
    found = _placed(tree, area, top, {area: top}, None)
    first, *rest = found.areas
    return Renaming(found.names, (replace(first, name=called), *rest), {top: called})


def _placed(tree: Tree, area: str, into: str, settled: dict[str, str], source: Area | None) -> Renaming:
    """``settled``: who is called what, whoever is there; what lies right below comes into ``into``."""
    known = tree.known
    own = sorted((each for each in known.values() if lies_within(each.id, area)), key=lambda each: each.id.split(":"))
    there = [each for each in known.values() if not lies_within(each.id, area)]
    shown = {_read(each) for each in there if ancestors(each.id)[:1] == (into,)}
    place = _Place({each.id for each in there}, shown, tree.left)
    right_in = area.count(":") + bool(settled)
    entering = {
        each.id: replace(each, id=f"{into}:{each.id.rpartition(':')[2]}")
        for each in own
        if each.id.count(":") == right_in
    }
    clashing = {old for old, new in entering.items() if place.has(new, old)}
    place.ids |= {new.id for old, new in entering.items() if old not in clashing}
    names, areas, called = dict(settled), [], dict[str, str]()
    for each in own:
        above = next((over for over in ancestors(each.id) if over in names), "")
        new = entering.get(each.id) or replace(each, id=settled.get(each.id) or names[above] + each.id[len(above) :])
        if each.id in clashing:
            new = place.beside(new, each.id, source)
            called[new.id] = new.name
        names[each.id] = new.id
        areas.append(new)
    return Renaming(names, tuple(areas), called)


@dataclass
class _Place:
    """What will be there: names on the wire, and of what lies right in it what people read, as slugs."""

    ids: set[str]
    shown: set[str]
    left: Former

    def has(self, area: Area, was: str) -> bool:
        """Whether one of its name, or of its name as people read it, is there. ``was``: what it is called today."""
        return self._is_taken(area.id, was) or _read(area) in self.shown

    def _is_taken(self, area: str, was: str) -> bool:
        return area in self.ids or self.left.has(area, was)

    def beside(self, area: Area, was: str, source: Area | None) -> Area:
        """``area`` by a name that nobody has or had, which says where it comes from, where its own is taken."""
        id_taken, is_read = self._is_taken(area.id, was), _read(area) in self.shown
        above, _, part = area.id.rpartition(":")
        mark = source.id.rpartition(":")[2][:MOST_MARK_CHARS].strip("-") if source else ""
        came = gazetteer.bare(source.name)[:MOST_FROM_CHARS] if source else ""
        start = part[: MOST_PART_CHARS - MOST_MARK_CHARS].strip("-")
        for number in count(1):
            again = str(number) if number > 1 or not mark else ""
            new = replace(
                area,
                id=f"{above}:{'-'.join(each for each in (start, mark, again) if each)}" if id_taken else area.id,
                name=f"{area.name[:MOST_SHOWN_CHARS]} ({' '.join(each for each in (came, again) if each)})"
                if is_read
                else area.name,
            )
            if not self.has(new, was):
                break
        self.ids.add(new.id)
        self.shown.add(_read(new))
        return new


def _read(area: Area) -> str:
    return gazetteer.slug(area.name)
