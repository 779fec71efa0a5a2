"""Policies at the desk: administrators set them, and what they forbid is refused with ways out that fit.

- Every loudspeaker that a booking reaches is asked for its own place's rulebook, for every coming in the next 14 days.
- An area without a loudspeaker is asked as if one hung there.
- Where a rulebook has no quiet hours the station's hold, without any rulebook too. What reaches into them is refused.
- What communes place themselves is asked when they place it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, partial

from controller.desk import reach
from controller.desk.wishes import DeskError
from controller.rights import Permission
from controller.roster import AreaKind, ancestors, areas_of
from controller.store import Store
from controller.store.policies import estimate
from controller.store.rows import Act, Announcement, BookingRow, BookingState, User
from schedules import moments, rulebook_text
from schedules.booking import Booking
from schedules.planner import HORIZON
from schedules.policy import NEVER_QUIET, is_quiet, may_sound
from schedules.recurring import comings
from schedules.rulebook import Airing, Breach, Rulebook, broken, day_of, in_force
from schedules.rulebook_text import Policy
from schedules.ways_out import Asked, ways_out
from wire.config import QuietHours
from wire.plan import BulletinClass
from words import Said


class Sentences(Said):
    """Several of them, one after another."""

    def __init__(self, parts: Sequence[Said], between: str) -> None:
        self.parts, self.between = tuple(parts), between
        super().__init__("desk.joined", parts=between.join(str(each) for each in parts))

    def say(self, language: str) -> str:
        """All in ``language``."""
        return self.between.join(each.say(language) for each in self.parts)


class PolicyError(DeskError):
    """A rulebook or the station's quiet hours forbid it; ``why`` and ``ways`` are sentences of their own."""

    def say(self, language: str) -> str:
        """The whole sentence in ``language``."""
        facts = {name: each.say(language) if isinstance(each, Said) else each for name, each in self.facts.items()}
        return Said(self.key, **facts).say(language)


@dataclass(frozen=True)
class _Listener:
    """Something that hears ``areas`` and hangs in ``home``."""

    home: str
    areas: frozenset[str]


@dataclass(frozen=True)
class _Law:
    """The rulebooks by area, and by its moment the quiet hours that a start must keep."""

    kept: Mapping[str, Sequence[tuple[date, Rulebook]]]
    zone: str
    quiet: Callable[[datetime], QuietHours]

    def over(self, home: str, airing: Airing) -> Rulebook:
        """What was set for ``home``; nothing is forbidden where nothing was."""
        return in_force(self.kept, (home, *ancestors(home)), day_of(airing, self.zone)) or Rulebook()

    def broken(self, home: str, already: Iterable[Airing], airing: Airing) -> list[Breach]:
        """What it would break in ``home``, also the quiet hours of the station where no others are set."""
        own = self.over(home, airing)
        whole = own if _has_quiet(own) else replace(own, quiet=self.quiet(airing.start))
        return broken(whole, already, airing, self.zone)

    def fits(self, home: str, already: Iterable[Airing], airing: Airing) -> bool:
        """Whether it may begin then, and breaks nothing in ``home``."""
        begins = may_sound(airing.bulletin_class, airing.start, self.quiet(airing.start), self.zone)
        return begins and not self.broken(home, already, airing)


