"""Disk: the old file or the new one, never half of one; a checkpoint that survives a torn write."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node import disk, identity


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "file"
    disk.write(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        disk.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_the_database_is_durable(tmp_path: Path) -> None:
    database = disk.open_database(tmp_path / "d.sqlite", "CREATE TABLE IF NOT EXISTS t (x)")
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    database.close()


def test_a_checkpoint_is_read_back_and_cleared(tmp_path: Path) -> None:
    checkpoint = disk.Checkpoint(tmp_path / "on_air")
    assert checkpoint.load() == b""
    for number in range(5):
        checkpoint.save(b"position %d" % number)
    checkpoint.close()
    again = disk.Checkpoint(tmp_path / "on_air")
    assert again.load() == b"position 4"
    again.clear()
    assert again.load() == b""
    again.close()


@given(at=st.integers(0, disk.SLOT_BYTES - 1), byte=st.integers(0, 255))
def test_a_torn_write_falls_back_to_the_record_before(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "on_air"
    checkpoint = disk.Checkpoint(path)
    checkpoint.save(b"before" * 100)
    checkpoint.save(b"newest" * 100)
    checkpoint.close()
    content = bytearray(path.read_bytes())
    content[at] = byte  # the second save lies in the first slot
    path.write_bytes(content)
    again = disk.Checkpoint(path)
    assert again.load() in (b"before" * 100, b"newest" * 100)
    again.close()


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(5000)])
def test_a_checkpoint_file_of_anything_is_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "on_air").write_bytes(content)
    checkpoint = disk.Checkpoint(tmp_path / "on_air")
    assert checkpoint.load() == b""
    checkpoint.save(b"new")
    assert checkpoint.load() == b"new"
    checkpoint.close()


def test_the_nodes_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    assert identity.load(path) is None
    made = identity.load_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert identity.load_or_make(path).public.id == made.public.id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_spoilt_key_is_said_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    path.write_text("not a key")
    with pytest.raises(identity.BadIdentity) as said:
        identity.load_or_make(path)
    assert str(path) in said.value.say("vi")
    assert path.read_text() == "not a key"


def test_a_record_is_written_in_place_over_what_stood_there_before(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    path.write_text("an older file")
    assert disk.read_record(path) == b"an older file"
    for number in range(3):
        disk.write_record(path, b"record %d" % number)
        assert disk.read_record(path) == b"record %d" % number
        assert path.stat().st_size == 2 * disk.SLOT_BYTES
    with path.open("r+b") as file:
        file.seek(disk.SLOT_BYTES)  # where the third lies
        file.write(b"torn")
    assert disk.read_record(path) == b"record 1"
    with pytest.raises(OSError, match="No such file"):
        disk.read_record(tmp_path / "nothing")


@pytest.mark.parametrize("readable", [True, False])
def test_a_checkpoint_in_memory_comes_to_the_disk_once_the_disk_takes_it(
    readable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = tmp_path / "on_air", [0.0]
    before = disk.Checkpoint(path)
    for _ in range(9):
        before.save(b"old")
    before.close()

    def refused(_: Path) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as refusing:
        refusing.setattr(disk, "_two_slots", refused)
        if not readable:
            refusing.setattr(Path, "read_bytes", refused)
        checkpoint = disk.Checkpoint(path, lambda: now[0], or_in_memory=True)
        assert checkpoint.load() == (b"old" if readable else b"")
        now[0] += disk.AGAIN_SECONDS
        checkpoint.save(b"in memory")
        assert checkpoint.load() == b"in memory"
    now[0] += disk.AGAIN_SECONDS
    checkpoint.save(b"on disk")
    checkpoint.close()
    again = disk.Checkpoint(path)
    assert again.load() == b"on disk"
    again.close()
