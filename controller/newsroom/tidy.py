"""Text made safe to keep: one spelling, no invisible characters, a limit.

- NFC; line ends are ``\\n``; control, bidirectional, private-use, enclosing and unassigned characters go; every kind of
  blank is a plain space; digits of other scripts become 0–9, Ⅳ becomes IV; at most one empty line in a row.
- Nothing that can be heard is changed: emoji and bullets stay here and are dropped by the reading rules, with a reason.
"""

from __future__ import annotations

import re
import unicodedata

from words import Said

MAX_CHARS = 20_000

_GONE = {"Cc", "Cf", "Cs", "Co", "Cn", "Me"}
_ROMAN = range(0x2160, 0x2180)  # Ⅳ: one character that stands for several letters
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_BLANKS = re.compile(r"  +")
_EDGES = re.compile(r"(?m)^ | $")
_EMPTY_LINES = re.compile(r"\n{3,}")


class NewsroomError(Said):
    """Text that the newsroom does not take."""


def _keep(char: str) -> str:
    if char == "\n" or (char.isascii() and char.isprintable()):
        return char
    if ord(char) in _ROMAN:
        return unicodedata.normalize("NFKC", char)
    category = unicodedata.category(char)
    if category in {"Zs", "Zl", "Zp"} or char == "\t":
        return " "
    if category in _GONE:
        return ""
    return str(unicodedata.digit(char)) if category == "Nd" else char


def tidy(text: str) -> str:
    """``text`` in one spelling (see the module). Never raises; linear in the length; idempotent."""
    lines = _LINE_ENDS.sub("\n", text)
    known = {char: _keep(char) for char in set(lines)}
    visible = unicodedata.normalize("NFC", "".join(map(known.__getitem__, lines)))
    stripped = _EDGES.sub("", _BLANKS.sub(" ", visible))
    return _EMPTY_LINES.sub("\n\n", stripped).strip()


def clean(text: str) -> str:
    """``text`` as it may be stored: tidy, at most ``MAX_CHARS`` characters.

    Raises NewsroomError (``newsroom.text_too_long``). Empty text is returned as it is: see `has_words`.
    """
    kept = tidy(text)
    if len(kept) > MAX_CHARS:
        raise NewsroomError("newsroom.text_too_long", chars=len(kept), most=MAX_CHARS)
    return kept


def has_words(text: str) -> bool:
    """Whether anything in ``text`` can be read aloud: at least one letter or digit."""
    return any(char.isalnum() for char in text)
