"""Disk: what a power cut may not take. Durable files, the database's opener, and the checkpoint of what is on air.

- A file is replaced whole: temporary file, fsync, rename, fsync of the folder. A reader sees the old or the new.
- SQLite runs with WAL and synchronous=FULL: what was committed survives a power cut.
- The checkpoint is written in place several times a second: a killed process loses nothing of it, a power cut at
  most the seconds since the last fsync. Two slots in turn, each with a checksum, so a torn write spoils only one.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import sqlite3
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

log = logging.getLogger("loa.node.disk")

SYNC_SECONDS = 10.0
AGAIN_SECONDS = 60.0  # between two tries of a checkpoint to come from memory to the disk
SLOT_BYTES = 2048
_HEAD = struct.Struct("<4sIQI")  # magic, checksum, sequence, length
_MAGIC = b"loa1"


def write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """``data`` as the whole content of ``path``, durable on return. Raises OSError; then the old file stands."""
    make_folder(path.parent)
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


def write_record(path: Path, data: bytes) -> None:
    """As `write`, for a few bytes that are written all day: in place, one block, where a rename costs a dozen.

    ``data``: as `Checkpoint.save` takes it. A torn write leaves the record before. Raises OSError.
    """
    with contextlib.closing(Checkpoint(path)) as record:
        record.save(data, durable=True)


def keep_record(path: Path) -> None:
    """The room that `write_record` needs, so that it succeeds on a disk that is full by then. Raises OSError."""
    Checkpoint(path).close()


def read_record(path: Path) -> bytes:
    """What `write_record` wrote last, or what a file holds that has no record in it yet. Raises OSError."""
    with path.open("rb") as file:
        raw = file.read(2 * SLOT_BYTES)
    return _newest(raw)[1] or raw.split(b"\0")[0]


def remove(path: Path) -> None:
    """``path`` gone, durably; a file that is not there is fine. Raises OSError."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """``folder`` and what lacks above it, durably: a file is as safe as the name of its folder. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


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
    make_folder(path.parent)
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


def database_in_memory(tables: str) -> sqlite3.Connection:
    """An empty database that nothing outlives, in autocommit mode."""
    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    database.executescript(tables)
    return database


def copy_of(path: Path, tables: str) -> sqlite3.Connection:
    """What can be read of the database at ``path`` on a disk that cannot be written, in memory; else an empty one.

    Its WAL holds what was committed last, and is not read where it lies: SQLite would have to write beside it.
    """
    for place in (None, "/dev/shm"):  # noqa: S108 - a folder of its own is made there
        memory = database_in_memory("")
        try:
            with tempfile.TemporaryDirectory(dir=place) as folder:
                for tail in ("", "-wal"):
                    part = path.with_name(path.name + tail)
                    if part.exists():
                        shutil.copyfile(part, Path(folder, part.name))
                with contextlib.closing(sqlite3.connect(Path(folder, path.name))) as source:
                    source.backup(memory)
            memory.executescript(tables)
        except sqlite3.DatabaseError as wrong:
            log.error("database_unreadable path=%s error=%s", path, wrong)
            break
        except OSError as wrong:
            log.warning("database_not_copied place=%s error=%s", place, wrong)
            continue
        return memory
    return database_in_memory(tables)


def move_aside(path: Path) -> Path:
    """A spoilt database (with its WAL) out of the way; only the last spoilt one is kept. Raises OSError."""
    aside = path.with_name(f"{path.name}.spoilt")
    for tail in ("", "-wal", "-shm"):
        part = path.with_name(path.name + tail)
        if part.exists():
            part.replace(aside.with_name(aside.name + tail))
    sync_folder(path.parent)
    return aside


