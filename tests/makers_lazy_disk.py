"""A lazy file system in user space: what was not fsynced stands in its memory only, and a power cut forgets it.

- Each folder at its top is a disk of its own. ``os.setxattr(disk, "user.cut", b"<write> <luck>")`` has it cut at the
  n-th write, truncation, sync, rename, creation or removal from then on: what survives is laid into a plain folder,
  and the process that armed it is killed before that call returns. ``user.writes`` counts such calls,
  ``user.synced`` the blocks of 4 KiB that syncs bring to the card, one for each sync of a folder.
- luck: ``kept``: nothing survives that was not synced; ``all``: everything does (the process is killed, the machine
  goes on); a number seeds what a torn write leaves: some of the blocks, and in each folder the first so many changes.
- ``os.setxattr(disk, "user.refuses", b"30")``: from then on every such call fails with that error number; ``0``: none.
- Stricter than ext4: fsync of a file saves its bytes, not its name; the name needs the folder's fsync.
"""

from __future__ import annotations

import ctypes.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CARD_BLOCK_BYTES = 4096
ALL, KEPT = "all", "kept"
CUT, WRITES, REFUSES, SYNCED = "user.cut", "user.writes", "user.refuses", "user.synced"
PROGRAM = Path(__file__).with_name("lazy_disks.py")
_MAY_MOUNT = 1 << 21  # CAP_SYS_ADMIN


def why_not() -> str:
    """Why there is no lazy file system here; empty when there is one."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "needs /dev/fuse: a power cut is simulated on a file system in user space"
    if ctypes.util.find_library("fuse3") is None:
        return "needs libfuse3: apt-get install fuse3"
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return "" if int(status["CapEff"], 16) & _MAY_MOUNT else "needs root: it mounts a file system"


@contextmanager
def mounted(folder: Path) -> Iterator[tuple[Path, Path]]:
    """(mount, images): disks are made in the one; what a cut left of them is found in the other, under its name."""
    mount, images = folder / "disks", folder / "images"
    mount.mkdir()
    images.mkdir()
    process = subprocess.Popen([sys.executable, PROGRAM, str(mount), str(images)])
    try:
        until = time.monotonic() + 120
        while not mount.is_mount():
            assert process.poll() is None, "the file system has ended"
            assert time.monotonic() < until, "nothing was mounted"
            time.sleep(0.01)
        yield mount, images
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)
        process.kill()
        process.wait()
