"""A commune's own readings: place names, people's names, words of other languages. They go before every rule.

- Whole words only, the longest entry first. An entry in small letters fits any case; one with a capital fits as it is
  written, and in capitals throughout (Nà Pàn, NÀ PÀN). Where the tone mark stands (hòa, hoà) does not count.
- A reading is words: figures in it are read by the rules, so that no digit survives.
- Entries that are empty, or only signs, are passed over. Work is in proportion to the text, whatever the entries.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from controller.newsroom.rules import MARKS
from controller.newsroom.syllables import placed
from controller.newsroom.tidy import tidy

MOST_CHARS = 80
_WORD_START = re.compile(r"(?<!\w)\w")
_END = object()

Found = tuple[int, int, str]


class Lexicon:
    """Readings made ready for search; ``read`` turns figures in a reading into words."""

    def __init__(self, readings: Mapping[str, str], read: Callable[[str], str]) -> None:
        self._as_written: dict[Any, Any] = {}
        self._any_case: dict[Any, Any] = {}
        for written, said in sorted(readings.items()):
            entry, words = one_line(written), one_line(said)
            if not (entry and words and entry[0].isalnum()) or len(entry) > MOST_CHARS:
                continue
            words = one_line(read(words)) if any(char.isnumeric() for char in words) else words
            for tree, form in self._forms(placed(entry)):
                _plant(tree, form, words)

    def find(self, text: str) -> list[Found]:
        """Where in ``text`` (tone marks as `placed`) entries stand, in order: start, end, reading."""
        if not (self._as_written or self._any_case):
            return []
        small = _small(text)
        found: list[Found] = []
        done = 0
        for match in _WORD_START.finditer(text):
            start = match.start()
            if start < done or text[start] in MARKS:
                continue
            longest = max(_walk(self._as_written, text, start), _walk(self._any_case, small, start))
            if longest[0]:
                done = longest[0]
                found.append((start, done, longest[1]))
        return found

    def _forms(self, entry: str) -> Iterable[tuple[dict[Any, Any], str]]:
        if entry == _small(entry):
            return [(self._any_case, entry)]
        return [(self._as_written, form) for form in {entry, unicodedata.normalize("NFC", entry.upper())}]


def one_line(text: str) -> str:
    """``text`` tidied, on one line."""
    return " ".join(tidy(text).split())


def _small(text: str) -> str:
    """Small letters, one for one, so that places stay the same."""
    return "".join(small if len(small := char.lower()) == 1 else char for char in text)


def _plant(tree: dict[Any, Any], entry: str, words: str) -> None:
    for char in entry:
        tree = tree.setdefault(char, {})
    tree.setdefault(_END, words)


def _walk(tree: dict[Any, Any], text: str, start: int) -> tuple[int, str]:
    """The end and the reading of the longest entry that stands at ``start`` as whole words; (0, "") for none."""
    longest = (0, "")
    for at in range(start, min(len(text), start + MOST_CHARS)):
        step = tree.get(text[at])
        if step is None:
            break
        tree = step
        ends = at + 1 == len(text) or not (text[at + 1].isalnum() or text[at + 1] == "_")
        if ends and _END in tree:
            longest = (at + 1, tree[_END])
    return longest
