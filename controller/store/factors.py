"""Second factors, and what is asked of somebody just now. Secrets come in locked or marked by `controller.desk`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.factor_tables import asked, code_apps, passkeys, recovery_codes
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import sessions

MOST_ASKED = 5000  # open at once; the oldest go first


@dataclass(frozen=True)
class CodeApp:
    """An app that shows codes; ``locked`` holds its secret. It counts once it is confirmed."""

    user: str
    locked: str = field(repr=False)
    made_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0


@dataclass(frozen=True)
class Passkey:
    """A passkey; ``id`` is the credential's in base64url, ``uses`` what its own counter said last."""

    id: str
    user: str
    name: str
    public_key: bytes
    uses: int
    made_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True)
class Asked:
    """What somebody is asked to prove, until ``expires_at``; ``user`` None: whoever it turns out to be."""

    token_hash: str
    purpose: str
    user: str | None
    challenge: str
    expires_at: datetime


@dataclass(frozen=True)
class Held:
    """What a person has besides a password."""

    code: bool = False
    passkeys: int = 0
    recovery: int = 0

    @property
    def any(self) -> bool:
        """Whether there is a second factor."""
        return self.code or self.passkeys > 0


def _held() -> sa.Select[Any]:
    """What every request asks of a ``user``, put together once."""
    user: sa.BindParameter[str] = sa.bindparam("user")
    app = sa.exists().where((code_apps.c.user == user) & code_apps.c.confirmed_at.is_not(None))
    keys = sa.select(sa.func.count()).select_from(passkeys).where(passkeys.c.user == user).scalar_subquery()
    unused = (recovery_codes.c.user == user) & recovery_codes.c.used_at.is_(None)
    left = sa.select(sa.func.count()).select_from(recovery_codes).where(unused).scalar_subquery()
    return sa.select(app, keys, left)


_HELD = _held()


