"""Where areas and nodes stand on the earth, as somebody entered it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from controller.store.columns import key, moment, text
from controller.store.database import Database
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns
from controller.store.tables import metadata

positions = sa.Table(
    "positions",
    metadata,
    key("place"),
    sa.Column("latitude", sa.Double, nullable=False),
    sa.Column("longitude", sa.Double, nullable=False),
    text("set_by"),
    moment("set_at"),
)


@dataclass(frozen=True)
class Position:
    """``place``: an area or a node; degrees of WGS 84; ``set_by``: a person's id."""

    place: str
    latitude: float
    longitude: float
    set_by: str
    set_at: datetime


class Positions:
    """Positions by place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, wanted: Sequence[Position], act: Act | None = None) -> None:
        """Enter positions, all or none; what stood for a place is replaced."""
        enter = self._database.upsert(positions)
        kept = {name: enter.excluded[name] for name in ("latitude", "longitude", "set_by", "set_at")}
        with self._database.wishing(act) as connection:
            if wanted:
                statement = enter.on_conflict_do_update(index_elements=["place"], set_=kept)
                connection.execute(statement, [columns(each) for each in wanted])

    def fill(self, connection: sa.Connection, wanted: Sequence[Position]) -> int:
        """Within a wish: enter positions of places that have none; what stands is left. How many were entered."""
        known = set(connection.execute(sa.select(positions.c.place)).scalars())
        new = [columns(each) for each in wanted if each.place not in known]
        if new:
            connection.execute(self._database.upsert(positions).on_conflict_do_nothing(index_elements=["place"]), new)
        return len(new)

    def drop(self, place: str, act: Act | None = None) -> bool:
        """Forget where a place is; whether that was known."""
        with self._database.wishing(act) as connection:
            return bool(connection.execute(sa.delete(positions).where(positions.c.place == place)).rowcount)

    def all(self) -> dict[str, Position]:
        """Every position, by place."""
        with self._database.reading() as connection:
            found = all_shaped(Position, connection.execute(sa.select(positions)))
        return {each.place: each for each in found}
