"""pip, run by this Python; what it complains of becomes one sentence."""

from __future__ import annotations

import subprocess
import sys

from bundle import NoBundle

LOCKED = ("--no-deps", "--only-binary=:all:", "--require-hashes")


def run(*arguments: object) -> None:
    """One command of pip's. Raises NoBundle."""
    quiet = ("--disable-pip-version-check", "--quiet", "--no-input")
    command = [sys.executable, "-m", "pip", *quiet, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.splitlines()
        begun = next((at for at, line in enumerate(lines) if line.lstrip().startswith("ERROR")), -2)
        raise NoBundle("deploy.pip_failed", why=" ".join(" ".join(lines[begun:]).split())[:500])
