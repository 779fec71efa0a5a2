"""Telephone numbers and codes, digit by digit, in the groups people say.

- Vietnamese numbers: 0… with 9 to 11 digits, +84 …, 1800/1900 hot lines, and 1xx where the words around call for one.
- Account, identity and tax numbers are codes, not quantities: the word before them decides. A code may hold letters.
- Words that people and money are counted with too (công dân, thuế, thẻ) make a code only where a number is asked for
  (thẻ số …, thuế: …) or of what is as long as codes are, and never of a year or an amount.
- Behind a picture of a telephone stands a number to call.
"""

from __future__ import annotations

import re

from controller.newsroom.numbers import spell
from controller.newsroom.rules import CODE, MARKS, Rule, before, rule

_CALLED = re.compile(
    r"(?:gọi|số máy|điện thoại|đường dây|nóng|tổng đài|hotline|liên hệ|sđt|đt|tel|alo|quay|bấm|khẩn cấp)"
    r"(?: (?:ngay|đến|tới|theo|cho|về|qua|khẩn cấp))*(?: số)?\W{0,3}$"
)
_CALLED_FARTHER = re.compile(
    rf"(?:gọi|tổng đài|đường dây nóng|hotline|điện thoại|sđt|đt|liên hệ|số máy|khẩn cấp)"
    rf"(?=[\s:{MARKS}])[^.!?\n;]{{0,40}}$"
)
_OFFICE = re.compile(
    r"(?:công an|cứu hỏa|chữa cháy|cấp cứu|y tế|cứu nạn|cứu hộ|bảo vệ trẻ em|cảnh sát|115|114|113)"
    r"(?: (?:xã|tỉnh|phường|khu vực|địa phương))?(?: số)?[:( –-]{1,3}$"
)
_NO_QUANTITY = re.compile(
    r"[ )]?(?:$|[.,;:!?)\n/–-]|(?:và|hoặc|hay|để|khi|nếu|của|ngay|nhé|kịp thời|miễn phí|là|khẩn cấp)\b)"
)
_GAP = rf"[\W{MARKS}]{{0,3}}$"
_CODED = re.compile(
    r"(?:(?:tài khoản|stk|tk|cccd|cmnd|cmtnd|mst|mã|seri|imei|số hiệu|"
    r"mã (?:số|vạch|bưu|hồ|hs|định|khách|đơn|giao|xác|tra|sinh|học|dự)(?: [^\W\d_]{1,6}){0,2}))"
    rf"(?: số)?{_GAP}"
)
_COUNTED_TOO = r"(?:công dân|nhân dân|căn cước|chứng minh|thuế|thẻ|bhxh|bhyt)"
_CODED_IF_LONG = re.compile(rf"(?<!\w){_COUNTED_TOO}{_GAP}")
_CODED_IF_ASKED = re.compile(
    rf"(?<!\w)(?:{_COUNTED_TOO}(?: số| ?:)|số (?:thẻ|căn cước|chứng minh)(?: (?:công dân|nhân dân|bhyt))?){_GAP}"
)
_LONG = 9
_YEAR_OR_MONTH = re.compile(r"(?:19|20)\d\d(?: ?[-–] ?(?:19|20)\d\d)?|[TQ]\d{1,2}[/-]\d{4}")
_AMOUNT = re.compile(r" ?(?:%|đ\b|(?:đồng|vnđ|vnd|usd|nghìn|ngàn|triệu|tỷ|tỉ)\b)", re.IGNORECASE)
_COUNT = re.compile(
    r" (?:hộ|người|em|cháu|con|cái|chiếc|thẻ|suất|lượt|trường hợp|hồ sơ|đại biểu|cử tri|đồng chí|cán bộ|hội viên|"
    r"đoàn viên|học sinh|thanh niên|công dân|doanh nghiệp|cơ sở|nhập ngũ)\b"
)
_PICTURED = re.compile(r"[☎☏📞📱]\ufe0f?[ :]{0,2}$")


def _groups(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match.group())
    plus = "cộng " if "+" in match.group()[:2] else ""
    if len(groups) == 1 and len(groups[0]) in (10, 11):
        groups = [groups[0][:4], groups[0][4:7], groups[0][7:]]
    return plus + ", ".join(spell(group) for group in groups)


def _national(match: re.Match[str]) -> str | None:
    return _groups(match) if 9 <= sum(char.isdigit() for char in match.group()) <= 11 else None


