"""The progress of an update: one small file of the updater's own, replaced whole, readable by everybody.

- It is written before what it announces is done, so that whoever comes after a power cut knows what may be half done.
- ``serial`` is that of the newest statement dealt with: it only grows, also over failures.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_node import disk
from wire import codec

FOLDER, NAME = "update", "state.json"  # below the prefix
MOST_BYTES = 8192


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
        with place(prefix).open("rb") as file:
            return codec.read(Progress, file.read(MOST_BYTES + 1), MOST_BYTES)
    except FileNotFoundError:
        return Progress()


def save(prefix: Path, progress: Progress) -> None:
    """Durable on return. Raises OSError; then the state before stands."""
    short = msgspec.structs.replace(progress, detail=progress.detail[-400:])
    disk.write(place(prefix), codec.write(short))
