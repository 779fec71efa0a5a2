"""Disk: what a power cut may not take. Durable files, the database's opener, and the checkpoint of what is on air.

- A file is replaced whole: temporary file, fsync, rename, fsync of the folder. A reader sees the old or the new.
- SQLite runs with WAL and synchronous=FULL: what was committed survives a power cut.
- The checkpoint is written in place several times a second: a killed process loses nothing of it, a power cut at
  most the seconds since the last fsync. Two slots in turn, each with a checksum, so a torn write spoils only one.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
import time
import zlib
from pathlib import Path

SYNC_SECONDS = 10.0
SLOT_BYTES = 2048
_HEAD = struct.Struct("<4sIQI")  # magic, checksum, sequence, length
_MAGIC = b"loa1"


def write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """``data`` as the whole content of ``path``, durable on return. Raises OSError; then the old file stands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """``path`` gone, durably; a file that is not there is fine. Raises OSError."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and removals in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_database(path: Path, tables: str) -> sqlite3.Connection:
    """The database at ``path`` with ``tables`` (idempotent SQL) in it, in autocommit mode.

    Raises sqlite3.DatabaseError when the file is not a sound database.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        found = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != ("ok",):
            raise sqlite3.DatabaseError(f"quick_check: {found[0]}")
        database.executescript(tables)
    except BaseException:
        database.close()
        raise
    return database


def move_aside(path: Path) -> Path:
    """A spoilt database (with its WAL) out of the way; only the last spoilt one is kept. Raises OSError."""
    aside = path.with_name(f"{path.name}.spoilt")
    for tail in ("", "-wal", "-shm"):
        part = path.with_name(path.name + tail)
        if part.exists():
            part.replace(aside.with_name(aside.name + tail))
    sync_folder(path.parent)
    return aside


class Checkpoint:
    """One small record, written often. Its content is the owner's matter."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file, both slots allocated at once so that a full disk cannot stop it later."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        missing = 2 * SLOT_BYTES - os.fstat(self._file).st_size
        if missing > 0:
            os.pwrite(self._file, b"\0" * missing, 2 * SLOT_BYTES - missing)
            os.fsync(self._file)
        self._sequence = max((number for number, _ in self._slots()), default=0)
        self._synced = time.monotonic()

    def save(self, data: bytes, durable: bool = False) -> None:
        """``data``, at most SLOT_BYTES less the head. Raises OSError."""
        self._sequence += 1
        body = struct.pack("<QI", self._sequence, len(data)) + data
        head = _HEAD.pack(_MAGIC, zlib.crc32(body), self._sequence, len(data))
        os.pwrite(self._file, head + data, (self._sequence % 2) * SLOT_BYTES)
        if durable or time.monotonic() - self._synced >= SYNC_SECONDS:
            os.fsync(self._file)
            self._synced = time.monotonic()

    def load(self) -> bytes:
        """The newest record that is whole; empty when there is none."""
        return max(self._slots(), default=(0, b""))[1]

    def clear(self) -> None:
        """Nothing is on air."""
        if self.load():
            self.save(b"", durable=True)

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _slots(self) -> list[tuple[int, bytes]]:
        slots = (os.pread(self._file, SLOT_BYTES, number * SLOT_BYTES) for number in (0, 1))
        return [found for found in map(_unpack, slots) if found]


def _unpack(slot: bytes) -> tuple[int, bytes] | None:
    if len(slot) < _HEAD.size:
        return None
    magic, checksum, sequence, length = _HEAD.unpack_from(slot)
    data = slot[_HEAD.size : _HEAD.size + length]
    if magic != _MAGIC or len(data) != length:
        return None
    return (sequence, data) if zlib.crc32(struct.pack("<QI", sequence, length) + data) == checksum else None
