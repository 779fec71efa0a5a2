"""The one door to the cage: how a program is started in it, waited for, and ended.

- Where bubblewrap works, the program has a file system, a network (none) and processes of its own; else Landlock keeps
  it to its files, where the kernel has that. Which it is, is asked once, through this same door.
- What it writes to its pipes is bounded, too. It ends by its time with its whole group, and with whoever started it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

from cage import inside

log = logging.getLogger("loa.cage")

BUBBLEWRAP = "bwrap"
MOST_SAID_BYTES = 8000
PROBE_SECONDS = 20.0
_CHUNK_BYTES, _SPARE_BYTES = 1 << 16, 64 << 20
_LOOK_SECONDS = 0.5  # between two looks at how much it has written
_INSIDE = Path(inside.__file__)
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives", "/etc/ld.so.cache")
_FACTS = ("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu")  # how many threads are worth while
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_PACKAGES = ("/site-packages", "/dist-packages")
_INSIDE_PYTHON = os.path.realpath(sys.executable)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes of address space, seconds of processor, bytes of any one file (and, nearly, of all that are written
    together), open files, bytes of standard output.
    """

    memory_bytes: int = 2 << 30
    cpu_seconds: int = 300
    file_bytes: int = 1 << 30
    open_files: int = 64
    answer_bytes: int = 256 << 20


@dataclass(frozen=True, slots=True)
class Cage:
    """What a program is given: the files and folders it ``reads``, the one folder where it ``writes``, its bounds."""

    reads: tuple[Path, ...] = ()
    writes: Path | None = None
    bounds: Bounds = field(default_factory=Bounds)


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that ended by itself: exit ``code`` (negative: the signal), the end of standard error, its output."""

    code: int
    said: str
    wrote: bytes = b""


@dataclass(frozen=True, slots=True)
class Protection:
    """Which walls stand on this machine. ``landlock``: the kernel's version of it, 0 for none."""

    bubblewrap: bool
    landlock: int
    filtered: bool

    @property
    def level(self) -> str:
        """``full`` (own namespaces, and the filter), ``files`` (Landlock, and the filter), ``partly``, ``bounds``."""
        if self.bubblewrap and self.filtered:
            return "full"
        if self.landlock and self.filtered:
            return "files"
        return "partly" if self.bubblewrap or self.landlock or self.filtered else "bounds"


class Hung(Exception):
    """The program did not end within its limit, or wrote or said without end, and was killed."""


class NotInstalled(Exception):
    """There is no such program on PATH."""


@cache
def protection() -> Protection:
    """What stands on this machine, tried once, through the door itself; said in the log."""
    found = Protection(False, 0, False)
    for bubblewrap in (True, False) if shutil.which(BUBBLEWRAP) else (False,):
        said = _tried(bubblewrap)
        if said is not None:
            facts = dict(each.split("=") for each in said.split())
            found = Protection(bubblewrap, int(facts["landlock"]), facts["filter"] == "1")
            break
    level = logging.INFO if found.level in ("full", "files") else logging.WARNING
    facts_said = found.level, found.bubblewrap, found.landlock, found.filtered
    log.log(level, "cage level=%s bubblewrap=%s landlock=%d filter=%s", *facts_said)
    return found


def run(command: Sequence[str], limit_seconds: float, cage: Cage, text: str = "") -> Ended:
    """Runs ``command`` with ``text`` on standard input. Raises Hung, NotInstalled."""
    with _holding(text) as words:
        process = start(command, cage, words, subprocess.PIPE)
    wrote, said = _Drain(process, process.stdout, cage.bounds.answer_bytes), _Drain(process, process.stderr)
    try:
        for drain in (wrote, said):
            drain.start()  # raises RuntimeError where the machine has no thread to give
        in_time = _ends_in_time(process, limit_seconds, cage)
    finally:
        code = end(process)
        for drain in (wrote, said):
            drain.finish()
    if not in_time or wrote.overflowed:
        raise Hung(command[0])
    return Ended(_code(code), said.bytes.decode("utf-8", "replace"), bytes(wrote.bytes))


