"""The book on a disk that refuses: it goes on in memory with a numbering of its own, and goes back when it can."""

from __future__ import annotations

import errno
import itertools
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from makers_cuts import NEVER, Tell, cut_short
from makers_emergency import spoken_emergency
from makers_lazy_disk import ALL, KEPT, REFUSES, WRITES, mounted, why_not
from makers_node import HAMLET, NODE, ROOT, T0, after, make_asset, make_config, make_emergency, make_job
from makers_radio import PretendCache, Radio

from edge_node import checkup, identity
from edge_node.book import Book
from edge_node.disk import Checkpoint
from edge_node.ledger import PATIENCE_SECONDS, Ledger
from edge_node.own_voice import OwnVoice
from edge_node.settings import Settings
from edge_node.stand_in import StandIns
from schedules.due import Phase
from wire.receipt import Step
from words import table

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")
ERRORS = pytest.mark.parametrize("error", [errno.EROFS, errno.ENOSPC, errno.EIO], ids=["readonly", "full", "failing"])
names = itertools.count()
MakeDisk = Callable[[], Path]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    with mounted(tmp_path_factory.mktemp("lazy")) as places:
        yield places


@pytest.fixture
def home(places: tuple[Path, Path]) -> Path:
    home = places[0] / f"d{next(names)}"
    home.mkdir()
    return home


@contextmanager
def refusing(home: Path, error: int) -> Iterator[None]:
    os.setxattr(home, REFUSES, b"%d" % error)
    try:
        yield
    finally:
        os.setxattr(home, REFUSES, b"0")


def killed(ledger: Ledger, home: Path) -> None:
    """End it as a kill does: what was committed last stays in the WAL."""
    with refusing(home, errno.EIO):
        ledger.close()


@ERRORS
def test_a_ledger_that_cannot_be_opened_for_writing_is_known_and_goes_on_in_memory(home: Path, error: int) -> None:
    before = Ledger(home / "ledger.sqlite")
    before.accept(make_job("b1"), T0)
    before.end("b1", Step.SOUNDED, T0)
    before.forget(1)
    before.accept(make_job("b2"), T0)
    killed(before, home)
    with refusing(home, error):
        ledger = Ledger(home / "ledger.sqlite")
        if not ledger.book.in_memory:  # a full disk is noticed with the first line
            assert error == errno.ENOSPC
            ledger.accept(make_job("b3"), T0)
            ledger.tend(0)
            ledger.tend(PATIENCE_SECONDS + 1)
        assert ledger.book.in_memory
        assert not ledger.book.spoilt
        assert ledger.records["b1"].phase is Phase.ENDED
        assert ledger.stream != before.stream
        assert [(each.number, each.job) for each in ledger.receipts_after(0, 2)] == [(1, "b1"), (2, "b2")]
        assert ledger.first_number() == 1
        ledger.close()


def test_a_database_that_another_process_holds_is_no_fault_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.sqlite"
    Book(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **named: connect(*args, **named, timeout=0.1))
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Book(path)
    other.close()


@ERRORS
def test_a_disk_that_refuses_for_a_while_is_left_and_all_of_it_written_when_it_is_back(home: Path, error: int) -> None:
    ledger = Ledger(home / "ledger.sqlite")
    ledger.accept(make_job("b1"), T0)
    first = ledger.stream
    with refusing(home, error):
        ledger.end("b1", Step.SOUNDED, T0)
        ledger.tend(0)
        ledger.tend(PATIENCE_SECONDS - 1)
        assert (ledger.stream, ledger.last_number(), ledger.waiting()) == (first, 1, 2)
        ledger.tend(PATIENCE_SECONDS)
        assert ledger.book.in_memory
        assert [each.step for each in ledger.receipts_after(0, 9)] == [Step.ACCEPTED, Step.SOUNDED]
        ledger.accept(make_job("b2"), T0)
        ledger.forget(2)
        ledger.tend(2 * PATIENCE_SECONDS)
        assert ledger.book.in_memory
    second = ledger.stream
    ledger.tend(2 * PATIENCE_SECONDS + 1)
    assert ledger.book.in_memory, "it is not asked at every tick"
    ledger.tend(3 * PATIENCE_SECONDS)
    assert not ledger.book.in_memory
    ledger.accept(make_job("b3"), T0)
    killed(ledger, home)
    again = Ledger(home / "ledger.sqlite")
    assert (again.stream, again.last_number()) == (second, 4)
    assert second != first
    assert [(each.number, each.job) for each in again.receipts_after(0, 9)] == [(3, "b2"), (4, "b3")]
    assert {job: record.phase for job, record in again.records.items()} == {
        "b1": Phase.ENDED,
        "b2": Phase.WAITING,
        "b3": Phase.WAITING,
    }
    with pytest.raises(sqlite3.IntegrityError, match="this job has its outcome"):
        again.book.database.execute("UPDATE jobs SET outcome = 'missed' WHERE job = 'b1'")
    again.close()


def test_a_disk_that_refuses_for_a_moment_is_not_left(home: Path) -> None:
    ledger = Ledger(home / "ledger.sqlite")
    first = ledger.stream
    with refusing(home, errno.ENOSPC):
        ledger.accept(make_job("b1"), T0)
        ledger.tend(0)
    ledger.tend(PATIENCE_SECONDS + 1)
    with refusing(home, errno.ENOSPC):
        ledger.accept(make_job("b2"), T0)
        ledger.tend(PATIENCE_SECONDS + 2)
    ledger.tend(PATIENCE_SECONDS + 3)
    assert (ledger.stream, ledger.last_number(), ledger.book.in_memory) == (first, 2, False)
    ledger.close()