@contextlib.contextmanager
def held(path: Path) -> Iterator[bool]:
    """Whether ``path`` is ours alone until the block ends; True also where no such file can be made."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:
        yield True
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


class Checkpoint:
    """One small record, written often. Its content is the owner's matter."""

    def __init__(
        self, path: Path, monotonic: Callable[[], float] = time.monotonic, *, or_in_memory: bool = False
    ) -> None:
        """Opens or makes the file, both slots allocated at once so that a full disk cannot stop it later.

        On a disk that refuses it stands in memory, till the disk takes it, if ``or_in_memory``. Else raises OSError.
        """
        self._path, self._monotonic, self._in_memory = path, monotonic, False
        try:
            self._file = _two_slots(path)
        except OSError as wrong:
            if not or_in_memory:
                raise
            log.error("checkpoint_in_memory path=%s error=%s", path, wrong)
            self._file, self._in_memory = _slots_in_memory(path), True
        self._sequence = self._read()[0]
        self._synced = self._asked = self._monotonic()

    def save(self, data: bytes, durable: bool = False) -> None:
        """``data``, at most SLOT_BYTES less the head. Raises OSError."""
        if self._in_memory and self._monotonic() - self._asked >= AGAIN_SECONDS:
            durable = self._back_to_disk() or durable
        self._sequence += 1
        body = struct.pack("<QI", self._sequence, len(data)) + data
        head = _HEAD.pack(_MAGIC, zlib.crc32(body), self._sequence, len(data))
        os.pwrite(self._file, head + data, (self._sequence % 2) * SLOT_BYTES)
        if durable or self._monotonic() - self._synced >= SYNC_SECONDS:
            os.fdatasync(self._file)  # its length never changes: nothing but the block is written
            self._synced = self._monotonic()

    def load(self) -> bytes:
        """The newest record that is whole; empty when there is none."""
        return self._read()[1]

    def clear(self) -> None:
        """Nothing is on air."""
        if self.load():
            self.save(b"", durable=True)

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _back_to_disk(self) -> bool:
        """Whether the disk takes it now; then what is saved next stands above all that lies there."""
        self._asked = self._monotonic()
        try:
            file = _two_slots(self._path)
        except OSError:
            return False
        os.close(self._file)
        self._file, self._in_memory = file, False
        with contextlib.suppress(OSError):
            self._sequence = max(self._sequence, self._read()[0])
        log.info("checkpoint_on_disk path=%s", self._path)
        return True

    def _read(self) -> tuple[int, bytes]:
        return _newest(os.pread(self._file, 2 * SLOT_BYTES, 0))


def _two_slots(path: Path) -> int:
    """The open file at ``path``, at least two slots long, durably. Raises OSError."""
    make_folder(path.parent)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        missing = 2 * SLOT_BYTES - os.fstat(file).st_size
        if missing > 0:
            os.pwrite(file, b"\0" * missing, 2 * SLOT_BYTES - missing)
            os.fsync(file)
            sync_folder(path.parent)
    except OSError:
        os.close(file)
        raise
    return file


def _slots_in_memory(path: Path) -> int:
    """As `_two_slots`, of what can be read at ``path``; it lasts as long as the process."""
    file = os.memfd_create(path.name)
    with contextlib.suppress(OSError):
        os.pwrite(file, path.read_bytes()[: 2 * SLOT_BYTES], 0)
    return file


def _newest(slots: bytes) -> tuple[int, bytes]:
    """(sequence, data) of the newest record that is whole; (0, nothing) when there is none."""
    both = (_unpack(slots[at : at + SLOT_BYTES]) for at in (0, SLOT_BYTES))
    return max((found for found in both if found), default=(0, b""))


def _unpack(slot: bytes) -> tuple[int, bytes] | None:
    if len(slot) < _HEAD.size:
        return None
    magic, checksum, sequence, length = _HEAD.unpack_from(slot)
    data = slot[_HEAD.size : _HEAD.size + length]
    if magic != _MAGIC or len(data) != length:
        return None
    return (sequence, data) if zlib.crc32(struct.pack("<QI", sequence, length) + data) == checksum else None
