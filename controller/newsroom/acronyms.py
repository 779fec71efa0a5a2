"""Acronyms and abbreviations by table (acronyms.toml); capitals in no table are spelt out and flagged.

- `words`: whole words, case counts. `context`: letters of several meanings, told apart by what stands beside them;
  where nothing does, they are unknown. `dotted`: abbreviations with a point before a name (TP. Lạng Sơn).
  `numbered`, `roads`: before a figure (NV1, QL1A). `kept`: capitals a voice may have as they are.
- A word in capitals that is built like a Vietnamese syllable is a word (THÔNG BÁO), unless the table knows it and it
  does not stand among other words in capitals (CA NGỢI).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from controller.newsroom.rules import FIGURE, MARKS, OTHER, Rule, always, data, entries, one_of, rule
from controller.newsroom.syllables import is_syllable, letters

UNKNOWN = "unknown_capitals"
_WORDS = data("acronyms")["words"]
_DOTTED = data("acronyms")["dotted"]
_ROADS = data("acronyms")["roads"]
_NUMBERED = data("acronyms")["numbered"]
_KEPT = data("acronyms")["kept"]
_INITIALS = "".join(sorted({word[0] for word in _WORDS}))  # looked at first: the table is long
_MOST_SPELT = 6
_BESIDE = 40
_UPPER = "A-ZÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĐĨŨƠƯẠ-Ỹ"
_TITLE_BEFORE = re.compile(rf"([{_UPPER}]{{2,7}})[ ,]{{1,2}}$")
_TITLE_AFTER = re.compile(rf"[ ,]{{1,2}}([{_UPPER}]{{2,7}})(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Meaning:
    """One meaning of letters that have several: it holds where ``before`` or ``after`` is found beside them."""

    before: re.Pattern[str] | None
    after: re.Pattern[str] | None
    spoken: str


def _meanings() -> dict[str, list[Meaning]]:
    meanings: dict[str, list[Meaning]] = {}
    for entry in entries("acronyms", "context"):
        before, after = (entry.get(side, "").replace(r"\d", rf"[\d{MARKS}]") for side in ("before", "after"))
        meaning = Meaning(
            re.compile(rf"(?<!\w)(?:{before})[ {MARKS}]{{0,3}}$", re.IGNORECASE) if before else None,
            re.compile(rf"[ .]{{0,2}}(?:{after})", re.IGNORECASE) if after else None,
            entry["spoken"],
        )
        meanings.setdefault(entry["written"], []).append(meaning)
    return meanings


_MEANINGS = _meanings()


def _meant(match: re.Match[str]) -> str | None:
    text, start, end = match.string, match.start(), match.end()
    for meaning in _MEANINGS[match.group()]:
        if meaning.before and meaning.before.search(text[max(0, start - _BESIDE) : start]):
            return meaning.spoken
        if meaning.after and meaning.after.match(text, end, end + _BESIDE):
            return meaning.spoken
    return None


def _known(match: re.Match[str]) -> str | None:
    word = match.group()
    return None if is_syllable(word) and _among_capitals(match) else _WORDS[word]


def _among_capitals(match: re.Match[str]) -> bool:
    """Whether a word in capitals that is a syllable, and no acronym, stands beside the match."""
    text, start, end = match.string, match.start(), match.end()
    beside = (_TITLE_BEFORE.search(text[max(0, start - 9) : start]), _TITLE_AFTER.match(text, end, end + 10))
    return any(each and is_syllable(each[1]) and each[1] not in _WORDS for each in beside)


def _unknown(match: re.Match[str]) -> str | None:
    word = match.group()
    if word in _KEPT or is_syllable(word):
        return None
    return letters(word) if len(word) <= _MOST_SPELT and letters(word) else word


_OFFICE = "(?=(?:Chủ|CHỦ|Giám|GIÁM|Trưởng|TRƯỞNG|Bí|BÍ|Hiệu|HIỆU|Tổng|TỔNG|Chánh|CHÁNH|Viện|VIỆN|Cục|CỤC)\\b)"

RULES: tuple[Rule, ...] = (
    rule("abbreviation", rf"(?<![\w.])Q\. ?{_OFFICE}", always("quyền "), OTHER),
    rule("abbreviation", rf"(?<![\w.])KT\. ?{_OFFICE}", always("ký thay "), OTHER),
    rule("abbreviation", r"(?<![\w.])v\.v(?:\.+|…)?(?!\w)", always("vân vân"), OTHER),
    rule("acronym", rf"(?<![\w.&-]){one_of(list(_MEANINGS))}(?:(?<=\.)|(?![^\W\d_]|[-&][A-ZĐ]))", _meant, OTHER),
    rule("abbreviation", rf"(?<![\w.]){one_of(list(_DOTTED))}(?= ?[\w])", lambda m: _DOTTED[m.group()] + " ", OTHER),
    rule(
        "acronym",
        rf"(?<![^\W\d_]){one_of(list(_ROADS))}\.?(?= ?[\d{FIGURE}])",
        lambda m: (_ROADS.get(m.group()) or _ROADS[m.group().rstrip(".")]) + " ",
        OTHER,
    ),
    rule(
        "acronym",
        rf"(?<![^\W_]){one_of(list(_NUMBERED))}(?= ?-?[\d{MARKS}])",
        lambda m: _NUMBERED[m.group()] + " ",
        OTHER,
    ),
    rule("acronym", rf"(?=[{_INITIALS}])(?<![^\W\d_]){one_of(list(_WORDS))}(?![^\W_])", _known, OTHER),
    rule(UNKNOWN, rf"(?<![^\W\d_])[{_UPPER}]{{2,40}}(?![^\W\d_])", _unknown, OTHER),
)
