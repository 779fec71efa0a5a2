"""Numbers of legal and office documents: 197/QĐ-UBND, 49/2024/NĐ-CP, 12-CT/TW, Nghị định 49/2024, TT 39/2020/TT-BTTTT.

- The number and the year are figures joined by "trên"; the code is read from the tables `documents` (kinds of document)
  and `acronyms` (who issued it). What no table knows is spelt letter by letter, and flagged.
- Letters before the number that the code says again (TT 39/2020/TT-…) are that kind. Where the kind stands in words
  before the number, letters that may mean it mean it (Quy định 144-QĐ/TW, Lệnh số 01/L-CTN).
"""

from __future__ import annotations

import re

from controller.newsroom.acronyms import UNKNOWN
from controller.newsroom.numbers import whole
from controller.newsroom.rules import CODE, OTHER, Rule, Say, before, data, entries, one_of, rule
from controller.newsroom.syllables import letters

_KINDS = data("documents")["kinds"]
_ALSO = {entry["spoken"]: entry["written"] for entry in entries("documents", "named")}
_ISSUERS = data("documents")["issuers"]
_HEADS = data("documents")["heads"]
_TAILS = data("documents")["tails"]
_CODE = r"[A-ZĐƯ](?:[A-Za-zĐƯđ]|&(?=[A-ZĐ])){0,9}\d{0,3}"
_NAMED = re.compile(
    r"(?:nghị định|nghị quyết|thông tư|quyết định|chỉ thị|kế hoạch|công văn|luật|pháp lệnh|công điện)(?: số:?)?$"
)
_NAMED_KIND = re.compile(rf"(?<!\w)(?P<kind>{one_of(list(_ALSO))})(?: số:?)?$")
_TAILED = re.compile(rf"(?P<head>.+?)(?P<tail>{one_of(list(_TAILS))})")
_ASSEMBLY = re.compile(r"(?P<who>QH|UBTVQH)(?P<term>\d{1,2})")


def _known(code: str) -> str | None:
    """What a piece of a code means, by table; an issuer may be written together with whose office it is (UBKTTW)."""
    if assembly := _ASSEMBLY.fullmatch(code):
        return f"{_ISSUERS[assembly['who']]} khóa {whole(assembly['term'])}"
    for table in (_KINDS, _ISSUERS, data("acronyms")["words"]):
        if code in table:
            return table[code]
    if "&" in code:
        parts = [_known(part) for part in code.split("&")]
        return " và ".join(map(str, parts)) if all(parts) else None
    if tailed := _TAILED.fullmatch(code):
        head = _HEADS.get(tailed["head"]) or _ISSUERS.get(tailed["head"])
        return f"{head} {_TAILS[tailed['tail']]}" if head else None
    return _KINDS.get(code.upper())


def _word(code: str) -> str:
    return _known(code) or " ".join(
        letters(char) if char.isalpha() else "và" if char == "&" else whole(char) for char in re.findall(r"\d+|.", code)
    )


def _pieces(code: str) -> list[str]:
    return [piece for piece in re.split(r"[-/–]", code) if piece]


def code(text: str, named: str = "") -> str:
    """A document's code in words: ``QĐ-UBND`` → "quyết định Ủy ban nhân dân"; its kind may be ``named`` before it."""
    first, *rest = _pieces(text)
    kind = named if _ALSO.get(named) == first else _word(first)
    return " ".join([kind, *map(_word, rest)])


def _kind_before(match: re.Match[str]) -> str:
    found = _NAMED_KIND.search(before(match))
    return found["kind"] if found else ""


def _numbered(match: re.Match[str]) -> str:
    number, letter, year, rest = match.group("number", "letter", "year", "code")
    middle = f" trên {whole(year)}" if year else ""
    return f"{whole(number)}{' ' + letter if letter else ''}{middle} trên {code(rest, _kind_before(match))}"


def _party(match: re.Match[str]) -> str:
    return f"{whole(match['number'])} {code(match['code'], _kind_before(match))}"


def _year_only(match: re.Match[str]) -> str | None:
    return f"{whole(match[1])} trên {whole(match[2])}" if _NAMED.search(before(match)) else None


def _if_known(say: Say) -> Say:
    return lambda match: say(match) if all(map(_known, _pieces(match["code"]))) else None


def _both(pattern: str, say: Say) -> tuple[Rule, Rule]:
    """A code that the tables know whole, and one that a person is asked about."""
    return rule("document", pattern, _if_known(say), CODE), rule(UNKNOWN, pattern, say, CODE)


RULES: tuple[Rule, ...] = (
    rule(
        "document",
        rf"(?<![\w.&/-])(?P<kind>{one_of(list(_KINDS))})"
        r"(?= (?:số:? ?)?\d{1,6}[a-z]?(?:/\d{4})?[-/](?P=kind)(?![^\W_]))",
        lambda match: _KINDS[match["kind"]],
        OTHER,
    ),
    *_both(
        rf"(?<![\w.,/])(?P<number>\d{{1,6}})(?P<letter>[a-z])?/(?:(?P<year>\d{{4}})/)?"
        rf"(?P<code>{_CODE}(?:[-–/]{_CODE}){{0,4}})(?![\w/])",
        _numbered,
    ),
    *_both(
        rf"(?<![\w.,/])(?P<number>\d{{1,5}})-(?P<code>[A-ZĐ]{{1,4}}/{_CODE}(?:[-–]{_CODE}){{0,3}})(?![\w/])",
        _party,
    ),
    rule("document", r"(?<![\w.,/])(\d{1,6})/((?:19|20)\d\d)(?![\w/])", _year_only, CODE),
)
