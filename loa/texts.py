"""Texts that come in: from a file, or from standard input, whole or line by line; always UTF-8, never without end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from loa.house import Refused
from words import say

MOST_BYTES = 1_000_000
MOST_LINE_BYTES = 8_000_000
STANDARD_INPUT = Path("-")


def read(path: Path, language: str) -> str:
    """The text in a file, ``-`` being standard input. Raises Refused: unreadable, too large, not UTF-8."""
    if path == STANDARD_INPUT:
        return standard_input(language)
    try:
        with path.open("rb") as file:
            return _decoded(file, path)
    except OSError as wrong:
        raise Refused("loa.unreadable_file", path=path, why=wrong) from wrong


def standard_input(language: str) -> str:
    """All of standard input. Raises Refused."""
    came = _stream(language)
    return _decoded(came, say("loa.standard_input", language)) if came else ""


def lines(language: str) -> Iterator[str]:
    """Standard input line by line, as each comes in; bytes that are not UTF-8 are replaced. Raises Refused."""
    came = _stream(language)
    while came and (line := came.readline(MOST_LINE_BYTES + 1)):
        if len(line) > MOST_LINE_BYTES:
            raise Refused("loa.line_too_long", most=MOST_LINE_BYTES)
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _decoded(file: BinaryIO, path: Path | str) -> str:
    held = file.read(MOST_BYTES + 1)
    if len(held) > MOST_BYTES:
        raise Refused("loa.file_too_large", path=path, most=MOST_BYTES)
    try:
        return held.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("loa.not_utf8", path=path) from None


def _stream(language: str) -> BinaryIO | None:
    """Standard input as bytes, None where there is none; a person at a keyboard is told that it is their turn."""
    if sys.stdin is None:
        return None
    if sys.stdin.isatty():
        print(say("loa.your_turn", language), file=sys.stderr)
    return sys.stdin.buffer
