"""Tokens by which programs act for a person. Only hashes come in here; `controller.desk` makes the tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from controller.rights import Role
from controller.store.api_tables import api_tokens
from controller.store.database import Database
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns, shaped

NOTED_EVERY = timedelta(minutes=1)  # how exactly it is known when a token was last used


@dataclass(frozen=True)
class TokenRow:
    """A token of a person (``user``: their id): a role over ``area`` and all in it, until a moment."""

    id: str
    user: str
    name: str
    token_hash: str = field(repr=False)
    role: Role
    area: str
    made_at: datetime
    until: datetime
    used_at: datetime | None = None
    ended_at: datetime | None = None

    def counts(self, now: datetime) -> bool:
        """Whether it opens anything, as far as it goes by itself."""
        return self.ended_at is None and now < self.until


class Tokens:
    """Who gave what to which program."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: TokenRow, most: int, act: Act) -> bool:
        """One more; False, and nothing written, where its person has ``most`` that count already."""
        mine = api_tokens.c.user == token.user
        counting = mine & api_tokens.c.ended_at.is_(None) & (api_tokens.c.until > token.made_at)
        count = sa.select(sa.func.count()).select_from(api_tokens).where(counting)
        with self._database.wishing() as connection:
            if connection.execute(count).scalar_one() >= most:
                return False
            connection.execute(sa.insert(api_tokens), columns(token))
            self._database.note(connection, act)
        return True

    def by_hash(self, token_hash: str, now: datetime) -> TokenRow | None:
        """The token with this hash, while it counts. That it was used is noted, coarsely."""
        counting = (api_tokens.c.token_hash == token_hash) & api_tokens.c.ended_at.is_(None)
        with self._database.reading() as connection:
            row = connection.execute(sa.select(api_tokens).where(counting & (api_tokens.c.until > now))).first()
        if row is None:
            return None
        if row.used_at is None or now - row.used_at >= NOTED_EVERY:
            with self._database.writing() as connection:
                connection.execute(sa.update(api_tokens).where(api_tokens.c.id == row.id).values(used_at=now))
        return shaped(TokenRow, row)

    def get(self, token_id: str) -> TokenRow | None:
        """One token."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(api_tokens).where(api_tokens.c.id == token_id)).first()
        return shaped(TokenRow, row) if row else None

    def all(self, user: str | None = None) -> list[TokenRow]:
        """Every token, or those of a person; the newest first."""
        query = sa.select(api_tokens).order_by(api_tokens.c.made_at.desc(), api_tokens.c.id)
        with self._database.reading() as connection:
            return all_shaped(TokenRow, connection.execute(query.where(api_tokens.c.user == user) if user else query))

    def end(self, token_id: str, at: datetime, act: Act) -> bool:
        """It opens nothing any more; False where it did not already."""
        counting = (api_tokens.c.id == token_id) & api_tokens.c.ended_at.is_(None)
        with self._database.wishing() as connection:
            ended = connection.execute(sa.update(api_tokens).where(counting).values(ended_at=at)).rowcount > 0
            if ended:
                self._database.note(connection, act)
        return ended


def leave_tokens(connection: sa.Connection, user_id: str, at: datetime) -> None:
    """Within a transaction: whoever made them leaves, or comes back, and none of them opens anything any more."""
    mine = (api_tokens.c.user == user_id) & api_tokens.c.ended_at.is_(None)
    connection.execute(sa.update(api_tokens).where(mine).values(ended_at=at))
