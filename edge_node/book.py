"""The book: the ledger's lines and the numbered receipts, written down. SQLite, WAL, synchronous=FULL.

- Receipts are numbered without gaps within a stream; a job has one outcome, by a constraint of the database.
- A spoilt database is moved aside: a new stream begins at 1.
- A disk that cannot be written at the start, or for a while, is left alone: the book goes on in memory, as a new
  stream that begins with what nobody has acknowledged. When the disk takes writes again, all of it is written there.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_node import disk
from schedules.situation import Phase, Record
from wire import codec
from wire.receipt import OUTCOMES, Receipt

log = logging.getLogger("loa.node.ledger")

MOST_RECEIPT_BYTES = 8192
_TABLES = """
CREATE TABLE IF NOT EXISTS stream (only INTEGER PRIMARY KEY CHECK (only = 1), name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
  job TEXT PRIMARY KEY, deadline TEXT NOT NULL, record BLOB NOT NULL, tally BLOB NOT NULL DEFAULT x'', outcome TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipts (number INTEGER PRIMARY KEY AUTOINCREMENT, receipt BLOB NOT NULL);
CREATE TRIGGER IF NOT EXISTS one_outcome BEFORE UPDATE ON jobs WHEN OLD.outcome IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'this job has its outcome'); END;
"""
_DISK_REFUSES = ("full", "unable to open", "readonly", "I/O")  # in SQLite's own words; "locked" is no fault of a disk


class Change(NamedTuple):
    """One step of one job: its new record, what it has sounded (opaque), and the receipt, number still to come."""

    record: Record
    tally: bytes
    receipt: Receipt | None = None


class Book:
    """Opens or makes the database at ``path``. ``spoilt``: an unsound one was found. ``in_memory``: see above."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.OperationalError while another process holds the database."""
        self._path = path
        self.spoilt = self.in_memory = False
        try:
            self.database = self._open()
        except (OSError, sqlite3.DatabaseError) as wrong:
            if not _disk_refuses(wrong):
                raise
            self._leave_disk(disk.copy_of(path, _TABLES), wrong)
        self.stream = _stream(self.database)

    def troubles(self) -> dict[str, int]:
        """For health: what is wrong with it, under its name; 0 for what is not."""
        return {"ledger_spoilt": int(self.spoilt), "ledger_in_memory": int(self.in_memory)}

    def lines(self) -> list[tuple[Record, bytes]]:
        """Every job's record, and what it has sounded while it has no outcome."""
        rows = self.database.execute("SELECT record, tally, outcome FROM jobs").fetchall()
        read = ((codec.read(Record, row[0], MOST_RECEIPT_BYTES), row) for row in rows)
        return [(record, row[1] if row[2] is None else b"") for record, row in read]

    def write(self, changes: Iterable[Change]) -> None:
        """All of ``changes`` or none of them, durable on return (but in memory). Raises sqlite3.Error."""
        with _transaction(self.database):
            for change in changes:
                self._write(change)

    def receipts_after(self, number: int, most: int) -> list[Receipt]:
        """Up to ``most`` written receipts above ``number``, in order."""
        try:
            rows = self.database.execute(
                "SELECT number, receipt FROM receipts WHERE number > ? ORDER BY number LIMIT ?", (number, most)
            ).fetchall()
        except sqlite3.Error as wrong:
            log.error("receipts_unreadable error=%s", wrong)
            return []
        read = ((row[0], codec.read(Receipt, row[1], MOST_RECEIPT_BYTES)) for row in rows)
        return [msgspec.structs.replace(receipt, number=written) for written, receipt in read]

    def last_number(self) -> int:
        """The highest number given so far in this stream; 0 also while it cannot be read."""
        return self._number("SELECT seq FROM sqlite_sequence WHERE name = 'receipts'")

    def first_number(self) -> int:
        """The lowest number of a receipt that is kept; the next one to come when none is."""
        return self._number("SELECT min(number) FROM receipts") or self.last_number() + 1

    def waiting(self) -> int:
        """How many written receipts nobody has acknowledged."""
        return self._number("SELECT count(*) FROM receipts")

    def forget(self, upto: int) -> None:
        """The station has stored every receipt up to this number."""
        with contextlib.suppress(sqlite3.OperationalError):  # a full disk: it is acknowledged again
            self.database.execute("DELETE FROM receipts WHERE number <= ?", (upto,))

    def drop(self, jobs: Iterable[str]) -> bool:
        """Forget these jobs; False when the disk refused."""
        try:
            with _transaction(self.database):
                self.database.executemany("DELETE FROM jobs WHERE job = ?", [(job,) for job in jobs])
        except sqlite3.OperationalError:
            return False
        return True

    def leave_disk(self, why: object) -> None:
        """Go on in memory, with all that can still be read."""
        before = self.database
        self._leave_disk(before, why)
        self.stream = _stream(self.database)
        with contextlib.suppress(sqlite3.Error):
            before.close()

    def back_to_disk(self) -> bool:
        """Write all of it to the disk, and go on there. False while it refuses."""
        try:
            database = self._open()
        except (OSError, sqlite3.Error):
            return False
        try:
            _put_back(self.database, database)
        except sqlite3.Error:
            database.close()
            return False
        self.database.close()
        self.database, self.in_memory = database, False
        log.warning("ledger_on_disk_again stream=%s", self.stream)
        return True

    def close(self) -> None:
        """Close the database. Idempotent."""
        self.database.close()

    def _open(self) -> sqlite3.Connection:
        """The database on disk, sound and able to take a write. Raises OSError, sqlite3.DatabaseError."""
        try:
            return _open_sound(self._path)
        except sqlite3.DatabaseError as wrong:
            if isinstance(wrong, sqlite3.OperationalError) and (_disk_refuses(wrong) or "locked" in str(wrong)):
                raise
            self.spoilt = True
            log.error("ledger_spoilt error=%s moved_to=%s", wrong, disk.move_aside(self._path))
            return _open_sound(self._path)

    def _leave_disk(self, source: sqlite3.Connection, why: object) -> None:
        """From now on in memory: a new stream, which begins with the receipts that ``source`` still has."""
        self.database, self.in_memory = disk.database_in_memory(_TABLES), True
        try:
            with _transaction(self.database):
                for job in source.execute("SELECT * FROM jobs"):
                    self.database.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?)", job)
                for receipt in source.execute("SELECT receipt FROM receipts ORDER BY number"):
                    self.database.execute("INSERT INTO receipts (receipt) VALUES (?)", receipt)
            self.lines()
        except (sqlite3.Error, codec.Malformed) as wrong:
            log.error("ledger_unreadable error=%s", wrong)
            self.database, self.spoilt = disk.database_in_memory(_TABLES), True
        log.error("ledger_in_memory error=%s", why)

    def _write(self, change: Change) -> None:
        record, receipt = change.record, change.receipt
        final = receipt and receipt.step in OUTCOMES and record.phase is not Phase.WITHDRAWN
        outcome = receipt.step if receipt and final else None
        try:
            self._upsert(record, change.tally, outcome)
        except sqlite3.IntegrityError:
            log.error("second_outcome job=%s outcome=%s", record.job, outcome)
            return
        if receipt:
            self.database.execute("INSERT INTO receipts (receipt) VALUES (?)", (codec.write(receipt),))

    def _upsert(self, record: Record, tally: bytes, outcome: str | None) -> None:
        self.database.execute(
            "INSERT INTO jobs (job, deadline, record, tally, outcome) VALUES (?1, ?2, ?3, ?4, ?5)"
            " ON CONFLICT (job) DO UPDATE SET deadline = ?2, record = ?3, tally = ?4, outcome = ?5",
            (record.job, record.deadline.isoformat(), codec.write(record), tally, outcome),
        )

    def _number(self, query: str) -> int:
        try:
            row = self.database.execute(query).fetchone()
        except sqlite3.Error as wrong:
            log.error("ledger_unreadable error=%s", wrong)
            return 0
        return int(row[0] or 0) if row else 0


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _open_sound(path: Path) -> sqlite3.Connection:
    """The database with its stream named and every line readable. Raises OSError, sqlite3.DatabaseError."""
    database = disk.open_database(path, _TABLES)
    try:
        _stream(database)
        for kind, query in ((Record, "SELECT record FROM jobs"), (Receipt, "SELECT receipt FROM receipts")):
            for (raw,) in database.execute(query):
                codec.read(kind, raw, MOST_RECEIPT_BYTES)
    except codec.Malformed as wrong:
        database.close()
        raise sqlite3.DatabaseError(str(wrong)) from None
    except sqlite3.Error:
        database.close()
        raise
    return database


