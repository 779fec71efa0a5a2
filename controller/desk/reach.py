"""Whether a person may do what they wish, there and now: the one gate of the desk.

- Every method that changes anything asks here, with the act, the area and the moment.
- Who may do it nowhere hears so; who may do it elsewhere hears that this is not their area.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from controller import rights
from controller.desk.wishes import DeskError
from controller.rights import EVERYWHERE, Permission
from controller.roster import AreaKind
from controller.store import Store
from controller.store.rows import Announcement, User
from wire.plan import BulletinClass, Level

MOST_AREAS = 500
_LEVELS = {
    AreaKind.PROVINCE: Level.PROVINCE,
    AreaKind.DISTRICT: Level.DISTRICT,
    AreaKind.COMMUNE: Level.COMMUNE,
    AreaKind.HAMLET: Level.COMMUNE,
    AreaKind.GROUP: Level.COMMUNE,
}

Acts = Permission | tuple[Permission, ...]


def to_write(bulletin_class: BulletinClass) -> tuple[Permission, ...]:
    """The acts of which one lets a person write it: whoever orders emergencies writes those."""
    emergency = bulletin_class is BulletinClass.EMERGENCY
    return (Permission.WRITE, Permission.WARN) if emergency else (Permission.WRITE,)


def to_approve(bulletin_class: BulletinClass) -> Permission:
    """The act of letting it on the air, and of taking back what another wrote."""
    return Permission.WARN if bulletin_class is BulletinClass.EMERGENCY else Permission.APPROVE


def acts_on(held: Announcement, who: User) -> Acts:
    """The acts of which one lets ``who`` place it, or take it back: an author writes, another lets on the air."""
    return to_write(held.bulletin_class) if held.author == who.id else to_approve(held.bulletin_class)


def may(who: User, acts: Acts, areas: Iterable[str], now: datetime) -> bool:
    """Whether ``who`` may do one of ``acts`` in each of ``areas`` now; somewhere, where none is named."""
    one_of, places = _acts(acts), tuple(areas)
    if not places:
        return any(rights.may_somewhere(who, act, now) for act in one_of)
    return all(any(rights.may(who, act, place, now) for act in one_of) for place in places)


def need(who: User, acts: Acts, now: datetime, area: str | None = None) -> None:
    """Raises ``not_allowed`` or ``not_your_area`` unless ``who`` may do one of ``acts`` in ``area`` (None: somewhere).

    Raises DeskError.
    """
    if not may(who, acts, (), now):
        raise DeskError("desk.not_allowed", name=who.name)
    if area is not None and not may(who, acts, [area], now):
        raise DeskError("desk.not_your_area", area=area, name=who.name)


def place(store: Store, area: str, who: User, acts: Acts, now: datetime) -> None:
    """Raises DeskError unless there is such an area (``*`` too) and ``who`` may do one of ``acts`` in it now."""
    need(who, acts, now)
    if area != EVERYWHERE and store.roster.area(area) is None:
        raise DeskError("desk.unknown_area", area=area[:80])
    need(who, acts, now, area)


def places(store: Store, wanted: Iterable[str], who: User, acts: Acts, now: datetime) -> tuple[str, ...]:
    """The areas and nodes asked for, each once: known, and in each of them ``who`` may do one of ``acts`` now.

    Raises DeskError.
    """
    need(who, acts, now)
    chosen = tuple(dict.fromkeys(wanted))
    if not chosen:
        raise DeskError("desk.no_area")
    if len(chosen) > MOST_AREAS:
        raise DeskError("desk.too_many_areas", most=MOST_AREAS)
    homes = homes_of(store)
    for area in chosen:
        if area not in homes:
            raise DeskError("desk.unknown_area", area=area[:80])
        if not may(who, acts, [homes[area]], now):
            raise DeskError("desk.not_your_area", area=area, name=who.name)
    return chosen


def level_of(store: Store, who: User) -> Level:
    """The level a person speaks at: that of the area they answer for; the commune's for whoever answers for all."""
    area = store.roster.area(who.area) if who.area != EVERYWHERE else None
    return _LEVELS[area.kind] if area else Level.COMMUNE


def homes_of(store: Store) -> Mapping[str, str]:
    """Every area and node, with the area that it is or hangs in."""
    return store.roster.homes()


def _acts(acts: Acts) -> tuple[Permission, ...]:
    return acts if isinstance(acts, tuple) else (acts,)
