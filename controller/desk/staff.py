"""The staff at the desk: who is entered, what they are given and for how long, who leaves and comes back.

- Nobody gives what reaches beyond their own say over people, in area or in time (`controller.rights.may_give`).
- Somebody must stay with a say over people everywhere that never ends, or the last step is undone.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from controller import rights
from controller.desk import fresh, passwords, reach, rules
from controller.desk.fresh import Critical
from controller.desk.seconding import Second
from controller.desk.tokens import hashed
from controller.desk.wishes import DeskError, Giving, NewUser
from controller.rights import EVERYWHERE, FIRST, DutyHours, Grant, Permission
from controller.store import Store, StoreError
from controller.store.rows import Act, User
from schedules import moments

INVITATION = timedelta(hours=48)
MOST_GRANTS = 20  # of one person, that last
MOST_KEPT = 200  # with those that have ended
FARTHEST = timedelta(days=3660)

_NAME = re.compile(r"[\w.@+-]{1,64}")


class Staff:
    """The part of the desk where people are entered, given rights, and leave."""

    _store: Store
    _zone: str
    _bell: Callable[[], None]
    second: Second | None

    def open_house(self, name: str, password: str, now: datetime, area: str = EVERYWHERE) -> User:
        """Enter the first person, who holds `FIRST`. Raises ``not_empty`` when there is somebody, and as `add_user`."""
        user = _person(NewUser(name, Giving(FIRST[0], area), password=password), now)
        user = replace(user, grants=tuple(Grant(_grant_id(), role, area, user.id, now) for role in FIRST))
        try:
            self._store.people.add_first(user, Act(name, "opened the house", user.id, "", now))
        except StoreError as wrong:
            if wrong.key == "store.not_first":
                raise DeskError("desk.not_empty") from None
            raise
        return user

    def add_user(self, new: NewUser, who: User, now: datetime) -> User:
        """Enter a person with their first grant; where that holds is where they belong. Raises DeskError."""
        grant = self._gift(new.giving, who, now)
        fresh.need(who, Critical.USERS, now)
        user = replace(_person(new, now), grants=(grant,))
        try:
            self._store.people.add(user, Act(who.name, "added user", user.name, told(grant), now))
        except StoreError as wrong:
            if wrong.key == "store.conflict":
                raise DeskError("desk.name_taken", name=user.name) from None
            raise
        self._bell()
        return user

    def give(self, name: str, giving: Giving, who: User, now: datetime) -> Grant:
        """One more grant for a person. Raises DeskError."""
        reach.need(who, Permission.PEOPLE, now)
        user = self._named(name)
        grant = self._gift(giving, who, now)
        lasting = [each for each in user.grants if rights.lasts(each, now)]
        if len(lasting) >= MOST_GRANTS or len(user.grants) >= MOST_KEPT:
            raise DeskError("desk.too_many_grants", name=user.name, most=MOST_GRANTS)
        if any(_alike(each, grant) for each in lasting):
            raise DeskError("desk.has_grant", name=user.name)
        fresh.need(who, Critical.USERS, now)
        self._store.people.give(user.id, grant, Act(who.name, "gave a right", user.name, told(grant), now))
        return grant

    def take(self, name: str, grant_id: str, who: User, now: datetime) -> Grant:
        """A grant of a person ends now; one that has ended stays so. Raises DeskError."""
        reach.need(who, Permission.PEOPLE, now)
        user = self._named(name)
        grant = next((each for each in user.grants if each.id == grant_id), None)
        if grant is None:
            raise DeskError("desk.unknown_grant", name=user.name)
        reach.need(who, Permission.PEOPLE, now, grant.area)
        if not rights.lasts(grant, now):
            return grant
        if Permission.PEOPLE in rights.PERMISSIONS[grant.role] and not rights.may_give(who, grant, now):
            raise DeskError("desk.beyond_your_time", name=who.name)
        fresh.need(who, Critical.USERS, now)
        with _governed(user):
            self._store.people.end_grant(grant.id, now, Act(who.name, "took a right", user.name, told(grant), now))
        return replace(grant, until=now)

    def invite(self, user_id: str, who: User, now: datetime) -> str:
        """A token that lets this person in once, to choose a password. Raises DeskError."""
        reach.need(who, Permission.PEOPLE, now)
        user = self._store.people.get(user_id)
        if user is None:
            raise DeskError("desk.unknown_user", user=user_id[:80])
        self._answer_for(user, who, now)
        if user.disabled:
            raise DeskError("desk.has_left", user=user.full_name or user.name)
        fresh.need(who, Critical.USERS, now)
        token = secrets.token_urlsafe(32)
        act = Act(who.name, "invited", user.name, "", now)
        self._store.people.add_link(hashed(token), user.id, now + INVITATION, act)
        return token

    def dismiss(self, name: str, who: User, now: datetime) -> User:
        """Somebody leaves: no password, session, link or second key of theirs opens anything from now on.

        Raises DeskError. What they wrote stays. The last who governs everything cannot leave.
        """
        user = self._staff(name, who, now)
        with _governed(user):
            keys = self.second.keys_of(user.name) if self.second else ()
            self._store.people.set_disabled(user.id, True, Act(who.name, "dismissed", user.name, "", now), keys)
        return user

    def readmit(self, name: str, who: User, now: datetime) -> User:
        """Somebody is back, with what they still hold; they come in by a new link. Raises DeskError."""
        user = self._staff(name, who, now)
        self._store.people.set_disabled(user.id, False, Act(who.name, "readmitted", user.name, "", now))
        return user

    def forget_factors(self, name: str, who: User, now: datetime) -> User:
        """Somebody lost their second factor: a password will do until they set up another. Raises DeskError, NotFresh.

        They are signed in nowhere any more.
        """
        user = self._staff(name, who, now)
        self._store.factors.forget(user.id, Act(who.name, "forgot second factors", user.name, "", now))
        return user

    def staff(self, who: User, now: datetime) -> list[User]:
        """Who belongs or holds something where ``who`` has a say over people, in order of name. Raises DeskError."""
        reach.need(who, Permission.PEOPLE, now)

        def mine(user: User) -> bool:
            places = {user.area, *(each.area for each in user.grants)}
            return any(rights.may(who, Permission.PEOPLE, place, now) for place in places)

        return [each for each in self._store.people.all() if mine(each)]

    def _gift(self, giving: Giving, who: User, now: datetime) -> Grant:
        """The grant that is wished, if it can be and ``who`` may give it. Raises DeskError."""
        reach.place(self._store, giving.area, who, Permission.PEOPLE, now)
        if giving.until is not None and giving.until <= max(now, giving.since or now):
            raise DeskError("desk.ends_before_it_begins")
        if any(each is not None and each > now + FARTHEST for each in (giving.since, giving.until)):
            raise DeskError("desk.grant_too_far")
        grant = Grant(
            _grant_id(), giving.role, giving.area, who.id, now, giving.since, giving.until, self._hours(giving)
        )
        if not rights.may_give(who, grant, now):
            raise DeskError("desk.beyond_your_time", name=who.name)
        return grant

    def _hours(self, giving: Giving) -> DutyHours | None:
        if giving.hours is None:
            return None
        days, since, until = giving.hours
        if not days or not set(days) <= set(range(7)):
            raise DeskError("desk.bad_duty_days")
        for each in (since, until):
            try:
                moments.clock_time(each)
            except moments.BadMoment as wrong:
                raise DeskError(wrong.key, **wrong.facts) from None
        return DutyHours(tuple(sorted(set(days))), since, until, self._zone)

    def _staff(self, name: str, who: User, now: datetime) -> User:
        reach.need(who, Permission.PEOPLE, now)
        user = self._named(name)
        self._answer_for(user, who, now)
        fresh.need(who, Critical.USERS, now)
        return user

    def _named(self, name: str) -> User:
        user = self._store.people.by_name(name) if _NAME.fullmatch(name) else None
        if user is None:
            raise DeskError("desk.unknown_user", user=name[:80])
        return user

    def _answer_for(self, user: User, who: User, now: datetime) -> None:
        if not rights.answers_for(who, user, now):
            raise DeskError("desk.not_your_person", user=user.name, name=who.name)


def told(grant: Grant) -> str:
    """A grant as the audit log keeps it: ``editor of lang-son:dong-dang until=…``."""
    parts = [f"{grant.role.value} of {grant.area}"]
    parts += [f"since={grant.since.isoformat()}"] if grant.since else []
    parts += [f"until={grant.until.isoformat()}"] if grant.until else []
    if grant.hours:
        days = ",".join(str(day) for day in grant.hours.days)
        parts.append(f"hours={grant.hours.since}-{grant.hours.until} days={days}")
    return " ".join(parts)


@contextmanager
def _governed(user: User) -> Iterator[None]:
    """What would leave the station without anybody who governs it is refused as being about ``user``."""
    try:
        yield
    except StoreError as wrong:
        if wrong.key == "store.ungoverned":
            raise DeskError("desk.last_administrator", name=user.name) from None
        raise


def _person(new: NewUser, now: datetime) -> User:
    if not _NAME.fullmatch(new.name):
        raise DeskError("desk.bad_name", name=new.name[:80])
    secret = passwords.hashed(rules.password(new.password)) if new.password is not None else ""
    name, area = new.full_name.strip()[:200], new.giving.area
    return User(f"u{secrets.token_hex(6)}", new.name, area, now, name, secret)


def _alike(one: Grant, other: Grant) -> bool:
    """Whether one of two grants would change nothing beside the other."""
    return one.role is other.role and rights.covers(one, other)


def _grant_id() -> str:
    return f"g{secrets.token_hex(6)}"
