"""People with their grants, their sessions and one-time links. Only hashes come in here; `controller.desk` makes them.

- What would leave a station that nobody governs is found in the transaction that does it, and undone: two
  administrators who dismiss each other at once do not both succeed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from controller import rights
from controller.rights import Grant
from controller.store.alarms import leave_alarms
from controller.store.cosigners_out import put_out
from controller.store.database import Database
from controller.store.errors import StoreError
from controller.store.factor_tables import asked
from controller.store.rows import Act, Session, User
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import grants, links, sessions, users
from controller.store.tokens import leave_tokens

NOTED_EVERY = timedelta(minutes=10)  # how exactly it is known when a session was last used


class People:
    """Who may enter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, user: User, act: Act | None = None) -> None:
        """Enter a person. Raises StoreError ``store.conflict`` when the name or id is taken."""
        with self._database.wishing(act) as connection:
            _enter(connection, user)

    def add_first(self, user: User, act: Act | None = None) -> None:
        """Enter the first person. Raises StoreError ``store.not_first`` when there is somebody already."""
        with self._database.wishing(act) as connection:
            if not self._database.is_sqlite:
                connection.execute(sa.text("LOCK TABLE users IN EXCLUSIVE MODE"))
            if connection.execute(sa.select(users.c.id).limit(1)).first():
                raise StoreError("store.not_first")
            _enter(connection, user)

    def by_name(self, name: str) -> User | None:
        """The person with this sign-in name."""
        return self._one(sa.select(users).where(users.c.name == name))

    def get(self, user_id: str) -> User | None:
        """The person with this id."""
        return self._one(sa.select(users).where(users.c.id == user_id))

    def all(self) -> list[User]:
        """Everybody, in order of name."""
        with self._database.reading() as connection:
            return _everybody(connection)

    def count(self) -> int:
        """How many people there are."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(users)).scalar_one())

    def set_password(self, user_id: str, password_hash: str, act: Act | None = None) -> None:
        """A new password; every session of this person ends."""
        with self._database.wishing(act) as connection:
            connection.execute(sa.update(users).where(users.c.id == user_id).values(password_hash=password_hash))
            connection.execute(sa.delete(sessions).where(sessions.c.user == user_id))

    def open_session(self, opened: Session, now: datetime, act: Act | None = None) -> None:
        """A session by the hash of its token; sessions past their end are swept."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.expires_at <= now))
            connection.execute(sa.insert(sessions), columns(opened))
            if act is not None:
                self._database.note(connection, act)

    def session(self, token_hash: str, now: datetime) -> User | None:
        """Whose session this is, while it lasts and the person is not disabled. That it was used is noted, coarsely."""
        found = self.visit(token_hash, now)
        return found[0] if found else None

    def visit(self, token_hash: str, now: datetime) -> tuple[User, Session] | None:
        """As `session`, with the session itself."""
        with self._database.reading() as connection:
            row = connection.execute(_VALID, {"token": token_hash, "now": now}).first()
            owner = connection.execute(_OWNER, {"user": row.user}).first() if row else None
            user = _with_grants(connection, [shaped(User, owner)])[0] if owner else None
        if row is None or user is None:
            return None
        if now - row.seen_at >= NOTED_EVERY:
            with self._database.writing() as connection:
                used = sa.update(sessions).where(sessions.c.token_hash == token_hash)
                connection.execute(used.values(seen_at=now))
        return user, shaped(Session, row)

    def prove(self, token_hash: str, now: datetime, act: Act) -> None:
        """Whoever holds this session has just proved who they are."""
        with self._database.writing() as connection:
            connection.execute(sa.update(sessions).where(sessions.c.token_hash == token_hash).values(proven_at=now))
            self._database.note(connection, act)

    def sessions(self, user_id: str, now: datetime) -> list[Session]:
        """The sessions of a person that last, the one used last first."""
        mine = (sessions.c.user == user_id) & (sessions.c.expires_at > now)
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(sessions).where(mine).order_by(sessions.c.seen_at.desc()))
            return all_shaped(Session, rows)

    def end_sessions(self, user_id: str, but: str = "", one: str = "", act: Act | None = None) -> int:
        """End the sessions of a person, all but the one with the hash ``but``, or only ``one``. How many."""
        mine = (sessions.c.user == user_id) & (sessions.c.token_hash != but)
        mine = mine & (sessions.c.token_hash == one) if one else mine
        with self._database.wishing(act) as connection:
            return connection.execute(sa.delete(sessions).where(mine)).rowcount

    def give(self, user_id: str, grant: Grant, act: Act) -> None:
        """One more grant for a person."""
        with self._database.wishing(act) as connection:
            _give(connection, user_id, [grant])

    def end_grant(self, grant_id: str, at: datetime, act: Act) -> None:
        """Let a grant count until ``at`` and no longer. Raises StoreError ``store.ungoverned``."""
        with self._governed(act) as connection:
            connection.execute(sa.update(grants).where(grants.c.id == grant_id).values(until=at))

    def set_disabled(self, user_id: str, disabled: bool, act: Act, second_keys: Iterable[str] = ()) -> None:
        """Let a person in no more, whatever session, link or token they hold; or again, by a new link.

        Their programs' tokens end for good, and open alarms that were theirs to mend are nobody's.
        ``second_keys``: public keys of theirs (hex) that are out of force with it, for good.
        Raises StoreError ``store.ungoverned``.
        """
        with self._governed(act) as connection:
            connection.execute(
                sa.update(users).where(users.c.id == user_id).values(disabled=disabled, password_hash="")
            )
            connection.execute(sa.delete(sessions).where(sessions.c.user == user_id))
            connection.execute(sa.delete(links).where(links.c.user == user_id))
            put_out(self._database, connection, second_keys, act)
            leave_tokens(connection, user_id, act.at)
            leave_alarms(connection, user_id, act)

    def end_all_sessions(self) -> None:
        """Nobody is signed in any more, and no link that was sent lets anybody in."""
        with self._database.writing() as connection:
            for table in (sessions, links, asked):
                connection.execute(sa.delete(table))

    def close_session(self, token_hash: str, now: datetime) -> None:
        """End one session; whoever was signed in by it signed out."""
        ended = sa.delete(sessions).where(sessions.c.token_hash == token_hash).returning(sessions.c.user)
        with self._database.writing() as connection:
            user = connection.execute(ended).scalar()
            name = connection.execute(sa.select(users.c.name).where(users.c.id == user)).scalar() if user else None
            if name:
                self._database.note(connection, Act(name, "signed out", name, "", now))

    def add_link(self, token_hash: str, user_id: str, expires_at: datetime, act: Act | None = None) -> None:
        """A link that lets this person in once."""
        with self._database.wishing(act) as connection:
            row = {"token_hash": token_hash, "user": user_id, "expires_at": expires_at, "used_at": None}
            connection.execute(sa.insert(links), row)

    def linked(self, token_hash: str, now: datetime) -> User | None:
        """Whose link it is, while it may be used."""
        mine = sa.select(users).join(links, links.c.user == users.c.id)
        return self._one(mine.where(_good(token_hash, now) & ~users.c.disabled))

    def take_link(self, token_hash: str, now: datetime) -> User | None:
        """Use a link up; None when it is unknown, used or past its end, or its person disabled."""
        with self._database.writing() as connection:
            used = sa.update(links).where(_good(token_hash, now)).values(used_at=now).returning(links.c.user)
            user_id = connection.execute(used).scalar()
            entitled = sa.select(users).where((users.c.id == user_id) & ~users.c.disabled)
            row = connection.execute(entitled).first()
            return _with_grants(connection, [shaped(User, row)])[0] if row else None

    def _one(self, query: sa.Select[tuple[object, ...]]) -> User | None:
        with self._database.reading() as connection:
            row = connection.execute(query).first()
            return _with_grants(connection, [shaped(User, row)])[0] if row else None

    @contextmanager
    def _governed(self, act: Act) -> Iterator[sa.Connection]:
        """A transaction that is undone where it leaves nobody with a lasting say over people everywhere."""
        with self._database.wishing(act) as connection:
            before = rights.is_governed(_everybody(connection), act.at)
            yield connection
            if before and not rights.is_governed(_everybody(connection), act.at):
                raise StoreError("store.ungoverned")


