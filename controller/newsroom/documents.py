"""Numbers of legal and office documents: 197/QĐ-UBND, 49/2024/NĐ-CP, 12-CT/TW, Nghị định 49/2024.

- The number and the year are figures joined by "trên"; the code is read from the tables `documents` (kinds of document)
  and `acronyms` (who issued it), else letter by letter.
"""

from __future__ import annotations

import re

from controller.newsroom.numbers import whole
from controller.newsroom.rules import CODE, Rule, before, data, rule
from controller.newsroom.syllables import letters

_KINDS = data("documents")["kinds"]
_ISSUERS = data("documents")["issuers"]
_CODE = r"[A-ZĐƯ][A-Za-zĐƯđ]{0,9}\d{0,3}"
_NAMED = re.compile(
    r"(?:nghị định|nghị quyết|thông tư|quyết định|chỉ thị|kế hoạch|công văn|luật|pháp lệnh|công điện)(?: số:?)?$"
)


def _word(code: str) -> str:
    acronyms = data("acronyms")["words"]
    if assembly := re.fullmatch(r"QH(\d{1,2})", code):
        return f"Quốc hội khóa {whole(assembly[1])}"
    for table in (_KINDS, _ISSUERS, acronyms):
        if code in table:
            return table[code]
    spelt = " ".join(letters(char) if char.isalpha() else whole(char) for char in re.findall(r"\d+|.", code))
    return _KINDS.get(code.upper()) or spelt


def code(text: str) -> str:
    """A document's code in words: ``QĐ-UBND`` → "quyết định Ủy ban nhân dân"."""
    return " ".join(_word(piece) for piece in re.split(r"[-/–]", text) if piece)


def _numbered(match: re.Match[str]) -> str:
    number, letter, year, rest = match.group("number", "letter", "year", "code")
    middle = f" trên {whole(year)}" if year else ""
    return f"{whole(number)}{' ' + letter if letter else ''}{middle} trên {code(rest)}"


def _party(match: re.Match[str]) -> str:
    return f"{whole(match['number'])} {code(match['code'])}"


def _year_only(match: re.Match[str]) -> str | None:
    return f"{whole(match[1])} trên {whole(match[2])}" if _NAMED.search(before(match)) else None


RULES: tuple[Rule, ...] = (
    rule(
        "document",
        rf"(?<![\w.,/])(?P<number>\d{{1,6}})(?P<letter>[a-z])?/(?:(?P<year>\d{{4}})/)?"
        rf"(?P<code>{_CODE}(?:[-–/]{_CODE}){{0,4}})(?![\w/])",
        _numbered,
        CODE,
    ),
    rule(
        "document",
        rf"(?<![\w.,/])(?P<number>\d{{1,5}})-(?P<code>[A-ZĐ]{{2,4}}/{_CODE}(?:[-–]{_CODE}){{0,3}})(?![\w/])",
        _party,
        CODE,
    ),
    rule("document", r"(?<![\w.,/])(\d{1,6})/((?:19|20)\d\d)(?![\w/])", _year_only, CODE),
)