class Policing:
    """The part of the desk that knows the rules of places."""

    _store: Store
    _zone: str
    _quiet: QuietHours
    _bell: Callable[[], None]

    def set_policy(self, policy: Policy, who: User, now: datetime) -> None:
        """Let a policy hold from its day on; one of the same area and day is replaced. Raises DeskError."""
        reach.place(self._store, policy.area, who, Permission.POLICY, now)
        act = Act(who.name, "set policy", policy.area, rulebook_text.brief(policy), now)
        self._store.policies.set(policy, who.id, now, act)
        self._bell()

    def _keep_policies(self, held: Announcement, booking: BookingRow, now: datetime) -> None:
        """Raises PolicyError for the first coming of ``booking`` that breaks a rulebook or reaches into quiet hours."""
        offered = booking.state is BookingState.OFFERED
        if offered or held.bulletin_class is BulletinClass.EMERGENCY or booking.slot is not None:
            return  # what waits for a slot has no time yet: the node judges it
        kept = self._store.policies.all()
        law = _Law(kept, self._zone, cache(self._quiet_over(booking.areas)))
        claims = self._claims(held, now) if kept else []
        length = self._length(held)
        listeners = self._listeners(booking.areas, {area for areas, _ in claims for area in areas})
        for listener in listeners if kept else listeners[:1]:  # without rulebooks the same holds for all
            already = [a for areas, airings in claims if not listener.areas.isdisjoint(areas) for a in airings]
            for start in _comings(booking, now):
                wanted = Airing(start, length, held.bulletin_class, booking.id)
                self._keep(law, listener, already, Asked(wanted, self._zone, now, held.times))

    def _claims(self, held: Announcement, now: datetime) -> list[tuple[tuple[str, ...], tuple[Airing, ...]]]:
        """What sounds besides ``held``: on which areas, and when. Bookings, and what stands in programmes' slots."""
        sent = (each for each in self._store.policies.claims(now) if each.announcement != held.id)
        found = [(each.areas, each.airings) for each in sent]
        return found + [(each.areas, _airings(each)) for each in self._store.airing.standing(now)]

    def _quiet_over(self, areas: tuple[str, ...]) -> Callable[[datetime], QuietHours]:
        """The quiet hours that a start must keep, by its moment; policies are asked apart.

        The station's, where one loudspeaker that hears ``areas`` goes by no others; else, where all have hours of their
        own and are quiet then, theirs.
        """
        kept, nodes = self._store.policies.all(), self._store.roster.under(areas)
        ungoverned = {node.home for node in nodes if node.quiet is None} if nodes else set(areas)
        own = sorted({(node.quiet.since, node.quiet.until) for node in nodes if node.quiet})

        def quiet(moment: datetime) -> QuietHours:
            day = moments.local(moment, self._zone).date()
            if any(not _has_quiet(in_force(kept, (home, *ancestors(home)), day)) for home in ungoverned):
                return self._quiet
            everybody = all(is_quiet(moment, QuietHours(*each), self._zone) for each in own)
            return QuietHours(*own[0]) if own and not ungoverned and everybody else NEVER_QUIET

        return quiet

    def _keep(self, law: _Law, listener: _Listener, already: list[Airing], asked: Asked) -> None:
        home, airing = listener.home, asked.airing
        why = law.broken(home, already, airing)
        if why:
            ways = [way.said(self._zone) for way in ways_out(asked, partial(law.fits, home, already))]
            facts = {"place": self._commune(home), "day": f"{moments.local(airing.start, self._zone):%d/%m/%Y}"}
            told = Sentences(ways or [Said("desk.no_way_out")], "; ")
            policy = broken(law.over(home, airing), already, airing, self._zone)
            key = "desk.policy" if policy else "desk.reaches_quiet"
            raise PolicyError(key, **facts, why=Sentences([each.said() for each in why], ", "), ways=told)

    def _length(self, held: Announcement) -> timedelta:
        asset = self._store.assets.get(held.asset) if held.asset else None
        if asset is not None:
            return timedelta(milliseconds=asset.duration_ms)
        recording = self._store.recordings.get(held.recording) if held.recording else None
        if recording is not None:
            return timedelta(milliseconds=recording.duration_ms * held.times)
        return estimate(held.text, held.times)

    def _listeners(self, areas: tuple[str, ...], claimed: Iterable[str]) -> list[_Listener]:
        """Who hears ``areas``, those alike once: what nobody has claimed makes no difference."""
        named = frozenset(areas) | frozenset(claimed)
        reached = self._store.roster.under(areas)
        found = [_Listener(node.home, named & frozenset(areas_of(node))) for node in reached]
        heard = {area for node in reached for area in areas_of(node)}
        found += [_Listener(area, named & {area, *ancestors(area)}) for area in areas if area not in heard]
        return list(dict.fromkeys(found))

    def _commune(self, home: str) -> str:
        """What people call the commune that ``home`` lies in, or else itself."""
        known = {area.id: area for area in self._store.roster.areas()}
        above = [known[area] for area in (home, *ancestors(home)) if area in known]
        commune = next((area for area in above if area.kind is AreaKind.COMMUNE), None) or next(iter(above), None)
        return commune.name if commune else home


def _has_quiet(rules: Rulebook | None) -> bool:
    return rules is not None and rules.quiet is not None


def _airings(standing: Booking) -> tuple[Airing, ...]:
    named = ((start, f"{standing.id}:{start.isoformat()}") for start in standing.starts)
    return tuple(Airing(start, standing.length, standing.bulletin_class, name) for start, name in named)


def _comings(booking: BookingRow, now: datetime) -> list[datetime]:
    if booking.recurrence is None or booking.start is None:
        return [booking.start or now]
    return comings(booking.recurrence, booking.start, now, now + HORIZON)
