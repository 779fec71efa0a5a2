"""Merges and splits at the desk: an area moves with all in it, under another or into another.

- Whoever does it answers for places where it lies and where it goes. It moves rights too: who they are is asked.
- Nothing moves while its loudspeakers sound, or are about to: a broadcast would be cut short and sound again.
- One of a name that is there already gets another, which the preview says (`renamed`).
- What two people have agreed to holds for the areas that they named: it is settled before these get other names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller import gazetteer
from controller.desk import former, fresh, reach, renamed
from controller.desk.fresh import Critical
from controller.desk.registry import MOST_NAME_CHARS, Registry
from controller.desk.wishes import DeskError
from controller.rights import Permission
from controller.roster import Area, AreaKind, ancestors, areas_of, nodes_under
from controller.store import StoreError
from controller.store.moving import Moving
from controller.store.rows import Act, User
from schedules import moments
from schedules.booking import Booking
from wire import names
from wire.names import BadName, lies_within

LEAD = timedelta(minutes=2)  # before a broadcast: plans and configs must have arrived
REST = timedelta(minutes=1)  # after it


@dataclass(frozen=True)
class Relocation:
    """``area`` with all in it goes under ``to``; with ``merge`` all of it goes into ``to``, and it is no more.

    ``called``: what people are to read there, of one that goes under another; empty: as it is.
    """

    area: str
    to: str
    merge: bool = False
    called: str = ""


class Districting(Registry):
    """The part of the desk where areas get other places in the tree."""

    _zone: str

    def foresee_move(self, wanted: Relocation, who: User, now: datetime) -> Moving:
        """What `move_area` would do; nothing is written. Raises DeskError."""
        return self._store.mover.foresee(self._moving(wanted, who, now))

    def move_area(self, wanted: Relocation, who: User, now: datetime) -> Moving:
        """Put an area with all in it under another, or all of it into another. Raises DeskError."""
        moving = self._moving(wanted, who, now)
        fresh.need(who, Critical.USERS, now)
        self._must_be_silent(moving, now)
        try:
            told = f"{former.TO}{moving.names[wanted.area]}"
            act = Act(who.name, "moved area", wanted.area, told, now)
            if wanted.merge:
                act = Act(who.name, "merged area", wanted.area, told, now)
            done = self._store.mover.move(moving, act)
        except StoreError as wrong:
            raise DeskError("desk.move_stale") if wrong.key == "store.conflict" else wrong from None
        self._bell()
        return done

    def _moving(self, wanted: Relocation, who: User, now: datetime) -> Moving:
        area, to = wanted.area, wanted.to
        for place in (area, to):
            reach.need(who, Permission.PLACES, now)
            if self._store.roster.area(place) is None:
                raise DeskError("desk.unknown_area", area=place[:80])
            reach.need(who, Permission.PLACES, now, place)
        known = {each.id: each for each in self._store.roster.areas()}
        called = _called(wanted)
        _must_fit(wanted, known)
        tree = renamed.Tree(known, former.read(self._store))
        found = renamed.merged(tree, area, to) if wanted.merge else renamed.moved(tree, area, to, called)
        if not wanted.merge and tree.left.has(found.names[area], area):
            raise DeskError("desk.area_former", area=found.names[area])
        clash = [each.id for each in found.areas if each.id in known and each.id != to]
        if clash:
            raise DeskError("desk.move_clash", area=clash[0])
        return Moving(found.names, tuple(map(_entered, (each for each in found.areas if each.id != to))), found.called)

    def _must_be_silent(self, moving: Moving, now: datetime) -> None:
        nodes = nodes_under(self._store.roster.nodes(), moving.names)
        heard = {area for node in nodes for area in areas_of(node)} | set(moving.names)
        heard |= {above for new in moving.names.values() for above in (new, *ancestors(new))} if nodes else set()
        for booking in self._store.airing.to_plan(now):
            if heard.isdisjoint(booking.areas):
                continue
            if booking.cosigned and not set(moving.names).isdisjoint(booking.areas) and booking.starts[-1] > now - LEAD:
                raise DeskError("desk.move_cosigned", title=booking.title)
            until = _busy_until(booking, now)
            if nodes and until is not None:
                shown = f"{moments.local(until, self._zone):%H:%M}"
                raise DeskError("desk.move_on_air", title=booking.title, time=shown)


def _busy_until(booking: Booking, now: datetime) -> datetime | None:
    """When the broadcast is over that is on the air now, or nearly so."""
    for start in booking.starts:
        end = start + booking.length + REST
        if start - LEAD <= now < end:
            return end + REST
    return None


def _called(wanted: Relocation) -> str:
    called = " ".join(wanted.called.split())
    if wanted.merge and called:
        raise DeskError("desk.move_called", area=wanted.to)
    if called and (len(called) > MOST_NAME_CHARS or not called.isprintable() or not gazetteer.slug(called)):
        raise DeskError("desk.bad_name", name=called[:80])
    return called


def _must_fit(wanted: Relocation, known: Mapping[str, Area]) -> None:
    area, to = wanted.area, wanted.to
    if lies_within(to, area):
        raise DeskError("desk.move_into_itself", area=area)
    if not wanted.merge and ancestors(area)[:1] == (to,):
        raise DeskError("desk.move_there_already", area=area, to=to)
    grouped = known[to].kind is AreaKind.GROUP
    if grouped and any(each.kind is not AreaKind.GROUP for each in known.values() if lies_within(each.id, area)):
        raise DeskError("desk.move_into_group", area=to)


def _entered(area: Area) -> Area:
    try:
        names.area_id(area.id)
    except BadName:
        raise DeskError("desk.bad_name", name=area.id[:80]) from None
    return area
