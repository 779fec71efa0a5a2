"""A program of the harness as a process of its own: it says JSON lines, and ends when its input does."""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

HOUSE = Path(__file__).parent.parent


class Child:
    """``python -m MODULE ARGUMENTS``; use it in ``with``."""

    def __init__(self, module: str, *arguments: object) -> None:
        environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
        command = [sys.executable, "-m", module, *map(str, arguments)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def tell(self, line: dict[str, Any]) -> None:
        """Give it one line."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Its next line. Raises EOFError when it has ended."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise EOFError(f"a process of the harness ended with {self._process.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def has_said(self) -> bool:
        """Whether its next line is there; a line is read whole, so nothing waits in between."""
        assert self._process.stdout
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def end(self) -> None:
        """Close its input and wait; after 10 s kill it. Idempotent."""
        assert self._process.stdin
        assert self._process.stdout
        if not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def say(**line: object) -> None:
    """In the child: one line to the parent."""
    print(json.dumps(line), flush=True)


def open_files() -> int:
    """Raise the soft limit of open files to the hard one, for us and every child; the limit that holds now."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
