"""What is wrong with a programme's form, each fault beside the field that it is about."""

from __future__ import annotations

import re

from controller.web.forms import Problem
from controller.web.language import chosen, said
from controller.web.sheet import Sheet, clock, text_of
from schedules import timetable
from schedules.timetable import TimetableError
from words import Said, say

MOST_FAULTS = 30
_PLACE = re.compile(r"(slot|term)\[(\d+)\](?:\.item\[(\d+)\])?(?:\.(\w+))?(?:\[\d+\])?")
_FIELDS = {"from": "since", "except": "but", "asset": "name", "series": "name", "source": "name"}
_OF_DAY = {"desk.programme_past", "desk.too_far"}


def faults(sheet: Sheet, area: str, zone: str) -> list[Problem]:
    """What is wrong in each slot by itself, so that all is said at once; what the whole breaks is the desk's to say."""
    found: dict[Problem, None] = {}
    for number in range(max(1, len(sheet.lines))):
        try:
            timetable.read(text_of(sheet, area, zone, only=number))
        except TimetableError as wrong:
            found[Problem(field_of(wrong, number), _reason(wrong))] = None
        if len(found) >= MOST_FAULTS:
            break
    return list(found)


def fault_of(wrong: Said, sheet: Sheet) -> Problem:
    """A refusal of the whole, beside its field."""
    if isinstance(wrong, TimetableError):
        return Problem(field_of(wrong, None), _reason(wrong))
    if wrong.key == "desk.programme_quiet":
        slots = [(line.label, clock(line.start)) for line in sheet.lines]
        named = (wrong.facts["label"], wrong.facts["start"])
        at = slots.index(named) if named in slots else 0
        return Problem(f"slot-{at}-start" if sheet.lines else "text", said(wrong))
    return Problem("since" if wrong.key in _OF_DAY else "change", said(wrong))


def field_of(wrong: TimetableError, only: int | None) -> str:
    """The id of the field that a refusal is about; ``only``: the slot that was read alone."""
    place = _PLACE.fullmatch(wrong.field)
    if place is None:
        return "title" if wrong.field.startswith("programme") else "change"
    number = only if only is not None and place[1] == "slot" else int(place[2]) - 1
    name = _FIELDS.get(place[4] or "", place[4] or "")
    if place[1] == "term":
        return f"term-{number}-{name or 'name'}"
    if place[3]:
        return f"slot-{number}-item-{int(place[3]) - 1}-{name or 'kind'}"
    return f"slot-{number}-{name if name and name != 'item' else 'label'}"


def _reason(wrong: TimetableError) -> str:
    return say(wrong.reason, chosen(), **wrong.reason_facts)
