"""Roman numerals, where a word before them says that they are: quý I/2022, thế kỷ XV, khóa XI, Quân khu I.

- Behind a figure and a dash they are a step of a norm (RON95-III).
- Capitals of two letters or more stand for a number without such a word too, unless they are an acronym or before a
  word in capitals; small letters need the word before and the end of the phrase (or another such word) behind.
"""

from __future__ import annotations

import re

from controller.newsroom.numbers import cardinal, ordinal
from controller.newsroom.rules import Rule, data, rule
from controller.newsroom.syllables import letters

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_LETTERS = frozenset("CDLM")
_CANONICAL = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_WORDS = (
    "quý|thế kỷ|thế kỉ|thứ|lần|phần|mục|chương|điều|khoản|điểm|đoạn|phụ lục|khóa|khoá|kỳ|kì|năm|số|hạng|loại|cấp|"
    "vùng|khu|quyển|tập|bậc|giai đoạn|vòng|đợt|nhóm|bảng|báo động|cấp độ|tiểu mục|học kỳ|nhiệm kỳ|đại hội|"
    "hội nghị|quân khu|quân đoàn|khu vực|mức"
)
CASED = "(?:" + "|".join(f"[{w[0].upper()}{w[0]}]{w[1:]}|{w.upper()}" for w in _WORDS.split("|")) + ")"


def value(text: str) -> int | None:
    """The value of a canonical Roman numeral (any case), 1–3999; None for anything else."""
    upper = text.upper()
    if not upper or not _CANONICAL.fullmatch(upper):
        return None
    numbers = [_VALUES[char] for char in upper]
    following = [*numbers[1:], 0]
    return sum(-one if one < next_ else one for one, next_ in zip(numbers, following, strict=True))


def _named(match: re.Match[str]) -> str | None:
    number = value(match["roman"])
    if number is None:
        return None
    word = match["word"]
    if match["roman"].upper() in _LETTERS:  # hạng C, khu D, điểm c: these name, they do not count
        return f"{word} {letters(match['roman'])}"
    said = ordinal(number) if word.lower() == "thứ" else cardinal(number)
    year = match.groupdict().get("year")
    return f"{word} {said}" + (f" năm {cardinal(int(year))}" if year else "")


def _alone(match: re.Match[str]) -> str | None:
    number = value(match.group())
    if number is None or match.group() in data("acronyms")["words"]:
        return None
    after = match.string[match.end() : match.end() + 12].lstrip(" ")
    word = re.match(r"[^\W\d_]{2,}", after)
    return None if word and word.group().isupper() else cardinal(number)


def _step(match: re.Match[str]) -> str | None:
    number = value(match.group()[1:])
    return None if number is None else f" {cardinal(number)}"


_NOT_JOINED = r"(?![\w]|-[A-ZĐ])"
RULES: tuple[Rule, ...] = (
    rule(
        "roman",
        rf"\b(?P<word>{CASED}) (?P<roman>[IVXLCDM]{{1,15}}) ?[/–-] ?(?P<year>[12]\d{{3}})(?![\w/]|[.,]\d)",
        _named,
    ),
    rule("roman", rf"\b(?P<word>{CASED}) (?P<roman>[IVXLCDM]{{1,15}}){_NOT_JOINED}(?!\.[A-Z])", _named),
    rule("roman", rf"\b(?P<word>{CASED}) (?P<roman>[ivxlcdm]{{1,15}})(?!\w)(?= ?(?:$|[.,;:!?)\n]| {CASED}\b))", _named),
    rule("roman", r"(?m)^(?P<roman>[IVX]{1,6})(?=[.)] )", lambda m: ((n := value(m.group())) and cardinal(n)) or None),
    rule("roman", r"(?:(?<=RON\d\d)-[IVX]{1,5}|(?<=\d)-[IVX]{2,5})(?![\w/-])", _step),
    rule("roman", rf"(?<![\w.&/-])[IVX]{{2,7}}{_NOT_JOINED}", _alone),
)
