"""What no Vietnamese voice can read aright: other scripts, other languages, Vietnamese without its accents.

- It is reported to the author, never changed: a name may be foreign, a song may be in English.
- A stretch is judged sentence by sentence; one of a few words says too little to judge.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from controller.newsroom import foreign
from controller.newsroom.syllables import is_bare_syllable, is_syllable

SCRIPT, LANGUAGE, ACCENTLESS = "script", "language", "accentless"
LEAST_WORDS = 5
MOST_VIETNAMESE_SHARE = 0.5
LEAST_BARE_SHARE = 0.85  # a name or a word of another language may stand among them
_SENTENCE = re.compile(r"[^.!?\n…]+")
_WORD = re.compile(r"[^\W\d_]+")
_NUMERALS = r"\u2070-\u209c\u2150-\u218b\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf"
_STRANGE = rf"[^\W\d_A-Za-z\u00aa-\u024f\u1e00-\u1eff\u0300-\u036f{_NUMERALS}]+"
_OTHER_SCRIPT = re.compile(rf"{_STRANGE}(?:[\s,]+{_STRANGE})*")


@dataclass(frozen=True, slots=True)
class Stranger:
    """``text[start:end]`` is ``why``: ``script`` (other letters), ``language``, or ``accentless``."""

    start: int
    end: int
    why: str


def find(text: str) -> list[Stranger]:
    """Every stretch that is not Vietnamese as it should be written, in order."""
    known: dict[str, bool] = {}
    found = [Stranger(*match.span(), SCRIPT) for match in _OTHER_SCRIPT.finditer(text)]
    for sentence in _SENTENCE.finditer(text):
        found += _judged(text, sentence, known)
    return sorted(found, key=lambda each: each.start)


def _judged(text: str, sentence: re.Match[str], known: dict[str, bool]) -> Iterator[Stranger]:
    words = [word for word in _WORD.finditer(text, *sentence.span()) if _counts(word.group())]
    if len(words) < LEAST_WORDS:
        return
    where = words[0].start(), words[-1].end()
    unmarked = all(word.group().isascii() for word in words)
    if unmarked and sum(is_bare_syllable(word.group()) for word in words) >= len(words) * LEAST_BARE_SHARE:
        yield Stranger(*where, ACCENTLESS)
    elif sum(_is_native(word.group(), known) for word in words) < len(words) * MOST_VIETNAMESE_SHARE:
        yield Stranger(*where, LANGUAGE)


def _counts(word: str) -> bool:
    """Whether a word tells of the language: capitals may be an acronym, a known loan is read by table."""
    latin = unicodedata.name(word[0], "").startswith("LATIN")
    return latin and len(word) > 1 and not word.isupper() and not foreign.known(word)


def _is_native(word: str, known: dict[str, bool]) -> bool:
    if word not in known:
        known[word] = is_syllable(word)
    return known[word]
