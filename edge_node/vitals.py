"""Vitals: what the machine says of itself. Absent sensors are None, never invented; nothing here raises.

- Cheap: numbers come from /proc and /sys at every reading; programs are asked at most once in `PROGRAM_SECONDS`,
  and only those that are installed.
- The clock's offset is the kernel's own (adjtimex): it is right whoever disciplines the clock.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from wire.health import Vitals

PROGRAM_SECONDS = 60.0  # how long a program's answer is good
PROGRAM_PATIENCE = 2.0  # seconds a program may take
THROTTLED_FILE = "devices/platform/soc/soc:firmware/get_throttled"
STA_UNSYNC, STA_NANO, TIME_ERROR = 0x0040, 0x2000, 5  # adjtimex(2)

Run = Callable[[list[str]], str | None]


def run(command: list[str]) -> str | None:
    """What a program prints; None when it is absent, fails or takes too long."""
    if not shutil.which(command[0]):
        return None
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        answer = subprocess.run(
            command, capture_output=True, timeout=PROGRAM_PATIENCE, env=environment, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return answer.stdout if answer.returncode == 0 else None


class Senses:
    """Reads the machine. ``state_dir`` is on the disk that is reported; ``sys`` and ``run`` change in tests only."""

    def __init__(self, state_dir: Path, sys: Path = Path("/sys"), run: Run = run) -> None:
        self._state_dir, self._sys, self._run = state_dir, sys, run
        self._answers: dict[tuple[str, ...], tuple[float, str | None]] = {}
        self._process = psutil.Process()

    def read(self, clock_known: bool, audio_device: str | None, audio_ok: bool | None) -> Vitals:
        """Everything at this moment; the arguments are what the node itself knows."""
        memory, disk = psutil.virtual_memory(), self._disk()
        source, offset_ms = self._clock()
        return Vitals(
            cpu_celsius=self._celsius(),
            throttled=self._throttled(),
            load_1m=round(os.getloadavg()[0], 2),
            memory_used_ratio=round(1 - memory.available / memory.total, 3),
            memory_rss_bytes=self._process.memory_info().rss,
            disk_free_bytes=disk.free if disk else None,
            disk_used_ratio=round(disk.used / max(1, disk.used + disk.free), 3) if disk else None,
            uptime_seconds=round(time.clock_gettime(time.CLOCK_BOOTTIME), 1),
            clock_source=source,
            clock_offset_ms=offset_ms,
            clock_known=clock_known,
            network=self._network(),
            audio_device=audio_device[:120] if audio_device else None,
            audio_ok=audio_ok,
        )

    def _ask(self, *command: str) -> str | None:
        """A program's answer, at most `PROGRAM_SECONDS` old."""
        asked_at, answer = self._answers.get(command, (-PROGRAM_SECONDS * 2, None))
        if time.monotonic() - asked_at > PROGRAM_SECONDS:
            answer = self._run(list(command))
            self._answers[command] = time.monotonic(), answer
        return answer

    def _text(self, name: str) -> str | None:
        try:
            return (self._sys / name).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None

    def _celsius(self) -> float | None:
        """The hottest thermal zone of the processor, else the hottest of all."""
        zones = []
        for zone in sorted((self._sys / "class/thermal").glob("thermal_zone*")):
            milli, kind = self._text(f"class/thermal/{zone.name}/temp"), self._text(f"class/thermal/{zone.name}/type")
            if milli and milli.lstrip("-").isdigit():
                zones.append(("cpu" in (kind or ""), int(milli) / 1000))
        return round(max(zones)[1], 1) if zones else None

    def _throttled(self) -> int | None:
        """The bit field of a Raspberry Pi: undervoltage, throttling, now and since boot."""
        try:
            raw = self._text(THROTTLED_FILE)
            if raw is not None:
                return int(raw, 16)
            answer = self._ask("vcgencmd", "get_throttled")
            return int(answer.strip().removeprefix("throttled="), 16) if answer else None
        except ValueError:
            return None

    def _disk(self) -> Any:
        try:
            return shutil.disk_usage(self._state_dir)
        except OSError:
            return None

    def _clock(self) -> tuple[str | None, float | None]:
        """(source, offset in ms): chrony's own where it runs, else what the kernel was told by anybody."""
        answer = self._ask("chronyc", "-c", "tracking")
        fields = answer.strip().split(",") if answer else []
        if len(fields) > 4:
            try:
                return ("none", None) if fields[1] == "" else (f"chrony {fields[1]}"[:40], -float(fields[4]) * 1000)
            except ValueError:
                return None, None
        return kernel_clock()

    def _network(self) -> str | None:
        """The interface of the default route, and a modem's signal where there is one."""
        name = _default_interface()
        parts = [part for part in (name, self._modem()) if part]
        return " ".join(parts)[:120] or None

    def _modem(self) -> str | None:
        answer = self._ask("mmcli", "-m", "any", "-J")
        if not answer:
            return None
        try:
            modem = json.loads(answer)["modem"]
            operator = modem["3gpp"]["operator-name"]
            return f"{operator} {modem['generic']['signal-quality']['value']}%"
        except (ValueError, KeyError, TypeError):
            return None


def _default_interface() -> str | None:
    try:
        rows = [line.split() for line in Path("/proc/net/route").read_text("ascii").splitlines()[1:]]
    except OSError:
        return None
    defaults = [(int(row[6]), row[0]) for row in rows if len(row) > 6 and row[1] == "00000000"]
    return min(defaults)[1] if defaults else None


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), 64-bit or 32-bit by the width of long; the rest is padding."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("padding", ctypes.c_char * 256),
    )


def kernel_clock() -> tuple[str | None, float | None]:
    """Whether the kernel holds its clock for synchronised, and by how much it is ahead, in ms.

    (None, None) where it cannot be asked. ("none", None) when nobody disciplines the clock.
    """
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None, None
    if state < 0:
        return None, None
    if state == TIME_ERROR or timex.status & STA_UNSYNC:
        return "none", None
    per_ms = 1_000_000 if timex.status & STA_NANO else 1000
    return "ntp", round(-timex.offset / per_ms, 3)  # a positive one is still to be added: the clock is behind
