"""Times of day and spans of minutes: 7h30, 19h45', 7g, 8:05, 7:00 PM, 3p20s, 2 giờ 15, 13h/06/9, 7h30/ngày."""

from __future__ import annotations

import re

from controller.newsroom.numbers import cardinal
from controller.newsroom.rules import START, Rule, rule

_H = r"(?:[hHgG]|giờ)"
_EVENING = 6
_HALF = r"(?: ?(?P<half>AM|PM|am|pm|SA|CH)(?![^\W_]))?"
_EACH = r"(?: ?/ ?(?P<per>ngày|đêm|tuần|tháng|buổi|ca)(?![^\W_]))?"
_MINUTE_MARK = r"(?: ?(?:phút|ph|p|['’′])(?![^\W\d_]))?"


def _clock(match: re.Match[str]) -> str | None:
    hours, minutes, seconds = (int(part) if part else 0 for part in match.group("h", "m", "s"))
    if hours > 24 or minutes > 59 or seconds > 59:
        return None
    words = [cardinal(hours), "giờ"]
    words += [cardinal(minutes), "phút"] if minutes or seconds else []
    words += [cardinal(seconds), "giây"] if seconds else []
    found = match.groupdict()
    words += [_half(hours, half.upper())] if (half := found.get("half") or found.get("glued")) else []
    words += ["mỗi", found["per"]] if found.get("per") else []
    return " ".join(words)


def _half(hours: int, half: str) -> str:
    """The part of the day that AM or PM (SA, CH) means."""
    if half in ("AM", "SA"):
        return "đêm" if hours == 12 else "sáng"
    if hours == 12:
        return "trưa"
    return "chiều" if hours % 12 < _EVENING else "tối"


def _dated(match: re.Match[str]) -> str | None:
    """13h/06/9, as the weather service writes it: the hour and the day."""
    day, month = int(match["day"]), int(match["month"])
    time = _clock(match)
    if time is None or not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    year = f" năm {cardinal(int(match['year']))}" if match["year"] else ""
    return f"{time} ngày {cardinal(day)} tháng {'tư' if month == 4 else cardinal(month)}{year}"


def _span(match: re.Match[str]) -> str:
    minutes, seconds = match.group("m", "s")
    words = [cardinal(int(minutes)), "phút"] if minutes else []
    return " ".join(words + ([cardinal(int(seconds)), "giây"] if seconds else []))


DATED: tuple[Rule, ...] = (
    rule(
        "clock",
        rf"{START}(?P<h>\d{{1,2}}) ?[hHgG](?P<m>\d\d)?(?P<s>){_MINUTE_MARK} ?/ ?(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})"
        r"(?:/(?P<year>\d{4}))?(?![\w/]|[.,]\d)",
        _dated,
    ),
)

RULES: tuple[Rule, ...] = (
    rule(
        "clock",
        rf"{START}(?P<h>\d{{1,2}}) ?{_H} ?(?P<m>\d{{1,2}}){_MINUTE_MARK}"
        rf"(?: ?(?P<s>\d{{1,2}}) ?(?:giây|s|\"))?(?!\w|/\d|[.,:]\d){_EACH}",
        _clock,
    ),
    rule(
        "clock",
        rf"{START}(?P<h>\d{{1,2}}):(?P<m>\d\d)(?::(?P<s>\d\d))?(?![\d:/]|[.,]\d)(?: ?(?:giờ|[hH]\b|phút\b))?{_HALF}",
        _clock,
    ),
    rule("clock", rf"{START}(?P<h>\d{{1,2}}) ?[hHg](?P<m>)(?P<s>)(?![^\W_]){_HALF}{_EACH}", _clock),
    rule("clock", rf"{START}(?P<h>\d{{1,2}})(?P<m>)(?P<s>)(?: ?(?P<half>AM|PM)|(?P<glued>am|pm))(?![^\W_])", _clock),
    rule("minutes", rf"{START}(?P<m>\d{{1,3}})p(?:(?P<s>\d{{1,2}})s)?(?![^\W_])", _span),
    rule("minutes", rf"{START}(?P<m>\d{{1,3}})['’′](?:(?P<s>\d{{1,2}})(?:\"|”|″|''))?(?![^\W_])", _span),
    rule("minutes", rf"{START}(?P<m>)(?P<s>\d{{1,4}})s(?![^\W_])", _span),
)
