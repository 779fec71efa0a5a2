"""Text cut where a reader breathes: for voices that take a limited length, and for pauses between sentences.

- Nothing is lost: the parts hold every word of the text, in order.
- A cut is made at a paragraph or sentence end; else behind , ; : or a dash; else at a blank; else anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]{0,3}\s+|\n+")
_BREATH = re.compile(r"(?<=[,;:–—])\s+")


def sentences(text: str) -> list[str]:
    """The sentences of ``text`` in order, without blank ones; a line end ends a sentence."""
    return [piece for piece in _split(_SENTENCE, text) if any(c.isalnum() for c in piece)]


def parts(text: str, most_chars: int) -> list[str]:
    """``text`` in pieces of at most ``most_chars`` (≥ 1) characters, whole sentences together where they fit."""
    if most_chars < 1:
        raise ValueError("a part holds at least one character")
    pieces = (piece for sentence in sentences(text) for piece in _fitting(sentence, most_chars))
    packed: list[str] = []
    for piece in pieces:
        if packed and len(packed[-1]) + 1 + len(piece) <= most_chars:
            packed[-1] = f"{packed[-1]} {piece}"
        else:
            packed.append(piece)
    return packed


def _split(pattern: re.Pattern[str], text: str) -> list[str]:
    pieces: list[str] = []
    done = 0
    for match in pattern.finditer(text):
        pieces.append((text[done : match.start()] + match.group().rstrip()).strip())
        done = match.end()
    return [piece for piece in [*pieces, text[done:].strip()] if piece]


def _fitting(sentence: str, most: int) -> Iterator[str]:
    if len(sentence) <= most:
        yield sentence
        return
    for breath in _split(_BREATH, sentence):
        if len(breath) <= most:
            yield breath
            continue
        for word in breath.split():
            yield from (word[at : at + most] for at in range(0, len(word), most))
