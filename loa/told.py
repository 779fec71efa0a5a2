"""How a failure is told: one line in the reader's language, and the exit code that says of what kind it was.

- What the system gives as its reason (`OSError`, or its text inside a fact) is said in the language too.
- Whatever was typed is shown on one line, shortened, and without characters that would move a terminal's cursor.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from loa.codes import FAILED, MISSING, NOT_UNDERSTOOD
from schedules.moments import BadMoment
from words import Said, say

MOST_CHARS = 300  # of one fact
_NAMES = ("ENOENT", "EACCES", "EPERM", "EISDIR", "ENOTDIR", "EEXIST", "ENOSPC", "EROFS", "ENAMETOOLONG", "EIO")
_REFUSALS = ("ECONNREFUSED", "EADDRINUSE", "EADDRNOTAVAIL", "ENETUNREACH", "EHOSTUNREACH", "EMFILE", "ETXTBSY", "EBUSY")
_REASONS = {os.strerror(getattr(errno, name)): name.lower() for name in (*_NAMES, *_REFUSALS)}
_AS_PYTHON_SAYS = re.compile(r"\[Errno -?[0-9]+\] ([^:]+)(?:: .*)?")
_NOT_HERE = {
    "broker.none_installed",
    "broker.not_installed",
    "studio.espeak_missing",
    "studio.ffmpeg_missing",
    "voices.kokoro_missing",
    "voices.neural_missing",
}


def sentence(wrong: Said | BadMoment, language: str) -> str:
    """What went wrong, on one line."""
    if isinstance(wrong, Said) and type(wrong).say is not Said.say:  # sentences within it that only it can put together
        return plain(wrong.say(language))
    return plain(say(wrong.key, language, **{name: _fact(value, language) for name, value in wrong.facts.items()}))


def code(wrong: Said | BadMoment) -> int:
    """The exit code for it."""
    if isinstance(wrong, BadMoment):
        return NOT_UNDERSTOOD
    return MISSING if wrong.key in _NOT_HERE else FAILED


def plain(text: str, most: int | None = None) -> str:
    """``text`` on one line, at most ``most`` characters, what cannot be printed as �."""
    line = " ".join(text.split())
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)
    return shown if most is None or len(shown) <= most else f"{shown[:most]}…"


def _fact(value: object, language: str) -> object:
    """A fact as it stands in a sentence; numbers and times stay, the sentence says how they are written."""
    if isinstance(value, Said | BadMoment):
        return sentence(value, language)
    if isinstance(value, OSError) and value.strerror:
        value = value.strerror
    if not isinstance(value, str | Path | Exception):
        return value
    text = str(value)
    python = _AS_PYTHON_SAYS.fullmatch(text)
    reason = _REASONS.get(python[1] if python else text)
    return say(f"loa.errno_{reason}", language) if reason else plain(text, MOST_CHARS)
