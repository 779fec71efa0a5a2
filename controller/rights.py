"""Rights: who may do what, where and when. Pure: a person's grants, an act, an area and `now` decide.

- A grant is a role over an area and all below it, from a moment, until a moment, in some hours of the week.
- A person may hold several; what any of them allows now is allowed. No role includes another by itself.
- A right is asked for at every act: one that has ended is gone with the same second, whatever session is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from schedules import moments
from wire.names import lies_within

EVERYWHERE = "*"
DAY = timedelta(days=1)


class Permission(StrEnum):
    """An act that a person may be allowed, in the words of the trade."""

    READ = "read"  # see plans, bulletins, loudspeakers, what has sounded
    WRITE = "write"  # write and submit, place what came from above, teach readings
    APPROVE = "approve"  # let ordinary and priority bulletins on the air, and take them back
    WARN = "warn"  # order an emergency, and take it back
    PROGRAMME = "programme"  # set the standing week
    EQUIP = "equip"  # enter and replace loudspeakers, what they may fetch
    RELEASE = "release"  # pass on versions
    PLACES = "places"  # enter areas
    POLICY = "policy"  # set rulebooks
    PEOPLE = "people"  # enter people, give and take rights, end them
    AUDIT = "audit"  # read who did what
    KEYS = "keys"  # see which keys may sign what, and how they are changed


class Role(StrEnum):
    """What a person is to the station. Each is a set of permissions (`PERMISSIONS`)."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    EMERGENCY = "emergency"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.EDITOR: frozenset({Permission.READ, Permission.WRITE}),
    Role.APPROVER: frozenset({Permission.READ, Permission.WRITE, Permission.APPROVE, Permission.PROGRAMME}),
    Role.EMERGENCY: frozenset({Permission.READ, Permission.WARN}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.EQUIP, Permission.RELEASE}),
    Role.ADMINISTRATOR: frozenset(
        {
            *(Permission.READ, Permission.PLACES, Permission.POLICY, Permission.PEOPLE),
            *(Permission.AUDIT, Permission.KEYS),
        }
    ),
}
FIRST = (Role.ADMINISTRATOR, Role.OPERATOR, Role.APPROVER, Role.EMERGENCY)  # what the first person holds


@dataclass(frozen=True)
class DutyHours:
    """Hours of the week by ``zone``'s clock (IANA): on ``days`` (0 Monday … 6) from ``since`` to ``until`` (``HH:MM``).

    They may go over midnight and belong to the day that they begin on; equal ends are a whole day.
    """

    days: tuple[int, ...]
    since: str
    until: str
    zone: str

    def hold(self, now: datetime) -> bool:
        """Whether ``now`` lies in them."""
        wall = moments.local(now, self.zone).replace(tzinfo=None)
        since, until = moments.clock_time(self.since), moments.clock_time(self.until)
        for day in (wall.date(), wall.date() - DAY):
            begin, end = datetime.combine(day, since), datetime.combine(day, until)
            if day.weekday() in self.days and begin <= wall < (end if begin < end else end + DAY):
                return True
        return False


@dataclass(frozen=True)
class Grant:
    """A role over ``area`` (``*``: everywhere) and what lies in it, given by somebody (a user's id).

    It holds from ``since`` (None: always) until just before ``until`` (None: for good), in ``hours`` (None: all).
    """

    id: str
    role: Role
    area: str
    given_by: str
    given_at: datetime
    since: datetime | None = None
    until: datetime | None = None
    hours: DutyHours | None = None


class Person(Protocol):
    """Who holds grants; none of them counts while they are ``disabled``."""

    @property
    def disabled(self) -> bool:
        """Whether they have left."""

    @property
    def area(self) -> str:
        """Where they belong."""

    @property
    def grants(self) -> tuple[Grant, ...]:
        """What they were given."""


def in_force(grant: Grant, now: datetime) -> bool:
    """Whether a grant counts now."""
    begun = grant.since is None or grant.since <= now
    return begun and lasts(grant, now) and (grant.hours is None or grant.hours.hold(now))


def lasts(grant: Grant, now: datetime) -> bool:
    """Whether a grant counts now or will."""
    return grant.until is None or now < grant.until


def may(person: Person, act: Permission, area: str, now: datetime) -> bool:
    """Whether ``person`` may do that in ``area`` now."""
    return any(lies_within(area, each) for each in reach(person, act, now))


def may_somewhere(person: Person, act: Permission, now: datetime) -> bool:
    """Whether there is an area in which ``person`` may do that now."""
    return bool(reach(person, act, now))


def reach(person: Person, act: Permission, now: datetime) -> tuple[str, ...]:
    """The largest areas in which ``person`` may do that now, in order of name."""
    if person.disabled:
        return ()
    held = {each.area for each in person.grants if act in PERMISSIONS[each.role] and in_force(each, now)}
    return tuple(sorted(area for area in held if not any(lies_within(area, other) for other in held - {area})))


def covers(wider: Grant, narrower: Grant) -> bool:
    """Whether wherever and whenever ``narrower`` counts, ``wider`` does too; their roles are not looked at."""
    here = lies_within(narrower.area, wider.area)
    begun = wider.since is None or (narrower.since is not None and wider.since <= narrower.since)
    ended = wider.until is None or (narrower.until is not None and narrower.until <= wider.until)
    return here and begun and ended and wider.hours in (None, narrower.hours)


def may_give(giver: Person, gift: Grant, now: datetime) -> bool:
    """Whether ``giver`` may give or take ``gift``: its area, and all of its time to come, lies in their own say."""
    ahead = replace(gift, since=now if gift.since is None or gift.since < now else gift.since)
    return any(covers(each, ahead) for each in _over_people(giver, now))


def answers_for(giver: Person, person: Person, now: datetime) -> bool:
    """Whether ``giver`` may let ``person`` in anew or out: wherever they belong and hold anything.

    Over who has a say over people themselves, it must last as long as theirs: a deputy takes over nobody's.
    """
    says = _over_people(giver, now)
    held = [each for each in person.grants if lasts(each, now)]
    places = {person.area, *(each.area for each in held)}
    here = all(any(lies_within(place, say.area) for say in says) for place in places)
    masters = [each for each in held if Permission.PEOPLE in PERMISSIONS[each.role]]
    return here and all(may_give(giver, each, now) for each in masters)


def is_governed(people: Iterable[Person], now: datetime) -> bool:
    """Whether somebody has a say over people everywhere, now and at all times to come."""
    lasting = (each for person in people for each in _over_people(person, now) if each.area == EVERYWHERE)
    return any(each.until is None and each.hours is None for each in lasting)


def _over_people(person: Person, now: datetime) -> list[Grant]:
    if person.disabled:
        return []
    return [each for each in person.grants if Permission.PEOPLE in PERMISSIONS[each.role] and in_force(each, now)]
