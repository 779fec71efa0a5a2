"""A private PulseAudio with a null sink, and ALSA's default device pointing at it: a sound card without hardware."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

SINK = "loa_test"
SYSTEM_CONFIG = "/usr/share/alsa/alsa.conf"
RATE = 48_000


def missing() -> str | None:
    """What this machine lacks for a sound server of its own."""
    for program in ("pulseaudio", "parec", "pactl"):
        if not shutil.which(program):
            return f"{program} is not installed"
    return None if Path(SYSTEM_CONFIG).exists() else "libasound2 is not installed"


class Pulse:
    """A sound server in ``folder``; `start` may be called again after `kill`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "native"
        self._server: subprocess.Popen[bytes] | None = None
        self._listener: subprocess.Popen[bytes] | None = None
        (folder / "home").mkdir(parents=True)
        self.alsa_config = folder / "asound.conf"
        self.alsa_config.write_text(
            f"<{SYSTEM_CONFIG}>\n"
            f'pcm.!default {{ type pulse server "unix:{self.socket}" device "{SINK}" }}\n'
            f'ctl.!default {{ type pulse server "unix:{self.socket}" }}\n'
        )
        self.environment = {
            **os.environ,
            "HOME": str(folder / "home"),
            "XDG_RUNTIME_DIR": str(folder / "home"),
            "PULSE_RUNTIME_PATH": str(folder / "home"),
            "PULSE_SERVER": f"unix:{self.socket}",
        }

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--realtime=no"]
        command += ["--high-priority=no", "--disable-shm=yes", "--log-target=stderr"]
        command += ["-L", f"module-native-protocol-unix socket={self.socket} auth-anonymous=1"]
        command += ["-L", f"module-null-sink sink_name={SINK} rate={RATE} channels=1 format=s16le"]
        environment = {key: value for key, value in self.environment.items() if key != "PULSE_SERVER"}
        with (self.folder / "pulse.log").open("ab") as log:
            self._server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._server.poll() is None, (self.folder / "pulse.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the sound server does not answer"
            time.sleep(0.05)
        # a null sink that nobody listens to works in steps of two seconds, unlike any sound card
        command = ["parec", "-d", f"{SINK}.monitor", "--raw", "--latency-msec=5"]
        self._listener = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        for process in (self._server, self._listener):
            if process:
                process.kill()
                process.wait()
        self._server = self._listener = None

    def signal(self, number: int) -> None:
        """To the server: SIGSTOP makes it hang, SIGCONT lets it go on."""
        assert self._server
        self._server.send_signal(number)

    def capture(self) -> Capture:
        return Capture(self)

    def _answers(self) -> bool:
        if not self.socket.exists():
            return False
        asked = subprocess.run(["pactl", "info"], env=self.environment, capture_output=True, check=False)
        return asked.returncode == 0


class Capture:
    """Records the sink's monitor from now on: what the loudspeaker is given."""

    def __init__(self, pulse: Pulse) -> None:
        self._path = pulse.folder / f"capture-{time.monotonic_ns()}.raw"
        command = ["parec", "-d", f"{SINK}.monitor", "--raw", "--format=s16le", "--channels=1", f"--rate={RATE}"]
        with self._path.open("wb") as out:
            self._recorder = subprocess.Popen([*command, "--latency-msec=5"], env=pulse.environment, stdout=out)
        deadline = time.monotonic() + 60
        while not self._path.stat().st_size:
            if time.monotonic() > deadline:
                self._recorder.kill()
                self._recorder.wait()
                raise AssertionError("the monitor gives nothing")
            time.sleep(0.01)

    def samples(self) -> np.ndarray:
        """What was recorded so far, full scale 1."""
        data = self._path.read_bytes()
        return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32768

    def close(self) -> None:
        self._recorder.kill()
        self._recorder.wait()
