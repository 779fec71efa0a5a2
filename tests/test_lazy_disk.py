"""The lazy file system has teeth: what is not synced is lost on it, and only that. Then what a power cut leaves of
the node's files."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_cuts import NEVER, Tell, cut_short
from makers_lazy_disk import ALL, KEPT, WRITES, mounted, why_not

from edge_node import disk

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")
LUCK = (KEPT, ALL, "1", "2", "3")
names = itertools.count()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    with mounted(tmp_path_factory.mktemp("lazy")) as places:
        yield places


def left_of(places: tuple[Path, Path], at: int, luck: str, work: object) -> tuple[list[int], Path]:
    """What ``work`` said before its cut, and the folder that survives it."""
    name = f"d{next(names)}"
    return cut_short(places[0] / name, at, luck, work), places[1] / name  # type: ignore[arg-type]


def versions(home: Path, tell: Tell, *, sync: bool, folder: bool) -> None:
    """Version after version of one file, each told once it is said to be safe."""
    for number in range(100):
        with (home / "new").open("wb") as file:
            file.write(b"%d" % number * 3000)
            file.flush()
            os.fsync(file.fileno()) if sync else None
        (home / "new").replace(home / "file")
        disk.sync_folder(home) if folder else None
        tell(number)


def test_a_file_that_was_renamed_and_not_synced_is_lost_or_torn(places: tuple[Path, Path]) -> None:
    said, left = left_of(places, 60, KEPT, lambda home, tell: versions(home, tell, sync=True, folder=False))
    assert len(said) > 5
    assert not (left / "file").exists()
    said, left = left_of(places, 60, KEPT, lambda home, tell: versions(home, tell, sync=False, folder=True))
    assert len(said) > 5
    assert (left / "file").read_bytes() == b""


def test_a_killed_process_loses_nothing_that_it_wrote(places: tuple[Path, Path]) -> None:
    said, left = left_of(places, 60, ALL, lambda home, tell: versions(home, tell, sync=False, folder=False))
    assert (left / "file").read_bytes() == b"%d" % said[-1] * 3000


@pytest.mark.parametrize("luck", LUCK)
def test_the_nodes_way_to_write_leaves_the_old_file_or_the_new_one(places: tuple[Path, Path], luck: str) -> None:
    def work(home: Path, tell: Tell) -> None:
        for number in range(5):
            disk.write(home / "deep" / "folder" / "file", b"%d" % number * 3000)
            tell(number)

    for at in range(1, 28):
        said, left = left_of(places, at, luck, work)
        path = left / "deep" / "folder" / "file"
        newest = said[-1] if said else -1
        content = path.read_bytes() if path.exists() else b""
        assert content in {b"%d" % number * 3000 for number in (newest, newest + 1) if number >= 0} | (
            set() if said else {b""}
        )


def rows(home: Path, tell: Tell, synchronous: str) -> None:
    database = sqlite3.connect(home / "rows.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"PRAGMA synchronous={synchronous}")
    database.execute("CREATE TABLE rows (x)")
    for number in range(1000):
        database.execute("INSERT INTO rows VALUES (?)", (number,))
        tell(number)


def kept_rows(left: Path) -> int:
    database = sqlite3.connect(left / "rows.sqlite")
    try:
        return int(database.execute("SELECT count(*) FROM rows").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        database.close()


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_a_database_that_does_not_sync_every_commit_loses_acknowledged_rows(
    places: tuple[Path, Path], synchronous: str
) -> None:
    said, left = left_of(places, 150, KEPT, lambda home, tell: rows(home, tell, synchronous))
    assert len(said) > 20
    assert kept_rows(left) < len(said)


@pytest.mark.parametrize("luck", LUCK)
def test_a_database_that_syncs_every_commit_loses_none(places: tuple[Path, Path], luck: str) -> None:
    for at in range(20, 200, 9):
        said, left = left_of(places, at, luck, lambda home, tell: rows(home, tell, "FULL"))
        assert len(said) <= kept_rows(left) <= len(said) + 1


def test_every_call_that_changes_a_disk_is_counted(places: tuple[Path, Path]) -> None:
    name = f"d{next(names)}"
    cut_short(places[0] / name, NEVER, KEPT, lambda home, _: disk.write(home / "file", b"x"))
    # made, written, synced, renamed, its folder synced; the disk itself was made before
    assert int(os.getxattr(places[0] / name, WRITES)) == 1 + 5
