"""Areas and nodes, as they were entered; read from memory (`muster`), which the database says is still right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.roster import Area, Maintenance, Node
from controller.store import muster
from controller.store.database import Database
from controller.store.finding import plain
from controller.store.muster import Muster, Mustered
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import areas, node_groups, nodes
from wire.config import VolumeBand

_AT_ONCE = 500  # nodes named in one query
_ASKED_AT: ContextVar[int | None] = ContextVar("roster", default=None)


class RosterBook:
    """The roster's rows; what follows from them is for `controller.roster`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._muster = Muster()

    def add_area(self, area: Area, act: Act | None = None) -> None:
        """Enter ``area``, or its new name and kind."""
        row = columns(area)
        with self._database.wishing(act) as connection:
            connection.execute(
                self._database.upsert(areas).values(row).on_conflict_do_update(index_elements=["id"], set_=row)
            )

    def areas(self) -> list[Area]:
        """Every area, in order of name on the wire: a parent before what lies in it."""
        return list(self._now().areas.values())

    def area(self, area_id: str) -> Area | None:
        """One area, if it has been entered."""
        return self._now().areas.get(area_id)

    def add_node(self, node: Node, act: Act | None = None) -> None:
        """Enter ``node`` with its groups, or replace what was entered under its name.

        Raises StoreError ``store.conflict`` for an unknown home or group, or a key that another node has.
        """
        with self._database.wishing(act) as connection:
            enter(connection, self._database, node)

    def set_data_budget(self, node_ids: Sequence[str], bytes_per_day: int | None, act: Act) -> None:
        """Let these nodes have a data budget of their own; None: the station's again."""
        values = {"data_budget_bytes_per_day": bytes_per_day}
        with self._database.wishing(act) as connection:
            for first in range(0, len(node_ids), _AT_ONCE):
                mine = nodes.c.id.in_(node_ids[first : first + _AT_ONCE])
                connection.execute(sa.update(nodes).where(mine).values(values))

    def set_volumes(self, node_id: str, volumes: Sequence[VolumeBand], act: Act) -> None:
        """Let this node have volumes of its own; none: those of its place again."""
        with self._database.wishing(act) as connection:
            held = [{"since": each.since, "volume_dbfs": each.volume_dbfs} for each in volumes]
            connection.execute(sa.update(nodes).where(nodes.c.id == node_id).values(volumes=held))

    def maintain(self, node_id: str, why: Maintenance | None, act: Act) -> None:
        """Let this node be in maintenance, or be in it no more (None)."""
        values = _maintenance(why)
        with self._database.wishing(act) as connection:
            connection.execute(sa.update(nodes).where(nodes.c.id == node_id).values(values))

    def end_maintenance(self, now: datetime, by: str) -> list[str]:
        """End what is over by ``now``, each with a line in the audit log; those nodes, in order of name."""
        over = nodes.c.maintenance & (nodes.c.maintenance_until <= now)
        with self._database.reading() as connection:
            if connection.execute(sa.select(nodes.c.id).where(over).limit(1)).first() is None:
                return []
        with self._database.wishing() as connection:
            ended = connection.execute(sa.select(nodes.c.id).where(over).order_by(nodes.c.id)).scalars().all()
            connection.execute(sa.update(nodes).where(over).values(_maintenance(None)))
            for node_id in ended:
                self._database.note(connection, Act(by, "maintenance over", node_id, "", now))
        return list(ended)

    def nodes(self) -> list[Node]:
        """Every enrolled node, in order of name."""
        return list(self._now().nodes.values())

    def names(self, node_ids: Sequence[str]) -> dict[str, str]:
        """How these nodes are called for people."""
        known = self._now().nodes
        return {each: known[each].name for each in node_ids if each in known}

    def all_names(self) -> Mapping[str, str]:
        """How every area and every node is called for people; not to be changed."""
        return self._now().names

    def homes(self) -> Mapping[str, str]:
        """Every area and node, with the area that it is or hangs in; not to be changed."""
        return self._now().homes

    def hanging(self) -> dict[str, int]:
        """How many nodes hang in each area, and are in each group; those that were revoked do not count."""
        here = (node for node in self._now().nodes.values() if node.revoked_at is None)
        return dict(Counter(area for node in here for area in (node.home, *node.groups)))

    def count(self) -> int:
        """How many nodes are enrolled."""
        return len(self._now().nodes)

    def under(self, areas: Iterable[str]) -> list[Node]:
        """The nodes that listen to any of ``areas``, in order of name: `nodes_under` of all, without reading all."""
        return self._now().under(areas)

    def listeners(self, areas: Iterable[str]) -> frozenset[str]:
        """Their names."""
        return self._now().listeners(areas)

    def listening(self) -> Mapping[str, int]:
        """How many nodes listen to each area, those that were revoked among them; not to be changed."""
        return self._now().listening

    def reached(self, areas: Iterable[str]) -> list[Node]:
        """The same without those that were revoked."""
        return self._now().reached(areas)

    def node(self, node_id: str) -> Node | None:
        """One node, if it is enrolled."""
        return self._now().nodes.get(node_id)

    def by_name(self) -> Mapping[str, Node]:
        """Every enrolled node by its name; not to be changed."""
        return self._now().nodes

    def _now(self) -> Mustered:
        """The roster as the database has it: what is held, where it is still right."""
        asked_at = _ASKED_AT.get()
        held = self._muster.held(asked_at) if asked_at is not None else None
        if held is not None:
            return held
        with self._database.reading() as connection:
            number = muster.number(connection)  # first: what is read after it is as new, or newer
            held = self._muster.held(number)
            if held is not None:
                return held
            every = connection.execute(sa.select(areas).order_by(areas.c.id))
            found = all_shaped(Area, every), all_nodes(connection)
        return self._muster.hold(number, found)


