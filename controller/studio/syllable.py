"""A written Vietnamese syllable taken apart: first sound, glide, vowel, last sound, tone; each by a letter's name.

- Pure. What is no Vietnamese syllable is answered with None, or (`nearest`) with syllables like it.
- Letters that stand for one sound have one name: c, k, q are ``c``; gh is ``g``; ia, ya, yê are ``iê``; y is ``i``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from controller.newsroom.syllables import letters

TONES = {"\u0300": "huyền", "\u0301": "sắc", "\u0303": "ngã", "\u0309": "hỏi", "\u0323": "nặng"}
LEVEL = "ngang"
_ONSET = re.compile(r"ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnprstvx]|")
_RHYME = re.compile(
    r"(?P<glide>o(?=[aăe])|u(?=[âêyơ]))?"
    r"(?P<vowel>iê|yê|ia|ya|uô|ua|ươ|ưa|oo|[aăâeêioôơuưy])"
    r"(?P<coda>ch|ng|nh|[cmnptuioy]?)"
)
_ONE_ONSET = {"gh": "g", "ngh": "ng", "k": "c", "qu": "c"}
_ONE_VOWEL = {"yê": "iê", "ia": "iê", "ya": "iê", "ua": "uô", "ưa": "ươ", "oo": "o", "y": "i"}
_ONE_CODA = {"i": "i", "y": "i", "u": "u", "o": "u"}
_STOPS = ("c", "ch", "p", "t")
_FOREIGN = {"f": "ph", "j": "gi", "w": "u", "z": "d"}
_VOWELS = "aăâeêioôơuưy"
_LONGEST = 7  # letters of a syllable
_DIGITS = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"]


@dataclass(frozen=True, slots=True)
class Syllable:
    """One syllable; ``glide`` is the w of oa, uy and qu."""

    onset: str
    glide: bool
    vowel: str
    coda: str
    tone: str

    @property
    def stopped(self) -> bool:
        """Whether it ends in a stop: c, ch, p, t."""
        return self.coda in _STOPS


def apart(word: str) -> Syllable | None:
    """The syllable ``word``; None where it is not written like one."""
    if len(word) > _LONGEST:
        return None
    split = unicodedata.normalize("NFD", word.lower())
    tones = [TONES[char] for char in split if char in TONES]
    bare = unicodedata.normalize("NFC", "".join(char for char in split if char not in TONES))
    onset, rhyme = _cut(bare)
    found = _RHYME.fullmatch(rhyme)
    if not found or len(tones) > 1:
        return None
    vowel, coda = _ONE_VOWEL.get(found["vowel"], found["vowel"]), found["coda"]
    if vowel == "a" and coda in ("u", "y"):
        vowel = "ă"  # tay, tau: the short one
    coda = _ONE_CODA.get(coda, coda)
    glide = bool(found["glide"]) or onset == "qu"
    return Syllable(_ONE_ONSET.get(onset, onset), glide, vowel, coda, tones[0] if tones else LEVEL)


def _cut(bare: str) -> tuple[str, str]:
    """First letters, and the rest; the i of gi is a vowel too where there is no other (gì, giếng)."""
    found = _ONSET.match(bare)
    onset = found.group() if found else ""
    rhyme = bare[len(onset) :]
    if onset == "gi" and (not rhyme or rhyme[0] not in _VOWELS or rhyme[0] == "ê"):
        rhyme = f"i{rhyme}"
    return onset, rhyme


def nearest(word: str) -> list[Syllable]:
    """The syllables of ``word``; of a foreign word those that it is cut into, and the names of letters left over."""
    if whole := apart(word):
        return [whole]
    plain = unicodedata.normalize("NFC", word.lower())
    left = "".join(_FOREIGN.get(char, char) for char in plain)
    found: list[Syllable] = []
    while left:
        length = next((size for size in range(min(_LONGEST, len(left)), 0, -1) if apart(left[:size])), 0)
        said = [left[:length]] if length else _named(left[0])
        found += [each for each in map(apart, said) if each]
        left = left[max(length, 1) :]
    return found


def _named(char: str) -> list[str]:
    """The words for a letter or a digit; none for other signs and other scripts."""
    digit = unicodedata.digit(char, None)
    return [_DIGITS[digit]] if digit is not None else letters(char).split()
