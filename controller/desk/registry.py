"""The registry at the desk: areas and nodes are entered here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from controller.desk import former, fresh, reach
from controller.desk.fresh import Critical
from controller.desk.wishes import DeskError, Enrolment
from controller.rights import Permission
from controller.roster import Area, AreaKind, Node, ancestors, nodes_under
from controller.store import Store
from controller.store.rows import Act, User
from wire import names
from wire.names import BadName
from wire.seal import PublicKey

MOST_NAME_CHARS = 100
RESERVED = {"station", "broker"}  # who they are at the broker: no node may be called so
MOST_DATA_BYTES = 10**13 - 1


class Registry:
    """The part of the desk where the roster grows. Areas are entered by administrators, nodes by operators."""

    _store: Store
    _bell: Callable[[], None]

    def add_area(self, area: Area, who: User, now: datetime) -> Area:
        """Enter an area, or its new name; what it lies in must have been entered. Raises DeskError."""
        reach.need(who, Permission.PLACES, now)
        entered = Area(_wire_name(names.area_id, area.id), _shown_name(area.name), area.kind)
        known = {each.id for each in self._store.roster.areas()}
        for parent in ancestors(area.id)[:1]:
            if parent not in known:
                raise DeskError("desk.unknown_area", area=parent)
        if self._store.roster.node(area.id):
            raise DeskError("desk.name_taken", name=area.id)
        reach.need(who, Permission.PLACES, now, area.id)
        if area.id not in known and former.read(self._store).has(area.id):
            raise DeskError("desk.area_former", area=area.id)
        self._store.roster.add_area(entered, Act(who.name, "added area", area.id, entered.name, now))
        self._bell()
        return entered

    def enrol(self, enrolment: Enrolment, who: User, now: datetime) -> Node:
        """Enter a node by its key, or replace its key, names and places; its other settings stay. Raises DeskError."""
        placed = self._to_enter(enrolment, who, now)
        fresh.need(who, Critical.NODES, now)
        key = _key(enrolment.public_key)
        if any(each.public_key == key and each.id != placed.id for each in self._store.roster.nodes()):
            raise DeskError("desk.bad_key")
        entered = _entered(self._store.roster.node(placed.id), placed, key)
        self._store.roster.add_node(entered, Act(who.name, "enrolled", entered.id, f"home={entered.home}", now))
        self._bell()
        return entered

    def _to_enter(self, enrolment: Enrolment, who: User, now: datetime) -> Node:
        """The node as it is wished, still without its key; its names and places can be used. Raises DeskError."""
        reach.need(who, Permission.EQUIP, now)
        kinds = {area.id: area.kind for area in self._store.roster.areas()}
        node = _wire_name(names.node_id, enrolment.node)
        held = self._store.roster.node(node)
        if node in kinds or node in RESERVED:
            raise DeskError("desk.name_taken", name=node)
        if kinds.get(enrolment.home, AreaKind.GROUP) is AreaKind.GROUP:
            raise DeskError("desk.unknown_area", area=enrolment.home[:80])
        for group in enrolment.groups:
            if group not in kinds:
                raise DeskError("desk.unknown_area", area=group[:80])
        for area in {enrolment.home, *enrolment.groups, *([held.home] if held else [])}:
            reach.need(who, Permission.EQUIP, now, area)
        groups = tuple(sorted(set(enrolment.groups)))
        return Node(node, _shown_name(enrolment.name), enrolment.home, "", enrolled_at=now, groups=groups)

    def set_data_budget(self, place: str, bytes_per_day: int | None, who: User, now: datetime) -> list[Node]:
        """Let a node, or every node that hangs in an area or group now, have this data budget; those nodes.

        ``bytes_per_day``: 0 for none, None for the station's. Raises DeskError.
        """
        reach.need(who, Permission.EQUIP, now)
        if self._store.roster.node(place) is None and self._store.roster.area(place) is None:
            raise DeskError("desk.unknown_area", area=place[:80])
        chosen = nodes_under(self._store.roster.nodes(), [place])
        for node in chosen:
            reach.need(who, Permission.EQUIP, now, node.home)
        if bytes_per_day is not None and not 0 <= bytes_per_day <= MOST_DATA_BYTES:
            raise DeskError("desk.bad_data_budget")
        told = "-" if bytes_per_day is None else f"{bytes_per_day} bytes"
        act = Act(who.name, "set data budget", place, f"{told}, nodes={len(chosen)}", now)
        self._store.roster.set_data_budget([node.id for node in chosen], bytes_per_day, act)
        self._bell()
        return chosen


def _entered(held: Node | None, placed: Node, key: str) -> Node:
    if held is None:
        return replace(placed, public_key=key)
    told: dict[str, object] = {"revoked_at": held.revoked_at if key == held.public_key else None}
    told |= {"name": placed.name, "home": placed.home, "groups": placed.groups, "enrolled_at": placed.enrolled_at}
    return replace(held, public_key=key, **told)  # type: ignore[arg-type]


def _key(text: str) -> str:
    try:
        return PublicKey.from_hex(text.strip()).hex
    except ValueError:
        raise DeskError("desk.bad_key") from None


def _wire_name(read: Callable[[str], str], text: str) -> str:
    try:
        return read(text)
    except BadName:
        raise DeskError("desk.bad_name", name=text[:80]) from None


def _shown_name(text: str) -> str:
    tidy = " ".join(text.split())
    if not tidy or len(tidy) > MOST_NAME_CHARS or not tidy.isprintable():
        raise DeskError("desk.bad_name", name=tidy[:80])
    return tidy
