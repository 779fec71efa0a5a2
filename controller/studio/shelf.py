"""The shelf: finished recordings in one folder, each under the SHA-256 of its bytes.

- What stands there is complete: written aside, flushed to disk, renamed. A name never changes its content.
- Adding what is there already changes nothing.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from pathlib import Path

from wire.names import AssetId, asset_id
from words import Said

_BLOCK_BYTES = 1 << 20
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class ShelfError(Said):
    """A recording could not be put on the shelf, or is not there."""


class Shelf:
    """The folder ``folder`` (made if absent) and its ``<sha256>`` files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refusal(error, folder) from error

    def path(self, asset: str) -> Path:
        """Where the recording ``asset`` stands or would stand. Raises wire.names.BadName."""
        return self.folder / asset_id(asset)

    def find(self, asset: str) -> Path | None:
        """The recording's file, None where it is not on the shelf."""
        path = self.path(asset)
        return path if path.is_file() else None

    def add(self, source: Path) -> AssetId:
        """Puts a copy of ``source`` on the shelf; its name. Raises ShelfError (full disk, unreadable file)."""
        try:
            return self._add(source)
        except OSError as error:
            raise _refusal(error, self.folder) from error

    def _add(self, source: Path) -> AssetId:
        digest = hashlib.sha256()
        handle, name = tempfile.mkstemp(prefix=".adding-", dir=self.folder)
        aside = Path(name)
        try:
            with os.fdopen(handle, "wb") as out, source.open("rb") as sound:
                while block := sound.read(_BLOCK_BYTES):
                    digest.update(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            aside.chmod(0o644)
            asset = AssetId(digest.hexdigest())
            aside.replace(self.folder / asset)
        finally:
            aside.unlink(missing_ok=True)
        _flush_folder(self.folder)
        return asset


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refusal(error: OSError, folder: Path) -> ShelfError:
    if error.errno in _NO_ROOM:
        return ShelfError("studio.disk_full", folder=folder)
    return ShelfError("studio.shelf_failed", folder=folder, detail=error.strerror or str(error))
