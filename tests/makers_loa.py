"""The command line as somebody at a terminal uses it: run here, or as a program of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from loa.__main__ import main

TOP = Path(__file__).parent.parent
PLACE = "lang-son:dong-dang"
PUBLIC_KEY = "1f" * 32


@dataclass(frozen=True)
class Told:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    def refuses(self, code: int, *parts: str) -> None:
        """It failed with this code, one sentence on standard error that contains ``parts``, and nothing else."""
        assert (self.code, self.out) == (code, ""), self
        assert self.err.count("\n") == 1, self
        assert all(part in self.err for part in parts), self
        assert "Traceback" not in self.err


Loa = Callable[..., Told]


def in_this_process(capsys: pytest.CaptureFixture[str]) -> Loa:
    """`loa` as a function of its arguments."""

    def run(*arguments: object) -> Told:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        said = capsys.readouterr()
        return Told(code, said.out, said.err)

    return run


def at_home(monkeypatch: pytest.MonkeyPatch, folder: Path, language: str = "en") -> None:
    """The environment of a station in ``folder`` that may speak at any hour, whatever the tester's own is."""
    for name in [name for name in os.environ if name.startswith("LOA_")]:
        monkeypatch.delenv(name)
    for name, value in station(folder, language).items():
        monkeypatch.setenv(name, value)


def station(folder: Path, language: str = "en") -> Mapping[str, str]:
    """The same as variables."""
    quiet = {"LOA_QUIET_SINCE": "00:00", "LOA_QUIET_UNTIL": "00:00"}
    return {"LOA_STATE_DIR": str(folder), "LOA_LANG": language, "COLUMNS": "100", **quiet}


def typed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """What standard input will give."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8"))


def program(
    folder: Path, *arguments: str, command: tuple[str, ...] = ("-m", "loa"), stdout: int | IO[bytes] = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """`loa` as a process of its own, its streams as pipes."""
    pipe = subprocess.PIPE
    line = [sys.executable, *command, *arguments]
    return subprocess.Popen(line, cwd=TOP, env=_variables(folder), stdin=pipe, stdout=stdout, stderr=pipe)


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """``code`` in a Python of its own."""
    line = [sys.executable, "-c", code]
    return subprocess.run(line, cwd=TOP, env=_variables(folder), capture_output=True, text=True, check=False)


def _variables(folder: Path) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("LOA_")}
    return {**others, **station(folder)}


def lines_until(stream: Iterable[bytes], word: bytes) -> bytes:
    """What a process says up to the line with ``word``; fails when it ends before."""
    said = b""
    for line in stream:
        said += line
        if word in line:
            return said
    raise AssertionError(f"{word!r} was not said: {said!r}")
