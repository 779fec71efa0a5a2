"""Where a backup and a restore work: a folder in the station's own, a file beside the backup; and what cut ones left.

- What they work on is plain, so it may not outlive them: each sweeps away what others left that were cut (kill -9, or
  the power). Locks of the operating system, which end with their process, tell those that run from those that ran.
- Only what they themselves would have made is swept: by its name, its mode and what is in it.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from controller import durable
from controller.vault.locking import VaultError

log = logging.getLogger("loa.vault")

DATABASE = "database"
FOLDERS = ("shelf", "keys", "broker", "recordings", "voices")
FILES = ("audit-checkpoints",)
_OURS = re.compile(r"(?:backup|restore)-[a-z0-9_]{8}")


@contextmanager
def for_backup(home: Path) -> Iterator[Path]:
    """A folder in ``home`` that is gone afterwards. Others may back up meanwhile. Raises OSError."""
    with _opened(home) as place:
        if _is_alone(place):
            _sweep(home)
        with suppress(OSError):  # a file system without locks: there nothing is ever swept
            fcntl.flock(place, fcntl.LOCK_SH)
        with tempfile.TemporaryDirectory(prefix="backup-", dir=home) as folder:
            yield Path(folder)


@contextmanager
def for_restore(home: Path) -> Iterator[Path]:
    """The same; nobody else may back up or restore meanwhile. Raises VaultError ``vault.busy``, OSError."""
    with _opened(home) as place:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise VaultError("vault.busy", path=home) from None
        except OSError as wrong:
            log.info("no_locks path=%s error=%s", home, wrong)
        else:
            _sweep(home)
        with tempfile.TemporaryDirectory(prefix="restore-", dir=home) as folder:
            yield Path(folder)


@contextmanager
def becoming(path: Path) -> Iterator[BinaryIO]:
    """A new file, for its owner only, that is ``path`` once all is in it and on the disk, its name too.

    Raises VaultError ``vault.exists`` where something of that name is there by then, OSError.
    """
    _sweep_beside(path)
    handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            with suppress(OSError):
                fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield out
            out.flush()
            os.fsync(out.fileno())
        if path.exists():
            raise VaultError("vault.exists", path=path)
        os.replace(aside, path)
    finally:
        Path(aside).unlink(missing_ok=True)
    _flush(path.parent)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield place
    finally:
        os.close(place)


def _is_alone(place: int) -> bool:
    """Whether nobody else holds this, who cannot take it now; False where the file system has no locks."""
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(home: Path) -> None:
    for folder in sorted(home.iterdir()):
        try:
            if _is_ours(folder):
                shutil.rmtree(folder)
                log.info("left_behind_removed path=%s", folder)
        except OSError as wrong:
            log.warning("left_behind_not_removed path=%s error=%s", folder, wrong)


def _is_ours(folder: Path) -> bool:
    """Whether a backup or a restore made it, and nobody put anything else in it. Raises OSError."""
    if not _OURS.fullmatch(folder.name):
        return False
    mode = folder.lstat().st_mode
    if not stat.S_ISDIR(mode) or mode & 0o777 != 0o700:
        return False
    names = {each.name for each in folder.iterdir()} - {*FOLDERS, *FILES}
    return all(name == DATABASE or name.startswith(f"{DATABASE}-") for name in names)  # SQLite's own beside it


def _sweep_beside(path: Path) -> None:
    """What a backup of this name left that was cut. One that is being written is held."""
    ours = re.compile(rf"\.{re.escape(path.name)}\.(?:[a-z0-9_]{{8}}\.)?new")
    with suppress(OSError):  # a folder that may be written and not read
        for each in [each for each in path.parent.iterdir() if ours.fullmatch(each.name)]:
            held = os.open(each, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if _is_alone(held):
                    each.unlink()
            finally:
                os.close(held)


def _flush(folder: Path) -> None:
    """Have the name on the disk. Raises OSError."""
    try:
        durable.flush_folder(folder)
    except OSError as wrong:
        if wrong.errno not in (errno.EINVAL, errno.EACCES):
            raise
        os.sync()  # some network shares flush no folder, and one that may only be written is not opened
