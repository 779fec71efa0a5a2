"""What a reading rule is.

- A rule is a pattern, a function that says what is read instead (None: not mine), and why.
- Rules run in the order of editor.PASSES; the first to claim a stretch of text has it, later rules see a mark there:
  ``FIGURE`` where something with a value was claimed (a range may stand between two), ``CODE`` where digits only name
  (a telephone, the number of a document or a plate), ``OTHER`` elsewhere.
- Patterns must be linear on hostile text: repetitions are possessive or bounded, runs of digits are entered at their
  beginning only (``START``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

FIGURE, OTHER, CODE = "\ue000", "\ue001", "\ue002"
MARKS = FIGURE + OTHER + CODE

START = rf"(?<![\d{FIGURE}])(?<!\d[.,])"
END = r"(?![^\W_])"  # no letter or digit follows
GAP = r" ?"
_GROUPED = r"\d{1,3}(?:(?:\.\d{3}){1,6}|(?:,\d{3}){2,6}|(?: \d{3}){1,6})(?!\d)(?:,\d{1,12})?+(?!\d)"
NUMBER = rf"(?:{_GROUPED}|\d++(?:[.,]\d{{1,12}}(?!\d))?+)"
SIGNED = rf"(?:(?<![^\s(:=])[-−])?{NUMBER}"

Say = Callable[[re.Match[str]], str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of reading: what ``pattern`` finds is read as ``say`` of it, for the reason ``why`` (words key)."""

    why: str
    pattern: re.Pattern[str]
    say: Say
    mark: str = FIGURE


def rule(why: str, pattern: str, say: Say, mark: str = FIGURE, flags: int = 0) -> Rule:
    """A `Rule` from a pattern's text."""
    return Rule(why, re.compile(pattern, flags), say, mark)


@cache
def data(name: str) -> dict[str, dict[str, str]]:
    """The tables of this room's file ``<name>.toml``."""
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text("utf-8"))


def entries(name: str, table: str) -> list[dict[str, str]]:
    """The entries of an array of tables (``[[table]]``) of ``<name>.toml``, in order."""
    return cast("list[dict[str, str]]", data(name)[table])


def always(said: str) -> Say:
    """A `Say` that says the same whatever was found."""
    return lambda match: said if match else None


def one_of(spellings: list[str]) -> str:
    """A pattern for any of ``spellings``, longest first."""
    return "(?:" + "|".join(re.escape(s) for s in sorted(spellings, key=len, reverse=True)) + ")"


def before(match: re.Match[str], chars: int = 24) -> str:
    """The text just before a match, lower case, without blanks at its end."""
    return match.string[max(0, match.start() - chars) : match.start()].rstrip().lower()
