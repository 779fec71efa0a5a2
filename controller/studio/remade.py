"""Small files that can always be made again: kept in one folder under a name, made one at a time, the oldest go first.

- Whoever would wait too long for their turn is told so at once (`Busy`): threads of a server never pile up here.
- A file stands whole or not at all: made aside, then renamed.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from words import Said

MOST_WAITING = 4


class Busy(Said):
    """Others are being served; asking again in a few seconds helps."""


class Remade:
    """The folder ``folder``, made when needed, with at most about ``most`` files; a turn is waited for ``seconds``."""

    def __init__(self, folder: Path, most: int, seconds: float = 10.0) -> None:
        self._folder, self._most, self._seconds = folder, most, seconds
        self._places, self._turn = threading.Semaphore(MOST_WAITING), threading.Lock()

    def clear(self) -> None:
        """Take everything away: what it was made with may have changed."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def get(self, name: str, make: Callable[[Path], Path]) -> Path:
        """The file ``name`` (a plain file name), made by ``make(work folder)`` unless it stands already.

        Raises Busy ``studio.busy``, OSError, and whatever ``make`` raises.
        """
        path = self._folder / name
        if path.is_file():
            return path
        if not self._places.acquire(blocking=False):
            raise Busy("studio.busy")
        try:
            if not self._turn.acquire(timeout=self._seconds):
                raise Busy("studio.busy")
            try:
                return path if path.is_file() else self._made(path, make)
            finally:
                self._turn.release()
        finally:
            self._places.release()

    def find(self, name: str) -> Path | None:
        """The file ``name`` if it stands."""
        path = self._folder / name
        return path if path.is_file() else None

    def _made(self, path: Path, make: Callable[[Path], Path]) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="making-") as work:
            make(Path(work)).replace(path)
        self._thin(path)
        return path

    def _thin(self, newest: Path) -> None:
        """Take the oldest away where there are more than ``most``; another process may do the same.

        Not the one just made, whatever the times of files say: they are no finer than some milliseconds.
        """
        with suppress(OSError):
            files = [each for each in self._folder.iterdir() if each.is_file() and each != newest]
            files.sort(key=lambda each: each.stat().st_mtime_ns)
            for old in files[: max(0, len(files) + 1 - self._most)]:
                old.unlink(missing_ok=True)
