"""The watchdog's side of the node: what systemd is told, and whether the walk deserves that it is told.

- sd_notify(3) over ``NOTIFY_SOCKET``: READY, STATUS, STOPPING, WATCHDOG. Without that variable nothing is done.
- Fed by the walk alone, at the end of a tick that went well: there is no thread that would feed for a dead walk.
- `Pulse` is the judgement, pure: ticks that fail in a row, and a player that should move and does not.
- A ledger that the disk refuses is no illness: what is not written stands in memory and is told in health, and a
  restart would lose it. One that raises fails the tick.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from schedules.situation import OnAir

BROKEN_EXIT = 70  # EX_SOFTWARE: this process is beyond repair, the next one may not be
MOST_FAILING_TICKS = 30  # about a second each
STALL_SECONDS = 30.0  # a player that should sound, says nothing of a fault, and does not come on
_MOST_STATUS = 200


class Watchdog:
    """``environment``: where systemd says how it is reached. Never raises, never waits."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        self._period = _period(environment)
        self._fed = float("-inf")
        self._said = ""
        if self._address.startswith(("/", "\0")):
            with contextlib.suppress(OSError):
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
                self._socket.setblocking(False)

    @property
    def watches(self) -> bool | None:
        """Whether somebody restarts the node when it is not fed; None where nobody could (no systemd)."""
        return self._period is not None if self._socket else None

    @property
    def rest_seconds(self) -> float:
        """How long the walk may wait between two ticks."""
        return self._period / 4 if self._period is not None else float("inf")

    def ready(self) -> None:
        """The walk begins."""
        self._tell("READY=1")

    def feed(self, mono: float) -> None:
        """The walk is well. Told eight times a period at most."""
        if self._period is not None and mono - self._fed >= self._period / 8 and self._tell("WATCHDOG=1"):
            self._fed = mono

    def status(self, words: str) -> None:
        """One line for ``systemctl status``; told when it changes."""
        if words != self._said and self._tell(f"STATUS={words.replace(chr(10), ' ')[:_MOST_STATUS]}"):
            self._said = words

    def stopping(self) -> None:
        """The walk ends by itself."""
        self._tell("STOPPING=1")

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        if self._socket:
            self._socket.close()

    def _tell(self, words: str) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.sendto(words.encode(), self._address)
        except OSError:  # its queue is full, or it is gone
            return False
        return True


@dataclass(frozen=True)
class Moving:
    """What shows whether the player comes on."""

    job: str
    position_ms: int
    excused: bool = False  # it says itself what is wrong, or its second has not come


class Pulse:
    """Whether this process is well, or beyond repair."""

    def __init__(self) -> None:
        self._failed = 0
        self._moving: Moving | None = None
        self._moved_at = 0.0
        self._stalled = False

    @property
    def beyond_repair(self) -> bool:
        """Whether only another process can help."""
        return self._failed >= MOST_FAILING_TICKS or self._stalled

    def failed(self) -> None:
        """A tick raised."""
        self._failed += 1

    def beat(self, moving: Moving | None, mono: float) -> bool:
        """A tick went well, and this is what the player does. Whether all is well."""
        self._failed = 0
        if moving is None or moving.excused or moving != self._moving:
            self._moving, self._moved_at = moving, mono
        self._stalled = mono - self._moved_at >= STALL_SECONDS and moving is not None
        return not self._stalled


def status_line(safe: bool, on_air: OnAir | None, connected: bool) -> str:
    """What ``systemctl status`` shows. Pure."""
    doing = f"on air: {on_air.job.id}" if on_air else "waiting"
    return ", ".join([*(["SAFE MODE"] if safe else []), doing, "connected" if connected else "not connected"])


def _period(environment: Mapping[str, str]) -> float | None:
    """Seconds within which systemd wants to be told; None when it does not watch this process."""
    try:
        period = int(environment.get("WATCHDOG_USEC", "")) / 1_000_000
        meant = int(environment.get("WATCHDOG_PID", "") or os.getpid())
    except ValueError:
        return None
    return period if period > 0 and meant == os.getpid() else None
