"""The progress of an update: one small file of the updater's own, replaced whole, readable by everybody.

- It is written before what it announces is done, so that whoever comes after a power cut knows what may be half done.
- ``serial`` is that of the newest statement dealt with: it only grows, also over failures.
- What follows a trial must be written whatever the version on trial has done to the disk: before the switch room is
  kept in a second file, which is written in place. What stands there counts as long as the very state that it follows
  could not be replaced. So a version that was given up is never taken for one whose switch was cut, and tried again.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_node import disk
from wire import codec

FOLDER, NAME, SPARE = "update", "state.json", "state.spare"  # below the prefix
MOST_BYTES = 8192
MOST_DETAIL, SPARE_DETAIL = 400, 100  # characters; the spare room is one slot of `disk.Checkpoint`
_DIGEST_BYTES = 32


class Phase(StrEnum):
    """What is being done, or was done last."""

    IDLE = "idle"  # nothing
    BUILDING = "building"  # the target is being made anew: worth nothing yet
    BUILT = "built"  # the target is whole and proven; the switch waits for free air
    TRIAL = "trial"  # the target runs and must prove itself
    RETURNING = "returning"  # back to the one before, whatever stands
    DONE = "done"  # the target runs and is what the next update starts from
    FAILED = "failed"  # the statement is over; another one may be tried


OPEN = (Phase.BUILDING, Phase.BUILT, Phase.TRIAL, Phase.RETURNING)
TRIED = (Phase.TRIAL, Phase.RETURNING)  # no two such states are alike: they name a run of the machine and its second


class Progress(msgspec.Struct, frozen=True):
    """The state. ``target`` and ``previous`` are the names of environments below the prefix."""

    phase: Phase = Phase.IDLE
    serial: int = 0
    version: str = ""
    sha256: str = ""
    target: Annotated[str, Meta(max_length=1)] = ""
    previous: Annotated[str, Meta(max_length=1)] = ""
    boot: str = ""  # the machine's run in which the trial began, or the switch
    since: float = 0.0  # of that run, in seconds: when the trial began
    tries: int = 0  # how many of the machine's runs the trial has seen
    ran: bool = False  # the target was switched to
    reason: str = ""  # Hitch
    detail: str = ""
    healthy_seconds: float = 300.0  # how long it is to have walked before it may call itself healthy
    beat_seconds: float = 5.0  # how often it is to give a sign during its trial


def place(prefix: Path) -> Path:
    """Where the file stands."""
    return prefix / FOLDER / NAME


def load(prefix: Path) -> Progress:
    """What stands there; nothing yet is IDLE. Raises OSError, codec.Malformed, codec.TooBig."""
    try:
        raw = _read(place(prefix))
    except FileNotFoundError:
        return Progress()
    return codec.read(Progress, _following(raw, prefix) or raw, MOST_BYTES)


def keep_room(prefix: Path) -> None:
    """Whatever fills the disk from now on, what follows a trial can be saved. Raises OSError."""
    disk.keep_record(_spare(prefix))


def save(prefix: Path, progress: Progress) -> None:
    """Durable on return. Raises OSError; then the state before stands."""
    try:
        disk.write(place(prefix), _written(progress, MOST_DETAIL))
    except OSError:
        raw = _read(place(prefix))
        if not _is_tried(raw):
            raise
        disk.write_record(_spare(prefix), hashlib.sha256(raw).digest() + _written(progress, SPARE_DETAIL))


def _following(raw: bytes, prefix: Path) -> bytes:
    """The state that could not replace ``raw``; empty when there is none."""
    try:
        spare = disk.read_record(_spare(prefix))
    except OSError:
        return b""
    return spare[_DIGEST_BYTES:] if spare[:_DIGEST_BYTES] == hashlib.sha256(raw).digest() else b""


def _is_tried(raw: bytes) -> bool:
    try:
        return codec.read(Progress, raw, MOST_BYTES).phase in TRIED
    except (codec.Malformed, codec.TooBig):
        return False


def _spare(prefix: Path) -> Path:
    return prefix / FOLDER / SPARE


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _written(progress: Progress, most_detail: int) -> bytes:
    return codec.write(msgspec.structs.replace(progress, detail=progress.detail[-most_detail:]))
