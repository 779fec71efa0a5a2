"""Bytes -> `Alert`: what CAP 1.2 asks for is there, once, in its own words and within bounds; or a refusal by name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from controller.cap import markup
from controller.cap.alert import (
    Alert,
    CapError,
    Certainty,
    Info,
    Kind,
    Place,
    Reference,
    Scope,
    Severity,
    Status,
    Urgency,
)
from controller.cap.markup import Element

MOST_BYTES = 500_000
MOST_NAME, MOST_LINE, MOST_TEXT, MOST_SHAPE = 200, 500, 8_000, 100_000  # characters
MOST_INFOS, MOST_PLACES, MOST_IN_PLACE, MOST_PARAMETERS, MOST_REFERENCES = 20, 200, 200, 100, 50
NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
_ANY_CAP = re.compile(r"(urn:oasis:names:tc:emergency:cap|http://www\.incident\.com/cap)[:/].{1,20}")
_ID = re.compile(
    r"[!-%'-+\--;=?-~]+"
)  # ASCII that can be seen, but for the comma, <, > and &: 3.2.1, and no lookalikes
_MOMENT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")
_FORMAT = {"Cc", "Cf", "Cs", "Co", "Cn"}  # would be seen by nobody, or turn the line around
_OLD = {"Very Likely": "Likely"}  # CAP 1.0, still allowed by 3.2.2
_Word = TypeVar("_Word", bound=StrEnum)
_T = TypeVar("_T")


def read(raw: bytes) -> Alert:
    """The alert that stands in ``raw``. Raises CapError."""
    tree = markup.read(raw, MOST_BYTES)
    if tree.root.name != "alert" or tree.namespace != NAMESPACE:
        old = tree.root.name == "alert" and _ANY_CAP.fullmatch(tree.namespace)
        raise CapError("cap.version", version=tree.namespace[-3:]) if old else CapError("cap.not_cap")
    alert = tree.root
    infos = [_info(each) for each in _several(alert, "info", MOST_INFOS)]
    chosen = _chosen(infos)
    return Alert(
        identifier=_id(alert, "identifier"),
        sender=_id(alert, "sender"),
        sent=_must(_moment(alert, "sent"), "sent"),
        status=_word(alert, "status", Status),
        kind=_word(alert, "msgType", Kind),
        scope=_word(alert, "scope", Scope),
        references=_references(_text(alert, "references", MOST_SHAPE)),
        note=_text(alert, "note", MOST_TEXT),
        info=chosen,
        left_out=sum(each.language == chosen.language for each in infos) - 1 if chosen else 0,
        signed=tree.signed,
    )


def _chosen(infos: list[Info]) -> Info | None:
    """The first in Vietnamese, else the first."""
    return next((each for each in infos if each.vietnamese), infos[0] if infos else None)


def _info(element: Element) -> Info:
    return Info(
        language=(_text(element, "language", MOST_NAME) or "en-us").casefold(),  # 3.2.2: absent means en-US
        event=_must(_text(element, "event", MOST_LINE), "event"),
        urgency=_word(element, "urgency", Urgency),
        severity=_word(element, "severity", Severity),
        certainty=_word(element, "certainty", Certainty),
        effective=_moment(element, "effective"),
        onset=_moment(element, "onset"),
        expires=_moment(element, "expires"),
        sender_name=_text(element, "senderName", MOST_NAME),
        headline=_text(element, "headline", MOST_LINE),
        description=_text(element, "description", MOST_TEXT),
        instruction=_text(element, "instruction", MOST_TEXT),
        parameters=_pairs(element, "parameter", MOST_PARAMETERS),
        places=tuple(_place(each) for each in _several(element, "area", MOST_PLACES)),
    )


def _place(element: Element) -> Place:
    def shapes(name: str) -> tuple[str, ...]:
        return tuple(_tidy(each.text, name, MOST_SHAPE) for each in _several(element, name, MOST_IN_PLACE))

    name = _must(_text(element, "areaDesc", MOST_TEXT), "areaDesc")
    return Place(name, _pairs(element, "geocode", MOST_IN_PLACE), shapes("polygon"), shapes("circle"))


def _pairs(element: Element, name: str, most: int) -> tuple[tuple[str, str], ...]:
    found = _several(element, name, most)
    return tuple((_text(each, "valueName", MOST_NAME), _text(each, "value", MOST_LINE)) for each in found)


def _references(text: str) -> tuple[Reference, ...]:
    """``sender,identifier,sent`` again and again, between blanks (3.2.1)."""
    found = text.split()
    if len(found) > MOST_REFERENCES:
        raise CapError("cap.too_many", what="references", most=MOST_REFERENCES)
    split = [each.split(",") for each in found]
    if any(len(each) != 3 for each in split):
        raise CapError("cap.bad_value", field="references", value=_shown(text))
    return tuple(Reference(sender, identifier) for sender, identifier, _ in split)


def _several(element: Element, name: str, most: int) -> list[Element]:
    found = [each for each in element.inside if each.name == name]
    if len(found) > most:
        raise CapError("cap.too_many", what=name, most=most)
    return found


def _text(element: Element, name: str, most: int) -> str:
    """The text of the one element of that name; empty where there is none. Two would be read two ways: refused."""
    found = [each for each in element.inside if each.name == name]
    if len(found) > 1:
        raise CapError("cap.twice", field=name)
    return _tidy(found[0].text, name, most) if found else ""


def _tidy(text: str, name: str, most: int) -> str:
    """On one line a paragraph, without what nobody sees."""
    if len(text) > 4 * most:
        raise CapError("cap.too_long", field=name, most=most)
    kept = "".join(each for each in text if each in "\n\t" or unicodedata.category(each) not in _FORMAT)
    lines = (" ".join(line.split()) for line in unicodedata.normalize("NFC", kept).split("\n"))
    tidy = "\n".join(line for line in lines if line)
    if len(tidy) > most:
        raise CapError("cap.too_long", field=name, most=most)
    return tidy


def _id(element: Element, name: str) -> str:
    text = _must(_text(element, name, MOST_NAME), name)
    if not _ID.fullmatch(text):
        raise CapError("cap.bad_value", field=name, value=_shown(text))
    return text


def _word(element: Element, name: str, words: Callable[[str], _Word]) -> _Word:
    text = _must(_text(element, name, MOST_NAME), name)
    try:
        return words(_OLD.get(text, text))
    except ValueError:
        raise CapError("cap.bad_value", field=name, value=_shown(text)) from None


def _moment(element: Element, name: str) -> datetime | None:
    """With its offset from UTC, as 3.3.2 wants it; ``Z`` too, which many write."""
    text = _text(element, name, MOST_NAME)
    if not text:
        return None
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise CapError("cap.bad_value", field=name, value=_shown(text)) from None


def _must(value: _T | None, name: str) -> _T:
    if not value:
        raise CapError("cap.missing", field=name)
    return value


def _shown(text: str) -> str:
    return " ".join(text.split())[:80]
