"""Foreign: files in a folder that somebody else may write to, read by one who may do more than they.

- Follows no link below the folder, waits for no pipe, takes no more bytes than it was told, and only of plain files.
- What is to be relied on is copied while it is hashed, and only the copy is used: the original may change meanwhile.
- Writes nothing there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

CHUNK_BYTES = 1 << 18
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


class NotTaken(Exception):
    """It is not there, no plain file, too long, or not the bytes that were wanted."""


def read(home: Path, folder: str, name: str, most_bytes: int) -> bytes:
    """The file ``home/folder/name``. ``home`` itself may be a link, nothing below it. Raises NotTaken."""
    with _opened(home, folder, name) as descriptor:
        found = bytearray()
        while len(found) <= most_bytes and (chunk := _part(descriptor, most_bytes + 1 - len(found))):
            found += chunk
        if len(found) > most_bytes:
            raise NotTaken(f"{name} is longer than {most_bytes} bytes")
        return bytes(found)


def copy(home: Path, folder: str, name: str, size_bytes: int, target: Path) -> None:
    """The file ``home/folder/name``, named by its SHA-256, as ``target``, a new file, durable on return.

    Raises NotTaken when it is not there with that length and content; OSError when ``target`` cannot be written.
    """
    digest, left = hashlib.sha256(), size_bytes
    with _opened(home, folder, name) as descriptor:
        if os.fstat(descriptor).st_size != size_bytes:
            raise NotTaken(f"{name} has another length than was sealed")
        with target.open("xb") as out:
            while chunk := _part(descriptor, min(CHUNK_BYTES, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise NotTaken(f"{name} grows")
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
    if left or digest.hexdigest() != name:
        raise NotTaken(f"{name} is not what was sealed")


@contextlib.contextmanager
def _opened(home: Path, folder: str, name: str) -> Iterator[int]:
    """A descriptor of the plain file. Raises NotTaken."""
    if "/" in name or name in ("", ".", ".."):
        raise NotTaken("no name of a file")
    with contextlib.ExitStack() as opened:
        try:
            top = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, top)
            inner = os.open(folder, _FOLDER, dir_fd=top)
            opened.callback(os.close, inner)
            descriptor = os.open(name, _FILE, dir_fd=inner)
            opened.callback(os.close, descriptor)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NotTaken(f"{name} is no plain file")
        except OSError as wrong:
            raise NotTaken(str(wrong)) from None
        yield descriptor


def _part(descriptor: int, most_bytes: int) -> bytes:
    try:
        return os.read(descriptor, most_bytes)
    except OSError as wrong:
        raise NotTaken(str(wrong)) from None