class Factors:
    """Who has what besides a password."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def held(self, user: str) -> Held:
        """What this person has that counts."""
        with self._database.reading() as connection:
            row = connection.execute(_HELD, {"user": user}).one()
        return Held(bool(row[0]), int(row[1]), int(row[2]))

    def code_app(self, user: str) -> CodeApp | None:
        """Their app, confirmed or not."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(code_apps).where(code_apps.c.user == user)).first()
        return shaped(CodeApp, row) if row else None

    def begin_code(self, app: CodeApp) -> bool:
        """An app that is still to be confirmed, in the place of another such one. False: one that counts is there."""
        with self._database.writing() as connection:
            mine = code_apps.c.user == app.user
            connection.execute(sa.delete(code_apps).where(mine & code_apps.c.confirmed_at.is_(None)))
            if connection.execute(sa.select(code_apps.c.user).where(mine)).first():
                return False
            connection.execute(sa.insert(code_apps), columns(app))
        return True

    def confirm_code(self, app: CodeApp, step: int, now: datetime, act: Act) -> bool:
        """That very app counts from now on. Whether it was still waiting for that."""
        mine = (code_apps.c.user == app.user) & (code_apps.c.locked == app.locked) & code_apps.c.confirmed_at.is_(None)
        with self._database.writing() as connection:
            now_counts = sa.update(code_apps).where(mine).values(confirmed_at=now, last_step=step)
            done = connection.execute(now_counts).rowcount > 0
            if done:
                self._database.note(connection, act)
        return done

    def use_step(self, user: str, step: int) -> bool:
        """A code of that step is accepted; False when one of it, or a later one, was before."""
        mine = (code_apps.c.user == user) & (code_apps.c.last_step < step) & code_apps.c.confirmed_at.is_not(None)
        with self._database.writing() as connection:
            return connection.execute(sa.update(code_apps).where(mine).values(last_step=step)).rowcount > 0

    def drop_code(self, user: str, act: Act) -> bool:
        """Their app counts no more. Whether there was one."""
        with self._database.writing() as connection:
            mine = (code_apps.c.user == user) & code_apps.c.confirmed_at.is_not(None)
            return self._dropped(connection, sa.delete(code_apps).where(mine), user, act)

    def passkeys(self, user: str) -> list[Passkey]:
        """Their passkeys, the oldest first."""
        query = sa.select(passkeys).where(passkeys.c.user == user).order_by(passkeys.c.made_at, passkeys.c.id)
        with self._database.reading() as connection:
            return all_shaped(Passkey, connection.execute(query))

    def passkey(self, name: str) -> Passkey | None:
        """The passkey with that credential id."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(passkeys).where(passkeys.c.id == name)).first()
        return shaped(Passkey, row) if row else None

    def add_passkey(self, new: Passkey, act: Act) -> None:
        """Enter one. Raises StoreError ``store.conflict`` when that credential is known."""
        with self._database.writing() as connection:
            connection.execute(sa.insert(passkeys), columns(new))
            self._database.note(connection, act)

    def use_passkey(self, held: Passkey, uses: int, now: datetime) -> bool:
        """It was used; False when it was used elsewhere meanwhile, or is gone."""
        mine = (passkeys.c.id == held.id) & (passkeys.c.uses == held.uses)
        with self._database.writing() as connection:
            return connection.execute(sa.update(passkeys).where(mine).values(uses=uses, used_at=now)).rowcount > 0

    def drop_passkey(self, user: str, name: str, act: Act) -> bool:
        """It counts no more. Whether this person had it."""
        with self._database.writing() as connection:
            mine = (passkeys.c.id == name) & (passkeys.c.user == user)
            return self._dropped(connection, sa.delete(passkeys).where(mine), user, act)

    def set_recovery(self, user: str, marks: Iterable[str], act: Act) -> None:
        """New recovery codes; the former ones open nothing."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.user == user))
            connection.execute(sa.insert(recovery_codes), [{"user": user, "mark": mark} for mark in marks])
            self._database.note(connection, act)

    def use_recovery(self, user: str, mark: str, now: datetime, act: Act) -> bool:
        """Use one up. Whether it was theirs and unused."""
        mine = (recovery_codes.c.user == user) & (recovery_codes.c.mark == mark) & recovery_codes.c.used_at.is_(None)
        with self._database.writing() as connection:
            used = connection.execute(sa.update(recovery_codes).where(mine).values(used_at=now)).rowcount > 0
            if used:
                self._database.note(connection, act)
        return used

    def forget(self, user: str, act: Act) -> None:
        """This person has a password and nothing else, and is signed in nowhere."""
        with self._database.writing() as connection:
            for table in (code_apps, passkeys, recovery_codes, asked, sessions):
                connection.execute(sa.delete(table).where(table.c.user == user))
            self._database.note(connection, act)

    def ask(self, question: Asked, now: datetime) -> None:
        """Keep what is asked. What nobody can answer any more is swept, and the oldest where there are too many."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(asked).where(asked.c.expires_at <= now))
            surplus = sa.select(asked.c.token_hash).order_by(asked.c.expires_at.desc()).offset(MOST_ASKED - 1)
            connection.execute(sa.delete(asked).where(asked.c.token_hash.in_(surplus.limit(MOST_ASKED))))
            connection.execute(sa.insert(asked), columns(question))

    def answered(self, token_hash: str, purpose: str, now: datetime) -> Asked | None:
        """What was asked by that token, which is used up by it."""
        mine = (asked.c.token_hash == token_hash) & (asked.c.purpose == purpose)
        with self._database.writing() as connection:
            row = connection.execute(sa.delete(asked).where(mine).returning(*asked.c)).first()
        found = shaped(Asked, row) if row else None
        return found if found and found.expires_at > now else None

    def asking(self, token_hash: str, purpose: str, now: datetime) -> Asked | None:
        """What is asked by that token; it stays open."""
        mine = (asked.c.token_hash == token_hash) & (asked.c.purpose == purpose) & (asked.c.expires_at > now)
        with self._database.reading() as connection:
            row = connection.execute(sa.select(asked).where(mine)).first()
        return shaped(Asked, row) if row else None

    def _dropped(self, connection: sa.Connection, drop: sa.Delete, user: str, act: Act) -> bool:
        """Drop a factor; with the last one the recovery codes go."""
        done = connection.execute(drop).rowcount > 0
        if done:
            self._database.note(connection, act)
            counting = (code_apps.c.user == user) & code_apps.c.confirmed_at.is_not(None)
            app = sa.select(code_apps.c.user).where(counting)
            if not connection.execute(app.union_all(sa.select(passkeys.c.user).where(passkeys.c.user == user))).first():
                connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.user == user))
        return done