def as_of(number: int | None) -> None:
    """From now on this thread reads the roster of that number, without asking again; None: as it is."""
    _ASKED_AT.set(number)


def _maintenance(why: Maintenance | None) -> dict[str, Any]:
    told = {"maintenance": why is not None, "maintenance_until": why.until if why else None}
    return told | {"maintenance_reason": why.reason if why else "", "maintenance_by": why.by if why else ""}


def enter(connection: sa.Connection, database: Database, node: Node) -> None:
    """Within a transaction: `RosterBook.add_node`."""
    row = columns(node, "groups") | {"words": plain(f"{node.name} {node.id}")}
    connection.execute(database.upsert(nodes).values(row).on_conflict_do_update(index_elements=["id"], set_=row))
    connection.execute(sa.delete(node_groups).where(node_groups.c.node == node.id))
    if node.groups:
        memberships = [{"node": node.id, "area": group} for group in dict.fromkeys(node.groups)]
        connection.execute(sa.insert(node_groups), memberships)


def all_nodes(connection: sa.Connection, only: str | None = None) -> list[Node]:
    """Within a transaction: every node, or the one named."""
    wanted, memberships = sa.select(nodes).order_by(nodes.c.id), sa.select(node_groups).order_by(node_groups.c.area)
    if only is not None:
        wanted, memberships = wanted.where(nodes.c.id == only), memberships.where(node_groups.c.node == only)
    return _shaped(connection, wanted, memberships)


def some_nodes(connection: sa.Connection, ids: Sequence[str]) -> list[Node]:
    """Within a transaction: those nodes, in order of name."""
    wanted = sa.select(nodes).where(nodes.c.id.in_(ids)).order_by(nodes.c.id)
    memberships = sa.select(node_groups).where(node_groups.c.node.in_(ids)).order_by(node_groups.c.area)
    return _shaped(connection, wanted, memberships)


def _shaped(connection: sa.Connection, wanted: sa.Select[Any], memberships: sa.Select[Any]) -> list[Node]:
    groups: dict[str, list[str]] = defaultdict(list)
    for node, area in connection.execute(memberships):
        groups[node].append(area)
    rows = connection.execute(wanted).mappings()
    return [shaped(Node, {**row, "groups": groups[row["id"]]}) for row in rows]