# What every request asks, put together once.
_VALID = (
    sa.select(sessions)
    .join(users, sessions.c.user == users.c.id)
    .where(
        sessions.c.token_hash == sa.bindparam("token"), sessions.c.expires_at > sa.bindparam("now"), ~users.c.disabled
    )
)
_OWNER = sa.select(users).where(users.c.id == sa.bindparam("user"))
_GRANTS = sa.select(grants).order_by(grants.c.given_at, grants.c.role, grants.c.id)
_GRANTS_OF = _GRANTS.where(grants.c.user == sa.bindparam("user"))


def _good(token_hash: str, now: datetime) -> sa.ColumnElement[bool]:
    """That it is this link, unused and within its time."""
    return (links.c.token_hash == token_hash) & links.c.used_at.is_(None) & (links.c.expires_at > now)


def _everybody(connection: sa.Connection) -> list[User]:
    return _with_grants(connection, all_shaped(User, connection.execute(sa.select(users).order_by(users.c.name))))


def _with_grants(connection: sa.Connection, people: Sequence[User]) -> list[User]:
    """``people`` with what they hold, in the order in which it was given."""
    held: dict[str, list[Grant]] = defaultdict(list)
    one = len(people) == 1
    for row in connection.execute(_GRANTS_OF, {"user": people[0].id}) if one else connection.execute(_GRANTS):
        held[row.user].append(shaped(Grant, row))
    return [replace(each, grants=tuple(held[each.id])) for each in people]


def _enter(connection: sa.Connection, user: User) -> None:
    connection.execute(sa.insert(users), columns(user, "grants"))
    _give(connection, user.id, user.grants)


def _give(connection: sa.Connection, user_id: str, given: Iterable[Grant]) -> None:
    rows = [{**columns(each), "user": user_id} for each in given]
    if rows:
        connection.execute(sa.insert(grants), rows)
