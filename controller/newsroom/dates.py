"""Dates as offices write them: 24/11/2025, 24-11-2025, 2025-11-24, 30/4, 11/2025, tháng 4, quý 3/2025.

- A day and month alone (2/9) is a date behind a word that calls for one, in a range of days, as a known feast, or where
  it cannot be a fraction of single digits; 12/15 is no date.
- "ngày" is said where it was not written.
"""

from __future__ import annotations

import re

from controller.newsroom.numbers import cardinal, whole
from controller.newsroom.rules import FIGURE, Rule, always, before, rule

_HAS_DAY = re.compile(rf"(?:ngày|mùng|mồng|hôm|rằm|ngày lễ|\d ?[-–—]|{FIGURE} ?[-–—]|\d,|\d và)$")
_CALLS_FOR_DATE = re.compile(
    r"(?:ngày|mùng|mồng|hôm|sáng|trưa|chiều|tối|đêm|dịp|lễ|từ|đến|tới|trước|sau|qua|nay|mai|hết|kể từ|tết|vào|hạn"
    rf"|phút|giờ|[\d{FIGURE}] ?[-–—]|[\d{FIGURE}][,;]|[\d{FIGURE}] và|thứ \w{{2,4}},?|chủ nhật,?|\()$"
)
_FEASTS = {
    (3, 2), (8, 3), (10, 3), (26, 3), (30, 4), (1, 5), (7, 5), (15, 5), (19, 5), (1, 6), (5, 6), (27, 7), (19, 8),
    (2, 9), (5, 9), (13, 10), (15, 10), (20, 10), (18, 11), (20, 11), (22, 12), (25, 12), (1, 1),
}  # fmt: skip
_YEARS = range(1000, 3000)


def _month(month: int) -> str:
    return "tháng tư" if month == 4 else f"tháng {cardinal(month)}"


def _day(match: re.Match[str], day: int) -> str:
    return cardinal(day) if _HAS_DAY.search(before(match)) else f"ngày {cardinal(day)}"


def _full(match: re.Match[str]) -> str | None:
    day, month, year = int(match["day"]), int(match["month"]), int(match["year"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    return f"{_day(match, day)} {_month(month)} năm {cardinal(year)}"


def _day_month(match: re.Match[str]) -> str | None:
    day, month = int(match["day"]), int(match["month"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    called = _CALLS_FOR_DATE.search(before(match)) is not None
    plain_fraction = max(day, month) < 10 and "0" not in match.group()
    mixed = re.search(r"\d $", match.string[max(0, match.start() - 2) : match.start()])
    half = day == 1 and month in (2, 3, 4)
    if not called and (mixed or half or (plain_fraction and (day, month) not in _FEASTS)):
        return None
    return f"{_day(match, day)} {_month(month)}"


def _month_year(match: re.Match[str]) -> str | None:
    month, year = int(match["month"]), int(match["year"])
    if not (1 <= month <= 12 and year in _YEARS):
        return None
    said = cardinal(month) if month != 4 else "tư"
    prefix = "" if before(match).endswith(("tháng", "-", "–", "và", ",")) else "tháng "
    return f"{prefix}{said} năm {cardinal(year)}"


def _quarter(match: re.Match[str]) -> str:
    return f"{match[1]} {whole(match[2])} năm {cardinal(int(match[3]))}"


RULES: tuple[Rule, ...] = (
    rule("date", r"(?<![\w/.-])(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?![\w/]|[.,-]\d)", _full),
    rule(
        "date", r"(?<![\w/.])(?P<day>\d{1,2}) ?([/.-]) ?(?P<month>\d{1,2}) ?\2 ?(?P<year>\d{4})(?![\w/]|[.,]\d)", _full
    ),
    rule("quarter", r"\b([Qq]uý|[Hh]ọc kỳ|[Hh]ọc kì|[Kk]ỳ|[Đđ]ợt|[Tt]uần) (\d{1,2})/(\d{4})(?![\w/]|[.,]\d)", _quarter),
    rule("date", r"(?<![\w/.])(?P<month>\d{1,2}) ?[/] ?(?P<year>[12]\d{3})(?![\w/]|[.,]\d)", _month_year),
    rule("date", r"(?<=háng )(?P<month>\d{1,2})[-./ ](?P<year>[12]\d{3})(?![\w/]|[.,]\d)", _month_year),
    rule(
        "date",
        r"(?<![\w/.,])(?P<day>\d{1,2})/(?P<month>\d{1,2})(?![\w/%]|[.,]\d| ?(?:số|diện tích|dân số)\b)",
        _day_month,
    ),
    rule("date", r"(?<=háng )0?4(?![\w/.,:]|[.,]\d)", always("tư")),
)
