"""The one station of a database: a claim that the operating system, or PostgreSQL, gives back when its process dies.

- SQLite: a lock on a file beside the database. PostgreSQL: an advisory lock of a connection that does nothing else.
- Two stations would number plans past each other and take the broker's connection from one another, again and again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress

import sqlalchemy as sa
import sqlalchemy.exc as sx

from controller.store.database import Database
from controller.store.errors import StoreError, said

_LOCK = 5101983


def claim(database: Database) -> Callable[[], None]:
    """Be the one station until the function that is given back is called. Raises StoreError ``store.taken``."""
    return _by_file(f"{database.engine.url.database}.station") if database.is_sqlite else _by_server(database.engine)


def _by_file(path: str) -> Callable[[], None]:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as wrong:
        raise StoreError("store.unreachable", detail=wrong.strerror or wrong) from wrong
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StoreError("store.taken") from None
    return lambda: os.close(handle)


def _by_server(engine: sa.Engine) -> Callable[[], None]:
    try:
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        mine = connection.execute(sa.select(sa.func.pg_try_advisory_lock(_LOCK))).scalar()
    except sx.SQLAlchemyError as error:
        raise said(error) from error

    def release() -> None:
        with suppress(sx.SQLAlchemyError):  # the server notices only in a while that a session is gone
            connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK)))
        connection.invalidate()
        connection.close()

    if not mine:
        connection.close()
        raise StoreError("store.taken")
    return release
