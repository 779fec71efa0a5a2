"""A programme as a text: TOML in, programme out, and back. Text only: reading files is the caller's.

- Round trip: what `write` wrote, `read` reads as the same programme, and writes as the same text.
- A wrong text is answered with its line, its field and the reason, and with the nearest right key.
- Nothing is guessed: an unknown key, a slot over another one, a weekday named twice are errors.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any

from schedules import moments
from schedules.programme import Programme, Slot, overlaps
from wire import names
from words import Said, say

MOST_CHARS = 64_000
MOST_LINES = 3_000
MOST_SLOTS = 200
MOST_LABEL_CHARS = 120
MOST_MINUTES = 24 * 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TOP_KEYS = ("programme", "slot")
_HEAD_KEYS = ("area", "title", "zone")
_SLOT_KEYS = ("label", "days", "start", "minutes")
_TOML_PLACE = re.compile(r"\(at line (\d+), column \d+\)")
_ESCAPES = {'"': '\\"', "\\": "\\\\"}

Where = tuple[str | int, ...]


class TimetableError(Said):
    """A text that is not a timetable. ``line`` counts from 1; ``field`` is such as ``slot[2].start``, or empty."""

    def __init__(self, line: int, field: str, reason: str, **facts: object) -> None:
        """``reason`` is the key of the sentence that says what is wrong, filled with ``facts``."""
        self.line, self.field, self.reason, self.reason_facts = line, field, reason, facts
        super().__init__("schedules.timetable", line=line, field=field or "-", reason=say(reason, "en", **facts))

    def say(self, language: str) -> str:
        """The sentence in ``language``, its reason too."""
        because = say(self.reason, language, **self.reason_facts)
        return say(self.key, language, line=self.line, field=self.field or "-", reason=because)


class _Wrong(Exception):
    """What is wrong at ``where``; `read` adds the line."""

    def __init__(self, where: Where, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.where, self.reason, self.facts = where, reason, facts


def read(text: str) -> Programme:
    """The programme that ``text`` describes. Raises TimetableError."""
    text = text.removeprefix("\ufeff")  # some editors on Windows begin a file with it
    if len(text) > MOST_CHARS or text.count("\n") > MOST_LINES:
        raise TimetableError(1, "", "schedules.too_long", most=MOST_CHARS, most_lines=MOST_LINES)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        found = _TOML_PLACE.search(str(wrong))
        line = int(found[1]) if found else len(text.splitlines()) or 1
        detail = _TOML_PLACE.sub("", str(wrong)).strip()
        raise TimetableError(line, "", "schedules.not_toml", detail=detail) from None
    except RecursionError:
        raise TimetableError(1, "", "schedules.not_toml", detail="nested too deep") from None
    try:
        return _programme(document)
    except _Wrong as wrong:
        raise TimetableError(_line_of(text, wrong.where), _field(wrong.where), wrong.reason, **wrong.facts) from None


def write(programme: Programme) -> str:
    """``programme`` as a text that `read` takes back."""
    lines = ["[programme]"]
    lines += [f"{key} = {_quoted(getattr(programme, key))}" for key in _HEAD_KEYS]
    for slot in programme.slots:
        days = ", ".join(_quoted(DAYS[weekday]) for weekday in slot.weekdays)
        lines += [
            "",
            "[[slot]]",
            f"label = {_quoted(slot.label)}",
            f"days = [{days}]",
            f"start = {_quoted(f'{slot.start:%H:%M}')}",
            f"minutes = {slot.length // timedelta(minutes=1)}",
        ]
    return "\n".join(lines) + "\n"


def _programme(document: Mapping[str, Any]) -> Programme:
    _keys(document, (), _TOP_KEYS, required=("programme",))
    head = _table(document["programme"], ("programme",))
    _keys(head, ("programme",), _HEAD_KEYS, required=("area", "title"))
    slots = document.get("slot", [])
    if not isinstance(slots, list) or len(slots) > MOST_SLOTS:
        raise _Wrong(("slot",), "schedules.not_slots", most=MOST_SLOTS)
    programme = Programme(
        area=_area(head["area"]),
        title=_label(head["title"], ("programme", "title")),
        zone=_zone(head.get("zone", moments.DEFAULT_ZONE)),
        slots=tuple(_slot(_table(slot, ("slot", index)), ("slot", index)) for index, slot in enumerate(slots)),
    )
    for one, other in overlaps(programme):
        # the same words in both places: find each by what it is, not by what it equals
        place = max(index for index, slot in enumerate(programme.slots) if slot in (one, other))
        earlier, later = f"{one.start:%H:%M}", f"{other.start:%H:%M}"
        facts = {"label": one.label, "start": earlier, "other": other.label, "other_start": later}
        raise _Wrong(("slot", place, "start"), "schedules.overlap", **facts)
    return programme


def _slot(slot: Mapping[str, Any], where: Where) -> Slot:
    _keys(slot, where, _SLOT_KEYS, required=_SLOT_KEYS)
    minutes = slot["minutes"]
    if type(minutes) is not int or not 1 <= minutes <= MOST_MINUTES:
        raise _Wrong((*where, "minutes"), "schedules.bad_minutes", most=MOST_MINUTES)
    return Slot(
        label=_label(slot["label"], (*where, "label")),
        weekdays=_days(slot["days"], (*where, "days")),
        start=_start(slot["start"], (*where, "start")),
        length=timedelta(minutes=minutes),
    )


def _keys(table: Mapping[str, Any], where: Where, known: tuple[str, ...], required: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
            wrong = "schedules.unknown_key_near" if near else "schedules.unknown_key"
            raise _Wrong((*where, key), wrong, written=key[:40], near=near[0] if near else "", known=", ".join(known))
    for key in required:
        if key not in table:
            raise _Wrong(where, "schedules.missing_key", missing=key)


def _table(value: object, where: Where) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(where, "schedules.not_table")
    return value


def _area(value: object) -> str:
    try:
        return names.area_id(_text(value, ("programme", "area")))
    except names.BadName:
        raise _Wrong(("programme", "area"), "schedules.bad_area", text=str(value)[:80]) from None


def _zone(value: object) -> str:
    text = _text(value, ("programme", "zone"))
    try:
        return moments.zone(text).key
    except moments.BadMoment as wrong:
        raise _Wrong(("programme", "zone"), wrong.key, **wrong.facts) from None


def _start(value: object, where: Where) -> time:
    try:
        return moments.clock_time(_text(value, where))
    except moments.BadMoment as wrong:
        raise _Wrong(where, wrong.key, **wrong.facts) from None


def _days(value: object, where: Where) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        raise _Wrong(where, "schedules.no_days", known=", ".join(DAYS))
    for day in value:
        if day not in DAYS:
            near = difflib.get_close_matches(str(day).lower(), DAYS, n=1)
            raise _Wrong(where, "schedules.bad_day", text=str(day)[:40], near=near[0] if near else ", ".join(DAYS))
    if len(set(value)) < len(value):
        raise _Wrong(where, "schedules.day_twice")
    return tuple(sorted(DAYS.index(day) for day in value))


def _label(value: object, where: Where) -> str:
    text = _text(value, where)
    if not text.strip() or len(text) > MOST_LABEL_CHARS or any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise _Wrong(where, "schedules.bad_label", most=MOST_LABEL_CHARS)
    return text


def _text(value: object, where: Where) -> str:
    if not isinstance(value, str):
        raise _Wrong(where, "schedules.not_text")
    return value


def _quoted(text: str) -> str:
    """``text`` as a TOML basic string."""
    return '"' + "".join(_ESCAPES.get(char, char) for char in text) + '"'


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
