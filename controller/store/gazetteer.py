"""Official codes of areas, since when and until when each holds, and what became of the units of before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from controller.gazetteer import Heir, Plan, State
from controller.gazetteer.units import CHANGED_ON
from controller.store.alert_tables import area_codes, area_heirs
from controller.store.database import Database
from controller.store.positions import Position, Positions
from controller.store.rows import Act
from controller.store.shapes import columns
from controller.store.tables import areas

BEFORE = "GSO-before="


@dataclass(frozen=True)
class Became:
    """A unit that an area has something of, by name: all of it, or a part."""

    name: str
    whole: bool


class GazetteerBook:
    """What imports wrote. The codes themselves are the alerts' too: one table."""

    def __init__(self, database: Database, positions: Positions) -> None:
        self._database, self._positions = database, positions

    def enter(self, plan: Plan, heirs: Iterable[Heir], located: Sequence[Position], act: Act) -> int:
        """Enter what is new or renamed, every code, every heir, and positions; nothing is taken away or written over.

        How many of ``located`` had no position.
        """
        with self._database.wishing(act) as connection:
            for each in plan.found:
                if each.state is not State.UNTOUCHED:
                    row = columns(each.area)
                    enter = self._database.upsert(areas).values(row)
                    connection.execute(enter.on_conflict_do_update(index_elements=["id"], set_=row))
                since, until = (None, CHANGED_ON) if each.code.startswith(BEFORE) else (CHANGED_ON, None)
                code = {"code": each.code, "area": each.area.id, "since": since, "until": until}
                known = self._database.upsert(area_codes).values(code)
                connection.execute(known.on_conflict_do_update(index_elements=["code"], set_=code))
            names = {each.unit.code: each.unit.name for each in plan.found if each.code.startswith(BEFORE)}
            for heir in heirs:
                made = columns(heir) | {"name": names.get(heir.former, heir.former)}
                known = self._database.upsert(area_heirs).values(made)
                connection.execute(known.on_conflict_do_update(index_elements=["former", "heir"], set_=made))
            return self._positions.fill(connection, located)

    def heirs(self) -> dict[str, list[Became]]:
        """Of each former commune that is an area here: the areas that it became, by name, in order."""
        old, new = area_codes.alias(), area_codes.alias()
        query = (
            sa.select(old.c.area, areas.c.name, area_heirs.c.whole)
            .select_from(area_heirs)
            .join(old, old.c.code == BEFORE + area_heirs.c.former)
            .join(new, new.c.code == "GSO=" + area_heirs.c.heir)
            .join(areas, areas.c.id == new.c.area)
            .where(old.c.area != new.c.area)  # else it went into it
            .order_by(old.c.area, areas.c.name)
        )
        found: dict[str, list[Became]] = defaultdict(list)
        with self._database.reading() as connection:
            for area, name, whole in connection.execute(query):
                found[area].append(Became(name, whole))
        return dict(found)
