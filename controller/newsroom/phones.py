"""Telephone numbers and codes, digit by digit, in the groups people say.

- Vietnamese numbers: 0… with 9 to 11 digits, +84 …, 1800/1900 hot lines, and 1xx after a word that calls for one.
- Account, identity and tax numbers are codes, not quantities: the word before them decides.
"""

from __future__ import annotations

import re

from controller.newsroom.numbers import spell
from controller.newsroom.rules import OTHER, Rule, before, rule

_CALLED = re.compile(r"(?:gọi|số máy|điện thoại|đường dây|nóng|tổng đài|hotline|liên hệ|sđt|đt|tel|số)(?: số)?\W{0,3}$")
_CODED = re.compile(
    r"(?:tài khoản|stk|tk|cccd|cmnd|cmtnd|căn cước|công dân|chứng minh|nhân dân|mst|thuế|mã|mã số|thẻ|seri|imei)"
    r"(?: số)?\W{0,3}$"
)


def _groups(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match.group())
    plus = "cộng " if "+" in match.group()[:2] else ""
    if len(groups) == 1 and len(groups[0]) in (10, 11):
        groups = [groups[0][:4], groups[0][4:7], groups[0][7:]]
    return plus + ", ".join(spell(group) for group in groups)


def _national(match: re.Match[str]) -> str | None:
    return _groups(match) if 9 <= sum(char.isdigit() for char in match.group()) <= 11 else None


def _short(match: re.Match[str]) -> str | None:
    return _groups(match) if _CALLED.search(before(match)) else None


def _code(match: re.Match[str]) -> str | None:
    return _groups(match) if _CODED.search(before(match)) else None


RULES: tuple[Rule, ...] = (
    rule("phone", r"(?<![\w.,])\(?\+84\)?(?:[ .\-]?\d{1,4}){2,5}(?![\d/])", _groups, OTHER),
    rule(
        "phone", r"(?<![\w.,/-])\(?0\d{1,4}\)?(?:[ .\-]{0,2}\d{3,4}){2}(?:[ .\-]?\d{1,3})?(?![\w/])", _national, OTHER
    ),
    rule("phone", r"(?<![\w.,/-])\(?0\d{1,4}\)?(?:[ .\-]{0,2}\d{1,4}){2,4}(?![\w/])", _national, OTHER),
    rule("phone", r"(?<![\w.,/-])1[89]00(?:[ .\-]?\d{2,4}){1,2}(?![\w/])", _groups, OTHER),
    rule("phone", r"(?<![\w.,/-])1\d\d(?![\w/]|[.,]\d)", _short, OTHER),
    rule("code", r"(?<![\w.,/-])\d{4,}+(?:[ .\-]\d{2,6}){0,5}(?![\w/])", _code, OTHER),
)
