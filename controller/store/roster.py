"""Areas and nodes, as they were entered."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from controller.roster import Area, Node
from controller.store.database import Database
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import areas, node_groups, nodes


class RosterBook:
    """The roster's rows; what follows from them is for `controller.roster`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_area(self, area: Area, act: Act | None = None) -> None:
        """Enter ``area``, or its new name and kind."""
        row = columns(area)
        with self._database.wishing(act) as connection:
            connection.execute(
                self._database.upsert(areas).values(row).on_conflict_do_update(index_elements=["id"], set_=row)
            )

    def areas(self) -> list[Area]:
        """Every area, in order of name on the wire: a parent before what lies in it."""
        with self._database.reading() as connection:
            return all_shaped(Area, connection.execute(sa.select(areas).order_by(areas.c.id)))

    def area(self, area_id: str) -> Area | None:
        """One area, if it has been entered."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(areas).where(areas.c.id == area_id)).first()
        return shaped(Area, row) if row else None

    def add_node(self, node: Node, act: Act | None = None) -> None:
        """Enter ``node`` with its groups, or replace what was entered under its name.

        Raises StoreError ``store.conflict`` for an unknown home or group, or a key that another node has.
        """
        row = columns(node, "groups")
        with self._database.wishing(act) as connection:
            connection.execute(
                self._database.upsert(nodes).values(row).on_conflict_do_update(index_elements=["id"], set_=row)
            )
            connection.execute(sa.delete(node_groups).where(node_groups.c.node == node.id))
            if node.groups:
                memberships = [{"node": node.id, "area": group} for group in dict.fromkeys(node.groups)]
                connection.execute(sa.insert(node_groups), memberships)

    def nodes(self) -> list[Node]:
        """Every enrolled node, in order of name."""
        with self._database.reading() as connection:
            return all_nodes(connection)

    def node(self, node_id: str) -> Node | None:
        """One node, if it is enrolled."""
        with self._database.reading() as connection:
            found = all_nodes(connection, node_id)
        return found[0] if found else None


def all_nodes(connection: sa.Connection, only: str | None = None) -> list[Node]:
    """Within a transaction: every node, or the one named."""
    wanted, memberships = sa.select(nodes).order_by(nodes.c.id), sa.select(node_groups).order_by(node_groups.c.area)
    if only is not None:
        wanted, memberships = wanted.where(nodes.c.id == only), memberships.where(node_groups.c.node == only)
    groups = defaultdict(list)
    for node, area in connection.execute(memberships):
        groups[node].append(area)
    rows = connection.execute(wanted).mappings()
    return [shaped(Node, {**row, "groups": groups[row["id"]]}) for row in rows]
