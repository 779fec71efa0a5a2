"""Diction: which sounds espeak-ng makes of a Vietnamese syllable, where its own choice is hard to understand.

- espeak-ng says itself which sounds it would make of each word (``-x``); here some of them are exchanged for others of
  its own, and the word is handed back as sounds (``[[k'i3n^]]``). What is not a Vietnamese syllable stays as it was.
- Every exchange was chosen by measurement on sentences of the bench (`bench/RESULTS.md`, intelligibility), with a
  recogniser, not with people.
- The names of sounds are espeak-ng's own (``phontab`` of 1.51 and 1.52, table ``vi``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# first letters -> first sound
ONSETS: dict[str, str] = {"đ": "d[", "gi": "z;", "r": "R", "g": "g", "c": "q", "ch": "_tS", "nh": "n;"}
# last sound -> another; that of the letters ch is "ch" here
CODAS: dict[str, str] = {"c": "q"}
# vowel -> another
VOWELS: dict[str, str] = {"o": "O+"}
# (vowel, last sound) -> others
RHYMES: dict[tuple[str, str], tuple[str, str]] = {("a", "j"): ("aI", ""), ("e-", "n^"): ("aI", "n^")}

_WORD = re.compile(r"\w+")
_PAUSES = ",.;:!?…\n"
_LETTERS = re.compile(r"[a-zàáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ]+")
_ONSET = re.compile(r"ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnprstvx]|")
_SYLLABLE = re.compile(r"([^',()1-7]*)([',])([^',()1-7]+)([1-7])([^',()1-7]*)")  # onset, stress, vowel, tone, coda
_READABLE = re.compile(r"[\w\s.,;:!?…()–—-]*")
_QUOTES, _ASIDE, _PILED = re.compile(r"[\"'“”‘’«»]+"), re.compile(r"\s*[()–—]+"), re.compile(r"(?:,\s*)+(?=[,.;:!?…])")
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_LEVEL, _LEVEL_AT_END = "1", "7"


@dataclass(frozen=True, slots=True)
class Syllable:
    """One syllable in espeak-ng's names of sounds, and the letters that it was written with, without its tone."""

    letters: str
    onset: str
    stress: str
    vowel: str
    tone: str
    coda: str


def words(text: str) -> list[str]:
    """The words of ``text`` that may be Vietnamese, each once, in small letters."""
    found = (word.lower() for word in _WORD.findall(unicodedata.normalize("NFC", text)))
    return [word for word in dict.fromkeys(found) if _LETTERS.fullmatch(word)]


def syllables(asked: Iterable[str], said: str) -> dict[str, Syllable]:
    """What espeak-ng ``said`` of the words ``asked`` for, a line each; only what is one Vietnamese syllable.

    Empty where there are more or fewer lines than words, so that no word gets the sounds of another.
    """
    names, lines = list(asked), [line.strip() for line in said.splitlines() if line.strip()]
    if len(names) != len(lines):
        return {}
    return {word: found for word, line in zip(names, lines, strict=True) if (found := _syllable(word, line))}


def _syllable(word: str, said: str) -> Syllable | None:
    found = _SYLLABLE.fullmatch(said.removesuffix("|").rstrip("_"))
    if not found:
        return None
    bare = "".join(char for char in unicodedata.normalize("NFD", word) if char not in _TONES)
    return Syllable(unicodedata.normalize("NFC", bare), *found.groups())


def dictated(text: str, known: Mapping[str, Syllable]) -> str:
    """``text`` with each word that is ``known`` as sounds; as it was where it has signs that would get lost (%, &)."""
    plain = _QUOTES.sub(" ", unicodedata.normalize("NFC", text))
    if not _READABLE.fullmatch(plain):
        return text
    plain = _PILED.sub("", _ASIDE.sub(", ", plain))

    def sounds(match: re.Match[str]) -> str:
        syllable = known.get(match.group().lower())
        return f"[[{_sounds(syllable, _ends(plain, match.end()))}]]" if syllable else match.group()

    return _WORD.sub(sounds, plain)


def _ends(text: str, at: int) -> bool:
    """Whether a pause follows the word that ends ``at``."""
    after = _WORD.search(text, at)
    return not after or any(char in _PAUSES for char in text[at : after.start()])


def _sounds(its: Syllable, at_end: bool) -> str:
    first = _ONSET.match(its.letters)
    glide = "w" if its.onset.endswith("w") and its.onset != "w" else ""
    onset = ONSETS.get(first.group(), "") if first and its.onset != "w" else ""
    coda = "ch" if its.letters.endswith("ch") else its.coda
    tone = _LEVEL if its.tone == _LEVEL_AT_END and not at_end else its.tone
    vowel, coda = RHYMES.get((its.vowel, coda), (VOWELS.get(its.vowel, its.vowel), CODAS.get(coda, its.coda)))
    return f"{onset + glide if onset else its.onset}{its.stress}{vowel}{tone}{coda}"
