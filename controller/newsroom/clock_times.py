"""Times of day and spans of minutes: 7h30, 19h45', 7g, 8:05, 6:10:05, 3p20s, 2 giờ 15."""

from __future__ import annotations

import re

from controller.newsroom.numbers import cardinal
from controller.newsroom.rules import START, Rule, rule

_H = r"(?:[hHgG]|giờ)"
_MINUTE_MARK = r"(?: ?(?:phút|ph|p|['’′])(?![^\W\d_]))?"


def _clock(match: re.Match[str]) -> str | None:
    hours, minutes, seconds = (int(part) if part else 0 for part in match.group("h", "m", "s"))
    if hours > 24 or minutes > 59 or seconds > 59:
        return None
    words = [cardinal(hours), "giờ"]
    words += [cardinal(minutes), "phút"] if minutes or seconds else []
    words += [cardinal(seconds), "giây"] if seconds else []
    return " ".join(words)


def _span(match: re.Match[str]) -> str:
    minutes, seconds = match.group("m", "s")
    words = [cardinal(int(minutes)), "phút"] if minutes else []
    return " ".join(words + ([cardinal(int(seconds)), "giây"] if seconds else []))


RULES: tuple[Rule, ...] = (
    rule(
        "clock",
        rf"{START}(?P<h>\d{{1,2}}) ?{_H} ?(?P<m>\d{{1,2}}){_MINUTE_MARK}"
        rf"(?: ?(?P<s>\d{{1,2}}) ?(?:giây|s|\"))?(?![\w/]|[.,:]\d)",
        _clock,
    ),
    rule(
        "clock",
        rf"{START}(?P<h>\d{{1,2}}):(?P<m>\d\d)(?::(?P<s>\d\d))?(?![\d:/]|[.,]\d)(?: ?(?:giờ|[hH]\b|phút\b))?",
        _clock,
    ),
    rule("clock", rf"{START}(?P<h>\d{{1,2}}) ?[hg](?P<m>)(?P<s>)(?![^\W_])", _clock),
    rule("minutes", rf"{START}(?P<m>\d{{1,3}})p(?:(?P<s>\d{{1,2}})s)?(?![^\W_])", _span),
    rule("minutes", rf"{START}(?P<m>\d{{1,3}})['’′](?:(?P<s>\d{{1,2}})(?:\"|”|″|''))?(?![^\W_])", _span),
    rule("minutes", rf"{START}(?P<m>)(?P<s>\d{{1,4}})s(?![^\W_])", _span),
)
