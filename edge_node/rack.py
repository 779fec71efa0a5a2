"""The rack: the folder of audio files, each under its SHA-256, and the room there is for more.

- A file stands under its name only when its content was checked; what is being fetched is ``<sha256>.part``.
- Makes room by removing what nobody wants, longest unused first, then what is needed later than the newcomer.
- Leaves `RESERVE_BYTES` of the disk to others: the node's own ledger must always be able to write.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from wire.plan import Asset

RESERVE_BYTES = 32_000_000
CHUNK_BYTES = 1 << 18

Signature = tuple[int, int, int]  # size, mtime in ns, inode: a file that was rewritten has another


class Rack:
    """The folder and its budget. Methods raise OSError only where they say so."""

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self.folder, self.budget_bytes = folder, budget_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, asset: Asset) -> Path:
        """Where the finished file stands."""
        return self.folder / asset.sha256

    def part(self, asset: Asset) -> Path:
        """Where it grows while it is fetched."""
        return self.folder / f"{asset.sha256}.part"

    def signature(self, asset: Asset) -> Signature | None:
        """What tells an unchanged file cheaply; None when there is none of the right size."""
        try:
            found = self.path(asset).stat()
        except OSError:
            return None
        return (found.st_size, found.st_mtime_ns, found.st_ino) if found.st_size == asset.size_bytes else None

    def is_true(self, asset: Asset, path: Path) -> bool:
        """Whether the file is the sealed audio, by its whole content. Unreadable is not true."""
        digest, left = hashlib.sha256(), asset.size_bytes
        try:
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
                    left -= len(chunk)
                    if left < 0:
                        return False
        except OSError:
            return False
        return left == 0 and digest.hexdigest() == asset.sha256

    def finish(self, asset: Asset) -> None:
        """Turn the checked part into the file, durably. Raises OSError."""
        os.replace(self.part(asset), self.path(asset))
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def drop(self, asset: Asset) -> None:
        """Remove file and part; what is gone already is fine."""
        for path in (self.path(asset), self.part(asset)):
            with contextlib.suppress(OSError):
                path.unlink()

    def make_room(self, asset: Asset, keep: Sequence[str], give_way: Sequence[str]) -> bool:
        """Room for ``asset``: whether there is, after removing what may go.

        ``keep``: hashes that stay. ``give_way``: hashes needed later than ``asset``, soonest first; the last goes
        first, and only when everything unwanted is gone.
        """
        ranks = {name: rank for rank, name in enumerate(reversed(give_way), start=1)}
        stays = {*keep, asset.sha256} - set(give_way)
        files = [(path, path.stat()) for path in self._files()]
        used = sum(found.st_size for path, found in files if path.name.split(".")[0] != asset.sha256)
        may_go = [
            (ranks.get(path.name.split(".")[0], 0), found.st_mtime_ns, path, found.st_size)
            for path, found in files
            if path.name.split(".")[0] not in stays
        ]
        here = sum(found.st_size for path, found in files if path == self.part(asset))
        lacking = max(used + asset.size_bytes - self.budget_bytes, asset.size_bytes - here - self._free_bytes())
        if lacking > sum(size for *_, size in may_go):
            return lacking <= 0  # removing all of it would not help: leave it
        for _, _, path, size in sorted(may_go):
            if lacking <= 0:
                break
            path.unlink(missing_ok=True)
            lacking -= size
        return lacking <= 0

    def touch(self, asset: Asset) -> None:
        """Remember that it was used: what is unused longest goes first."""
        with contextlib.suppress(OSError):
            os.utime(self.path(asset))

    def _files(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if path.is_file()]

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self.folder).free - RESERVE_BYTES
