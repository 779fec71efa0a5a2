"""Spoken Vietnamese text as the sounds that Kokoro was taught, syllable by syllable, each with the contour of its tone.

- The table is `kokoro.toml`: northern reading. Kokoro knows no Vietnamese; its signs are IPA, one character each.
- A word that is no Vietnamese syllable is read as the syllables nearest to it (`syllable.nearest`); what no reader here
  knows (other scripts) is left out.
- A breath is what Kokoro is given at once: at most `MOST_SIGNS`, cut between words.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from controller.studio.syllable import Syllable, nearest

MOST_SIGNS = 300  # Kokoro takes 510
_TABLE = Path(__file__).parent / "kokoro.toml"
_WORD_OR_MARK = re.compile(r"[^\W_]+|[,.;:!?…]")


class Spoken(NamedTuple):
    """A syllable: the signs of its first sound and of its rhyme, the contour (semitones), whether it ends in a stop.

    ``least`` is how many frames (25 ms) its rhyme lasts at the least.
    """

    onset: str
    rhyme: str
    contour: tuple[float, ...]
    stopped: bool
    least: int


Breath = list[Spoken | str]  # a text is a mark: , . ; : ! ? …


def breaths(text: str) -> list[Breath]:
    """``text`` as what is spoken in one go; none where nothing in it can be spoken."""
    found: list[Breath] = [[]]
    signs = 0
    for each in _spoken(text):
        length = 1 if isinstance(each, str) else len(each.onset) + len(each.rhyme) + 1
        if signs + length > MOST_SIGNS:
            found.append([])
            signs = 0
        if found[-1] or not isinstance(each, str):
            found[-1].append(each)
            signs += length
    return [breath for breath in found if breath]


def _spoken(text: str) -> Iterator[Spoken | str]:
    for word in _WORD_OR_MARK.findall(unicodedata.normalize("NFC", text)):
        if word[0].isalnum():
            yield from map(sounds, nearest(word))
        else:
            yield word


def sounds(its: Syllable) -> Spoken:
    """One syllable as Kokoro is told to speak it."""
    table = _table()
    onset = table["onsets"][its.onset]
    within = table["within"]["glide"] * its.glide + table["within"]["stress"]
    rhyme = table["rhymes"].get(f"{its.vowel}{its.coda}") or table["vowels"][its.vowel] + table["codas"][its.coda]
    kind = "stopped" if its.stopped and its.tone in table["stopped"] else "tones"
    least = int(table["least"]["stopped" if its.stopped else its.tone])
    return Spoken(onset, within + rhyme, tuple(map(float, table[kind][its.tone])), its.stopped, least)


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_TABLE.read_text("utf-8"))
