"""The node's clock: what time it is, and whether that is known. One of two files that may ask the system's clock.

- Without a battery a Raspberry Pi wakes in the past; a forged NTP answer moves it anywhere. So the time *becomes*
  known only while the system says that it is synchronised and it does not lie below the lower bound, or from a
  battery clock that went on from what was known before.
- Known time *stays* known without network: while the system's clock agrees with how much the monotonic clock has
  run since (`Anchor`), through restarts of the process too, until a poor crystal may have drifted `CLOCK_SLACK`.
- A jump, back or ahead, against the anchor or below the *written* bound makes the time unknown until the system has
  kept its new word for `SETTLE_SECONDS`; then it is believed. Below the newest issued_at a station sealed: never.
- While the time is unknown, `now` is the lower bound (last known time on disk, newest sealed), running on.
"""

from __future__ import annotations

import ctypes
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from edge_node import disk
from edge_node.settings import CLOCK_SLACK

log = logging.getLogger("loa.node.clock")

SAVE_SECONDS = 180.0
ASK_SECONDS = 10.0  # how long an answer of the system about its synchronisation is used
SETTLE_SECONDS = 300.0
DRIFT = 1e-4  # a Raspberry Pi's crystal left alone, at worst: 9 s a day, `CLOCK_SLACK` in five weeks
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_BATTERY_CLOCKS = Path("/sys/class/rtc")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STA_UNSYNC = 0x40
_TIME_ERROR = 5
_LONG_AGO, _FAR_AWAY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


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


def is_set_by_battery(clocks: Path = _BATTERY_CLOCKS) -> bool:
    """Whether the kernel set its clock at this boot from a clock with a battery."""
    try:
        return any(each.read_text("ascii").strip() == "1" for each in clocks.glob("*/hctosys"))
    except (OSError, UnicodeDecodeError):
        return False


def boot_id() -> str:
    """The kernel's name for this boot; empty where it has none. The monotonic clock means something within one."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


@dataclass(frozen=True)
class System:
    """The questions that are put to the machine."""

    reading: Callable[[], datetime] = system_now
    monotonic: Callable[[], float] = time.monotonic
    synchronised: Callable[[], bool] = is_synchronised
    set_by_battery: Callable[[], bool] = is_set_by_battery
    boot: Callable[[], str] = boot_id


class Anchor(NamedTuple):
    """A moment at which the time was known, and what the monotonic clock of this boot showed."""

    moment: datetime
    mono: float

    def at(self, mono: float) -> datetime:
        """The time when the monotonic clock shows ``mono``."""
        return self.moment + timedelta(seconds=mono - self.mono)


class Verdict(Enum):
    """What is to be held of the system's clock."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    DOUBTFUL = "doubtful"  # believed when it keeps its word


