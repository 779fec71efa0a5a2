"""Vitals: what the machine says of itself. Absent sensors are None, never invented; nothing here raises.

- Cheap: numbers come from /proc and /sys at every reading; programs are asked at most once in `PROGRAM_SECONDS`,
  and only those that are installed.
- The clock's offset is the kernel's own (`wire.kernel_clock`).
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import psutil

from edge_node import gpio, modem, programs
from edge_node.programs import Run, run, silent
from edge_node.storage import Card
from edge_node.wiring import Line, Wiring
from wire.health import Relay, Vitals
from wire.kernel_clock import kernel_clock

PROGRAM_SECONDS = 60.0  # how long a program's answer is good
THROTTLED_FILE = "devices/platform/soc/soc:firmware/get_throttled"


class Senses:
    """Reads the machine. ``state_dir`` is on the disk that is reported; ``sys`` and ``run`` change in tests only.

    ``frugal``: no program and no GPIO line is asked (safe mode).
    """

    def __init__(
        self,
        state_dir: Path,
        sys: Path = Path("/sys"),
        run: Run = run,
        wiring: Wiring | None = None,
        frugal: bool = False,
    ) -> None:
        self._state_dir, self._sys, self._run = state_dir, sys, silent if frugal else run
        self._wiring, self._gpiod_version = wiring or Wiring(), None if not frugal else 0
        self._card = Card(state_dir)
        self._began = 0.0  # monotonic, of this reading
        self._answers: dict[tuple[str, ...], tuple[float, str | None]] = {}
        self._process = psutil.Process()

    def read(
        self, clock_known: bool, audio_device: str | None, audio_ok: bool | None, amplifier: Relay | None = None
    ) -> Vitals:
        """Everything at this moment; the arguments are what the node itself knows."""
        self._began = time.monotonic()
        memory, swap, disk = psutil.virtual_memory(), psutil.swap_memory(), self._disk()
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
            network=modem.default_interface(),
            audio_device=audio_device[:120] if audio_device else None,
            audio_ok=audio_ok,
            swap_used_ratio=round(swap.used / swap.total, 3) if swap.total else None,
            storage=self._card.read(),
            modem=modem.read(self._ask(*modem.COMMAND)),
            wifi_dbm=modem.wifi_dbm(),
            mains=self._level(self._wiring.mains),
            battery=self._level(self._wiring.battery),
            amplifier=amplifier,
        )

    def _ask(self, *command: str) -> str | None:
        """A program's answer, at most `PROGRAM_SECONDS` old."""
        asked_at, answer = self._answers.get(command, (-PROGRAM_SECONDS * 2, None))
        if time.monotonic() - asked_at > PROGRAM_SECONDS and not self._is_late():
            answer = self._run(list(command))
            self._answers[command] = time.monotonic(), answer
        return answer

    def _is_late(self) -> bool:
        """Whether a program of this reading has hung: the walk waits for no second one."""
        return time.monotonic() - self._began >= programs.PATIENCE_SECONDS

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

    def _level(self, line: Line | None) -> bool | None:
        """Whether a line is active: asked at every reading, for mains goes when it goes."""
        return gpio.level(line, self._gpiod(), self._run) if line and not self._is_late() else None

    def _gpiod(self) -> int | None:
        if self._gpiod_version is None:
            self._gpiod_version = gpio.version(self._run)
        return self._gpiod_version
