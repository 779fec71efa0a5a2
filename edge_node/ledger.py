"""The ledger: what became of every job, and the receipts that say so.

- What is decided stands in memory first. When the disk refuses (full), it is written again later, in order: the
  node goes on sounding, and numbers are given only to what is written.
- A disk that refuses for `PATIENCE_SECONDS` is left alone, and asked again as often: the book goes on in memory.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_node.book import Book, Change
from schedules.situation import Phase, Record, audio_of, fresh
from wire.plan import Job
from wire.receipt import OUTCOMES, Measured, Receipt, Step

log = logging.getLogger("loa.node.ledger")

KEPT_AFTER = timedelta(days=60)  # a record is remembered this long after its deadline
PATIENCE_SECONDS = 600.0
_OVER = (Phase.ENDED, Phase.WITHDRAWN)


class Word(NamedTuple):
    """What a receipt says beside its step."""

    reason: str = ""
    detail: str = ""
    measured: Measured | None = None


class Ledger:
    """Opens or makes the book at ``path``."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.OperationalError while another process holds the database."""
        self.book = Book(path)
        lines = self.book.lines()
        self._records = {record.job: record for record, _ in lines}
        self._tallies = {record.job: tally for record, tally in lines if tally}
        self._waiting: list[Change] = []
        self._depth = 0
        self._tend_at: float | None = None  # monotonic: when the disk is given up, or asked again
        self.changes = 0  # grows with every change of a record
        self.write_failures = 0

    @property
    def stream(self) -> str:
        """The name of the numbering."""
        return self.book.stream

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
        elif old:
            record = msgspec.structs.replace(record, fetched=old.fetched)
        self._put(record, Step.ACCEPTED, now)

    def fetched(self, audio: Mapping[str, str], now: datetime) -> None:
        """The audio (SHA-256, by job) of these known jobs is on disk and was checked. One transaction for all."""
        with self.together():
            for job, sha256 in audio.items():
                self._put(msgspec.structs.replace(self._records[job], fetched=sha256), Step.FETCHED, now)

    def on_air(self, job: Job, from_ms: int, audio: str = "") -> None:
        """The job is about to get the loudspeaker; called before the player hears of it.

        ``audio``: the name of what stands in for the job's own.
        """
        told = self._records[job.id].fetched if job.id in self._records else ""
        self._put(Record(job.id, Phase.ON_AIR, job.start, job.deadline, audio or audio_of(job), from_ms, told))

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
            self.book.write(self._waiting)
        except sqlite3.Error as wrong:
            self.write_failures += 1
            level = logging.WARNING if self.write_failures == 1 else logging.DEBUG
            log.log(level, "ledger_not_written error=%s waiting=%d", wrong, len(self._waiting))
            return False
        self._waiting.clear()
        return True

    def tend(self, mono: float) -> None:
        """At every tick: write what waits, give up a disk that refuses, go back to it. ``mono``: monotonic seconds."""
        if self.flush() and not self.book.in_memory:
            self._tend_at = None
            return
        self._tend_at = self._tend_at or mono + PATIENCE_SECONDS
        if mono < self._tend_at:
            return
        self._tend_at = mono + PATIENCE_SECONDS
        if not self.book.in_memory:
            self.book.leave_disk(f"{len(self._waiting)} lines wait")
            self.flush()
        else:
            self.book.back_to_disk()

    def receipts_after(self, number: int, most: int) -> list[Receipt]:
        """Up to ``most`` written receipts above ``number``, in order."""
        return self.book.receipts_after(number, most)

    def last_number(self) -> int:
        """The highest number given so far in this stream."""
        return self.book.last_number()

    def first_number(self) -> int:
        """The lowest number of a receipt that is kept; the next one to come when none is."""
        return self.book.first_number()

    def waiting(self) -> int:
        """How many receipts the station has not acknowledged."""
        return self.book.waiting() + sum(1 for change in self._waiting if change.receipt)

    def forget(self, upto: int) -> None:
        """The station has stored every receipt up to this number."""
        self.book.forget(upto)

    def prune(self, now: datetime) -> None:
        """Forget ended jobs whose deadline is long past."""
        limit = now - KEPT_AFTER
        old = [job for job, record in self._records.items() if record.phase in _OVER and record.deadline < limit]
        if old and self.book.drop(old):
            for job in old:
                del self._records[job]
            self.changes += 1

    def close(self) -> None:
        """Write what waits, then close. Idempotent."""
        with contextlib.suppress(sqlite3.ProgrammingError):
            self.flush()
            self.book.close()

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


def _receipt(record: Record, step: Step, now: datetime, word: Word) -> Receipt:
    return Receipt(
        number=1,  # the true one is given by the table
        job=record.job,
        step=step,
        at=now,
        planned_start=record.start,
        asset=record.fetched if step is Step.FETCHED else record.asset,
        reason=word.reason,
        detail=word.detail[:300],
        measured=word.measured,
    )
