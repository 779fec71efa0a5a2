"""Discretion: how every process of the radio sets up its log, and what no log says. The second line of defence.

- The first is that nobody logs a secret. What slips through, in a message or in a traceback, is masked here: what the
  process was told of such, and what has the shape of one (passwords in addresses, one-time links and codes, keys).
- Libraries that log what passes through them (statements with their values, addresses with their queries) are held to
  warnings, whatever the level.
- A process leaves no core, and nobody of the same user reads its memory.
"""

from __future__ import annotations

import ctypes
import logging
import re
import resource
import sys
from collections.abc import Iterable

FORM = "%(asctime)s %(levelname)s %(name)s %(message)s"
MASK = "•••"
LEAST_SECRET = 6  # characters: shorter ones are words of every line
_CHATTY = ("alembic", "sqlalchemy", "urllib3", "requests", "gtts", "flask_wtf", "asyncio", "apscheduler")
_SHAPES = (
    re.compile(r"(?<=://)([^\s/@:]*:)[^\s/@]+(?=@)"),  # user:password@
    re.compile(r"(/chao/)[A-Za-z0-9_\-]{8,}"),
    re.compile(r"(\b(?:loa_phien|loa_bieu_mau|csrf_token)[\"']?\s*[=:]\s*[\"']?)[^\s\"';,&]+"),
    re.compile(r"((?i:\b(?:password|passphrase|secret|api_?key|token)[\"']?\s*[=:]\s*[\"']?))[^\s\"';,&)]+"),
    re.compile(r"((?i:\bauthorization[\"']?\s*[=:]\s*[\"']?(?:bearer|basic)?\s*))[^\s\"';,]+"),
    re.compile(r"(\b[0-9A-Z]{3}[0-9A-Z]-)[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b"),  # a one-time code; its name stays
    re.compile(r"(\bloa_)[A-Za-z0-9_\-]{43}(?![A-Za-z0-9_\-])"),  # a program's token
    re.compile(r"()AGE-SECRET-KEY-1[0-9A-Z]+"),
    re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)
_PR_SET_DUMPABLE = 4


class Discreet(logging.Formatter):
    """A line of the log, with its traceback, without ``secrets``."""

    def __init__(self, form: str, secrets: Iterable[str] = ()) -> None:
        super().__init__(form)
        self._secrets = sorted({each for each in secrets if len(each) >= LEAST_SECRET}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The whole line."""
        return masked(super().format(record), self._secrets)


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without these secrets, and without what has the shape of one."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    for shape in _SHAPES:
        text = shape.sub(rf"\g<1>{MASK}", text)
    return text


def start_log(level: str, secrets: Iterable[str] = (), form: str = FORM) -> None:
    """The log of this process, to standard error; also of what ends it. ``secrets``: what it was told of such."""
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet(form, secrets))
    logging.basicConfig(level=level, handlers=[handler])
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def leave_no_core() -> None:
    """No core of this process on any disk, and its memory is for root alone. What cannot be set is left."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
