"""Programs the studio starts: espeak-ng and ffmpeg, as processes with a time limit, never through a shell."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that ended by itself: exit ``code`` and the end of what it wrote to standard error."""

    code: int
    said: str


class Hung(Exception):
    """The program did not end within its limit and was killed."""


class NotInstalled(Exception):
    """There is no such program on PATH."""


def run(command: Sequence[str], limit_seconds: float, text: str = "") -> Ended:
    """Runs ``command`` with ``text`` on standard input. Raises Hung, NotInstalled."""
    try:
        done = subprocess.run(
            list(command), input=text.encode("utf-8"), capture_output=True, timeout=limit_seconds, check=False
        )
    except FileNotFoundError:
        raise NotInstalled(command[0]) from None
    except subprocess.TimeoutExpired:
        raise Hung(command[0]) from None
    return Ended(done.returncode, done.stderr.decode("utf-8", "replace")[-8000:])


def names_full_disk(said: str) -> bool:
    """Whether a program's complaint is that the disk is full."""
    return "No space left" in said or "Disk quota exceeded" in said
