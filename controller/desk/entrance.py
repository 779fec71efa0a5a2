"""The entrance: who may come in. Passwords are kept as Argon2id hashes, tokens as SHA-256 hashes.

- A wrong name and a wrong password are answered alike, and take alike long.
- A link lets its person in once, within its time.
"""

from __future__ import annotations

import re
from datetime import datetime

from controller.desk import passwords, rules
from controller.desk.proving import Proving
from controller.desk.tokens import hashed
from controller.desk.wishes import DeskError, Entry, Halfway, Place
from controller.store.rows import Act, Session, User

_NAME = re.compile(r"[\w.@+-]{1,64}")


class Entrance(Proving):
    """The part of the desk where people come in and go out."""

    def sign_in(self, name: str, password: str, now: datetime, device: str = "") -> Entry | Halfway:
        """Come in by name and password, on a device as the person would call it. Raises ``wrong_password``.

        Whoever has a second factor is halfway in.
        """
        user = self._store.people.by_name(name) if _NAME.fullmatch(name) else None
        right = passwords.fits(user.password_hash if user and user.password_hash else passwords.nobodys(), password)
        if user is None or not user.password_hash or user.disabled or not right:
            raise DeskError("desk.wrong_password")
        return self._let_in(user, now, device)

    def sign_out(self, token: str, now: datetime) -> None:
        """End the session."""
        self._store.people.close_session(hashed(token), now)

    def linked(self, token: str, now: datetime) -> User | None:
        """Whom an invitation would let in, if it is one and still good; it stays unused."""
        return self._store.people.linked(hashed(token), now)

    def accept(self, token: str, password: str, now: datetime, device: str = "") -> Entry | Halfway:
        """Come in by an invitation, which is used up, with a new password; it stands for no second factor.

        Raises DeskError.
        """
        rules.password(password)
        user = self._store.people.take_link(hashed(token), now)
        if user is None:
            raise DeskError("desk.bad_link")
        self._store.people.set_password(
            user.id, passwords.hashed(password), Act(user.name, "chose a password", user.name, "", now)
        )
        return self._let_in(user, now, device)

    def change_password(self, who: User, old: str, new: str, now: datetime, device: str = "") -> Entry:
        """A new password; every session of this person ends, and a new one begins. Raises DeskError."""
        held = self._store.people.get(who.id)
        if held is None or not passwords.fits(held.password_hash or passwords.nobodys(), old):
            raise DeskError("desk.wrong_password")
        hashed = passwords.hashed(rules.password(new))
        self._store.people.set_password(who.id, hashed, Act(who.name, "changed password", who.name, "", now))
        return self._entered(held, now, device, self._proven_before(who, now))

    def sessions(self, who: User, token: str, now: datetime) -> list[Place]:
        """Where this person is signed in, the place used last first; ``token`` is that of the one who asks."""
        mine, asking = self._store.people.sessions(who.id, now), hashed(token)
        return [Place(_short(each), each, each.token_hash == asking) for each in mine]

    def end_session(self, who: User, name: str, now: datetime) -> bool:
        """Sign this person out at the place called so. Whether there was one."""
        for each in self._store.people.sessions(who.id, now):
            if _short(each) == name:
                act = Act(who.name, "ended a session", who.name, each.device, now)
                return self._store.people.end_sessions(who.id, one=each.token_hash, act=act) > 0
        return False

    def end_other_sessions(self, who: User, token: str, now: datetime) -> int:
        """Sign this person out everywhere else. In how many places."""
        act = Act(who.name, "ended all other sessions", who.name, "", now)
        return self._store.people.end_sessions(who.id, but=hashed(token), act=act)


def _short(session: Session) -> str:
    """A name for a session that opens nothing."""
    return session.token_hash[:16]
