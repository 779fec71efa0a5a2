"""Acronyms and abbreviations by table (acronyms.toml); capitals in no table are spelt out and flagged.

- `words`: whole words, case counts. `dotted`: abbreviations with a point before a name (TP. Lạng Sơn). `kept`:
  capitals a voice may have as they are.
- A word in capitals that is built like a Vietnamese syllable is a word (THÔNG BÁO), unless the table knows it.
"""

from __future__ import annotations

import re

from controller.newsroom.rules import MARKS, OTHER, Rule, data, one_of, rule
from controller.newsroom.syllables import is_syllable, letters

UNKNOWN = "unknown_capitals"
_WORDS = data("acronyms")["words"]
_DOTTED = data("acronyms")["dotted"]
_ROADS = data("acronyms")["roads"]
_KEPT = data("acronyms")["kept"]
_MOST_SPELT = 6
_UPPER = "A-ZÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĐĨŨƠƯẠ-Ỹ"


def _known(match: re.Match[str]) -> str | None:
    return _WORDS.get(match.group())


def _unknown(match: re.Match[str]) -> str | None:
    word = match.group()
    if word in _KEPT or is_syllable(word):
        return None
    return letters(word) if len(word) <= _MOST_SPELT and letters(word) else word


RULES: tuple[Rule, ...] = (
    rule("abbreviation", rf"(?<![\w.]){one_of(list(_DOTTED))}(?= ?[\w])", lambda m: _DOTTED[m.group()] + " ", OTHER),
    rule(
        "acronym",
        rf"(?<![^\W\d_]){one_of(list(_ROADS))}\.?(?= ?[\d{MARKS}])",
        lambda m: _ROADS[m.group().rstrip(".")],
        OTHER,
    ),
    rule("acronym", rf"(?<![^\W\d_])(?:{one_of(list(_WORDS))})(?![^\W_])", _known, OTHER),
    rule(UNKNOWN, rf"(?<![^\W\d_])[{_UPPER}]{{2,40}}(?![^\W\d_])", _unknown, OTHER),
)
