"""Stretches of the calendar: quý I/2022, quý I-III, năm học 2025-2026, T2-T6, CN, SN 1990.

- Roman numerals in a row stand behind any word that counts with them (cấp IV-V, quý I, II).
- A school year and a harvest that spans two years are named by both, without "đến".
- T2 … T7 is a day of the week, T8 … T12 a month; T10/2026 is a month anyway (`dates`).
"""

from __future__ import annotations

import re

from controller.newsroom.numbers import cardinal, ordinal, whole
from controller.newsroom.roman import CASED, value
from controller.newsroom.rules import FIGURE, Rule, always, before, rule

_TWO_YEARS = re.compile(r"(?<!\w)(?:năm học|niên khóa|niên học|mùa giải|vụ(?: [^\W\d_]+){0,3}|đông xuân|đông - xuân)$")
_WEEKDAYS = range(2, 8)
_QUARTER = r"\b(?P<word>[Qq]uý|QUÝ|[Qq]uí|[Hh]ọc k[ỳì]|[Kk][ỳì]|[Đđ]ợt|[Tt]uần|[Nn]ửa năm|[Bb]ậc)"


def _quarter(match: re.Match[str]) -> str:
    return f"{match['word']} {whole(match['number'])} năm {cardinal(int(match['year']))}"


def _quarters(match: re.Match[str]) -> str | None:
    first, second = value(match["first"]), value(match["second"])
    if first is None or second is None:
        return None
    joined = {"-": " đến ", "–": " đến ", "đến": " đến ", "và": " và "}.get(match["joint"].strip(), ", ")
    year = f" năm {cardinal(int(match['year']))}" if match["year"] else ""
    return f"{match['word'] or match['other']} {cardinal(first)}{joined}{cardinal(second)}{year}"


def _between(match: re.Match[str]) -> str | None:
    first, second = value(match["first"]), value(match["second"])
    if first is None or second is None or first >= second:
        return None
    return f"{cardinal(first)} đến {cardinal(second)}"


def _school_year(match: re.Match[str]) -> str | None:
    first, second = int(match[1]), int(match[2])
    second += first // 100 * 100 if second < 100 else 0
    if second - first not in range(1, 7) or not _TWO_YEARS.search(before(match, 40)):
        return None
    return f"{cardinal(first)}, {cardinal(second)}"


def _weekday(match: re.Match[str]) -> str | None:
    number = int(match["number"])
    if number in _WEEKDAYS:
        return f"thứ {ordinal(number)}"
    return f"tháng {cardinal(number)}" if number <= 12 else None


RULES: tuple[Rule, ...] = (
    rule("quarter", rf"{_QUARTER} (?P<number>\d{{1,2}})[/-](?P<year>[12]\d{{3}})(?![\w/]|[.,]\d)", _quarter),
    rule(
        "quarter",
        rf"(?:{_QUARTER}|\b(?P<other>{CASED})) (?P<first>[IVX]{{1,5}})(?P<joint> ?[-–,] ?| và | đến )"
        r"(?P<second>[IVX]{1,5})(?: ?/ ?(?P<year>\d{4}))?(?![\w-]|\.[A-Z])",
        _quarters,
    ),
    rule("roman", r"(?<![\w.&/-])(?P<first>[IVX]{2,5})(?P<joint> ?[-–] ?)(?P<second>[IVX]{2,5})(?![\w-])", _between),
    rule("years", r"(?<![\w/.,-])([12]\d{3}) ?[-–—/] ?([12]\d{3}|\d\d)(?![\w/-]|[.,]\d)", _school_year),
    rule("weekday", rf"(?<![\w/.])(?:T|Th)\.?(?P<number>[2-9]|1[0-2])(?![\w{FIGURE}]|[.,/]\d|-[12]\d{{3}})", _weekday),
    rule("weekday", rf"(?:(?<={FIGURE}[-–])|(?<={FIGURE} [-–] )|(?<={FIGURE} & ))CN(?![^\W_])", always("chủ nhật")),
)
