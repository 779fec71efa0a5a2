"""The rack: the folder of audio files, each under its SHA-256, and the room there is for more.

- A file stands under its name only when its content was checked; what is being fetched is ``<sha256>.part``.
- Makes room by removing what nobody wants, longest unused first, then what is needed later than the newcomer.
- The folder is the node's own: what else lies there weighs too, and goes like what nobody wants.
- Leaves `RESERVE_BYTES` of the disk to others: the node's own ledger must always be able to write.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from edge_node import disk
from wire.plan import Asset

RESERVE_BYTES = 32_000_000
CHUNK_BYTES = 1 << 18

Signature = tuple[int, int, int]  # size, mtime in ns, inode: a file that was rewritten has another


class Rack:
    """The folder and its budget. Methods raise OSError only where they say so."""

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self.folder, self.budget_bytes = folder, budget_bytes
        with contextlib.suppress(OSError):  # asked for again with every file that comes
            disk.make_folder(folder)

    def path(self, asset: Asset) -> Path:
        """Where the finished file stands."""
        return self.folder / asset.sha256

    def part(self, asset: Asset) -> Path:
        """Where it grows while it is fetched."""
        return self.folder / f"{asset.sha256}.part"

    def part_bytes(self, asset: Asset) -> int:
        """How much of it has come so far."""
        try:
            return self.part(asset).stat().st_size
        except OSError:
            return 0

    def signature(self, asset: Asset) -> Signature | None:
        """What tells an unchanged file cheaply; None when there is none of the right size."""
        found = _regular(self.path(asset))
        if found is None or found.st_size != asset.size_bytes:
            return None
        return found.st_size, found.st_mtime_ns, found.st_ino

    def is_true(self, asset: Asset, path: Path) -> bool:
        """Whether the file is the sealed audio, by its whole content. Unreadable, or no file, is not true."""
        found = _regular(path)
        if found is None or found.st_size != asset.size_bytes:
            return False
        digest = hashlib.sha256()
        try:
            # what became a link or a pipe since is not followed and not waited for
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
        except OSError:
            return False
        return digest.hexdigest() == asset.sha256

    def finish(self, asset: Asset) -> None:
        """Turn the checked part into the file, durably. Raises OSError."""
        os.replace(self.part(asset), self.path(asset))
        disk.sync_folder(self.folder)

    def drop(self, asset: Asset) -> None:
        """Remove file and part, whatever stands in their place; what is gone already is fine."""
        for path in (self.path(asset), self.part(asset)):
            with contextlib.suppress(OSError):
                _remove(path)

    def clear_way(self, asset: Asset) -> None:
        """Remove what is no file from where one is to grow. Raises OSError."""
        for path in (self.path(asset), self.part(asset), self.part(asset).with_suffix(".etag")):
            if os.path.lexists(path) and _regular(path) is None:
                _remove(path)

    def make_room(self, asset: Asset, keep: Sequence[str], give_way: Sequence[str]) -> bool:
        """Room for ``asset``: whether there is, after removing what may go.

        ``keep``: hashes that stay. ``give_way``: hashes needed later than ``asset``, soonest first; the last goes
        first, and only when everything unwanted is gone. Raises OSError.
        """
        disk.make_folder(self.folder)
        ranks = {name: rank for rank, name in enumerate(reversed(give_way), start=1)}
        stays = {*keep, asset.sha256} - set(give_way)
        things = [(path, *_weighed(path)) for path in self.folder.iterdir()]
        used = sum(size for path, _, size in things if path.name.split(".")[0] != asset.sha256)
        may_go = [
            (ranks.get(path.name.split(".")[0], 0), used_at, path, size)
            for path, used_at, size in things
            if path.name.split(".")[0] not in stays
        ]
        here = sum(size for path, _, size in things if path == self.part(asset))
        lacking = max(used + asset.size_bytes - self.budget_bytes, asset.size_bytes - here - self._free_bytes())
        if lacking > sum(size for *_, size in may_go):
            return lacking <= 0  # removing all of it would not help: leave it
        for _, _, path, size in sorted(may_go):
            if lacking <= 0:
                break
            _remove(path)
            lacking -= size
        return lacking <= 0

    def touch(self, asset: Asset) -> None:
        """Remember that it was used: what is unused longest goes first."""
        with contextlib.suppress(OSError):
            os.utime(self.path(asset))

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self.folder).free - RESERVE_BYTES


def _regular(path: Path) -> os.stat_result | None:
    """What is known of a file; None for a link, a folder, a pipe or nothing at all."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _weighed(path: Path) -> tuple[int, int]:
    """(when it was used last in ns, bytes) of what lies in the rack, also of a folder that somebody left there."""
    try:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return found.st_mtime_ns, found.st_size
        inside = (Path(place, name) for place, _, names in os.walk(path) for name in names)
        return found.st_mtime_ns, sum(each.lstat().st_size for each in inside)
    except OSError:  # it has just gone
        return 0, 0


def _remove(path: Path) -> None:
    """The file, the link, or the folder with all that is in it. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
