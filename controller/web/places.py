"""Where what changed may be seen: in areas that are paths, or everywhere (None) when that is not sure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from controller.roster import AreaKind
from controller.store import Store
from controller.store.traces import Told, Touched
from wire.names import lies_within
from wire.plan import BulletinClass

_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')


class Places:
    """Asks the store for homes and programmes, and keeps the programmes as long as none is applied."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._at = -1
        self._programmes: dict[str, str] = {}

    def known(self, named: Iterable[str]) -> frozenset[str] | None:
        """The areas of these, a node's home for a node; None when one is a group, everywhere, or unknown."""
        roster, homes = self._store.roster, self._store.roster.homes()
        groups = {area.id for area in roster.areas() if area.kind is AreaKind.GROUP}
        found = {homes.get(each, "") for each in named}
        return None if not found or "" in found or found & groups else frozenset(found)

    def of_announcement(self, touched: Touched) -> frozenset[str] | None:
        """Where an announcement may be seen: where it is booked, and where a programme names it or has a slot for it.

        Empty: nowhere but by its author.
        """
        if touched.names & {source.fallback for source in self._store.airing.sources.values()}:
            return None
        areas, names = set(touched.areas), [_as_written(name) for name in touched.names]
        for area, said in self._said().items():
            if any(name in said for name in names) or any(self._holds(area, each) for each in touched.slotted):
                areas.add(area)
        return self.known(areas) if areas else frozenset()

    def _holds(self, area: str, named: str) -> bool:
        return lies_within(self._store.roster.homes().get(named, named), area)

    def of_jobs(self, told: Sequence[Told]) -> tuple[frozenset[str] | None, bool]:
        """Where it shows that nodes told of these jobs, and whether one is an emergency's.

        At home, wherever its booking is to sound; of a programme's item wherever one holds that reaches the node.
        """
        booked = self._store.traces.booked(each.booking for each in told)
        urgent = any(each[1] == BulletinClass.EMERGENCY.value for each in booked.values())
        named = {each.node for each in told}.union(*(areas for areas, _ in booked.values()))
        homes = self.known(named)
        if homes is None or all(each.booking in booked for each in told):
            return homes, urgent
        wide = [area for area in self._said() if any(lies_within(home, area) for home in homes)]
        return self.known({*homes, *wide}), urgent

    def _said(self) -> dict[str, str]:
        at = self._store.traces.numbers().tables.get("programmes", 0)
        if at != self._at:
            self._programmes, self._at = self._store.traces.programmes(), at
        return self._programmes


def _as_written(name: str) -> str:
    """The longest part of a name that stands in a programme's text as it is, whatever is escaped there."""
    return max(_ESCAPED.split(name), key=len)
