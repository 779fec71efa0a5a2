"""Programs the studio starts: espeak-ng and ffmpeg, as processes with a time limit, never through a shell.

- What reads a stranger's file is `run` with `Bounds`: memory, CPU and the size of what it writes are limited too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_BOUNDED = Path(__file__).parent / "bounded.py"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a program may use: bytes of address space, seconds of CPU, bytes of any one file."""

    memory_bytes: int = 2 << 30
    cpu_seconds: int = 300
    file_bytes: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that ended by itself: exit ``code``, the end of what it wrote to standard error, and its output."""

    code: int
    said: str
    wrote: bytes = b""


class Hung(Exception):
    """The program did not end within its limit and was killed."""


class NotInstalled(Exception):
    """There is no such program on PATH."""


def run(
    command: Sequence[str],
    limit_seconds: float,
    text: str = "",
    bounds: Bounds | None = None,
    folder: Path | None = None,
) -> Ended:
    """Runs ``command`` in ``folder`` (or here) with ``text`` on standard input. Raises Hung, NotInstalled."""
    if bounds and not shutil.which(command[0]):
        raise NotInstalled(command[0])
    try:
        done = subprocess.run(
            [*(_bounded(bounds) if bounds else ()), *command],
            input=text.encode("utf-8"),
            capture_output=True,
            timeout=limit_seconds,
            check=False,
            cwd=folder,
        )
    except FileNotFoundError:
        raise NotInstalled(command[0]) from None
    except subprocess.TimeoutExpired:
        raise Hung(command[0]) from None
    return Ended(done.returncode, done.stderr.decode("utf-8", "replace")[-8000:], done.stdout)


def _bounded(bounds: Bounds) -> list[str]:
    limits = (bounds.memory_bytes, bounds.cpu_seconds, bounds.file_bytes)
    return [sys.executable, "-I", str(_BOUNDED), *map(str, limits)]


def names_full_disk(said: str) -> bool:
    """Whether a program's complaint is that the disk is full."""
    return "No space left" in said or "Disk quota exceeded" in said
