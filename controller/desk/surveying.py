"""Official units at the desk: what an import would do is shown before it is done, and nothing is ever taken away."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from controller import gazetteer
from controller.desk import former, reach
from controller.desk.districting import Districting
from controller.desk.locating import LATITUDES, LONGITUDES
from controller.desk.wishes import DeskError
from controller.gazetteer import Gazetteer, Here, Plan, State, Structure
from controller.rights import Permission
from controller.store.positions import Position
from controller.store.rows import Act, User


class Surveying(Districting):
    """The part of the desk where official units are brought in."""

    def foresee_units(self, held: Gazetteer, structure: Structure, groups: bool, who: User, now: datetime) -> Plan:
        """What `enter_units` would do. Raises DeskError, GazetteerError."""
        reach.need(who, Permission.PLACES, now)
        here = Here(self._store.roster.areas(), self._store.alerts.codes(), former.read(self._store).has)
        plan = gazetteer.plan(held, structure, here, groups)
        for each in plan.found:
            reach.need(who, Permission.PLACES, now, each.area.id)
            if self._store.roster.node(each.area.id):
                raise DeskError("desk.name_taken", name=each.area.id)
        placed = self._store.positions.all()
        return replace(plan, located=sum(area not in placed and _is_here(at, on) for area, at, on in plan.positions))

    def enter_units(self, held: Gazetteer, structure: Structure, groups: bool, who: User, now: datetime) -> Plan:
        """Enter a province's units with their codes: new ones, new names, positions of those that have none.

        Raises DeskError, GazetteerError.
        """
        plan = self.foresee_units(held, structure, groups, who, now)
        told = {each.value: len(plan.of(each)) for each in State} | {"structure": structure.value}
        act = Act(who.name, "imported areas", plan.found[0].area.id, json.dumps(told), now)
        located = [Position(area, at, on, who.id, now) for area, at, on in plan.positions if _is_here(at, on)]
        self._store.gazetteer.enter(plan, held.heirs if groups else (), located, act)
        self._bell()
        return plan


def _is_here(latitude: float, longitude: float) -> bool:
    return LATITUDES[0] <= latitude <= LATITUDES[1] and LONGITUDES[0] <= longitude <= LONGITUDES[1]
