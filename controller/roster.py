"""The roster: which node listens to which area. Pure functions on the area tree.

- An area's name is its path, so ancestors are prefixes; a group is an area that nodes are put into by hand.
- A node listens to its own name, its home, every ancestor of its home, and its groups.
- It keeps no rows: they come from `controller.store`, decisions are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache

from wire.config import QuietHours, VolumeBand

MOST_AREAS_KEPT = 10_000  # areas of which the ancestors are kept; a large province has some 3,000


class AreaKind(StrEnum):
    """What an area is. The tree may be of any depth; a group lies beside it."""

    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"
    HAMLET = "hamlet"
    GROUP = "group"


@dataclass(frozen=True)
class Area:
    """An area (địa bàn): ``id`` is its ``:``-path."""

    id: str
    name: str
    kind: AreaKind


@dataclass(frozen=True)
class Node:
    """A node (cụm loa) as the station knows it; ``public_key`` is 64 hex digits."""

    id: str
    name: str
    home: str
    public_key: str
    enrolled_at: datetime
    groups: tuple[str, ...] = ()
    offset_ms: int = 0
    quiet: QuietHours | None = None  # None: the station's quiet hours
    volumes: tuple[VolumeBand, ...] = ()
    maintenance: bool = False
    maintenance_until: datetime | None = None  # when it is over by itself; None: when somebody says so
    maintenance_reason: str = ""
    maintenance_by: str = ""  # a sign-in name
    data_budget_bytes_per_day: int | None = None  # None: the station's; 0: no budget
    revoked_at: datetime | None = None  # its key and certificates count no more, until a device takes its place

    @cached_property
    def listens(self) -> tuple[str, ...]:
        """Every area that it listens to, each once: itself, its home, the ancestors of that, its groups."""
        return tuple(dict.fromkeys((self.id, self.home, *ancestors(self.home), *self.groups)))


@dataclass(frozen=True)
class Maintenance:
    """Why a node is not to sound for a while, until when, and who said so (a sign-in name)."""

    reason: str
    until: datetime
    by: str


@lru_cache(maxsize=MOST_AREAS_KEPT)
def ancestors(area: str) -> tuple[str, ...]:
    """The areas that ``area`` lies in, the nearest first, itself not among them."""
    parts = area.split(":")
    return tuple(":".join(parts[:depth]) for depth in range(len(parts) - 1, 0, -1))


def commune_of(home: str, communes: frozenset[str]) -> str:
    """The one of ``communes`` that ``home`` is or lies in; ``home`` itself where it lies in none."""
    return next((area for area in (home, *ancestors(home)) if area in communes), home)


def areas_of(node: Node) -> tuple[str, ...]:
    """Every area that ``node`` listens to, each once: itself, its home, the ancestors of that, its groups."""
    return node.listens


def communes_of(areas: Iterable[Area], nodes: Iterable[Node], wanted: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The communes that any ``wanted`` area reaches, and which areas or nodes it means in each, both in order."""
    communes = sorted(area.id for area in areas if area.kind is AreaKind.COMMUNE)
    known = tuple(nodes)
    found: dict[str, list[str]] = {}
    for area in wanted:
        for commune in communes:
            if commune == area or area in ancestors(commune):
                found.setdefault(commune, []).append(commune)
            elif commune in ancestors(area):
                found.setdefault(commune, []).append(area)
            else:
                hung = [node.id for node in known if area in (node.id, *node.groups) and _lies_in(node, commune)]
                if hung:
                    found.setdefault(commune, []).extend(hung)
    return {commune: tuple(dict.fromkeys(found[commune])) for commune in sorted(found)}


def _lies_in(node: Node, commune: str) -> bool:
    return commune == node.home or commune in ancestors(node.home)


def nodes_under(nodes: Iterable[Node], areas: Iterable[str]) -> list[Node]:
    """Those ``nodes`` that listen to any of ``areas``, in the order given."""
    wanted = frozenset(areas)
    return [node for node in nodes if not wanted.isdisjoint(node.listens)]


def reached(nodes: Iterable[Node], areas: Iterable[str]) -> list[Node]:
    """The same without those that were revoked: nothing is sent to them, and nothing is heard from them."""
    return [node for node in nodes_under(nodes, areas) if node.revoked_at is None]
