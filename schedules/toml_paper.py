"""A TOML text that a person wrote: tables in, or the line, the field and the reason of what is wrong.

- Nothing is guessed: an unknown key is answered with the nearest right one, a value of another kind is refused.
- Text only: reading files is the caller's; what the tables mean is the room's that asks (`timetable`, rulebooks).
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any, TypeVar

from schedules import moments
from wire import names
from words import Said, say

MOST_CHARS = 64_000
MOST_LINES = 3_000

T = TypeVar("T")
Where = tuple[str | int, ...]

_TOML_PLACE = re.compile(r"\(at line (\d+), column \d+\)")
_DAY_MONTH_YEAR = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_ESCAPES = {'"': '\\"', "\\": "\\\\"}


class PaperError(Said):
    """A text that does not say what it should. ``line`` counts from 1; ``field``: ``slot[2].start``, or empty."""

    sentence = "schedules.timetable"

    def __init__(self, line: int, field: str, reason: str, **facts: object) -> None:
        """``reason`` is the key of the sentence that says what is wrong, filled with ``facts``."""
        self.line, self.field, self.reason, self.reason_facts = line, field, reason, facts
        super().__init__(self.sentence, line=line, field=field or "-", reason=say(reason, "en", **facts))

    def say(self, language: str) -> str:
        """The sentence in ``language``, its reason too."""
        because = say(self.reason, language, **self.reason_facts)
        return say(self.key, language, line=self.line, field=self.field or "-", reason=because)


class Wrong(Exception):
    """What is wrong at ``where``; `read` adds the line."""

    def __init__(self, where: Where, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.where, self.reason, self.facts = where, reason, facts


def read(text: str, meaning: Callable[[Mapping[str, Any]], T], error: type[PaperError]) -> T:
    """What ``meaning`` makes of the tables of ``text``. Raises ``error``, also for a `Wrong` out of ``meaning``."""
    text = text.removeprefix("\ufeff")  # some editors on Windows begin a file with it
    if len(text) > MOST_CHARS or text.count("\n") > MOST_LINES:
        raise error(1, "", "schedules.too_long", most=MOST_CHARS, most_lines=MOST_LINES)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        found = _TOML_PLACE.search(str(wrong))
        line = int(found[1]) if found else len(text.splitlines()) or 1
        detail = _TOML_PLACE.sub("", str(wrong)).strip()
        raise error(line, "", "schedules.not_toml", detail=detail) from None
    except RecursionError:
        raise error(1, "", "schedules.not_toml", detail="nested too deep") from None
    try:
        return meaning(document)
    except Wrong as wrong:
        raise error(_line_of(text, wrong.where), _field(wrong.where), wrong.reason, **wrong.facts) from None


def keys(table: Mapping[str, Any], where: Where, known: tuple[str, ...], required: tuple[str, ...]) -> None:
    """Raises Wrong for a key that is not ``known``, with the nearest that is, and for a ``required`` one not there."""
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
            wrong = "schedules.unknown_key_near" if near else "schedules.unknown_key"
            raise Wrong((*where, key), wrong, written=key[:40], near=near[0] if near else "", known=", ".join(known))
    for key in required:
        if key not in table:
            raise Wrong(where, "schedules.missing_key", missing=key)


def table(value: object, where: Where) -> Mapping[str, Any]:
    """A table. Raises Wrong."""
    if not isinstance(value, dict):
        raise Wrong(where, "schedules.not_table")
    return value


def area(value: object, where: Where) -> str:
    """The name of an area. Raises Wrong."""
    try:
        return names.area_id(text(value, where))
    except names.BadName:
        raise Wrong(where, "schedules.bad_area", text=str(value)[:80]) from None


def zone(value: object, where: Where) -> str:
    """An IANA time zone. Raises Wrong."""
    try:
        return moments.zone(text(value, where)).key
    except moments.BadMoment as wrong:
        raise Wrong(where, wrong.key, **wrong.facts) from None


def clock(value: object, where: Where) -> time:
    """``HH:MM``. Raises Wrong."""
    try:
        return moments.clock_time(text(value, where))
    except moments.BadMoment as wrong:
        raise Wrong(where, wrong.key, **wrong.facts) from None


def day(value: object, where: Where) -> date:
    """A date of TOML, or a text such as ``2026-09-05`` or ``05/09/2026``. Raises Wrong."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    written = value.strip() if isinstance(value, str) else ""
    found = _DAY_MONTH_YEAR.fullmatch(written)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(written)
    except ValueError:
        raise Wrong(where, "schedules.bad_date", text=str(value)[:40]) from None


def choice(value: object, where: Where, known: tuple[str, ...]) -> str:
    """One of the words ``known``. Raises Wrong with the nearest."""
    if value not in known:
        near = difflib.get_close_matches(str(value).lower(), known, n=1)
        shown = ", ".join(known)
        raise Wrong(where, "schedules.bad_choice", text=str(value)[:40], near=near[0] if near else shown, known=shown)
    return str(value)


def line(value: object, where: Where, most: int) -> str:
    """A text of one line, 1 to ``most`` characters, not only blanks. Raises Wrong."""
    found = text(value, where)
    if not found.strip() or len(found) > most or any(ord(char) < 32 or ord(char) == 127 for char in found):
        raise Wrong(where, "schedules.bad_label", most=most)
    return found


def text(value: object, where: Where) -> str:
    """A text. Raises Wrong."""
    if not isinstance(value, str):
        raise Wrong(where, "schedules.not_text")
    return value


def quoted(written: str) -> str:
    """``written`` as a TOML basic string."""
    return '"' + "".join(_ESCAPES.get(char, char) for char in written) + '"'


def _field(where: Where) -> str:
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in where).lstrip(".")


def _line_of(text: str, where: Where) -> int:
    """The line on which ``where`` begins, or the nearest thing above it that the text has; 1 when it has neither.

    TOML's parser keeps no places. But the text's first statements parse to what they say alone, so the
    statement is found by halving: the first one that, with those before it, holds ``where``.
    """
    lines = text.split("\n")
    ends = _statement_ends(lines)
    while where and not _has(lines, where):
        where = where[:-1]
    if not where:
        return 1
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _has(lines[: ends[middle]], where) else (middle + 1, high)
    return ends[high - 1] + 1 if high else 1


def _has(lines: list[str], where: Where) -> bool:
    found: Any = tomllib.loads("\n".join(lines) + "\n")
    for step in where:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _statement_ends(lines: list[str]) -> list[int]:
    """How many lines each statement and all before it take; a comment or an empty line is one too."""
    ends = [0]
    for count in range(1, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[ends[-1] : count]) + "\n")
        except tomllib.TOMLDecodeError:
            continue
        ends.append(count)
    return ends[1:]