class Wallclock:
    """Owns `now` for the node. ``path``: where the lower bound lies. ``trusted``: take the system's word for it."""

    def __init__(self, path: Path, trusted: bool = False, system: System | None = None) -> None:
        self._path, self._trusted = path, trusted
        system = system or System()
        self._reading, self._monotonic = system.reading, system.monotonic
        self._synchronised = _yes if trusted else system.synchronised
        self._boot, self._set_by_battery = system.boot(), system.set_by_battery()
        mono = self._monotonic()
        self._written, self._anchor = _read(path, self._boot, mono)
        self._sealed = _LONG_AGO
        self._floor, self._floor_set = max(_LONG_AGO, self._written), mono
        if self._anchor:
            self._floor = max(self._floor, self._anchor.at(mono))
        self._asked, self._answer = mono, self._synchronised()
        self._saved: float | None = None
        self._doubted: Anchor | None = None  # what the system said when it was first doubted
        self.was_known = False  # when it was asked last: for other threads

    def now(self) -> datetime:
        """The time; while it is unknown, the lower bound running on."""
        if self.known():
            return self._reading()
        return self._running_floor()

    def monotonic(self) -> float:
        """Seconds that only run forward, for durations."""
        return self._monotonic()

    def known(self) -> bool:
        """Whether the time is known; asked from one thread. Cheap: the system is asked every `ASK_SECONDS` at most."""
        mono = self._monotonic()
        if mono - self._asked >= ASK_SECONDS:
            self._asked, self._answer = mono, self._synchronised()
        reading = self._reading()
        verdict = self._verdict(reading, mono)
        if verdict is Verdict.DOUBTFUL:
            self.was_known = self._has_settled(reading, mono)
            return self.was_known
        self._doubted = None
        if verdict is Verdict.KNOWN and self._answer:
            self._anchor = Anchor(reading, mono)
        self.was_known = verdict is Verdict.KNOWN
        return self.was_known

    def learn(self, sealed_at: datetime) -> None:
        """A station sealed something at this moment, so it is not earlier."""
        self._sealed = max(self._sealed, sealed_at)
        if sealed_at > self._running_floor():
            self._set_floor(sealed_at)

    def relearn(self, sealed_at: datetime) -> None:
        """Keys were taken away: of all that was sealed and is still believed, this is the newest.

        Else a key that was stolen could hold the clock in the future (TUF's fast-forward) after it counts no more.
        """
        if sealed_at < self._sealed:
            log.warning("sealed_bound_taken_back from=%s to=%s", self._sealed.isoformat(), sealed_at.isoformat())
            self._sealed = sealed_at
            mono = self._monotonic()
            self._set_floor(max(self._written, sealed_at, self._anchor.at(mono) if self._anchor else _LONG_AGO))

    def keep(self) -> None:
        """Write the lower bound down, now and then. A full disk is no reason to stop."""
        mono = self._monotonic()
        if self._saved is not None and mono - self._saved < SAVE_SECONDS:
            return
        self._saved = mono
        if self.known():
            self._written = self._reading()
            self._set_floor(max(self._written, self._sealed))
        lines = [self._running_floor().isoformat()]
        if self._anchor and self._boot:
            lines += [self._boot, self._anchor.moment.isoformat(), repr(self._anchor.mono)]
        try:
            disk.write_record(self._path, "\n".join(lines).encode())
        except OSError as wrong:
            log.warning("clock_not_saved error=%s", wrong)

    def _verdict(self, reading: datetime, mono: float) -> Verdict:
        if reading < self._sealed - CLOCK_SLACK:
            return Verdict.UNKNOWN
        if self._anchor is None:
            return self._first_verdict(reading)
        ahead = reading - self._anchor.at(mono)
        if ahead < -CLOCK_SLACK or (ahead > CLOCK_SLACK and not self._trusted):
            return Verdict.DOUBTFUL if self._answer else Verdict.UNKNOWN
        drifted = timedelta(seconds=(mono - self._anchor.mono) * DRIFT)
        return Verdict.KNOWN if self._answer or drifted < CLOCK_SLACK else Verdict.UNKNOWN

    def _first_verdict(self, reading: datetime) -> Verdict:
        """The verdict before anything was known in this boot."""
        above = reading >= self._written - CLOCK_SLACK
        if self._answer:
            return Verdict.KNOWN if above else Verdict.DOUBTFUL
        # a battery clock is second to the network's time, which gets `SETTLE_SECONDS` to come
        goes_on = self._set_by_battery and above and self._written > _LONG_AGO
        return Verdict.DOUBTFUL if goes_on else Verdict.UNKNOWN

    def _has_settled(self, reading: datetime, mono: float) -> bool:
        if self._doubted is None or abs(reading - self._doubted.at(mono)) > CLOCK_SLACK:
            self._doubted = Anchor(reading, mono)
            expected = self._anchor.at(mono) if self._anchor else self._written
            log.warning("clock_doubted reading=%s expected=%s", reading.isoformat(), expected.isoformat())
        if mono - self._doubted.mono < SETTLE_SECONDS:
            return False
        log.warning("clock_believed_again reading=%s", reading.isoformat())
        self._written, self._doubted, self._saved = reading, None, None
        self._anchor = Anchor(reading, mono)
        self._set_floor(max(reading, self._sealed))
        return True

    def _set_floor(self, moment: datetime) -> None:
        self._floor, self._floor_set = moment, self._monotonic()

    def _running_floor(self) -> datetime:
        return self._floor + timedelta(seconds=self._monotonic() - self._floor_set)


def _yes() -> bool:
    return True


def _read(path: Path, boot: str, mono: float) -> tuple[datetime, Anchor | None]:
    """The bound in ``path``, and this boot's anchor; what is missing, spoilt or of another age is neither."""
    try:
        bound, *more = disk.read_record(path).decode("ascii").split("\n")
        moment = datetime.fromisoformat(bound)
        if not _LONG_AGO <= moment < _FAR_AWAY:
            return _LONG_AGO, None
        if len(more) != 3 or more[0] != boot:
            return moment, None
        anchor = Anchor(datetime.fromisoformat(more[1]), float(more[2]))
        return moment, anchor if _LONG_AGO <= anchor.moment <= moment and -1e9 < anchor.mono <= mono else None
    except (OSError, ValueError, TypeError):  # the last: a moment without a zone
        return _LONG_AGO, None
