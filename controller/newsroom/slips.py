"""Slips of the keyboard: Telex and VNI that stayed as they were typed (thoong baos, tho6ng ba1o).

- A word is a slip when it is no Vietnamese syllable as it stands, and is one when its keys are taken for what they
  mean. It is reported with that suggestion; the text is not changed, since a name may look like one.
- Foreign words that look like slips (gas, box) are in the table `foreign` or in `slips.toml`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from controller.newsroom import foreign
from controller.newsroom.rules import data
from controller.newsroom.syllables import is_syllable

_TELEX_TONES = {"s": "\u0301", "f": "\u0300", "r": "\u0309", "x": "\u0303", "j": "\u0323"}
_VNI_TONES = {"1": "\u0301", "2": "\u0300", "3": "\u0309", "4": "\u0303", "5": "\u0323"}
_TELEX_LETTERS = (("uow", "ươ"), ("aa", "â"), ("ee", "ê"), ("oo", "ô"), ("aw", "ă"), ("ow", "ơ"), ("uw", "ư"))
_VNI_LETTERS = (
    ("uo7", "ươ"), ("u7o7", "ươ"), ("a6", "â"), ("e6", "ê"), ("o6", "ô"), ("a8", "ă"), ("o7", "ơ"), ("u7", "ư"),
)  # fmt: skip
_WORD = re.compile(r"(?<![\w.@/-])[^\W_]{2,9}(?![\w@/-]|\.\w)")
_TELEX_TONE = re.compile(r"^(?P<head>[^\W\d_]*?[aeiouyăâêôơư])(?P<tail>(?:ch|ng|nh|[cmnpt])?)(?P<key>[sfrxj])$")
_TELEX_TONE_INSIDE = re.compile(r"^(?P<head>[^\W\d_]*?[aeiouyăâêôơư])(?P<key>[sfrxj])(?P<tail>ch|ng|nh|[cmnpt])$")
_VNI_TONE = re.compile(r"^(?P<head>[^\W_]*?)(?P<key>[1-5])(?P<tail>[^\W\d_]{0,4})$")
SYLLABLE = "syllable"
_RARE = re.compile(r"oo(?:ng|c)$")  # xoong, boong: syllables in shape, slips nearly always


@dataclass(frozen=True, slots=True)
class Slip:
    """``text[start:end]`` was probably meant to be ``meant``; ``keys`` is ``telex`` or ``vni``.

    With ``syllable`` it is none that Vietnamese has, and nobody knows what was meant: ``meant`` is empty.
    """

    start: int
    end: int
    meant: str
    keys: str


def find(text: str) -> list[Slip]:
    """Every probable slip in ``text``, in order. A slip is found once for each word; other words are not touched."""
    known: dict[str, tuple[str, str] | None] = {}
    slips = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word not in known:
            known[word] = _meant(word)
        if meant := known[word]:
            slips.append(Slip(match.start(), match.end(), *meant))
    return slips


def _meant(word: str) -> tuple[str, str] | None:
    small = word.lower()
    if word[1:] != small[1:] or foreign.known(small) or small in data("slips")["words"]:
        return None
    if is_syllable(small) and not _RARE.search(small):
        return None
    keys, read = ("vni", _vni) if any(char.isdigit() for char in small) else ("telex", _telex)
    meant = read(small)
    if meant is None or meant == small or not is_syllable(meant):
        return ("", SYLLABLE) if _is_misspelt(small) else None
    return (meant.capitalize() if word[0].isupper() else meant), keys


def _is_misspelt(word: str) -> bool:
    """Whether a word with Vietnamese marks is built as no syllable is; names of the highlands end in k (Đắk Lắk)."""
    marked = not word.isascii() and all("LATIN" in unicodedata.name(char, "") for char in word)
    return marked and not word.endswith("k") and not any(char in "fjwz" for char in word)


def _telex(word: str) -> str | None:
    if not word.isascii():
        return None
    letters = ("đ" + word.replace("d", "", 2)) if word.startswith("dd") else _d_at_end(word)
    for typed, meant in _TELEX_LETTERS:
        letters = letters.replace(typed, meant, 1)
    toned = _TELEX_TONE.match(letters) or _TELEX_TONE_INSIDE.match(letters)
    return _toned(toned["head"], toned["tail"], _TELEX_TONES[toned["key"]]) if toned else letters


def _d_at_end(word: str) -> str:
    """The second d may be typed last: dod is đo."""
    return "đ" + word[1:-1] if len(word) > 2 and word[0] == word[-1] == "d" else word


def _vni(word: str) -> str | None:
    if word[0].isdigit() or len([char for char in word if char.isalpha()]) < 2:
        return None
    letters = word.replace("d9", "đ", 1)
    if letters.endswith("9") and letters.startswith("d"):
        letters = "đ" + letters[1:-1]
    for typed, meant in _VNI_LETTERS:
        letters = letters.replace(typed, meant, 1)
    toned = _VNI_TONE.match(letters)
    meant = _toned(toned["head"], toned["tail"], _VNI_TONES[toned["key"]]) if toned else letters
    return None if any(char.isdigit() for char in meant) else meant


def _toned(head: str, tail: str, tone: str) -> str:
    """The syllable ``head + tail`` with a tone over the vowel that bears it in the older spelling."""
    begin = re.match(r"(?:qu|gi(?=[aeouăâêôơư])|[^aeiouyăâêôơư]*)", head)
    onset = begin.group() if begin else ""
    last = re.search(r"[aeiouyăâêôơư]+[^aeiouyăâêôơư]*$", head[len(onset) :])
    vowels, rest = (head[len(onset) :], "") if last else ("", "")
    closed = bool(tail or rest) or head[-1:] not in "aeiouyăâêôơư"
    at = _bearer(vowels, closed)
    marked = vowels[: at + 1] + tone + vowels[at + 1 :]
    return unicodedata.normalize("NFC", onset + marked + rest + tail)


def _bearer(vowels: str, closed: bool) -> int:
    """Which of the vowels bears the tone mark."""
    for marked in "ơêâôăư":
        if marked in vowels:
            return vowels.rindex(marked)
    open_diphthong = len(vowels) == 2 and not closed
    return 0 if len(vowels) == 1 or open_diphthong else 1
