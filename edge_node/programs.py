"""Programs that are asked something: run with a bound on time, their answer or None. Nothing here raises."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

PATIENCE_SECONDS = 2.0  # what a program may take

Run = Callable[[list[str]], str | None]


def run(command: list[str]) -> str | None:
    """What a program prints; None when it is absent, fails or takes too long."""
    if not shutil.which(command[0]):
        return None
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        answer = subprocess.run(
            command, capture_output=True, timeout=PATIENCE_SECONDS, env=environment, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return answer.stdout if answer.returncode == 0 else None


def silent(command: list[str]) -> None:
    """A `Run` that asks nobody."""
    del command
