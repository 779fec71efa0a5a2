"""Acronyms and abbreviations by table (acronyms.toml); capitals in no table are spelt out and flagged.

- `words`: whole words, case counts; a number may be glued to three letters or more (TDP1). `context`: letters of
  several meanings, told apart by what stands beside them; where nothing does, they are unknown. Letters a text explains
  itself, in brackets behind their own words, are those words. `dotted`: abbreviations with a point (TP. Lạng Sơn).
  `numbered`, `roads`: before a figure (NV1, QL1A). `kept`: capitals a voice may have as they are.
- A word in capitals that is built like a Vietnamese syllable is a word (THÔNG BÁO), unless the table knows it and it
  does not stand among other words in capitals (CA NGỢI).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from controller.newsroom.rules import CODE, FIGURE, MARKS, OTHER, Rule, always, data, entries, one_of, rule
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
_LONG_WORDS = [word for word in _WORDS if len(word) > 2]
_UPPER = "A-ZÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĐĨŨƠƯẠ-Ỹ"
_CAPITALS = "".join(chr(at) for at in (*range(0x41, 0x1B1), *range(0x1EA0, 0x1EFA)) if chr(at).isupper())
_BRACKETED = re.compile(r"\(([A-ZĐ]{2,7})\)")
_WORD = re.compile(r"[^\W\d_]+")
_TITLE_BEFORE = re.compile(rf"([{_UPPER}]{{2,7}})[ ,]{{1,2}}$")
_TITLE_AFTER = re.compile(rf"[ ,]{{1,2}}([{_UPPER}]{{2,7}})(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Meaning:
    """One meaning of letters that have several: it holds where ``before`` or ``after`` is found beside them.

    With ``both`` one of them is not enough.
    """

    before: re.Pattern[str] | None
    after: re.Pattern[str] | None
    spoken: str
    both: bool = False


def _ready(context: str) -> str:
    """A context of the table as a pattern: a figure may be claimed already, ``<name>`` is a word with a capital."""
    figure, name = rf"[\d{FIGURE}{CODE}]", rf"(?-i:[{_CAPITALS}](?![{_CAPITALS}])[^\W\d_]{{1,12}})"
    return context.replace(r"\d", figure).replace("<name>", name)


def _meanings() -> dict[str, list[Meaning]]:
    meanings: dict[str, list[Meaning]] = {}
    for entry in entries("acronyms", "context"):
        before, after = (_ready(entry.get(side, "")) for side in ("before", "after"))
        meaning = Meaning(
            re.compile(rf"(?<![^\W\d])(?:{before})[ {MARKS}]{{0,3}}$", re.IGNORECASE) if before else None,
            re.compile(rf"[ .]{{0,2}}(?:{after})", re.IGNORECASE) if after else None,
            entry["spoken"],
            "both" in entry,
        )
        meanings.setdefault(entry["written"], []).append(meaning)
    return meanings


_MEANINGS = _meanings()


def _meant(match: re.Match[str]) -> str | None:
    text, start, end = match.string, match.start(), match.end()
    pointed = match.group() + "." if text[end : end + 1] == "." else ""
    if pointed in _ROADS and text[end + 1 : end + 3].lstrip()[:1].isdigit():
        return None
    spoken = _beside(match.group(), text, start, end)
    if spoken is None and (letters := match.group().removesuffix(".")) in _MEANINGS:  # the point ends the sentence
        ended = _beside(letters, text, start, end - 1) if letters != match.group() else None
        return ended and ended + "."
    return None if spoken is not None and spoken == _DOTTED.get(pointed) else spoken


def _beside(written: str, text: str, start: int, end: int) -> str | None:
    """What the letters ``text[start:end]`` mean by the words beside them."""
    for meaning in _MEANINGS[written]:
        behind = meaning.before and meaning.before.search(text[max(0, start - _BESIDE) : start])
        ahead = meaning.after and meaning.after.match(text, end, end + _BESIDE)
        if (behind and ahead) if meaning.both else (behind or ahead):
            return meaning.spoken
    return None


def _own_words(match: re.Match[str]) -> str | None:
    """The words before a bracket, when the letters in it are their first: tụ huyết trùng (THT)."""
    short, stretch = match[1], match.string[max(0, match.start() - 80) : match.start()]
    words = list(_WORD.finditer(stretch))[-len(short) :]
    plain = unicodedata.normalize("NFD", "".join(word.group()[0] for word in words).upper())
    if "".join(char for char in plain if not unicodedata.combining(char)) != short:
        return None
    said = stretch[words[0].start() :].rstrip(" (")
    return None if re.search(r"[.;:!?\n]", said) else said


@lru_cache(maxsize=2)
def _explained(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _BRACKETED.finditer(text):
        if said := _own_words(match):
            found.setdefault(match[1], said)
    return found


def _explained_here(match: re.Match[str]) -> str | None:
    text, start, end = match.string, match.start(), match.end()
    if text[start - 1 : start] == "(" and text[end : end + 1] == ")":
        bracket = _BRACKETED.match(text, start - 1)
        return _own_words(bracket) if bracket else None
    explained = _explained(text)
    if match.group() not in explained:
        return None
    return (_meant(match) if match.group() in _MEANINGS else None) or explained[match.group()]


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


def _mixed(match: re.Match[str]) -> str | None:
    """A name with a capital inside (eTax) is left as it is, for a person to look at."""
    return None if match.group() in _KEPT or match.group() in data("units")["units"] else match.group()


_OFFICE = "(?=(?:Chủ|CHỦ|Giám|GIÁM|Trưởng|TRƯỞNG|Bí|BÍ|Hiệu|HIỆU|Tổng|TỔNG|Chánh|CHÁNH|Viện|VIỆN|Cục|CỤC)\\b)"

_AT_NAME = [short for short in _DOTTED if short[-1] == "."]
_ANYWHERE = [short for short in _DOTTED if short[-1] != "."]
_NOT_CAPITALS = [word for word in _MEANINGS if word not in _DOTTED and not re.fullmatch(rf"[{_UPPER}]{{2,40}}", word)]
_MIXED = r"(?<![\w.@/-])[^\W\d_]{0,12}[a-zđ][A-ZĐ][^\W\d_]{0,12}(?![\w@/-]|\.\w)"

CONTEXT: tuple[Rule, ...] = (
    rule("acronym", r"(?<![\w.&-])[A-ZĐ]{2,7}(?![^\W_]|[-&][A-ZĐ])", _explained_here, OTHER),
    rule("abbreviation", rf"(?<![\w.])Q\. ?{_OFFICE}", always("quyền "), OTHER),
    rule("abbreviation", rf"(?<![\w.])KT\. ?{_OFFICE}", always("ký thay "), OTHER),
    rule("abbreviation", r"(?<![\w.])v\.v(?:\.+|…)?(?!\w)", always("vân vân"), OTHER),
    rule("acronym", rf"(?<![\w.&-]){one_of(list(_MEANINGS))}(?:(?<=\.)|(?![^\W\d_]|[-&][A-ZĐ]))", _meant, OTHER),
)

RULES: tuple[Rule, ...] = (
    rule(
        "acronym",
        rf"(?<![^\W\d_]){one_of(list(_ROADS))}\.?(?= ?[\d{FIGURE}])",
        lambda m: (_ROADS.get(m.group()) or _ROADS[m.group().rstrip(".")]) + " ",
        OTHER,
    ),
    rule("abbreviation", rf"(?<![\w.])T\.(?= ?[{_UPPER}][^\W\d_])", always("tỉnh "), OTHER),
    rule(
        "abbreviation",
        rf"(?<![\w./])(?P<short>{one_of(_ANYWHERE)})(?![^\W\d_])(?:\.(?= [{_UPPER}{MARKS}]))?",
        lambda m: _DOTTED[m["short"]],
        OTHER,
    ),
    rule(
        "abbreviation",
        rf"(?<![\w.]){one_of(_AT_NAME)}(?= ?[\w{MARKS}])",
        lambda m: _DOTTED[m.group()] + " ",
        OTHER,
    ),
    rule(
        "acronym",
        rf"(?<![^\W_]){one_of(list(_NUMBERED))}(?= ?-?[\d{FIGURE}{CODE}])",
        lambda m: _NUMBERED[m.group()] + " ",
        OTHER,
    ),
    rule("acronym", rf"(?=[{_INITIALS}])(?<![^\W\d_]){one_of(list(_WORDS))}(?![^\W_])", _known, OTHER),
    rule(
        "acronym",
        rf"(?=[{_INITIALS}])(?<![^\W\d_]){one_of(_LONG_WORDS)}(?=\d)",
        lambda m: _WORDS[m.group()] + " ",
        OTHER,
    ),
    rule(UNKNOWN, rf"(?<![^\W\d_])[{_UPPER}]{{2,40}}(?![^\W\d_])", _unknown, OTHER),
    rule(UNKNOWN, rf"(?<![\w.]){one_of(_NOT_CAPITALS)}(?:(?<=\.)|(?![^\W_]))", lambda m: m.group(), OTHER),
    rule(UNKNOWN, _MIXED, _mixed, OTHER),
)
