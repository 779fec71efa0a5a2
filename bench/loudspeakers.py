"""Loudspeakers without hardware: a private PulseAudio, one sink for each node, all recorded on one clock.

- Every sink is one channel of a single null sink, so one recording of its monitor holds what each node gives, sample
  beside sample.
- A node finds its own as ALSA's default device, by the configuration file it is told of.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from words import Said

if TYPE_CHECKING:
    import numpy as np

RATE = 48_000
WAIT_SECONDS = 15.0
_SYSTEM_CONFIG = "/usr/share/alsa/alsa.conf"
_ALL = "bench_all"


class NoSound(Said):
    """A program for loudspeakers without hardware is missing here."""


class Loudspeakers:
    """``count`` of them, in ``folder``; use it in ``with``. Raises NoSound."""

    def __init__(self, folder: Path, count: int) -> None:
        for program in ("pulseaudio", "parec", "pactl"):
            if not shutil.which(program):
                raise NoSound("bench.no_program", program=program)
        self._folder, self.count = folder, count
        self._socket = folder / "native"
        (folder / "home").mkdir(parents=True)
        self._running: list[subprocess.Popen[bytes]] = []
        self._recording = folder / "all.raw"
        home = str(folder / "home")
        self._environment = {**os.environ, "HOME": home, "XDG_RUNTIME_DIR": home, "PULSE_RUNTIME_PATH": home}

    def alsa_config(self, number: int) -> Path:
        """The file that makes loudspeaker ``number`` the default device."""
        path = self._folder / f"asound-{number}.conf"
        path.write_text(
            f"<{_SYSTEM_CONFIG}>\n"
            f'pcm.!default {{ type pulse server "unix:{self._socket}" device "node{number}" }}\n'
            f'ctl.!default {{ type pulse server "unix:{self._socket}" }}\n'
        )
        return path

    def around(self, since: datetime, seconds: float) -> np.ndarray:
        """What was given from about ``since`` on, some tenths of a second less or more: float32, (samples, count)."""
        import numpy as np

        frames = self._recording.stat().st_size // (2 * self.count)
        first = max(0, frames - round((datetime.now(UTC) - since).total_seconds() * RATE))
        held = np.memmap(self._recording, "<i2", "r", shape=(frames, self.count))
        return np.asarray(held[first : first + round(seconds * RATE)], np.float32) / 32768

    def __enter__(self) -> Self:
        places = ",".join(f"aux{each}" for each in range(self.count))
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--realtime=no"]
        command += ["--high-priority=no", "--disable-shm=yes", "--log-target=stderr"]
        command += ["-L", f"module-native-protocol-unix socket={self._socket} auth-anonymous=1"]
        shape = f"rate={RATE} channels={self.count} channel_map={places} format=s16le"
        command += ["-L", f"module-null-sink sink_name={_ALL} {shape}"]
        for each in range(self.count):
            place = f"channels=1 channel_map=mono master_channel_map=aux{each} remix=no"
            command += ["-L", f"module-remap-sink sink_name=node{each} master={_ALL} {place}"]
        with (self._folder / "pulse.log").open("wb") as log:
            self._running.append(subprocess.Popen(command, env=self._environment, stdout=log, stderr=log))
        self._environment["PULSE_SERVER"] = f"unix:{self._socket}"
        self._await(self._answers)
        record = ["parec", "-d", f"{_ALL}.monitor", "--raw", "--format=s16le", f"--channels={self.count}"]
        record += [f"--channel-map={places}", f"--rate={RATE}", "--latency-msec=5"]
        with self._recording.open("wb") as out:
            self._running.append(subprocess.Popen(record, env=self._environment, stdout=out))
        self._await(lambda: self._recording.stat().st_size > RATE)
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        asked = subprocess.run(["pactl", "info"], env=self._environment, capture_output=True, check=False)
        return asked.returncode == 0

    def _await(self, wish: Callable[[], bool]) -> None:
        """Raises TimeoutError."""
        until = time.monotonic() + WAIT_SECONDS
        while not wish():
            if time.monotonic() > until:
                raise TimeoutError((self._folder / "pulse.log").read_text()[-2000:])
            time.sleep(0.05)
