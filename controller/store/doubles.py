"""Doubles: nodes that seem to live twice, as they were noted last. Gone when another device takes the node's place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.fact_tables import doubles
from controller.store.shapes import all_shaped, columns


@dataclass(frozen=True)
class DoubleRow:
    """Two runs of one node, told apart by their boot ids, and when they were seen by turns."""

    node: str
    boot_id: str
    other_boot_id: str
    address: str
    other_address: str
    first_at: datetime
    last_at: datetime
    count: int = 1


class DoubleBook:
    """One row for each node."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, seen: Iterable[DoubleRow]) -> None:
        """Enter what was seen; of a node that is noted already the first moment stays."""
        rows = [columns(each) for each in seen]
        if not rows:
            return
        insert = self._database.upsert(doubles)
        newer: dict[str, Any] = {
            column.name: insert.excluded[column.name] for column in doubles.c if column.name not in ("node", "first_at")
        }
        newer["count"] = doubles.c.count + 1
        with self._database.writing() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["node"], set_=newer), rows)

    def since(self, moment: datetime) -> dict[str, DoubleRow]:
        """Those that were seen at ``moment`` or later, by node."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(doubles).where(doubles.c.last_at >= moment))
            return {each.node: each for each in all_shaped(DoubleRow, found)}
