"""Programs the studio starts, never through a shell: espeak-ng for our own words here, everything else in the cage.

- What reads a file that came from outside, or that a program made of one, goes through `cage.run`: its walls and bounds
  are the cage's matter (`cage`).
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from cage import Ended, Hung, NotInstalled


def run(command: Sequence[str], limit_seconds: float, text: str = "", folder: Path | None = None) -> Ended:
    """Runs ``command`` in ``folder`` (or here) with ``text`` on standard input. Raises Hung, NotInstalled."""
    try:
        done = subprocess.run(
            command,
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


def names_full_disk(said: str) -> bool:
    """Whether a program's complaint is that the disk is full."""
    return "No space left" in said or "Disk quota exceeded" in said