def start(
    command: Sequence[str], cage: Cage, stdin: IO[bytes] | int, stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Starts ``command``; its standard output is a pipe, unbuffered. Raises NotInstalled, OSError."""
    program = shutil.which(command[0])
    if program is None:
        raise NotInstalled(command[0])
    whole = _command([program, *command[1:]], cage, protection().bubblewrap)
    return _popen(whole, cage, stdin, stderr)


def end(process: subprocess.Popen[bytes]) -> int:
    """Kills the program and all of its group, also where whoever leads that has ended already; its exit code.

    Nobody else waits for it: until this has, its number is its own, and so is its group's.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _ends_in_time(process: subprocess.Popen[bytes], limit_seconds: float, cage: Cage) -> bool:
    """Whether it ends by itself; not where its time is over, or its folder grew by more than a file may be large."""
    until = time.monotonic() + limit_seconds
    most = _weight(cage.writes) + cage.bounds.file_bytes + _SPARE_BYTES
    handle, ended = os.pidfd_open(process.pid), select.poll()
    ended.register(handle, select.POLLIN)
    try:
        while (left := until - time.monotonic()) > 0:
            if ended.poll(min(left, _LOOK_SECONDS) * 1000):
                return True
            if _weight(cage.writes) > most:
                return False
    finally:
        os.close(handle)
    return False


def _weight(folder: Path | None) -> int:
    """Bytes on disk in a folder and below."""
    found = (Path(place, name) for place, _, names in os.walk(folder) for name in names) if folder else ()
    return sum(_blocks(path) for path in found)


def _blocks(path: Path) -> int:
    try:
        return path.lstat().st_blocks * 512
    except OSError:  # it has just gone
        return 0


class _Drain(threading.Thread):
    """Takes what a pipe brings: the last `MOST_SAID_BYTES`, or, with ``most``, all up to that, then the end."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: IO[bytes] | None, most: int = 0) -> None:
        super().__init__(name="cage-drain", daemon=True)
        assert pipe
        self._process, self._pipe, self._most = process, pipe, most
        self.bytes, self.overflowed = bytearray(), False

    def run(self) -> None:
        while chunk := self._pipe.read(_CHUNK_BYTES):
            self.bytes += chunk
            if not self._most:
                del self.bytes[:-MOST_SAID_BYTES]
            elif len(self.bytes) > self._most:
                self.overflowed = True
                self.bytes.clear()
                self._process.kill()
                return

    def finish(self) -> None:
        """The program has ended: so does its pipe."""
        if self.ident is not None:
            self.join()
        self._pipe.close()


def _popen(
    command: list[str], cage: Cage, stdin: IO[bytes] | int, stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    home = str(cage.writes.absolute()) if cage.writes else "/"
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        bufsize=0,
        cwd="/",
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent", "TMPDIR": home},
        start_new_session=True,
    )


def _holding(text: str) -> IO[bytes]:
    """``text`` as a file in memory, to be read from its start."""
    file = os.fdopen(os.memfd_create("words"), "w+b")
    file.write(text.encode("utf-8"))
    file.seek(0)
    return file


def _tried(bubblewrap: bool) -> str | None:
    """What the child says it could set; None where it did not start."""
    process = _popen(_command(["--say"], Cage(), bubblewrap), Cage(), subprocess.DEVNULL)
    try:
        said, _ = process.communicate(timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        end(process)
        process.communicate()
        return None
    return said.decode("ascii", "replace") if process.returncode == 0 else None


def _command(program: list[str], cage: Cage, bubblewrap: bool) -> list[str]:
    bounds = cage.bounds
    limits = (bounds.memory_bytes, bounds.cpu_seconds, bounds.file_bytes, bounds.open_files)
    libraries = {Path(sys.base_prefix), Path(_INSIDE_PYTHON).parent.parent, _INSIDE.parent}
    if program[0] == sys.executable:
        libraries |= {Path(sys.prefix), *(Path(each) for each in sys.path if each.endswith(_PACKAGES))}
    elif program[0].startswith("/") and not program[0].startswith(_SYSTEM):
        libraries.add(Path(program[0]))
    given = (*map(str, sorted(libraries)), *(str(path.absolute()) for path in cage.reads))
    home = [str(cage.writes.absolute())] if cage.writes else []
    # a checkout on the path of modules: its names may be seen, so that the rooms that were given are found
    names = [path for path in sys.path if any(str(each.parent) == path for each in cage.reads)]
    places = [
        *(f"r:{path}" for path in (*_SYSTEM, *_FACTS, *given)),
        *(f"w:{path}" for path in (*_DEVICES, *home)),
        *(f"n:{path}" for path in names),
    ]
    inner = [_INSIDE_PYTHON, "-I", "-S", str(_INSIDE), *map(str, limits), *places, "--", *program]
    return [*_wrapped(given, home), "--", *inner] if bubblewrap else inner


def _wrapped(given: Sequence[str], home: list[str]) -> list[str]:
    """bubblewrap and what it shows. Each place is where it is outside, so that commands need no other names."""
    # no --new-session: `_popen` has made one, and whoever bubblewrap forks stays in the group that `end` kills. One
    # that is killed at its very start has forked and not yet said that its child is to die with it.
    words = [shutil.which(BUBBLEWRAP) or BUBBLEWRAP, "--unshare-all", "--die-with-parent", "--cap-drop", "ALL"]
    for path in _SYSTEM:
        if Path(path).is_symlink():
            words += ["--symlink", os.readlink(path), path]
        else:
            words += ["--ro-bind-try", path, path]
    for path in _FACTS:
        words += ["--ro-bind-try", path, path]
    for path in _DEVICES:
        words += ["--dev-bind", path, path]
    for path in given:
        words += ["--ro-bind", path, path]
    for path in home:
        words += ["--bind", path, path]
    return [*words, "--remount-ro", "/", "--chdir", home[0] if home else "/"]


def _code(code: int) -> int:
    """bubblewrap tells of a signal as shells do."""
    return 128 - code if protection().bubblewrap and 128 < code < 128 + signal.NSIG else code
