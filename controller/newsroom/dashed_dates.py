"""A day and month with a dash or a point, as the press and the Party write them: 28-11, từ 28-11 đến 30-11, ngày 5.11.

- Behind a word that calls for a date it is one. Without such a word it is a range, unless it descends (28-11), which no
  range does: then it is a date where no unit follows, no match is spoken of, and nothing is numbered (số nhà 28-11).
- "từ X-M đến Y-M" is a pair of dates; a feast (2-9) is a date behind nghỉ, mừng, kỷ niệm.
"""

from __future__ import annotations

import re

from controller.newsroom.dates import CALLS_FOR_DASHED, COUNTED, FEASTS, MEASURED, named
from controller.newsroom.rules import FIGURE, Rule, before, rule

_CALLS_BESIDES = re.compile(
    rf"(?:(?<!\w)(?:kỷ niệm|kỉ niệm|chào mừng|mừng|mít tinh|chót|hôm|khuya|mai|ngày \d{{1,2}} ?(?:,|và)"
    rf"|ngày \d{{1,2}}, \d{{1,2}} và|kể từ|{FIGURE} (?:đến|tới|hoặc)|{FIGURE} ?→)|{FIGURE};)[ :(]{{0,2}}$"
)
_FROM_DAY = re.compile(r"(?<!\w)từ ngày $")
_FEAST_BEFORE = re.compile(r"(?<!\w)(?:nghỉ|lễ|tết|dịp|quốc khánh|quốc tế|ngày hội)(?: [^\W\d_]+){0,3}[ :(]{0,2}$")
_PAIR = re.compile(r" (?:đến|tới)(?: ngày)? (\d{1,2})-(\d{1,2})(?![\w/%-]|[.,]\d)")
_NO_DATE_BEFORE = re.compile(
    r"(?:(?<!\w)(?:tỷ số|tỉ số|thắng|thua|hòa|dẫn|gặp|trận|kết quả|số|nhà|phòng|lớp|ngõ|ngách|lô|"
    r"thửa|trang|điều|bài|hình|bảng|mẫu|đội hình|kiểu|phiên bản|mã|hệ|xe|biển|tàu|khoảng|gần|hơn|trên|dưới|tăng|"
    r"giảm|mùng|mồng|thôn|xóm|bản|tổ|tdp|khu|đội|cấp|hạng|loại|nhóm|khoản|mục|km|hồ sơ)[ :(]{0,2}$)"
)
_LEAST_DAY = 10  # 3-1 and 5-2 are seldom days


def _dashed(match: re.Match[str]) -> str | None:
    day, month = int(match["day"]), int(match["month"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    return named(match, day, month) if _is_called_for(match) or _is_no_range(match, day, month) else None


def _is_called_for(match: re.Match[str]) -> bool:
    """Whether the words before say that a day follows, or a second such day behind "đến" does."""
    words = match.string[max(0, match.start() - 24) : match.start()].lower()
    if CALLS_FOR_DASHED.search(words) or _CALLS_BESIDES.search(words):
        return True
    pair = _PAIR.match(match.string, match.end(), match.end() + 16)
    if pair and re.search(r"(?<!\w)(?:từ|từ ngày|thời gian:?) $", words):
        days, months = (int(match["day"]), int(pair[1])), (int(match["month"]), int(pair[2]))
        return max(days) <= 31 and max(months) <= 12 and not _is_counted(match, pair.end())
    return bool(_FROM_DAY.search(words)) and not _is_counted(match, match.end())


def _is_no_range(match: re.Match[str], day: int, month: int) -> bool:
    words = match.string[max(0, match.start() - 40) : match.start()].lower()
    if _is_counted(match, match.end()):
        return False
    if (day, month) in FEASTS and _FEAST_BEFORE.search(words):
        return True
    return day > month and day >= _LEAST_DAY and not _is_named(words)


def _is_named(words: str) -> bool:
    """Whether the pair is the number of a thing, a score, or about so many."""
    return _NO_DATE_BEFORE.search(words) is not None


def _is_counted(match: re.Match[str], end: int) -> bool:
    text = match.string
    return bool(_UNIT.match(text, end, end + 14) or COUNTED.match(text, end, end + 14))


_UNIT = re.compile(rf" ?(?:{MEASURED}|tuổi|điểm|xã\b)")


def _dotted(match: re.Match[str]) -> str | None:
    day, month = int(match["day"]), int(match["month"])
    called = 1 <= day <= 31 and 1 <= month <= 12 and before(match).endswith(("ngày", "mùng", "mồng"))
    return named(match, day, month) if called else None


_LINKS = 3  # each pass may lean on the date that the one before it found: 30-4, 1-5 và 2-9
_DAY_MONTH = r"(?P<day>\d{1,2})%s(?P<month>\d{1,2})"
RULES: tuple[Rule, ...] = (
    *[rule("date", rf"(?<![\w/.,-]){_DAY_MONTH % '-'}(?![\w/%-]|[.,]\d| ?{MEASURED})", _dashed)] * _LINKS,
    rule("date", rf"(?<![\w/.,-]){_DAY_MONTH % '[.]'}(?![\w/%-]|[.,]\d| ?{MEASURED})", _dotted),
)
