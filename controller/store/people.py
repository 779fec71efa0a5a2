"""People, their sessions and one-time links. Only hashes come in here; `controller.desk` makes them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.errors import StoreError
from controller.store.rows import Act, User
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import links, sessions, users


class People:
    """Who may enter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, user: User, act: Act | None = None) -> None:
        """Enter a person. Raises StoreError ``store.conflict`` when the name or id is taken."""
        with self._database.wishing(act) as connection:
            connection.execute(sa.insert(users), columns(user))

    def add_first(self, user: User, act: Act | None = None) -> None:
        """Enter the first person. Raises StoreError ``store.not_first`` when there is somebody already."""
        with self._database.wishing(act) as connection:
            if not self._database.is_sqlite:
                connection.execute(sa.text("LOCK TABLE users IN EXCLUSIVE MODE"))
            if connection.execute(sa.select(users.c.id).limit(1)).first():
                raise StoreError("store.not_first")
            connection.execute(sa.insert(users), columns(user))

    def by_name(self, name: str) -> User | None:
        """The person with this sign-in name."""
        return self._one(sa.select(users).where(users.c.name == name))

    def get(self, user_id: str) -> User | None:
        """The person with this id."""
        return self._one(sa.select(users).where(users.c.id == user_id))

    def all(self) -> list[User]:
        """Everybody, in order of name."""
        with self._database.reading() as connection:
            return all_shaped(User, connection.execute(sa.select(users).order_by(users.c.name)))

    def count(self) -> int:
        """How many people there are."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(users)).scalar_one())

    def set_password(self, user_id: str, password_hash: str, act: Act | None = None) -> None:
        """A new password; every session of this person ends."""
        with self._database.wishing(act) as connection:
            connection.execute(sa.update(users).where(users.c.id == user_id).values(password_hash=password_hash))
            connection.execute(sa.delete(sessions).where(sessions.c.user == user_id))

    def open_session(self, token_hash: str, user_id: str, now: datetime, expires_at: datetime) -> None:
        """A session by the hash of its token; sessions past their end are swept."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.expires_at <= now))
            row = {"token_hash": token_hash, "user": user_id, "created_at": now, "expires_at": expires_at}
            connection.execute(sa.insert(sessions), row)

    def session(self, token_hash: str, now: datetime) -> User | None:
        """Whose session this is, while it lasts and the person is not disabled."""
        valid = (sessions.c.token_hash == token_hash) & (sessions.c.expires_at > now) & ~users.c.disabled
        return self._one(sa.select(users).join(sessions, sessions.c.user == users.c.id).where(valid))

    def close_session(self, token_hash: str) -> None:
        """End one session."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.token_hash == token_hash))

    def add_link(self, token_hash: str, user_id: str, expires_at: datetime, act: Act | None = None) -> None:
        """A link that lets this person in once."""
        with self._database.wishing(act) as connection:
            row = {"token_hash": token_hash, "user": user_id, "expires_at": expires_at, "used_at": None}
            connection.execute(sa.insert(links), row)

    def take_link(self, token_hash: str, now: datetime) -> User | None:
        """Use a link up; None when it is unknown, used or past its end, or its person disabled."""
        valid = (links.c.token_hash == token_hash) & links.c.used_at.is_(None) & (links.c.expires_at > now)
        with self._database.writing() as connection:
            used = sa.update(links).where(valid).values(used_at=now).returning(links.c.user)
            user_id = connection.execute(used).scalar()
            entitled = sa.select(users).where((users.c.id == user_id) & ~users.c.disabled)
            row = connection.execute(entitled).first()
        return shaped(User, row) if row else None

    def _one(self, query: sa.Select[tuple[object, ...]]) -> User | None:
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return shaped(User, row) if row else None
