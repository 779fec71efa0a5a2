"""Vietnamese letters and syllables: to spell capitals out, and to tell a word in capitals from an acronym."""

from __future__ import annotations

import re
import unicodedata

_NAMES = {
    "A": "a",
    "Ă": "á",
    "Â": "ớ",
    "B": "bê",
    "C": "xê",
    "D": "dê",
    "Đ": "đê",
    "E": "e",
    "Ê": "ê",
    "F": "ép",
    "G": "giê",
    "H": "hát",
    "I": "i",
    "J": "gi",
    "K": "ca",
    "L": "e lờ",
    "M": "em mờ",
    "N": "en nờ",
    "O": "o",
    "Ô": "ô",
    "Ơ": "ơ",
    "P": "pê",
    "Q": "quy",
    "R": "e rờ",
    "S": "ét sì",
    "T": "tê",
    "U": "u",
    "Ư": "ư",
    "V": "vê",
    "W": "vê kép",
    "X": "ích",
    "Y": "i",
    "Z": "dét",
}
_SYLLABLE = re.compile(
    r"(?:ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnpqrstvx])?"
    r"(?:uyê|uya|uye|oai|oay|oeo|uây|uôi|ươi|ươu|iêu|yêu|oao|uyu|oă|oa|oe|uâ|uê|uy|uơ|uô|ươ|iê|yê|ia|ya|ua|ưa|ai|ao|au|ay"
    r"|âu|ây|eo|êu|iu|oi|ôi|ơi|ui|ưi|ưu|oo|[aăâeêioôơuưy])"
    r"(?:ch|ng|nh|[cmnptu])?"
)
_BARE_SYLLABLE = re.compile(_SYLLABLE.pattern.translate(str.maketrans("đăâêôơư", "daaeoou")))
_TONES = dict.fromkeys(map(ord, "\u0300\u0301\u0303\u0309\u0323"))


def letters(text: str) -> str:
    """The names of the letters of ``text``; a character that is no letter is left out."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text.upper()).translate(_TONES))
    return " ".join(_NAMES[char] for char in plain if char in _NAMES)


def is_syllable(word: str) -> bool:
    """Whether ``word`` (any case) is built like a Vietnamese syllable."""
    if len(word) > 7:
        return False
    apart = unicodedata.normalize("NFD", word.lower())
    plain = unicodedata.normalize("NFC", apart.translate(_TONES))
    stopped = plain.endswith(("p", "t", "c", "ch")) and not ({"\u0301", "\u0323"} & set(apart))
    return not stopped and _SYLLABLE.fullmatch(plain) is not None


def is_bare_syllable(word: str) -> bool:
    """Whether ``word`` (any case) is built like a Vietnamese syllable written without any mark (nguoi, duong, tiem)."""
    return len(word) <= 7 and _BARE_SYLLABLE.fullmatch(word.lower()) is not None


_OLD, _NEW = "òa óa ỏa õa ọa òe óe ỏe õe ọe ùy úy ủy ũy ụy", "oà oá oả oã oạ oè oé oẻ oẽ oẹ uỳ uý uỷ uỹ uỵ"
_PLACES = {new: old for old, new in zip(_OLD.split(), _NEW.split(), strict=True)}
_PLACES |= {new.upper(): old.upper() for new, old in _PLACES.items()}
_PLACES |= {new.capitalize(): old.capitalize() for new, old in _PLACES.items() if new.islower()}
_PLACED_NEW = re.compile(rf"(?<![qQ])(?:{'|'.join(_PLACES)})(?![^\W\d_])")


def placed(text: str) -> str:
    """``text`` (NFC) with the tone mark of open oa, oe, uy where the older spelling has it; as long as before."""
    return _PLACED_NEW.sub(lambda match: _PLACES[match.group()], text)
