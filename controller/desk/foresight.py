"""Foresight: what a wish meets on its loudspeakers, what could be done about it, what the day has left.

- Nothing is written, and nothing is refused but what no wish may be; a conflict is advice, and `announce` never asks.
- What is held is what was sent, approved or not, and what stands in the slots of programmes.
- Of what comes again the first comings are looked at: `LOOKED_AT` within `LOOKED_AHEAD`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controller.desk import programming, reach, rules
from controller.desk.announcing import EMERGENCY_LATE_SECONDS, Announcing, own_key
from controller.desk.held_air import Held, Listening, held_air
from controller.desk.inbox import ORDINARY_LATE_SECONDS
from controller.desk.place_rules import rules_over
from controller.desk.wishes import Wish
from controller.roster import Node
from controller.store.rows import Announcement, BookingRow, BookingState, User
from schedules.booking import WhenCut
from schedules.budget import Budget
from schedules.calendars import occurrences
from schedules.conflicts import Broadcast, Conflict, conflicts
from schedules.offers import Air, Asked, Kind, Offer, offers
from schedules.placing import Asked as AskedSlot
from schedules.rulebook import Airing
from wire.names import lies_within
from wire.plan import BulletinClass

LOOKED_AT = 10
LOOKED_AHEAD = timedelta(days=62)
SHOWN = 5
MOST_OTHER_PLACES = 40
UNSAVED = "~"  # behind every booking's name


@dataclass(frozen=True)
class Foreseen:
    """What a booking meets. ``comings``: the first five; none where it has no time yet.

    ``estimated``: its length is not known, the text has no voice.
    """

    comings: tuple[datetime, ...] = ()
    repeats: bool = False
    length: timedelta = timedelta(0)
    estimated: bool = True
    conflicts: tuple[Conflict, ...] = ()
    offers: tuple[Offer, ...] = ()
    budget: Budget | None = None
    emergency: bool = False


@dataclass(frozen=True)
class _Sought:
    """A booking to be foreseen, kept or not: where, when, and what is not in its own way."""

    held: Announcement
    areas: tuple[str, ...]
    comings: tuple[datetime, ...]
    repeats: bool = False
    id: str = UNSAVED
    key: str | None = None
    in_slot: bool = False
    duck: bool = False
    placed: bool = False  # it is planned as it stands: no commune is asked when

    def own(self, other: Held) -> bool:
        """Whether ``other`` is of the same announcement, of the same wish sent twice, or makes room in its slot."""
        same_key = self.key is not None and other.key == self.key
        return (
            same_key or (self.in_slot and other.in_slot) or (bool(self.held.id) and other.announcement == self.held.id)
        )


class Foresight(Announcing):
    """The part of the desk that looks ahead."""

    def foresee(self, wish: Wish, who: User, now: datetime, draft: str | None = None) -> Foreseen:
        """What ``wish`` would meet; ``draft`` is the announcement that it is about, if that is kept.

        Raises DeskError for places and times that no wish may have, by a policy too. The text may be missing still.
        """
        areas = reach.places(self._store, wish.areas, who, reach.to_write(wish.bulletin_class), now)
        held = self._about(wish, draft, who, now)
        key = own_key(wish.idempotency_key, who)
        comings = self._comings(replace(wish, areas=areas), held, now)
        row = BookingRow(UNSAVED, held.id, areas, wish.start, who.id, now, recurrence=wish.recurrence, slot=wish.slot)
        self._keep_policies(held, replace(row, state=self._state(held, areas)), now)
        again, in_slot = wish.recurrence is not None, wish.slot is not None
        duck = wish.after_cut is WhenCut.DUCK
        return self._foreseen(_Sought(held, areas, comings, again, key=key, in_slot=in_slot, duck=duck), now)

    def foresee_booking(self, booking: BookingRow, now: datetime) -> Foreseen:
        """What a kept booking meets from ``now`` on."""
        held = self._store.announcements.get(booking.announcement)
        if held is None or booking.state is not BookingState.WANTED:
            return Foreseen()
        comings: tuple[datetime, ...] = (booking.start,) if booking.start and booking.start >= now else ()
        if booking.recurrence is not None and booking.start is not None:
            comings = tuple(occurrences(booking.recurrence, booking.start, now, now + rules.FARTHEST))
        elif booking.start is None and booking.slot is None:
            comings = (now,)
        again = booking.recurrence is not None
        duck = booking.after_cut is WhenCut.DUCK
        return self._foreseen(_Sought(held, booking.areas, comings, again, booking.id, duck=duck, placed=True), now)

    def foresee_place(self, announcement: str, area: str, start: datetime | None, who: User, now: datetime) -> Foreseen:
        """What an item of an inbox would meet at that time (None: now). Raises DeskError, as `place` does."""
        _, booking = self._to_place(announcement, area, start, who, now)
        return self.foresee_booking(booking, now)

    def _about(self, wish: Wish, draft: str | None, who: User, now: datetime) -> Announcement:
        """The announcement of the wish: with the sound of its draft, where that still says the same."""
        kept = self._store.announcements.get(draft) if draft else None
        held = kept if kept is not None and kept.author == who.id else Announcement("", "", "", who.id, now, now)
        newer = replace(
            held,
            text=wish.text.strip(),
            times=wish.times,
            drill=wish.drill,
            bulletin_class=wish.bulletin_class,
            level=wish.level,
            recording=held.recording or wish.recording,
        )
        return newer if newer.script == held.script else replace(newer, asset=None)

    def _comings(self, wish: Wish, held: Announcement, now: datetime) -> tuple[datetime, ...]:
        """When it would sound, as far as it is looked at. Raises DeskError."""
        if wish.slot is not None:
            return self._slot_coming(wish, held, now)
        quiet = self._quiet_over(wish.areas)
        if wish.recurrence is None:
            begin = rules.start(wish.start, wish.bulletin_class, now, self._zone, quiet(wish.start or now))
            return (begin or now,)
        found = rules.recurring(wish.recurrence, wish.start, wish.bulletin_class, now)
        for moment in found[: rules.LOOKED_AT]:
            rules.start(moment, wish.bulletin_class, now, self._zone, quiet(moment))
        return tuple(found)

    def _slot_coming(self, wish: Wish, held: Announcement, now: datetime) -> tuple[datetime, ...]:
        """Where it would stand among those that wait for a slot of the series. Raises DeskError."""
        placing = replace(wish.placing, idempotency_key=None)
        series = programming.slot(self._store, placing, wish.bulletin_class)
        asked = AskedSlot(UNSAVED, series or "", self._length(held), wish.bulletin_class, now)
        start = self._store.airing.foreseen(asked, wish.areas, now).start
        return (start,) if start else ()

    def _foreseen(self, sought: _Sought, now: datetime) -> Foreseen:
        held, length = sought.held, self._length(sought.held)
        emergency = held.bulletin_class is BulletinClass.EMERGENCY
        told = Foreseen(sought.comings[:SHOWN], sought.repeats, length, held.asset is None, emergency=emergency)
        reached = self._store.roster.under(sought.areas)
        near = [each for each in sought.comings if each <= sought.comings[0] + LOOKED_AHEAD][:LOOKED_AT]
        if not near or not reached or (not sought.placed and self._offered(held, sought.areas)):
            return told
        listening = Listening(reached)
        around = held_air(self._store, listening, near, now)
        others = [each.broadcast for each in around if not sought.own(each)]
        wanted = [_broadcast(sought, reached, start, length) for start in near]
        rulebooks = rules_over(self._store.policies.all(), reached, others, self._zone, self._quiet)
        met = [each for one in wanted for each in conflicts(one, others, self._zone, self._quiet)]
        told = replace(told, conflicts=tuple(met), budget=rulebooks.budget([each.airing for each in wanted]))
        if not met or emergency:
            return told
        asked = Asked(tuple(each.airing for each in wanted), sought.repeats, now)
        sky = Air(wanted[0].reach, others, self._zone, self._quiet)
        ways = offers(asked, {each.wanted.airing.start for each in met}, sky, rulebooks.allow)
        return replace(told, offers=(*ways, *self._other_places(sought, listening, met)))

    def _other_places(self, sought: _Sought, reached: Listening, met: list[Conflict]) -> list[Offer]:
        """For what comes once: the largest areas, of those chosen, in which nothing is met."""
        if sought.repeats:
            return []
        taken = {node for each in met for node in each.shared}
        clear: list[str] = []
        for area in sorted(area.id for area in self._store.roster.areas()):
            under = reached.under([area])
            chosen = any(lies_within(area, each) for each in sought.areas)
            if chosen and under and not under & taken and not any(lies_within(area, each) for each in clear):
                clear.append(area)
        return [Offer(Kind.PLACES, areas=tuple(clear))] if 0 < len(clear) <= MOST_OTHER_PLACES else []


def _broadcast(sought: _Sought, reached: Iterable[Node], start: datetime, length: timedelta) -> Broadcast:
    held = sought.held
    airing = Airing(start, length, held.bulletin_class, sought.id)
    emergency = held.bulletin_class is BulletinClass.EMERGENCY
    late = timedelta(seconds=EMERGENCY_LATE_SECONDS if emergency else ORDINARY_LATE_SECONDS)
    reach = frozenset(node.id for node in reached)
    return Broadcast(airing, held.title, reach, held.level, held.drill, late, duck=sought.duck)
