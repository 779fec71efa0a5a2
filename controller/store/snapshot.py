"""The whole database at one moment into a file, and a file into an empty database.

- SQLite by its own online backup, while others write; PostgreSQL by ``pg_dump`` and ``pg_restore``, called as programs.
- A password goes to those programs in their environment, never in their arguments.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.errors import StoreError

PATIENCE_SECONDS = 3600
SQLITE, POSTGRESQL = "sqlite", "postgresql"


def take(database: Database, path: Path) -> str:
    """Write the database to ``path``, for its owner only. What kind of file it is. Raises StoreError, OSError."""
    database.check()
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if not database.is_sqlite:
        _call(database, "pg_dump", "--format=custom", f"--file={path}")
        return POSTGRESQL
    try:
        source, copy = sqlite3.connect(_file_of(database)), sqlite3.connect(path)
        with source, copy:
            source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
        copy.close()
        source.close()
    except sqlite3.Error as wrong:
        raise StoreError("store.refused", detail=wrong) from wrong
    return SQLITE


def put_back(database: Database, path: Path) -> None:
    """Make the file that `take` wrote the database, which must not have been there. Raises StoreError, OSError."""
    if database.is_sqlite:
        target = Path(_file_of(database))
        if target.exists():
            raise StoreError("store.not_empty")
        _check_whole(path)
        shutil.copyfile(path, target)
        target.chmod(0o600)
        descriptor = os.open(target, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        return
    with database.engine.connect() as connection:
        if sa.inspect(connection).get_table_names():
            raise StoreError("store.not_empty")
    _call(database, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname", "", path=path)


def _file_of(database: Database) -> str:
    return database.engine.url.database or ""


def _check_whole(path: Path) -> None:
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as copy:
            found = copy.execute("PRAGMA integrity_check(1)").fetchone()
        copy.close()
    except sqlite3.Error as wrong:
        raise StoreError("store.not_a_database", detail=wrong) from wrong
    if found != ("ok",):
        raise StoreError("store.not_a_database", detail=found[0])


def _call(database: Database, program: str, *arguments: str, path: Path | None = None) -> None:
    """A program of PostgreSQL on this database. An empty argument is where the database's address goes."""
    if shutil.which(program) is None:
        raise StoreError("store.no_program", program=program)
    url = database.engine.url.set(drivername="postgresql")
    address = url.set(password=None).render_as_string(hide_password=False)
    words = [each or address for each in arguments] if "" in arguments else [*arguments, address]
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    command = [program, *words, *([str(path)] if path else [])]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired as wrong:
        raise StoreError("store.busy", detail=program) from wrong
    if done.returncode != 0:
        raise StoreError("store.refused", detail=done.stderr.decode(errors="replace").strip()[-300:])
