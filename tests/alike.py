"""When two readings are the same to a listener: the equivalence by which tables of readings are judged.

- Dialect: linh/lẻ, nghìn/ngàn, tư/bốn, tỷ/tỉ, kỷ/kỉ; "không trăm" said or not before linh or tens (hai nghìn
  không trăm hai mươi lăm, hai nghìn hai mươi lăm); "phút" said or not behind the minutes of a time
  of day (bảy giờ ba mươi).
- Spelling: where the tone mark stands (hòa, hoà). Punctuation is a pause and not a word; capitals are not heard.
"""

from __future__ import annotations

import re
import unicodedata

_DIALECT = {"lẻ": "linh", "ngàn": "nghìn", "bốn": "tư", "tỉ": "tỷ", "kỉ": "kỷ"}
_TONES = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}


def alike(reading: str) -> str:
    """``reading`` in one form; two readings that a listener takes for the same are equal in it."""
    words = re.sub(r"[^\w\s]+", " ", unicodedata.normalize("NFC", reading.lower())).split()
    text = " ".join(_DIALECT.get(word, word) for word in words)
    text = re.sub(r"\bkhông trăm (?=linh|mười|\w+ mươi)", "", text)
    text = re.sub(r"(?<= giờ)((?: \w+){1,3}?) phút\b", r"\1", text)
    return " ".join(_toneless_places(word) for word in text.split())


def _toneless_places(word: str) -> str:
    apart = unicodedata.normalize("NFD", word)
    plain = unicodedata.normalize("NFC", "".join(char for char in apart if char not in _TONES))
    return plain + "".join(char for char in apart if char in _TONES)
