"""The database: connections, transactions, and the check that its shape is the one this program knows.

- A transaction that writes takes SQLite's write lock at its beginning (BEGIN IMMEDIATE), so that what it has
  read still holds when it writes; a second process waits up to `BUSY_SECONDS`.
- SQLite: WAL, synchronous=FULL (what was committed survives a power cut), foreign keys on.
- Whatever a driver raises leaves here as `StoreError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
import sqlalchemy.exc as sx
from sqlalchemy.dialects import postgresql, sqlite

from controller.store import chain, muster, tables, written
from controller.store.errors import StoreError, said
from controller.store.migrations import REVISIONS
from controller.store.rows import Act

BUSY_SECONDS = 15

Upsert = sqlite.Insert | postgresql.Insert


class Database:
    """A database by URL: ``sqlite:///path`` or ``postgresql://…``. Opens nothing before its first use."""

    def __init__(self, url: str) -> None:
        """Raises StoreError for a URL that names no such database."""
        try:
            address = sa.make_url(url)
        except sx.ArgumentError:
            raise StoreError("store.bad_url") from None
        backend = address.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise StoreError("store.bad_url")
        self.is_sqlite = backend == "sqlite"
        if self.is_sqlite:
            self.engine = sa.create_engine(address, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        else:
            address = address.set(drivername="postgresql+psycopg")
            reaching = {"connect_timeout": 10}
            self.engine = sa.create_engine(address, hide_parameters=True, pool_pre_ping=True, connect_args=reaching)
        for heed in (muster.heed, written.heed):
            sa.event.listen(self.engine, "before_execute", heed)
        self._writer = self.engine.execution_options(writes=True)
        self._wisher = self._writer.execution_options(**{written.WISHES: True})
        self._checked = False

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the database. Raises StoreError."""
        self.check()
        with _translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: kept whole when the block ends, gone when it raises. Raises StoreError."""
        with self._begun(self._writer) as connection:
            yield connection

    @contextmanager
    def wishing(self, act: Act | None = None) -> Iterator[sa.Connection]:
        """A transaction that changes what is wanted: `wishes` grows, and ``act`` goes into the audit log with it.

        It grows first: no two such transactions run at once, and what they touch bears the number that they made.
        """
        with self._begun(self._wisher) as connection:
            connection.execute(sa.update(tables.tidings).values(wishes=tables.tidings.c.wishes + 1))
            yield connection
            if act is not None:
                self.note(connection, act)

    @contextmanager
    def _begun(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        self.check()
        with _translated(), engine.begin() as connection:
            written.begin(connection)
            yield connection

    @staticmethod
    def note(connection: sa.Connection, act: Act) -> None:
        """Within a transaction: a line of the audit log, for what is known only in it."""
        chain.append(connection, [act])

    @contextmanager
    def changing_shape(self) -> Iterator[sa.Connection]:
        """A transaction for migrations: checks nothing, and only one process at a time is in it."""
        with _translated(), self._writer.begin() as connection:
            if not self.is_sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(5101982)"))
            yield connection

    def upsert(self, table: sa.Table) -> Upsert:
        """An INSERT that can say ON CONFLICT."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def revision(self) -> str | None:
        """The revision that the database says it has, None when it has never been migrated."""
        with _translated(), self.engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()

    def tables(self) -> list[str]:
        """The names of what is in it. Raises StoreError."""
        with _translated(), self.engine.connect() as connection:
            return sa.inspect(connection).get_table_names()

    def size_bytes(self) -> int:
        """How much it takes: of SQLite the pages of the file, of PostgreSQL this one database. Raises StoreError."""
        asked = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        with self.reading() as connection:
            query = sa.text(asked if self.is_sqlite else "SELECT pg_database_size(current_database())")
            return int(connection.execute(query).scalar_one())

    def check(self) -> None:
        """Raises StoreError unless the database has exactly the shape that this program knows; asks only once."""
        if self._checked:
            return
        revision = self.revision()
        if revision is not None and revision not in REVISIONS:
            raise StoreError("store.future", revision=revision, known=REVISIONS[-1])
        if revision != REVISIONS[-1]:
            raise StoreError("store.unmigrated")
        self._checked = True

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sx.SQLAlchemyError, UnicodeEncodeError, OverflowError) as error:
        raise said(error) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
