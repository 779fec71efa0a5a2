"""The ledger: one outcome a job, receipts without gaps, whatever the disk does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from makers_node import T0, after, make_asset, make_job

from edge_node.ledger import KEPT_AFTER, Ledger, Word
from schedules.due import Phase
from wire.receipt import Step

Reopen = Callable[[], Ledger]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def reopen(path: Path) -> Iterator[Reopen]:
    """Open the same file once more, as after a restart."""
    opened: list[Ledger] = []

    def open_again() -> Ledger:
        opened.append(Ledger(path))
        return opened[-1]

    yield open_again
    for each in opened:
        each.close()


@pytest.fixture
def ledger(reopen: Reopen) -> Ledger:
    return reopen()


def test_what_was_written_is_there_after_a_restart(ledger: Ledger, reopen: Reopen) -> None:
    job = make_job()
    ledger.accept(job, T0)
    ledger.on_air(job, 0)
    ledger.paused("b1", 4000, b"tally", after(4))
    again = reopen()
    assert again.records == ledger.records
    assert (again.records["b1"].phase, again.records["b1"].position_ms, again.tally("b1")) == (
        Phase.PAUSED,
        4000,
        b"tally",
    )
    assert [(each.number, each.step) for each in again.receipts_after(0, 10)] == [(1, "accepted"), (2, "paused")]
    assert again.stream == ledger.stream


def test_a_job_has_one_outcome(ledger: Ledger, path: Path) -> None:
    ledger.accept(make_job(), T0)
    assert ledger.end("b1", Step.SOUNDED, T0)
    assert not ledger.end("b1", Step.MISSED, T0)
    assert [each.step for each in ledger.receipts_after(0, 10)] == [Step.ACCEPTED, Step.SOUNDED]
    with pytest.raises(sqlite3.IntegrityError, match="this job has its outcome"):
        ledger.book.database.execute("UPDATE jobs SET outcome = 'missed' WHERE job = 'b1'")


def test_numbers_go_on_after_receipts_were_forgotten(ledger: Ledger, reopen: Reopen) -> None:
    ledger.accept(make_job("b1"), T0)
    ledger.accept(make_job("b2"), T0)
    ledger.forget(2)
    again = reopen()
    again.accept(make_job("b3"), T0)
    assert [each.number for each in again.receipts_after(0, 10)] == [3]
    assert again.last_number() == 3


def test_an_edit_keeps_a_position_only_in_its_own_audio(ledger: Ledger) -> None:
    job, edited = make_job(), make_job(start=after(9), asset=make_asset("new"))
    ledger.accept(job, T0)
    ledger.accept(edited, T0)
    assert ledger.records["b1"].asset == make_asset("new").sha256
    ledger.on_air(job, 0)
    ledger.paused("b1", 4000, b"", T0)
    ledger.accept(edited, T0)
    assert (ledger.records["b1"].start, ledger.records["b1"].asset) == (after(9), job.asset and job.asset.sha256)


def test_what_is_done_together_is_one_transaction(ledger: Ledger, reopen: Reopen) -> None:
    with ledger.together():
        ledger.accept(make_job("b1"), T0)
        assert reopen().records == {}
        ledger.accept(make_job("b2"), T0)
    assert set(reopen().records) == {"b1", "b2"}


def test_a_full_disk_stops_nothing_and_is_caught_up_with(ledger: Ledger, reopen: Reopen) -> None:
    ledger.book.database.execute("PRAGMA max_page_count = 1")
    jobs = [make_job(f"b{n}", title="x" * 200) for n in range(60)]
    for job in jobs:
        ledger.accept(job, T0)
        ledger.end(job.id, Step.SOUNDED, T0, Word(detail="x" * 300))
    assert ledger.write_failures > 0
    assert all(record.phase is Phase.ENDED for record in ledger.records.values())
    assert ledger.waiting() == 120
    ledger.book.database.execute("PRAGMA max_page_count = 100000")
    assert ledger.flush()
    assert [each.number for each in ledger.receipts_after(0, 500)] == list(range(1, 121))
    assert len(reopen().records) == 60


@pytest.mark.parametrize("damage", [b"", b"garbage" * 5000])
def test_a_spoilt_database_is_moved_aside_and_a_new_stream_begins(
    ledger: Ledger, reopen: Reopen, path: Path, damage: bytes
) -> None:
    ledger.accept(make_job(), T0)
    ledger.close()
    whole = path.read_bytes()
    path.write_bytes(damage or whole[:4096] + b"\xff" * (len(whole) - 4096))
    again = reopen()
    assert again.book.spoilt
    assert again.stream != ledger.stream
    assert path.with_name("ledger.sqlite.spoilt").exists()
    again.accept(make_job(), T0)
    assert [each.number for each in again.receipts_after(0, 10)] == [1]


def test_ended_jobs_are_forgotten_long_after_their_deadline(ledger: Ledger, reopen: Reopen) -> None:
    for name in ("ended", "open"):
        ledger.accept(make_job(name), T0)
    ledger.end("ended", Step.SOUNDED, T0)
    deadline = make_job().deadline
    ledger.prune(deadline + KEPT_AFTER)
    assert set(ledger.records) == {"ended", "open"}
    ledger.prune(deadline + KEPT_AFTER * 1.1)
    assert set(ledger.records) == set(reopen().records) == {"open"}
