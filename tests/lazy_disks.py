"""The program behind `makers_lazy_disk`: file contents and names, what of them is saved, and what a cut leaves."""

from __future__ import annotations

import errno
import os
import random
import signal
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path

import mfusepy
from makers_lazy_disk import ALL, CARD_BLOCK_BYTES, CUT, KEPT, REFUSES, SYNCED, WRITES

BLOCK_BYTES = 512  # what a card writes at once


@dataclass
class Thing:
    """A file, or a folder: then the changes of its names that no sync has saved."""

    mode: int
    now: bytearray = field(default_factory=bytearray)
    kept: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # a write, or a truncation
    names: list[dict[str, Thing | None]] = field(default_factory=list)

    def change(self, at: int, data: bytes | None) -> None:
        apply(self.now, at, data)
        self.pending.append((at, data))

    def dirty(self) -> int:
        """How many blocks of the card a sync writes."""
        spans = [(at, at + len(data)) for at, data in self.pending if data]
        return len({n for a, b in spans for n in range(a // CARD_BLOCK_BYTES, -(-b // CARD_BLOCK_BYTES))})

    def survives(self, luck: str) -> bytes:
        if luck in (KEPT, ALL):
            return self.kept if luck == KEPT else bytes(self.now)
        draw, content = random.Random(f"{luck} {len(self.pending)}"), bytearray(self.kept)
        for at, data in self.pending:
            if data is None and draw.random() < 0.5:
                apply(content, at, None)
            for offset in range(0, len(data or b""), BLOCK_BYTES):
                if draw.random() < 0.5:
                    apply(content, at + offset, (data or b"")[offset : offset + BLOCK_BYTES])
        return bytes(content)


def apply(content: bytearray, at: int, data: bytes | None) -> None:
    """A write at ``at``, or without data a truncation to that length."""
    end = at + len(data or b"")
    content.extend(b"\0" * (end - len(content)))
    if data is None:
        del content[at:]
    else:
        content[at:end] = data


@dataclass
class Cut:
    """What was armed: when, with what luck, whom it ends."""

    at: int
    luck: str
    process: int


class LazyDisks(mfusepy.Operations):
    """Only what the node and SQLite use; anything else is refused."""

    use_ns = True

    def __init__(self, images: Path) -> None:
        self._images = images
        self._now: dict[str, Thing] = {"/": Thing(stat.S_IFDIR | 0o755)}
        self._kept: dict[str, Thing] = {}
        self._open: dict[int, tuple[str, Thing]] = {}
        self._next = 1
        self._cuts: dict[str, Cut] = {}
        self._writes: dict[str, int] = {}
        self._refuses: dict[str, int] = {}
        self._synced: dict[str, int] = {}

    def _thing(self, path: str) -> Thing:
        if path not in self._now:
            raise mfusepy.FuseOSError(errno.ENOENT)
        return self._now[path]

    def _count(self, path: str) -> None:
        """One more write of a disk; maybe its last. The shared memory of SQLite is no matter of a disk's."""
        disk = path.split("/")[1]
        if disk in self._refuses:
            raise mfusepy.FuseOSError(self._refuses[disk])
        if path.endswith("-shm"):
            return
        self._writes[disk] = self._writes.get(disk, 0) + 1
        cut = self._cuts.get(disk)
        if cut and self._writes[disk] >= cut.at:
            self._lay_down(disk, cut.luck)
            self._refuses[disk] = errno.EIO
            os.kill(cut.process, signal.SIGKILL)
            raise mfusepy.FuseOSError(errno.EIO)

    def _bring(self, path: str, blocks: int) -> None:
        disk = path.split("/")[1]
        self._synced[disk] = self._synced.get(disk, 0) + blocks

    def _lay_down(self, disk: str, luck: str) -> None:
        kept, top = dict(self._kept), f"/{disk}"
        for folder, thing in self._now.items():
            if stat.S_ISDIR(thing.mode):
                lucky = 0 if luck == KEPT else len(thing.names)
                lucky = lucky if luck in (KEPT, ALL) else random.Random(f"{luck} {folder}").randint(0, lucky)
                for names in thing.names[:lucky]:
                    _name(kept, names)
        for path in sorted(path for path in kept if path == top or path.startswith(f"{top}/")):
            target = self._images / path[1:]
            if not target.parent.is_dir():  # its folder's name was never saved
                continue
            if stat.S_ISDIR(kept[path].mode):
                target.mkdir()
            else:
                target.write_bytes(kept[path].survives(luck))
                target.chmod(stat.S_IMODE(kept[path].mode))

    def _rename(self, names: dict[str, Thing | None]) -> int:
        """A change of one folder's names, at once."""
        _name(self._now, names)
        folder = os.path.dirname(next(iter(names)))
        if folder == "/":
            _name(self._kept, names)
        else:
            self._now[folder].names.append(names)
        return 0

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        thing = self._open[fh][1] if fh in self._open else self._thing(path)
        return {"st_mode": thing.mode, "st_size": len(thing.now), "st_nlink": 1, "st_blocks": -(-len(thing.now) // 512)}

    def readdir(self, path: str, fh: int) -> list[str]:
        folder = path.rstrip("/") + "/"
        return [".", "..", *(each[len(folder) :] for each in self._now if _within(each, folder))]

    def open(self, path: str, flags: int) -> int:
        refusal = self._refuses.get(path.split("/")[1])
        if refusal == errno.EROFS and flags & (os.O_WRONLY | os.O_RDWR):
            raise mfusepy.FuseOSError(refusal)
        self._next += 1
        self._open[self._next] = (path, self._thing(path))
        return self._next

    def create(self, path: str, mode: int, fi: int | None = None) -> int:
        self._count(path)
        self._rename({path: Thing(stat.S_IFREG | stat.S_IMODE(mode))})
        return self.open(path, 0)

    def release(self, path: str, fh: int) -> int:
        self._open.pop(fh, None)
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._open[fh][1].now[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        path, thing = self._open[fh]  # the path given is None once it was removed
        self._count(path)
        thing.change(offset, bytes(data))
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        path, thing = self._open[fh] if fh in self._open else (path, self._thing(path))
        self._count(path)
        thing.change(length, None)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        path, thing = self._open[fh]
        self._count(path)
        self._bring(path, thing.dirty())
        thing.kept, thing.pending = bytes(thing.now), []
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        self._count(path)
        thing = self._thing(path)
        self._bring(path, 1)
        for names in thing.names:
            _name(self._kept, names)
        thing.names = []
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        self._count(path)
        return self._rename({path: Thing(stat.S_IFDIR | stat.S_IMODE(mode))})

    def unlink(self, path: str) -> int:
        self._count(path)
        self._thing(path)
        return self._rename({path: None})

    def rmdir(self, path: str) -> int:
        if any(_within(each, path + "/") for each in self._now):
            raise mfusepy.FuseOSError(errno.ENOTEMPTY)
        return self.unlink(path)

    def rename(self, old: str, new: str) -> int:
        if stat.S_ISDIR(self._thing(old).mode) or os.path.dirname(old) != os.path.dirname(new):
            raise mfusepy.FuseOSError(errno.EXDEV)
        self._count(old)
        return self._rename({old: None, new: self._now[old]})

    def chmod(self, path: str, mode: int) -> int:
        thing = self._thing(path)
        thing.mode = stat.S_IFMT(thing.mode) | stat.S_IMODE(mode)
        return 0

    def utimens(self, path: str, times: object = None) -> int:
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1 << 20, "f_bfree": 1 << 19, "f_bavail": 1 << 19}

    def setxattr(self, path: str, name: str, value: bytes, options: int, position: int = 0) -> int:
        disk = path[1:]
        if name == REFUSES:
            self._refuses |= {disk: int(value)}
            if not int(value):
                del self._refuses[disk]
            return 0
        if name != CUT:
            raise mfusepy.FuseOSError(errno.ENOTSUP)
        at, luck = bytes(value).decode().split()
        self._cuts[disk] = Cut(self._writes.get(disk, 0) + int(at), luck, mfusepy.fuse_get_context()[2])
        return 0

    def getxattr(self, path: str, name: str, position: int = 0) -> bytes:
        counts = {WRITES: self._writes, SYNCED: self._synced}.get(name)
        if counts is None:
            raise mfusepy.FuseOSError(errno.ENODATA)
        return str(counts.get(path[1:], 0)).encode()


def _within(path: str, folder: str) -> bool:
    return path.startswith(folder) and len(path) > len(folder) and "/" not in path[len(folder) :]


def _name(things: dict[str, Thing], names: dict[str, Thing | None]) -> None:
    for path, thing in names.items():
        if thing is None:
            things.pop(path, None)
        else:
            things[path] = thing


if __name__ == "__main__":
    mfusepy.FUSE(
        LazyDisks(Path(sys.argv[2])), sys.argv[1], foreground=True, nothreads=True, hard_remove=True, allow_other=True
    )
