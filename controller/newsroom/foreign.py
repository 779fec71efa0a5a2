"""Foreign words by table (foreign.toml), and short names made of a letter and a figure: 4G, A/H5N1, O+."""

from __future__ import annotations

import re

from controller.newsroom.numbers import cardinal
from controller.newsroom.rules import OTHER, Rule, before, data, rule
from controller.newsroom.syllables import letters

_WORDS = data("foreign")["words"]
_CLASS = re.compile(r"(?:lớp|khối)$")
_MESSAGE = re.compile(r"(?:thông điệp|quy tắc|nguyên tắc)(?: [\"“'])?$")
_BLOOD = re.compile(r"(?:máu|nhóm)$")


def known(word: str) -> bool:
    """Whether a word (any case) is in the table of foreign words."""
    return word.lower() in _WORDS


def _foreign(match: re.Match[str]) -> str | None:
    return _WORDS.get(match.group().lower())


def _generation(match: re.Match[str]) -> str | None:
    return None if _CLASS.search(before(match)) else f"{cardinal(int(match[1]))} giê"


def _message(match: re.Match[str]) -> str | None:
    """Thông điệp 5K is no price."""
    return f"{cardinal(int(match[1]))} ca" if _MESSAGE.search(before(match)) else None


def _flu(match: re.Match[str]) -> str:
    kind, h, n = match.groups()
    return f"{letters(kind) + ' ' if kind else ''}hát {cardinal(int(h))} en {cardinal(int(n))}"


def _blood(match: re.Match[str]) -> str | None:
    if not _BLOOD.search(before(match)):
        return None
    return f"{match[1]} {'dương' if match[2] == '+' else 'âm'}"


MESSAGES: tuple[Rule, ...] = (rule("name", r"(?<![\w.])(\d)K(?!\w)", _message, OTHER),)

RULES: tuple[Rule, ...] = (
    rule("name", r"(?<![\w.])([2-7])G(?!\w)", _generation, OTHER),
    rule("name", r"(?<![\w.])(?:([ABC])/?)?H(\d{1,2})N(\d{1,2})(?!\w)", _flu, OTHER),
    rule("name", r"(?<!\w)(AB|A|B|O)([+-])(?![\w+-])", _blood, OTHER),
    rule("foreign", r"(?<![^\W_])[A-Za-z]{1,12}-[A-Za-z]{1,12}(?![^\W_])", _foreign, OTHER),
    rule("foreign", r"(?<![^\W\d_])[A-Za-z]{3,14}(?![^\W\d_])", _foreign, OTHER),
)