def test_a_checkpoint_on_a_read_only_disk_is_read_and_goes_on_in_memory(home: Path) -> None:
    checkpoint = Checkpoint(home / "on_air")
    checkpoint.save(b"before", durable=True)
    checkpoint.close()
    with refusing(home, errno.EROFS):
        with pytest.raises(OSError, match="Read-only"):
            Checkpoint(home / "on_air")
        checkpoint = Checkpoint(home / "on_air", or_in_memory=True)
        assert checkpoint.load() == b"before"
        checkpoint.save(b"after", durable=True)
        assert checkpoint.load() == b"after"
        checkpoint.clear()
        checkpoint.close()


def test_a_key_that_no_disk_keeps_seals_all_the_same(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with refusing(home, errno.EROFS):
        assert identity.load_or_make(home / "node.key")
    assert not (home / "node.key").exists()
    assert "key_not_kept" in caplog.text


def test_an_installer_is_told_that_no_key_can_be_kept(home: Path) -> None:
    settings = Settings(NODE, HAMLET, (ROOT.public.hex,), home, player="null")
    with refusing(home, errno.EROFS):
        found = checkup.examine(settings)
    said = [each.say("vi") for each in found if not each.good]
    assert [each for each in said if str(home) in each and "Read-only" in each]
    assert not (home / "node.key").exists()


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_is_wrong_with_a_book_is_said_in_words(home: Path, language: str) -> None:
    book = Book(home / "ledger.sqlite")
    assert all(table(language)[f"web.reason_{trouble}"] for trouble in book.troubles())
    book.close()


@ERRORS
def test_a_node_speaks_an_emergency_whatever_its_disk_does(home: Path, error: int) -> None:
    job, woken = spoken_emergency(start=T0), threading.Event()
    with refusing(home, error):
        stand_ins = StandIns(PretendCache(), OwnVoice(), home / "spoken", woken.set)  # type: ignore[arg-type]
        for mono in (0.0, 100.0):  # now its patience is at its end
            stand_ins.look([job], {}, make_config(), T0, mono)
        assert woken.wait(30)
        sound = stand_ins.of(job)
        assert sound
        assert sound.path
        assert sound.path.stat().st_size > 48_000
        assert home not in sound.path.parents
        stand_ins.close()
    assert not sound.path.exists()


@ERRORS
def test_a_node_on_a_disk_that_refuses_sounds_what_it_holds_and_proves_it(home: Path, error: int) -> None:
    radio = Radio(home)
    radio.plan(make_job("b1", after(2)), make_job("b2", after(900), asset=make_asset("two", 3000)))
    radio.start()
    radio.run(20)
    assert radio.outcome("b1").step is Step.SOUNDED
    with refusing(home, error):
        radio.die()
        radio.broker.forget()
        radio.new_node()
        radio.start()
        radio.urgent(make_emergency("e1", radio.hand.now(), asset=make_asset("siren", 2000)))
        radio.run(30)
        assert radio.heard == [("b1", 0, 10_000), ("e1", 0, 2000)]
        radio.run(PATIENCE_SECONDS + 400, step=5)
        radio.run(20)
        assert radio.heard[2:] == [("b2", 0, 3000)]
        radio.run(70, step=1)
        assert radio.health[-1].refusals["ledger_in_memory"] == 1
        for job in ("b1", "e1", "b2"):
            assert {receipt.step for receipt in radio.received.values() if receipt.job == job} >= {Step.SOUNDED}
    radio.run(PATIENCE_SECONDS + 100, step=5)
    assert "ledger_in_memory" not in radio.health[-1].refusals
    radio.restart()
    radio.run(5)
    assert len(radio.heard) == 3
    assert not radio.agent.ledger.book.in_memory
    radio.agent.close()


def test_the_way_back_to_the_disk_is_whole_or_not_gone_at_all(places: tuple[Path, Path]) -> None:
    def work(home: Path, tell: Tell) -> None:
        ledger = Ledger(home / "ledger.sqlite")
        ledger.accept(make_job("b1"), T0)
        tell([ledger.stream, False])
        with refusing(home, errno.EIO):
            ledger.end("b1", Step.SOUNDED, T0)
            ledger.tend(0)
            ledger.tend(PATIENCE_SECONDS)
            ledger.accept(make_job("b2"), T0)
        tell([ledger.stream, False])
        ledger.tend(2 * PATIENCE_SECONDS)
        tell([ledger.stream, True])

    whole = places[0] / f"d{next(names)}"
    cut_short(whole, NEVER, ALL, work)
    writes, seen = int(os.getxattr(whole, WRITES)), set()
    for luck in (ALL, KEPT, "1"):
        for at in range(writes - 25, writes):
            name = f"d{next(names)}"
            told = cut_short(places[0] / name, at, luck, work)
            if len(told) < 2:
                continue
            (first, _), *_, (second, back) = told[0], told[-1]
            ledger = Ledger(places[1] / name / "ledger.sqlite")
            assert not ledger.book.spoilt
            expected = {first: ({"b1": Phase.WAITING}, 1), second: ({"b1": Phase.ENDED, "b2": Phase.WAITING}, 3)}
            phases = {job: record.phase for job, record in ledger.records.items()}
            assert (phases, ledger.last_number()) == expected[ledger.stream]
            assert not back or ledger.stream == second
            seen.add(ledger.stream == second)
            ledger.close()
    assert seen == {False, True}
