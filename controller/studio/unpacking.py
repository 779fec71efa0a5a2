"""Unpacks a stranger's archive: ``python -I unpacking.py ARCHIVE FOLDER MOST_FILES MOST_BYTES``.

- A script of its own, run in the cage (`cage.run`): what an archive makes a library do ends with this process.
- Regular files and folders only, each inside FOLDER, none twice; counted and measured as they come, whatever the
  archive says of itself. The exit code names the reason (`Reason`).
"""

from __future__ import annotations

import errno
import lzma
import shutil
import stat
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Generator
from contextlib import closing
from enum import IntEnum
from pathlib import Path, PurePosixPath
from typing import IO

Entries = Generator[tuple[str, IO[bytes] | None], None, None]
_BLOCK_BYTES = 1 << 20
_MOST_NAME, _MOST_PART = 500, 200


class Reason(IntEnum):
    """Why an archive is refused; the exit code. (1 and 2 are Python's own.)"""

    UNSAFE_NAME = 10
    NOT_A_FILE = 11
    TOO_MANY = 12
    TOO_LARGE = 13
    BROKEN = 14
    NO_ROOM = 15


class Refused(Exception):
    """The archive is refused."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


def unpack(archive: Path, folder: Path, most_files: int, most_bytes: int) -> None:
    """Every file of ``archive`` (zip, or tar with any packing Python knows) into ``folder``. Raises Refused."""
    opened = _zipped if zipfile.is_zipfile(archive) else _tarred
    left = most_bytes
    with closing(opened(archive)) as entries:
        for number, (name, content) in enumerate(entries):
            if number >= most_files:
                raise Refused(Reason.TOO_MANY)
            if content is not None:
                left -= _write(content, folder / _checked(name), left)
            else:
                _checked(name)


def _write(content: IO[bytes], target: Path, most_bytes: int) -> int:
    written = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            while block := content.read(_BLOCK_BYTES):
                written += len(block)
                if written > most_bytes:
                    raise Refused(Reason.TOO_LARGE)
                file.write(block)
    except (FileExistsError, NotADirectoryError):
        raise Refused(Reason.UNSAFE_NAME) from None
    return written


def _checked(name: str) -> PurePosixPath:
    """``name`` as a path inside the folder. Raises Refused."""
    path = PurePosixPath(name)
    bad = not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]
    if bad or not name.isprintable() or len(name) > _MOST_NAME or any(len(part) > _MOST_PART for part in path.parts):
        raise Refused(Reason.UNSAFE_NAME)
    return path


def _tarred(archive: Path) -> Entries:
    with tarfile.open(archive, "r|*") as tar:
        for member in tar:
            if member.isdir():
                if member.name not in (".", "./"):
                    yield member.name, None
            elif not member.isreg() or member.issparse():
                raise Refused(Reason.NOT_A_FILE)
            else:
                yield member.name, tar.extractfile(member)


def _zipped(archive: Path) -> Entries:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir():
                yield member.filename, None
            elif kind not in (0, stat.S_IFREG):
                raise Refused(Reason.NOT_A_FILE)
            else:
                with packed.open(member) as content:
                    yield member.filename, content


def main(arguments: list[str]) -> int:
    """Unpacks; the exit code."""
    archive, folder, most_files, most_bytes = arguments
    try:
        unpack(Path(archive), Path(folder), int(most_files), int(most_bytes))
    except Refused as refused:
        return refused.reason
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return Reason.NO_ROOM if full or shutil.disk_usage(folder).free < _BLOCK_BYTES else Reason.BROKEN
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError):
        return Reason.BROKEN
    except (ValueError, RuntimeError, NotImplementedError, OverflowError):  # an encrypted zip, an unknown packing
        return Reason.BROKEN
    except MemoryError:
        return Reason.TOO_LARGE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
