"""A real node process whose machine's clock is in our hands, a broker, and a desk that hears what the node says.

What is real: the process (`loa node run`), its threads and waits, the monotonic clock, the file player, mosquitto,
the file by which systemd-timesyncd says "synchronised", the kernel's refusal to say anything about its own clock.
What stands in: libfaketime answers what the time is; the node asks and saves every half second.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from makers_desk import Post

# its own mounts: timesyncd's folder is the test's; then nothing but the node itself is told another time
INTO_ITS_PLACE = """
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/timesync && mount --bind "$1" /run/systemd/timesync &&
exec env LD_PRELOAD="$2" "$3" -c "$4" node run
"""
NODE = """
import ctypes, platform, struct, sys
adjtimex, clock_adjtime = {"x86_64": (159, 305), "aarch64": (171, 266)}[platform.machine()]
steps = [(0x20, 0, 0, 0), (0x15, 2, 0, adjtimex), (0x15, 1, 0, clock_adjtime), (0x06, 0, 0, 0x7FFF0000)]
steps += [(0x06, 0, 0, 0x00050001)]  # seccomp: these two calls are not permitted, all others are
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
from edge_node import wallclock
wallclock.ASK_SECONDS = wallclock.SAVE_SECONDS = 0.5
from loa.__main__ import main
sys.exit(main())
"""


def why_not() -> str:
    """Why such a machine cannot be made here; empty when it can."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return "only root gives a process mounts of its own"
    if importlib.util.find_spec("libfaketime") is None:
        return "libfaketime is not installed"
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/run"], check=False).returncode:
        return "this machine does not let a process mount anything"
    return ""


@dataclass
class Machine(Post):
    """A node process whose system's clock is in our hands."""

    def __post_init__(self) -> None:
        super().__post_init__()
        (self.folder / "timesync").mkdir()
        self.shows(timedelta(0))
        self.vouched(True)
        self.open()

    def shows(self, ahead: timedelta) -> None:
        """The system's clock steps: so far ahead of the truth (or, negative, behind) it runs from now on."""
        new = self.folder / "time.new"
        new.write_text(f"{ahead.total_seconds():+.3f}\n")
        new.replace(self.folder / "time")

    def vouched(self, synchronised: bool) -> None:
        """Whether timesyncd says that the clock follows network time."""
        sign = self.folder / "timesync" / "synchronized"
        sign.touch() if synchronised else sign.unlink(missing_ok=True)

    def remembers(self, *lines: str) -> None:
        """What lies on disk of the time, from an earlier run."""
        (self.folder / "state" / "clock").write_text("\n".join(lines))

    def start(self) -> None:
        spec = importlib.util.find_spec("libfaketime")
        assert spec
        assert spec.origin
        library = Path(spec.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
        faked = {"FAKETIME_TIMESTAMP_FILE": str(self.folder / "time"), "FAKETIME_NO_CACHE": "1"}
        faked |= {"NO_FAKE_STAT": "1", "DONT_FAKE_MONOTONIC": "1"}
        place = [str(self.folder / "timesync"), str(library), sys.executable, NODE]
        self.run(["unshare", "--mount", "sh", "-c", INTO_ITS_PLACE, "sh", *place], self.environment() | faked)
