"""The ledger: what became of every job, and the numbered receipts that say so. SQLite, WAL, synchronous=FULL.

- A job's record and its receipt are one transaction; receipts are numbered without gaps; a job has at most one
  outcome, by a constraint of the database.
- What is decided stands in memory first. When the disk refuses (full), it is written again later, in order: the
  node goes on sounding, and numbers are given only to what is written.
- A spoilt database is moved aside: a new stream begins at 1, and the radio goes on.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_node import disk
from schedules.situation import Phase, Record, audio_of, fresh
from wire import codec
from wire.plan import Job
from wire.receipt import OUTCOMES, Measured, Receipt, Step

log = logging.getLogger("loa.node.ledger")

KEPT_AFTER = timedelta(days=60)  # a record is remembered this long after its deadline
MOST_RECEIPT_BYTES = 8192
_OVER = (Phase.ENDED, Phase.WITHDRAWN)
_TABLES = """
CREATE TABLE IF NOT EXISTS stream (only INTEGER PRIMARY KEY CHECK (only = 1), name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
  job TEXT PRIMARY KEY, deadline TEXT NOT NULL, record BLOB NOT NULL, tally BLOB NOT NULL DEFAULT x'', outcome TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipts (number INTEGER PRIMARY KEY AUTOINCREMENT, receipt BLOB NOT NULL);
CREATE TRIGGER IF NOT EXISTS one_outcome BEFORE UPDATE ON jobs WHEN OLD.outcome IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'this job has its outcome'); END;
"""


class Change(NamedTuple):
    """One step of one job: its new record, what it has sounded (opaque), and the receipt, number still to come."""

    record: Record
    tally: bytes
    receipt: Receipt | None = None


class Word(NamedTuple):
    """What a receipt says beside its step."""

    reason: str = ""
    detail: str = ""
    measured: Measured | None = None


class Ledger:
    """Opens or makes the database at ``path``. ``spoilt`` tells whether an unsound one was moved aside."""

    def __init__(self, path: Path) -> None:
        self.spoilt = False
        try:
            self._database = disk.open_database(path, _TABLES)
            self._read()
        except sqlite3.DatabaseError as wrong:
            if isinstance(wrong, sqlite3.OperationalError) and not _is_spoilt(wrong):
                raise
            log.error("ledger_spoilt error=%s moved_to=%s", wrong, disk.move_aside(path))
            self.spoilt = True
            self._database = disk.open_database(path, _TABLES)
            self._read()
        self._waiting: list[Change] = []
        self._depth = 0
        self.changes = 0  # grows with every change of a record
        self.write_failures = 0

    @property
    def records(self) -> dict[str, Record]:
        """Every known job's record. Not to be changed by the caller."""
        return self._records

    def tally(self, job: str) -> bytes:
        """What was written down of the job's sound; empty when nothing."""
        return self._tallies.get(job, b"")

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is done inside becomes one transaction."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        self.flush()

    def accept(self, job: Job, now: datetime) -> None:
        """The job is known: new, back in a plan before it began, or edited before it ended."""
        record, old = fresh(job), self._records.get(job.id)
        if old and old.phase is not Phase.WITHDRAWN:
            asset = old.asset if old.position_ms else record.asset  # a position is worth something in its audio only
            record = msgspec.structs.replace(old, start=job.start, deadline=job.deadline, asset=asset)
        self._put(record, Step.ACCEPTED, now)

    def on_air(self, job: Job, from_ms: int, audio: str = "") -> None:
        """The job is about to get the loudspeaker; called before the player hears of it.

        ``audio``: the name of what stands in for the job's own.
        """
        self._put(Record(job.id, Phase.ON_AIR, job.start, job.deadline, audio or audio_of(job), from_ms))

    def began(self, job: str, step: Step, at: datetime) -> None:
        """Its first sample has left: STARTED or RESUMED."""
        self._put(self._records[job], step, at)

    def heard(self, job: str, position_ms: int, tally: bytes) -> None:
        """How far the job had come before the process ended."""
        self._put(msgspec.structs.replace(self._records[job], position_ms=position_ms), tally=tally)

    def released(self, job: str, position_ms: int, tally: bytes) -> None:
        """The loudspeaker was taken away before the job sounded, or its device failed: it waits again."""
        record = msgspec.structs.replace(self._records[job], position_ms=position_ms)
        self._put(msgspec.structs.replace(record, phase=record.released(None)), tally=tally)

    def paused(self, job: str, position_ms: int, tally: bytes, now: datetime, word: Word | None = None) -> None:
        """A higher job cut in, or only a siren has sounded; this one goes on later."""
        record = msgspec.structs.replace(self._records[job], phase=Phase.PAUSED, position_ms=position_ms)
        self._put(record, Step.PAUSED, now, word, tally=tally)

    def end(self, job: str, step: Step, now: datetime, word: Word | None = None) -> bool:
        """The job's one outcome. False when it has one already (then nothing changes).

        What is withdrawn before it began has this outcome until it stands in a plan again.
        """
        old = self._records[job]
        if old.phase in _OVER:
            log.error("second_outcome job=%s step=%s", job, step)
            return False
        assert step in OUTCOMES
        may_return = step is Step.WITHDRAWN and old.phase is Phase.WAITING
        phase = Phase.WITHDRAWN if may_return else Phase.ENDED
        self._put(msgspec.structs.replace(old, phase=phase), step, now, word)
        return True

    def flush(self) -> bool:
        """Write what waits. False when the disk refused; it is kept and tried again."""
        if self._depth or not self._waiting:
            return not self._waiting
        try:
            with self._transaction():
                for change in self._waiting:
                    self._write(change)
        except sqlite3.Error as wrong:
            self.write_failures += 1
            log.log(
                logging.WARNING if self.write_failures == 1 else logging.DEBUG,
                "ledger_not_written error=%s waiting=%d",
                wrong,
                len(self._waiting),
            )
            return False
        self._waiting.clear()
        return True

    def receipts_after(self, number: int, most: int) -> list[Receipt]:
        """Up to ``most`` written receipts above ``number``, in order."""
        try:
            rows = self._database.execute(
                "SELECT number, receipt FROM receipts WHERE number > ? ORDER BY number LIMIT ?", (number, most)
            ).fetchall()
        except sqlite3.Error as wrong:
            log.error("receipts_unreadable error=%s", wrong)
            return []
        read = ((row[0], codec.read(Receipt, row[1], MOST_RECEIPT_BYTES)) for row in rows)
        return [msgspec.structs.replace(receipt, number=written) for written, receipt in read]

    def last_number(self) -> int:
        """The highest number given so far in this stream."""
        row = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'receipts'").fetchone()
        return row[0] if row else 0

    def waiting(self) -> int:
        """How many receipts the station has not acknowledged."""
        written: int = self._database.execute("SELECT count(*) FROM receipts").fetchone()[0]
        return written + sum(1 for change in self._waiting if change.receipt)

    def first_number(self) -> int:
        """The lowest number of a receipt that is kept; the next one to come when none is."""
        try:
            first = self._database.execute("SELECT min(number) FROM receipts").fetchone()[0]
        except sqlite3.Error:
            return 1
        return int(first) if first is not None else self.last_number() + 1

    def forget(self, upto: int) -> None:
        """The station has stored every receipt up to this number."""
        with contextlib.suppress(sqlite3.OperationalError):  # a full disk: it is acknowledged again
            self._database.execute("DELETE FROM receipts WHERE number <= ?", (upto,))

    def prune(self, now: datetime) -> None:
        """Forget ended jobs whose deadline is long past."""
        limit = now - KEPT_AFTER
        old = [job for job, record in self._records.items() if record.phase in _OVER and record.deadline < limit]
        with contextlib.suppress(sqlite3.OperationalError), self._transaction():
            self._database.executemany("DELETE FROM jobs WHERE job = ?", [(job,) for job in old])
            for job in old:
                del self._records[job]
            self.changes += 1

    def close(self) -> None:
        """Write what waits, then close. Idempotent."""
        with contextlib.suppress(sqlite3.ProgrammingError):
            self.flush()
            self._database.close()

    def _put(
        self,
        record: Record,
        step: Step | None = None,
        now: datetime | None = None,
        word: Word | None = None,
        *,
        tally: bytes | None = None,
    ) -> None:
        kept = self._tallies.get(record.job, b"") if tally is None else tally
        receipt = _receipt(record, step, now, word or Word()) if step and now else None
        self._records[record.job] = record
        self.changes += 1
        self._tallies[record.job] = kept
        if record.phase in _OVER:
            del self._tallies[record.job]
        self._waiting.append(Change(record, kept, receipt))
        self.flush()

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
            self._database.execute("INSERT INTO receipts (receipt) VALUES (?)", (codec.write(receipt),))

    def _upsert(self, record: Record, tally: bytes, outcome: str | None) -> None:
        self._database.execute(
            "INSERT INTO jobs (job, deadline, record, tally, outcome) VALUES (?1, ?2, ?3, ?4, ?5)"
            " ON CONFLICT (job) DO UPDATE SET deadline = ?2, record = ?3, tally = ?4, outcome = ?5",
            (record.job, record.deadline.isoformat(), codec.write(record), tally, outcome),
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def _read(self) -> None:
        with self._transaction():
            self._database.execute("INSERT OR IGNORE INTO stream VALUES (1, ?)", (f"s{secrets.token_hex(6)}",))
        self.stream: str = self._database.execute("SELECT name FROM stream").fetchone()[0]
        rows = self._database.execute("SELECT job, record, tally, outcome FROM jobs").fetchall()
        try:
            self._records = {row[0]: codec.read(Record, row[1], MOST_RECEIPT_BYTES) for row in rows}
        except codec.Malformed as wrong:
            raise sqlite3.DatabaseError(str(wrong)) from None
        self._tallies: dict[str, bytes] = {row[0]: row[2] for row in rows if row[2] and row[3] is None}


def _receipt(record: Record, step: Step, now: datetime, word: Word) -> Receipt:
    return Receipt(
        number=1,  # the true one is given by the table
        job=record.job,
        step=step,
        at=now,
        planned_start=record.start,
        asset=record.asset,
        reason=word.reason,
        detail=word.detail[:300],
        measured=word.measured,
    )


def _is_spoilt(wrong: sqlite3.OperationalError) -> bool:
    """Whether an operational error at opening means a broken file, not a full or busy disk."""
    return not any(word in str(wrong) for word in ("full", "locked", "unable to open", "readonly", "I/O"))
