"""Short forms with a slash or a point inside: đ/c, Đ.c, b/c. Read before money and units take parts.

- "đ/c" is a comrade (gồm 15 đ/c), and an address where a colon follows a name or the beginning of a line, or a place.
- One letter, a slash, one letter is a short form (t/h, n/v); what the table `acronyms` does not know is spelt and
  flagged: most have several meanings. Behind a figure it may be a unit (5 g/l) and is none.
"""

from __future__ import annotations

import re

from controller.newsroom.acronyms import UNKNOWN
from controller.newsroom.rules import OTHER, Rule, before, data, one_of, rule
from controller.newsroom.syllables import letters

_SHORT = data("acronyms")["shorthand"]
_UNITS = ("m/s", "l/s", "l/h", "g/l")
_NAME_BEFORE = re.compile(r"(?:^|\n|[,.()–-] ?|(?<!\w)[A-ZÀ-ÝĂĐĨŨƠƯẠ-Ỹ][^\W\d_]* )$")
_PLACE_BEHIND = re.compile(r" (?:thôn|bản|xóm|tổ|ngõ|số nhà|số) [\dA-ZĐ]")


def _comrade(match: re.Match[str]) -> str:
    text, start, end = match.string, match.start(), match.end()
    named = text[end : end + 2].lstrip(" ")[:1] == ":" and _NAME_BEFORE.search(text[max(0, start - 12) : start])
    return "địa chỉ" if named or _PLACE_BEHIND.match(text, end, end + 14) else "đồng chí"


def _unknown(match: re.Match[str]) -> str | None:
    unit = match.group() in _UNITS or before(match, 3)[-1:].isdigit()
    return None if unit else letters(match.group())


RULES: tuple[Rule, ...] = (
    rule("abbreviation", r"(?<![^\W\d_])(?<![\w./]/)[Đđ](?:/[Cc]|\.c|[./]chí)(?![^\W\d_]|/)", _comrade, OTHER),
    rule("abbreviation", rf"(?<![\w./]){one_of(list(_SHORT))}(?![^\W_]|/)", lambda m: _SHORT[m.group()], OTHER),
    rule(UNKNOWN, r"(?<![\w./&-])[A-Za-zĐđ]/[A-Za-zĐđ](?![^\W_]|[/.-]\w)", _unknown, OTHER),
)