def _stream(database: sqlite3.Connection) -> str:
    """The name of the numbering, given when there is none. Tells at once whether the database can be written."""
    with _transaction(database):
        database.execute("INSERT OR IGNORE INTO stream VALUES (1, ?)", (f"s{secrets.token_hex(6)}",))
    name: str = database.execute("SELECT name FROM stream").fetchone()[0]
    return name


def _put_back(memory: sqlite3.Connection, database: sqlite3.Connection) -> None:
    """The stream of the memory becomes the disk's; what the disk knows of other jobs stays. Raises sqlite3.Error."""
    with _transaction(database):
        for table in ("stream", "receipts", "sqlite_sequence"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
        for query, into in (
            ("SELECT * FROM stream", "INSERT INTO stream VALUES (?, ?)"),
            ("SELECT * FROM jobs", "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?)"),
            ("SELECT * FROM receipts", "INSERT INTO receipts VALUES (?, ?)"),
        ):
            database.executemany(into, memory.execute(query))
        database.execute("DELETE FROM sqlite_sequence")
        database.executemany(
            "INSERT INTO sqlite_sequence VALUES (?, ?)", memory.execute("SELECT * FROM sqlite_sequence")
        )


def _disk_refuses(wrong: Exception) -> bool:
    """Whether the disk is full, read-only or failing, rather than the database broken or held by another process."""
    if isinstance(wrong, OSError):
        return True
    return isinstance(wrong, sqlite3.OperationalError) and any(word in str(wrong) for word in _DISK_REFUSES)
