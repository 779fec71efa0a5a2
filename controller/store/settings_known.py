"""What each setting was when a part of the station began last: as a person may read it, and a mark of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from controller.store import chain
from controller.store.columns import key, text
from controller.store.database import Database
from controller.store.rows import Act
from controller.store.tables import metadata

settings_known = sa.Table("settings_known", metadata, key("part"), key("name"), text("shown"), text("mark"))


class Known(NamedTuple):
    """A setting: ``shown`` holds no secret, ``mark`` (64 hex digits) tells whether the value is the same."""

    shown: str
    mark: str


class SettingsKnown:
    """By part: the controller, the web alone, the station alone; each may have settings of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, part: str) -> dict[str, Known]:
        """Every setting of that part at its last start; empty before the first."""
        query = sa.select(settings_known).where(settings_known.c.part == part)
        with self._database.reading() as connection:
            return {row.name: Known(row.shown, row.mark) for row in connection.execute(query)}

    def put(self, part: str, now: Mapping[str, Known], acts: Sequence[Act]) -> None:
        """What they are now, and what is to be said of it, in one transaction."""
        rows = [{"part": part, "name": name, "shown": each.shown, "mark": each.mark} for name, each in now.items()]
        with self._database.writing() as connection:
            connection.execute(sa.delete(settings_known).where(settings_known.c.part == part))
            connection.execute(sa.insert(settings_known), rows)
            chain.append(connection, acts)
