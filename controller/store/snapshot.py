"""The whole database at one moment into a file, and a file into an empty database.

- SQLite by its own online backup, while others write; PostgreSQL by ``pg_dump`` and ``pg_restore``, called as programs.
- A password goes to those programs in their environment, never in their arguments.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from controller import durable
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


def is_empty(database: Database) -> bool:
    """Whether there is nothing that `put_back` would write over. Raises StoreError."""
    if database.is_sqlite:
        return not Path(_file_of(database)).exists()
    return not database.tables()


def put_back(database: Database, path: Path) -> None:
    """Make the file that `take` wrote the database, which must not have been there. A moved file of SQLite's is gone.

    Raises StoreError, OSError; then there is no database still.
    """
    if not is_empty(database):
        raise StoreError("store.not_empty")
    if not database.is_sqlite:
        _call(
            database, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname", "", path=path
        )
        return
    _check_whole(path)
    path.chmod(0o600)
    _move(path, Path(_file_of(database)))


def _move(path: Path, target: Path) -> None:
    """All of it or nothing, on the disk. Raises OSError."""
    try:
        _flushed(path).replace(target)
    except OSError as wrong:
        if wrong.errno != errno.EXDEV:  # by trying: what is mounted twice tells one device
            raise
        _copy(path, target)
    try:
        durable.flush_folder(target.parent)
    except OSError:
        target.unlink(missing_ok=True)
        raise


def _copy(path: Path, target: Path) -> None:
    """To another file system."""
    aside = target.with_name(f".{target.name}.new")
    try:
        shutil.copyfile(path, aside)
        aside.chmod(0o600)
        _flushed(aside).replace(target)
    finally:
        aside.unlink(missing_ok=True)


def _flushed(path: Path) -> Path:
    with path.open("rb") as content:
        os.fsync(content.fileno())
    return path


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
