"""The roster in memory: every area and node as the database has them now, read again only when one was written.

- ``tidings.roster`` grows with every statement that writes an area, a node or a group (`heed` sees to it, whoever
  writes, in whatever process): one look at that number says whether what is held is still right.
- Threads share what is held. It is never changed, only replaced by a newer one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from types import MappingProxyType
from typing import Any, TypeVar

import sqlalchemy as sa

from controller.roster import Area, Node
from controller.store.tables import areas, node_groups, nodes, tidings

T = TypeVar("T")
WATCHED = frozenset({areas, nodes, node_groups})
MOST_HELD = 200_000  # listeners of sets of areas that were asked for, all together; some 10 MB


@dataclass(frozen=True)
class _Crowd:
    """Nodes that listen to some areas, in order of name."""

    nodes: tuple[Node, ...]

    @cached_property
    def reached(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.revoked_at is None)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(node.id for node in self.nodes)


@dataclass(frozen=True)
class Mustered:
    """The roster at ``number``: areas by name on the wire, nodes by name, in that order."""

    number: int
    areas: Mapping[str, Area]
    nodes: Mapping[str, Node]
    names: Mapping[str, str]  # of all nodes and areas, for people
    homes: Mapping[str, str]  # of all nodes and areas: the area that it is or hangs in
    # what was asked so far, since pages ask for the same few places again and again
    _asked: dict[tuple[str, ...], _Crowd] = field(default_factory=dict, init=False, repr=False, compare=False)
    _asking: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    @cached_property
    def _listening(self) -> dict[str, list[int]]:
        """Area -> which of the nodes, by their place in the roster, listen to it."""
        found: dict[str, list[int]] = defaultdict(list)
        for place, node in enumerate(self.nodes.values()):
            for area in node.listens:
                found[area].append(place)
        return dict(found)

    @cached_property
    def _in_order(self) -> tuple[Node, ...]:
        return tuple(self.nodes.values())

    @cached_property
    def listening(self) -> Mapping[str, int]:
        """How many nodes listen to each area that any listens to; not to be changed."""
        return MappingProxyType({area: len(some) for area, some in self._listening.items()})

    def under(self, areas: Iterable[str]) -> list[Node]:
        """Those nodes that listen to any of ``areas``, in order of name: `roster.nodes_under`, by an index."""
        return list(self._crowd(areas).nodes)

    def reached(self, areas: Iterable[str]) -> list[Node]:
        """The same without those that were revoked."""
        return list(self._crowd(areas).reached)

    def listeners(self, areas: Iterable[str]) -> frozenset[str]:
        """The names of all that listen to any of ``areas``."""
        return self._crowd(areas).names

    def _crowd(self, areas: Iterable[str]) -> _Crowd:
        asked = tuple(dict.fromkeys(areas))
        found = self._asked.get(asked)
        if found is None:
            places = [self._listening.get(area, ()) for area in asked]
            wanted = places[0] if len(places) == 1 else sorted({place for some in places for place in some})
            found = _Crowd(tuple(self._in_order[place] for place in wanted))
            with self._asking:
                if sum(len(each.nodes) for each in self._asked.values()) < MOST_HELD:
                    self._asked[asked] = found
        return found


def heed(connection: sa.Connection, statement: Any, *_rest: object) -> None:
    """Before a statement: if it writes what is held in memory, the number grows in the same transaction."""
    if isinstance(statement, sa.UpdateBase) and getattr(statement, "table", None) in WATCHED:
        connection.execute(sa.update(tidings).values(roster=tidings.c.roster + 1))


def number(connection: sa.Connection) -> int:
    """Within a transaction: the roster's number."""
    return int(connection.execute(_NUMBER).scalar_one())


_NUMBER = sa.select(tidings.c.roster)


class Muster:
    """What is held, for every thread of this process."""

    def __init__(self) -> None:
        self._held: Mustered | None = None
        self._reading = Lock()

    def held(self, at: int) -> Mustered | None:
        """The roster of that number, if it is what is held."""
        held = self._held
        return held if held is not None and held.number == at else None

    def hold(self, at: int, found: tuple[Iterable[Area], Iterable[Node]]) -> Mustered:
        """Hold what was read, unless something newer is held; rows that are as they were stay the same objects."""
        with self._reading:
            before = self._held
            if before is not None and before.number > at:
                return before
            by_area = _kept({each.id: each for each in found[0]}, before.areas if before else {})
            by_node = _kept({each.id: each for each in found[1]}, before.nodes if before else {})
            called = {each.id: each.name for each in by_node.values()}
            names = called | {each.id: each.name for each in by_area.values()}
            homes = {each.id: each.home for each in by_node.values()} | {name: name for name in by_area}
            views = MappingProxyType(by_area), MappingProxyType(by_node), MappingProxyType(names)
            self._held = made = Mustered(at, *views, MappingProxyType(homes))
            return made


def _kept(found: dict[str, T], before: Mapping[str, T]) -> dict[str, T]:
    """What was read, with the objects that were held where they are equal: what they worked out is kept with them."""
    return {name: before[name] if before.get(name) == row else row for name, row in found.items()}
