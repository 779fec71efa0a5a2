"""Files that are there whole or not at all, whatever happens to the power."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def write_once(path: Path, content: bytes) -> None:
    """A new file. Written aside (mode 0600), flushed, and linked under its name: never half a key, never over another.

    Raises OSError, FileExistsError among them.
    """
    _written(path, content, os.link)


def replace(path: Path, content: bytes) -> None:
    """The same over what is there. Raises OSError; then what was there stands."""
    _written(path, content, os.replace)


def lay(path: Path, text: str) -> Path | None:
    """``path`` with ``text`` in it, for its owner and group; None when it had that already. Raises OSError."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    if path.exists() and path.read_text("utf-8") == text:
        return None

    def put(aside: str, path: Path) -> None:
        os.chmod(aside, 0o640)
        os.replace(aside, path)

    _written(path, text.encode(), put)
    return path


def _written(path: Path, content: bytes, put: Callable[[str, Path], None]) -> None:
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        put(aside, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Have the folder's own entries on the disk, so that the name survives a power cut too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
