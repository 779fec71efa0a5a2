"""The node's clock: what time it is, and whether that is known. One of two files that may ask the system's clock.

- Without a battery a Raspberry Pi wakes in the past; a forged NTP answer moves it anywhere. So the time is *known*
  only while the system says that it is synchronised and it does not lie below the lower bound.
- Lower bound: the newest issued_at that a station sealed, and the last known time written to disk. While the time
  is unknown, `now` is the lower bound, running on with the monotonic clock.
- After a jump back below the *written* bound the time is unknown until the system has kept its word for
  `SETTLE_SECONDS`; then the system is believed and the written bound is lowered. Below the sealed bound: never.
"""

from __future__ import annotations

import ctypes
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_node import disk
from edge_node.settings import CLOCK_SLACK

log = logging.getLogger("loa.node.clock")

SAVE_SECONDS = 180.0
ASK_SECONDS = 10.0  # how long an answer of the system about its synchronisation is used
SETTLE_SECONDS = 300.0
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_STA_UNSYNC = 0x40
_TIME_ERROR = 5
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def system_now() -> datetime:
    """What the system's clock shows, in UTC."""
    return datetime.now(UTC)


def is_synchronised() -> bool:
    """Whether the system says that its clock follows a time source (timesyncd, chrony, ntpd, or the kernel's host)."""
    if _TIMESYNCD.exists():
        return True
    try:
        timex = (ctypes.c_char * 512)()  # struct timex with modes 0 only reads; larger than any of its layouts
        state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    except (OSError, AttributeError):
        return False
    # modes (int, padded), offset, freq, maxerror, esterror (long), then status (int)
    status = ctypes.c_int.from_buffer(timex, 5 * ctypes.sizeof(ctypes.c_long)).value
    return state not in (-1, _TIME_ERROR) and not status & _STA_UNSYNC


class Wallclock:
    """Owns `now` for the node. ``path``: where the lower bound lies. ``trusted``: take the system's word for it."""

    def __init__(
        self,
        path: Path,
        trusted: bool = False,
        reading: Callable[[], datetime] = system_now,
        synchronised: Callable[[], bool] = is_synchronised,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._reading, self._monotonic = reading, monotonic
        self._synchronised = _yes if trusted else synchronised
        self._sealed = _LONG_AGO
        self._written = _read(path)
        self._floor, self._floor_set = max(_LONG_AGO, self._written), monotonic()
        self._asked = monotonic()
        self._saved: float | None = None
        self._answer = self._synchronised()
        self._below_since: float | None = None

    def now(self) -> datetime:
        """The time; while it is unknown, the lower bound running on."""
        if self.known():
            return self._reading()
        return self._running_floor()

    def monotonic(self) -> float:
        """Seconds that only run forward, for durations."""
        return self._monotonic()

    def known(self) -> bool:
        """Whether the time is known. Cheap: the system is asked every `ASK_SECONDS` at most."""
        mono = self._monotonic()
        if mono - self._asked >= ASK_SECONDS:
            self._asked, self._answer = mono, self._synchronised()
        reading = self._reading()
        if not self._answer or reading < self._sealed - CLOCK_SLACK:
            self._below_since = None
            return False
        if reading >= self._written - CLOCK_SLACK:
            self._below_since = None
            return True
        return self._has_settled(reading, mono)

    def learn(self, sealed_at: datetime) -> None:
        """A station sealed something at this moment, so it is not earlier."""
        self._sealed = max(self._sealed, sealed_at)
        if sealed_at > self._running_floor():
            self._set_floor(sealed_at)

    def keep(self) -> None:
        """Write the lower bound down, now and then. A full disk is no reason to stop."""
        mono = self._monotonic()
        if self._saved is not None and mono - self._saved < SAVE_SECONDS:
            return
        self._saved = mono
        if self.known():
            self._written = self._reading()
            self._set_floor(max(self._written, self._sealed))
        try:
            disk.write(self._path, self._running_floor().isoformat().encode())
        except OSError as wrong:
            log.warning("clock_not_saved error=%s", wrong)

    def _has_settled(self, reading: datetime, mono: float) -> bool:
        if self._below_since is None:
            self._below_since = mono
            log.warning("clock_jumped_back reading=%s bound=%s", reading.isoformat(), self._written.isoformat())
        if mono - self._below_since < SETTLE_SECONDS:
            return False
        log.warning("clock_believed_again reading=%s", reading.isoformat())
        self._written, self._below_since, self._saved = reading, None, None
        self._set_floor(max(reading, self._sealed))
        return True

    def _set_floor(self, moment: datetime) -> None:
        self._floor, self._floor_set = moment, self._monotonic()

    def _running_floor(self) -> datetime:
        return self._floor + timedelta(seconds=self._monotonic() - self._floor_set)


def _yes() -> bool:
    return True


def _read(path: Path) -> datetime:
    """The bound in ``path``; a missing or spoilt file is no bound."""
    try:
        moment = datetime.fromisoformat(path.read_text("ascii"))
        return moment if moment.tzinfo else _LONG_AGO
    except (OSError, ValueError):
        return _LONG_AGO
