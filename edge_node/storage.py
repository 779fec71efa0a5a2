"""The card under the node: what the kernel says of its health to anybody, without privileges. Nothing here raises.

- Errors that the file system has met (ext4), that a USB or SATA disk has given (SCSI), the wear that an eMMC tells of
  itself (JESD84-B51, EXT_CSD 267-269). An SD card tells nothing of its wear, and the kernel's own counters of the SD
  bus are for root alone: such a card shows its faults as ext4's, or by turning read-only.
- Read-only is what the file system says of itself: how it is mounted into a hardened service is another matter. The
  root counts only where ``/etc/fstab`` wants it writable.
"""

from __future__ import annotations

import os
from pathlib import Path

from wire.health import Storage

_READ_ONLY = {"ro", "emergency_ro"}


class Card:
    """The disk that ``folder`` lies on. ``root`` is changed in tests only."""

    def __init__(self, folder: Path, root: Path = Path("/"), device: str | None = None) -> None:
        self._root = root
        self._device = device or _device(folder)

    def read(self) -> Storage | None:
        """Everything at this moment; None where nothing is known."""
        partition = self._block()
        disk = partition.parent if partition and (partition / "partition").exists() else partition
        read_only = self._read_only()
        storage = Storage(
            file_system_errors=_number(self._root / "sys/fs/ext4" / partition.name / "errors_count", 10)
            if partition
            else None,
            disk_errors=_number(disk / "device/ioerr_cnt", 16) if disk else None,
            worn_percent=_worn(disk / "device/life_time") if disk else None,
            end_of_life=_number(disk / "device/pre_eol_info", 16) or None if disk else None,
            read_only=read_only,
        )
        return storage if storage != Storage() else None

    def _block(self) -> Path | None:
        path = self._root / "sys/dev/block" / (self._device or "none")
        return path.resolve() if path.exists() else None

    def _read_only(self) -> bool | None:
        """Whether the file system of the folder, or the root, has turned read-only."""
        mounts = [line.split() for line in _text(self._root / "proc/self/mountinfo").splitlines()]
        mine = {_READ_ONLY & set(row[-1].split(",")) != set() for row in mounts if row[2:3] == [self._device]}
        if not mine:
            return None
        root = any(_READ_ONLY & set(row[-1].split(",")) for row in mounts if row[4:5] == ["/"])
        return any(mine) or (root and self._root_is_meant_to_be_written())

    def _root_is_meant_to_be_written(self) -> bool:
        rows = [line.split() for line in _text(self._root / "etc/fstab").splitlines()]
        return any(len(row) > 3 and row[1] == "/" and "ro" not in row[3].split(",") for row in rows)


def _device(folder: Path) -> str | None:
    try:
        device = os.stat(folder).st_dev
    except OSError:
        return None
    return f"{os.major(device)}:{os.minor(device)}"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _number(path: Path, base: int) -> int | None:
    try:
        return int(_text(path).strip(), base)
    except ValueError:
        return None


def _worn(path: Path) -> int | None:
    """An eMMC says in steps of ten percent, for both kinds of its cells, how much of its life is used at most."""
    try:
        steps = [int(word, 16) for word in _text(path).split()]
    except ValueError:
        return None
    known = [step for step in steps if 0 < step <= 11]
    return max(known) * 10 if known else None
