"""How much of what was said a listener wrote down wrongly: word and character error rates, and how sure they are.

- Pure: texts in, numbers out. Words are compared in spoken form (figures written out), without case or punctuation.
- Two spellings of one word are one word: where the tone mark stands (hoà, hòa), and a few pairs (kí, ký).
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from controller.newsroom import has_words, spoken

_TONES = "\u0300\u0301\u0303\u0309\u0323"
_ONE_SPELLING = {"ngàn": "nghìn", "kí": "ký", "kì": "kỳ", "kĩ": "kỹ", "lí": "lý", "mĩ": "mỹ"}
_RESAMPLED = 2000


@dataclass(frozen=True, slots=True)
class Heard:
    """One sentence: words wrong (put in, left out or replaced) of so many, and the same of its characters."""

    wrong_words: int
    words: int
    wrong_chars: int
    chars: int


def heard(said: str, written: str) -> Heard:
    """``said`` against what a listener wrote. ``said`` has at least one word."""
    reference, hypothesis = words(said), words(written)
    letters, guessed = " ".join(reference), " ".join(hypothesis)
    return Heard(distance(reference, hypothesis), len(reference), distance(letters, guessed), len(letters))


def words(text: str) -> list[str]:
    """The words of ``text`` as they are compared."""
    if not has_words(text):
        return []
    plain = spoken(unicodedata.normalize("NFC", text)).text.lower()
    return [_tone_last(_ONE_SPELLING.get(word, word)) for word in re.findall(r"\w+", plain)]


def _tone_last(word: str) -> str:
    """The word with its tone mark behind all letters, so that two places of it compare equal."""
    split = unicodedata.normalize("NFD", word)
    tone = "".join(char for char in split if char in _TONES)
    bare = "".join(char for char in split if char not in _TONES)
    return unicodedata.normalize("NFC", bare) + tone


def distance(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """The fewest items to put in, leave out or replace (Levenshtein, 1966)."""
    row = list(range(len(other) + 1))
    for at, item in enumerate(one, 1):
        corner, row[0] = row[0], at
        for column, its in enumerate(other, 1):
            corner, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, corner + (item != its))
    return row[-1]


def word_error(sentences: Sequence[Heard]) -> float:
    """Wrong words for each word said, over all ``sentences`` together (at least one)."""
    return sum(each.wrong_words for each in sentences) / sum(each.words for each in sentences)


def char_error(sentences: Sequence[Heard]) -> float:
    """The same of characters."""
    return sum(each.wrong_chars for each in sentences) / sum(each.chars for each in sentences)


def fewer(better: Sequence[Heard], worse: Sequence[Heard]) -> float:
    """By what share ``better`` has fewer wrong words than ``worse`` on the same sentences; 0.25: a quarter fewer."""
    return 1 - word_error(better) / max(word_error(worse), 1e-9)


def interval(
    better: Sequence[Heard],
    worse: Sequence[Heard],
    of: Callable[[Sequence[Heard], Sequence[Heard]], float] = fewer,
) -> tuple[float, float]:
    """95 % of ``of`` over sentences drawn again, in pairs (bootstrap; Bisani and Ney, ICASSP 2004)."""
    drawn = random.Random(1)  # the same sentences give the same interval
    pairs = list(zip(better, worse, strict=True))
    found = []
    for _ in range(_RESAMPLED):
        ones, others = zip(*drawn.choices(pairs, k=len(pairs)), strict=True)
        found.append(of(ones, others))
    found.sort()
    return found[int(0.025 * _RESAMPLED)], found[int(0.975 * _RESAMPLED) - 1]
