"""The entrance: who may come in. Passwords are kept as Argon2id hashes, tokens as SHA-256 hashes.

- A wrong name and a wrong password are answered alike, and take alike long.
- A link lets its person in once, within its time.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from controller.desk import rules
from controller.desk.wishes import DeskError, Entry, NewUser
from controller.store import Store, StoreError
from controller.store.rows import Act, Role, User
from wire.names import lies_within

SESSION = timedelta(hours=12)
INVITATION = timedelta(hours=48)

_NAME = re.compile(r"[\w.@+-]{1,64}")
_hasher = PasswordHasher()


class Entrance:
    """The part of the desk where people are entered, come in and leave."""

    _store: Store
    _bell: Callable[[], None]

    def open_house(self, name: str, password: str, now: datetime, area: str = "*") -> User:
        """Enter the first administrator. Raises ``not_empty`` when there is somebody already, and as `add_user`."""
        user = _person(NewUser(name, Role.ADMINISTRATOR, area, password=password), now)
        try:
            self._store.people.add_first(user, Act(name, "opened the house", user.id, "", now))
        except StoreError as wrong:
            if wrong.key == "store.not_first":
                raise DeskError("desk.not_empty") from None
            raise
        return user

    def add_user(self, new: NewUser, who: User, now: datetime) -> User:
        """Enter a person, whose area lies within the administrator's own. Raises DeskError."""
        rules.need(who, Role.ADMINISTRATOR)
        if new.area != "*" and self._store.roster.area(new.area) is None:
            raise DeskError("desk.unknown_area", area=new.area[:80])
        if not lies_within(new.area, who.area):
            raise DeskError("desk.not_your_area", area=new.area, name=who.name)
        user = _person(new, now)
        try:
            self._store.people.add(user, Act(who.name, "added user", user.name, f"{user.role} of {user.area}", now))
        except StoreError as wrong:
            if wrong.key == "store.conflict":
                raise DeskError("desk.name_taken", name=user.name) from None
            raise
        self._bell()
        return user

    def sign_in(self, name: str, password: str, now: datetime) -> Entry:
        """Come in by name and password. Raises ``wrong_password``."""
        user = self._store.people.by_name(name) if _NAME.fullmatch(name) else None
        right = _fits(user.password_hash if user and user.password_hash else _nobodys(), password)
        if user is None or not user.password_hash or user.disabled or not right:
            raise DeskError("desk.wrong_password")
        return self._entered(user, now)

    def signed_in(self, token: str, now: datetime) -> User | None:
        """Whose token this is, while the session lasts."""
        return self._store.people.session(_hashed(token), now)

    def sign_out(self, token: str) -> None:
        """End the session."""
        self._store.people.close_session(_hashed(token))

    def invite(self, user_id: str, who: User, now: datetime) -> str:
        """A token that lets this person in once, to choose a password. Raises DeskError."""
        rules.need(who, Role.ADMINISTRATOR)
        user = self._store.people.get(user_id)
        if user is None:
            raise DeskError("desk.unknown_user", user=user_id[:80])
        if not lies_within(user.area, who.area):
            raise DeskError("desk.not_your_area", area=user.area, name=who.name)
        token = secrets.token_urlsafe(32)
        act = Act(who.name, "invited", user.name, "", now)
        self._store.people.add_link(_hashed(token), user.id, now + INVITATION, act)
        return token

    def accept(self, token: str, password: str, now: datetime) -> Entry:
        """Come in by an invitation, which is used up, with a new password. Raises DeskError."""
        rules.password(password)
        user = self._store.people.take_link(_hashed(token), now)
        if user is None:
            raise DeskError("desk.bad_link")
        self._store.people.set_password(
            user.id, _hasher.hash(password), Act(user.name, "chose a password", user.name, "", now)
        )
        return self._entered(user, now)

    def change_password(self, who: User, old: str, new: str, now: datetime) -> Entry:
        """A new password; every session of this person ends, and a new one begins. Raises DeskError."""
        held = self._store.people.get(who.id)
        if held is None or not _fits(held.password_hash or _nobodys(), old):
            raise DeskError("desk.wrong_password")
        hashed = _hasher.hash(rules.password(new))
        self._store.people.set_password(who.id, hashed, Act(who.name, "changed password", who.name, "", now))
        return self._entered(held, now)

    def _entered(self, user: User, now: datetime) -> Entry:
        token = secrets.token_urlsafe(32)
        self._store.people.open_session(_hashed(token), user.id, now, now + SESSION)
        return Entry(user, token)


def _person(new: NewUser, now: datetime) -> User:
    if not _NAME.fullmatch(new.name):
        raise DeskError("desk.bad_name", name=new.name[:80])
    hashed = _hasher.hash(rules.password(new.password)) if new.password is not None else ""
    return User(f"u{secrets.token_hex(6)}", new.name, new.role, new.area, now, new.full_name.strip()[:200], hashed)


@cache
def _nobodys() -> str:
    """A hash that nothing fits in practice: checking against it takes as long as against a real one."""
    return _hasher.hash(secrets.token_hex(32))


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password[: rules.MOST_PASSWORD_CHARS])
    except (VerificationError, InvalidHashError):
        return False


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