def _short(match: re.Match[str]) -> str | None:
    """113 is a number to call where it is called for, and no count of things follows it."""
    if _CALLED.search(before(match)):
        return _groups(match)
    nothing_counted = _NO_QUANTITY.match(match.string, match.end(), match.end() + 14)
    if not nothing_counted:
        return None
    asked = _CALLED_FARTHER.search(before(match, 60)) or (match.group()[1] == "1" and _OFFICE.search(before(match, 30)))
    return _groups(match) if asked else None


def _service(match: re.Match[str]) -> str | None:
    """1022, 9029: the number of a service, where one is called and no count of things follows."""
    alone = _NO_QUANTITY.match(match.string, match.end(), match.end() + 14)
    return _groups(match) if alone and _CALLED.search(before(match)) else None


def _short_list(match: re.Match[str]) -> str:
    return ", ".join(spell(number) for number in match.group().split("/"))


def _pictured(match: re.Match[str]) -> str | None:
    behind = match.string[max(0, match.start() - 4) : match.start()]
    return (
        ", ".join(spell(number) for number in re.findall(r"\d+", match.group())) if _PICTURED.search(behind) else None
    )


def _is_code(match: re.Match[str]) -> bool:
    """Whether the words before call for a code, and neither what is found nor what follows makes it a quantity."""
    text, stretch = match.group(), before(match, 30)
    if _YEAR_OR_MONTH.fullmatch(text) and (text[0] in "TQ" or not _CODED.search(stretch)):
        return False
    long = sum(char.isdigit() for char in text) >= _LONG
    follows = match.string[match.end() : match.end() + 14]
    if _CODED.search(stretch):
        return long or not _COUNT.match(follows)
    if long:
        return not _AMOUNT.match(follows) and bool(_CODED_IF_LONG.search(stretch) or _CODED_IF_ASKED.search(stretch))
    return not (_AMOUNT.match(follows) or _COUNT.match(follows)) and bool(_CODED_IF_ASKED.search(stretch))


def _code(match: re.Match[str]) -> str | None:
    return _groups(match) if _is_code(match) else None


def _lettered_code(match: re.Match[str]) -> str | None:
    text = match.group()
    if sum(char.isdigit() for char in text) < 4 or not _is_code(match):
        return None
    return " ".join(piece if piece.isalpha() else spell(piece) for piece in re.findall(r"\d+|[^\W\d_]", text))


PICTURED: tuple[Rule, ...] = (
    rule("phone", r"(?<![\w.,/-])1\d\d(?: ?[-–,/;] ?1\d\d(?!\d)){0,4}(?![\w/-]|[ .,]\d)", _pictured, CODE),
    rule("phone", r"(?<![\w.,/-])[1-9]\d{3,4}(?![\w/-]|[ .,]\d)", _pictured, CODE),
)

RULES: tuple[Rule, ...] = (
    rule("phone", r"(?<![\w.,])(?:\(\+84\)|\+84)(?:[ .\-]?\d{1,4}){2,5}(?![\d/])", _groups, CODE),
    rule(
        "phone",
        r"(?<![\w.,/-])(?:\(0\d{1,4}\)|0\d{1,4})(?:[ .\-]{0,2}\d{3,4}){2}(?:[ .\-]?\d{1,3})?(?![\w/])",
        _national,
        CODE,
    ),
    rule("phone", r"(?<![\w.,/-])(?:\(0\d{1,4}\)|0\d{1,4})(?:[ .\-]{0,2}\d{1,4}){2,4}(?![\w/])", _national, CODE),
    rule("phone", r"(?<![\w.,/-])1[89]00(?:[ .\-]?\d{2,4}){1,2}(?![\w/])", _groups, CODE),
    rule("phone", r"(?<![\w.,/-])11\d(?:/11\d){1,4}(?![\w/])", _short_list, CODE),
    rule("phone", r"(?<![\w.,/-])1\d\d(?![\w/]|[.,]\d)", _short, CODE),
    rule("phone", r"(?<![\w.,/-])\d{4,5}(?![\w/]|[.,]\d)", _service, CODE),
    rule("code", r"(?<![\w.,/-])\d{4,}+(?:[ .\-]\d{1,12}){0,5}(?![\w/])", _code, CODE),
    rule("code", r"(?<![\w.,/-])[A-Z]{1,4}\d[A-Z\d]{0,20}(?:[.\-/][A-Z\d]{1,20}){0,5}(?!\w)", _lettered_code, CODE),
    rule("code", r"(?<![\w.,/-])\d{2,6}(?:[.\-][A-Z\d]{2,12}){2,6}(?!\w)", _lettered_code, CODE),
)
