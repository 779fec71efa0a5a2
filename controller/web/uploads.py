"""Uploads over weak links: a large file comes in pieces, and goes on where it was cut.

- No request is larger than any form's, so nobody fills the disk by sending; what is not finished in a day is gone.
- Everything lies in files named by their owner, so any web process can take the next piece.
"""

from __future__ import annotations

import errno
import re
import secrets
import shutil
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from controller.web.language import WebError

MOST_PIECE_BYTES = 1024 * 1024
MOST_OPEN = 3  # uploads of one person that are not finished
KEPT = timedelta(days=1)
SPARE_BYTES = 500 * 1024 * 1024  # of disk, which the station needs for its work
_NAME = re.compile(r"[0-9a-f]{32}")
_PLAIN = re.compile(r"[^0-9A-Za-z_-]")


class Uploads:
    """Unfinished files in ``folder``, each of at most ``most_bytes``. Any method may raise WebError."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self.most_bytes = folder, most_bytes

    def begin(self, owner: str, size: int, now: datetime) -> str:
        """A new upload of ``size`` bytes; its name."""
        if not 0 < size <= self.most_bytes:
            key = "web.upload_too_large" if size > 0 else "web.upload_empty"
            raise WebError(key, megabytes=max(1, size >> 20), most=self.most_bytes >> 20)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep(now)
            if shutil.disk_usage(self._folder).free < size + SPARE_BYTES:
                raise WebError("web.upload_no_room")
            for oldest in self._of(owner)[: -MOST_OPEN + 1]:  # what a person began and left is not kept for them
                oldest.unlink(missing_ok=True)
            name = secrets.token_hex(16)
            self._path(owner, name).touch(mode=0o600)
        except OSError as wrong:
            raise _refusal(wrong) from wrong
        return name

    def size(self, owner: str, name: str) -> int:
        """How many bytes have come."""
        return self.path(owner, name).stat().st_size

    def append(self, owner: str, name: str, offset: int, piece: IO[bytes]) -> int:
        """Take the piece that begins at ``offset``; how many bytes there are now. One not in turn changes nothing."""
        path = self.path(owner, name)
        try:
            with path.open("r+b") as file:
                here = file.seek(0, 2)
                if here == offset:
                    file.write(piece.read(min(MOST_PIECE_BYTES, self.most_bytes - here)))
                    here = file.tell()
        except OSError as wrong:
            raise _refusal(wrong) from wrong
        return here

    def path(self, owner: str, name: str) -> Path:
        """The file as far as it has come."""
        if _NAME.fullmatch(name) and (path := self._path(owner, name)).is_file():
            return path
        raise WebError("web.upload_unknown")

    def forget(self, owner: str, name: str) -> None:
        """It is not needed any more."""
        with suppress(WebError):
            self.path(owner, name).unlink(missing_ok=True)

    def _path(self, owner: str, name: str) -> Path:
        return self._folder / f"{_PLAIN.sub('-', owner)[:80]}.{name}"

    def _of(self, owner: str) -> list[Path]:
        """Oldest first."""
        mine: list[tuple[int, Path]] = []
        for path in self._folder.glob(f"{_PLAIN.sub('-', owner)[:80]}.*"):
            with suppress(FileNotFoundError):  # forgotten meanwhile
                mine.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(mine)]

    def _sweep(self, now: datetime) -> None:
        before = (now - KEPT).timestamp()
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()


def _refusal(wrong: OSError) -> WebError:
    no_room = wrong.errno in (errno.ENOSPC, errno.EDQUOT)
    return WebError("web.upload_no_room") if no_room else WebError("web.upload_failed", why=wrong.strerror or wrong)
