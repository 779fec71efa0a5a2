"""The registry at the desk: areas and nodes are entered here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from controller.desk import rules
from controller.desk.wishes import DeskError, Enrolment
from controller.roster import Area, AreaKind, Node, ancestors
from controller.store import Store
from controller.store.rows import Act, Role, User
from wire import names
from wire.names import BadName, lies_within
from wire.seal import PublicKey

MOST_NAME_CHARS = 100


class Registry:
    """The part of the desk where the roster grows. Both are for administrators."""

    _store: Store
    _bell: Callable[[], None]

    def add_area(self, area: Area, who: User, now: datetime) -> Area:
        """Enter an area, or its new name; what it lies in must have been entered. Raises DeskError."""
        rules.need(who, Role.ADMINISTRATOR)
        entered = Area(_wire_name(names.area_id, area.id), _shown_name(area.name), area.kind)
        known = {each.id for each in self._store.roster.areas()}
        for parent in ancestors(area.id)[:1]:
            if parent not in known:
                raise DeskError("desk.unknown_area", area=parent)
        if self._store.roster.node(area.id):
            raise DeskError("desk.name_taken", name=area.id)
        _reach(area.id, who)
        self._store.roster.add_area(entered, Act(who.name, "added area", area.id, entered.name, now))
        self._bell()
        return entered

    def enrol(self, enrolment: Enrolment, who: User, now: datetime) -> Node:
        """Enter a node, or replace its key, names and places; its other settings stay. Raises DeskError."""
        rules.need(who, Role.ADMINISTRATOR)
        kinds = {area.id: area.kind for area in self._store.roster.areas()}
        held = {node.id: node for node in self._store.roster.nodes()}
        node = _wire_name(names.node_id, enrolment.node)
        if node in kinds:
            raise DeskError("desk.name_taken", name=node)
        if kinds.get(enrolment.home, AreaKind.GROUP) is AreaKind.GROUP:
            raise DeskError("desk.unknown_area", area=enrolment.home[:80])
        for group in enrolment.groups:
            if group not in kinds:
                raise DeskError("desk.unknown_area", area=group[:80])
        for area in {enrolment.home, *enrolment.groups, *([held[node].home] if node in held else [])}:
            _reach(area, who)
        key = _key(enrolment.public_key)
        if any(each.public_key == key and each.id != node for each in held.values()):
            raise DeskError("desk.bad_key")
        entered = _entered(held.get(node), enrolment, key, now)
        self._store.roster.add_node(entered, Act(who.name, "enrolled", node, f"home={entered.home}", now))
        self._bell()
        return entered


def _entered(held: Node | None, enrolment: Enrolment, key: str, now: datetime) -> Node:
    home, groups = enrolment.home, tuple(sorted(set(enrolment.groups)))
    named = Node(enrolment.node, _shown_name(enrolment.name), home, key, enrolled_at=now, groups=groups)
    if held is None:
        return named
    return replace(held, name=named.name, home=home, public_key=key, enrolled_at=now, groups=groups)


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


def _reach(area: str, who: User) -> None:
    if not lies_within(area, who.area):
        raise DeskError("desk.not_your_area", area=area, name=who.name)
