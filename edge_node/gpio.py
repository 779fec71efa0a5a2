"""GPIO lines: read, and held. Through Debian's gpiod programs, which speak to the kernel's character device.

- libgpiod 1 (Debian 12) and 2 (Debian 13) take different arguments; the version is asked once.
- A line has its level only while somebody holds it (gpioset(1)): the holder lives until another one takes its place,
  and ends with the thread that started it (setpriv, of util-linux), also when that is killed.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess

from edge_node.programs import Run, run
from edge_node.wiring import Line

END_SECONDS = 1.0  # what a holder may take to let go
_VERSION = re.compile(r"libgpiod\) v?([0-9]+)\.")


def version(ask: Run = run) -> int | None:
    """The main version of the gpiod programs; None without them."""
    found = _VERSION.search(ask(["gpioget", "--version"]) or "")
    return int(found[1]) if found else None


def level(line: Line, major: int | None, ask: Run = run) -> bool | None:
    """Whether ``line`` is active; None when it cannot be read."""
    if major is None:
        return None
    turned = ["--active-low"] if line.active_low else []
    how = ["--numeric", "--chip", line.chip] if major >= 2 else [line.chip]
    answer = (ask(["gpioget", *turned, *how, str(line.offset)]) or "").strip()
    return {"0": False, "1": True}.get(answer)


class Holder:
    """Holds one line at one level at a time. For one thread that lives as long as the line is to be held."""

    def __init__(self, line: Line, major: int | None) -> None:
        self._line, self._major = line, major
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def holds(self) -> bool:
        """Whether the level last asked for is being held, as far as is known."""
        return self._process is not None and self._process.poll() is None

    def hold(self, active: bool) -> None:
        """Hold this level from now on; whether that works is seen in `holds` a moment later."""
        self.let_go()
        if self._major is None:
            return
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [*_bound_to_us(), *self._command(active)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
            )

    def let_go(self) -> None:
        """Hold nothing. The level after that is the chip's own matter."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _command(self, active: bool) -> list[str]:
        turned = ["--active-low"] if self._line.active_low else []
        how = ["--chip", self._line.chip] if (self._major or 0) >= 2 else ["--mode=signal", self._line.chip]
        return ["gpioset", *turned, *how, f"{self._line.offset}={int(active)}"]


def _bound_to_us() -> list[str]:
    """The words that make a program end with us."""
    return ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
