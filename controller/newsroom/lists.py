"""Numbers that name things, written close together: thôn 1,2,3; T2,T4; T2-T6; TDP 1-TDP 4; thứ hai-thứ sáu.

- A comma between figures is a decimal comma unless it joins names: with two commas or more it always does (thousands
  aside), with one it does behind a noun that is counted through (thôn 1,2) and no unit follows (thôn 1,5km).
- A dash between two names of one kind is "đến"; a chain of three or more is a list.
- Only the commas of a list are claimed: what stands on either side is read by its own rule (3kg, 6/11, 7h30).
"""

from __future__ import annotations

import re

from controller.newsroom.numbers import ordinal, whole
from controller.newsroom.rules import MARKS, OTHER, Rule, always, before, data, one_of, rule

_NOUNS = (
    "thôn|xóm|bản|buôn|làng|ấp|tổ|tdp|kdc|khu|kp|khu phố|khu dân cư|khóm|đội|cụm|lớp|khối|thứ|mũi|đợt|điều|khoản|"
    "(?<!phụ )(?<!trợ )cấp|chương|mục|phụ lục|tháng|quý|tuần|vòng|giai đoạn|nhóm|hạng|loại|phòng|tầng|tuyến|trạm|ca|"
    "kỳ|lần|bài|trang|câu|chi bộ|chi hội|chi đoàn|phường|quận|bàn|số nhà|nhà số|giải|liều|cống|kênh|bảng|biểu|hàng"
)
_BEHIND_NOUN = re.compile(rf"(?<!\w)(?:{_NOUNS})(?: số)?(?: \d{{1,3}}(?:, ?\d{{1,3}}){{0,6}},)?$")
_BEHIND_DAY = re.compile(r"(?<!\w)thứ$")
_MEASURES = one_of(
    [*data("units")["units"], *data("money")["currencies"], *data("money")["magnitudes"], *data("units")["glued"]]
)
_MEASURED = re.compile(
    rf" ?(?:[-–] ?\d{{1,3}}[,.]\d|(?:{_MEASURES}"
    r"|%|‰|tấn|tạ|yến|lít|mét|cây số|ki lô|héc|phần|độ|lần|giờ|tiếng|phút|điểm|tuổi|chỉ|sào|mẫu)(?![^\W_]))"
)
_ROADS = data("acronyms")["roads"]  # QL1 - QL4B is a way between two roads
_DAY = r"(?:T[2-7]|CN)"


def _list(match: re.Match[str], more: int = 0) -> str | None:
    """The commas of 1,2,3 are pauses; 1,234,567 is one number. ``more`` figures follow that are not claimed."""
    figures = match["all"].split(",")
    if "0" in figures or (len(figures) + more == 2 and not _names_two(match)):
        return None
    if len(figures) > 2 and all(len(each) == 3 for each in figures[1:]) and figures[0][0] != "0":
        return None
    return ", ".join(_name(match, each) for each in figures)


def _names_two(match: re.Match[str]) -> bool:
    first, second = match["all"].split(",")
    if max(len(first), len(second)) > 2 and not (len(first) == len(second) and int(first) < int(second)):
        return False
    measured = _MEASURED.match(match.string, match.end(), match.end() + 14)
    return not measured and _BEHIND_NOUN.search(before(match, 40)) is not None


def _years(match: re.Match[str]) -> str | None:
    figures = match.group().split(",")
    return ", ".join(map(whole, figures)) if len(figures) > 2 or before(match).endswith("năm") else None


def _name(match: re.Match[str], figure: str) -> str:
    number = int(figure)
    if _BEHIND_DAY.search(before(match)):
        return ordinal(number)
    return "tư" if number == 4 and before(match).endswith("tháng") else whole(figure)


def _days(match: re.Match[str]) -> str | None:
    if "T" not in match.group():  # CN has other meanings
        return None
    groups = re.split(r" ?[,+] ?", match.group())
    return ", ".join(_chain([_day(each) for each in re.split(r" ?[-–—] ?", group)]) for group in groups)


def _day(written: str) -> str:
    return "chủ nhật" if written == "CN" else f"thứ {ordinal(int(written[-1]))}"


def _chain(names: list[str]) -> str:
    return " đến ".join(names) if len(names) == 2 else ", ".join(names)


def _same_head(match: re.Match[str]) -> str | None:
    """The dash of TDP 1-TDP 4, thứ hai - thứ sáu; in a chain of three or more it is a pause."""
    head = match["head"].lower()
    if match["head"] in _ROADS:
        return None
    behind, ahead = before(match, 30), match.string[match.end() : match.end() + 30].lower()
    one = rf"(?<!\w){re.escape(head)} ?{_ONE[head == 'thứ']}"
    if not re.search(rf"{one}$", behind) or re.match(rf"{one}{_SCORE}", ahead):
        return None
    chained = re.search(rf"{one} ?[-–—] ?{one}$", behind) or re.match(rf"{one} ?[-–—] ?{one}", ahead)
    return ", " if chained else " đến "


_SCORE = r" ?:? ?\d{1,2} ?[-–] ?\d"  # thôn 1 - thôn 2: 3-1 is a match
_ONE = (r"\d{1,4}[a-zđ]?", r"(?:\d|hai|ba|tư|năm|sáu|bảy|bẩy)(?!\w)")


def _same_unit(match: re.Match[str]) -> str | None:
    """The dash of 7 giờ-9 giờ."""
    return " đến " if re.search(rf"(?<!\w)\d{{1,4}} {re.escape(match['unit'].lower())}$", before(match)) else None


_A_TIME = "(?:" + "|".join(f"(?<={each})" for each in (r"\d[hHg]", r"\d[hHg]\d\d", r"\d:\d\d")) + ")"
NAMED: tuple[Rule, ...] = (
    rule("list", rf"{_A_TIME},(?=\d{{1,2}}(?:[hHg]|:\d\d))", always(", "), OTHER),
    rule("weekday", rf"(?<![\w/.,]){_DAY}(?: ?[-–—,+] ?{_DAY}){{1,6}}(?![\w/]|[.,]\d)", _days),
    rule(
        "weekday",
        r"(?<![\w/.,])T[2-7](?:,[2-7]){1,5}(?![\w/]|[.,]\d| ?[-–—]\d)",
        lambda m: "thứ " + ", ".join(ordinal(int(each)) for each in m.group()[1:].split(",")),
    ),
    rule(
        "range",
        r"(?<=\w) ?[-–—→⇒➡] ?(?=(?P<head>[^\W\d_]{1,7}) ?(?:\d|(?<=[Tt]hứ )(?i:hai|ba|tư|năm|sáu|bảy)\b))",
        _same_head,
        OTHER,
    ),
    rule("range", r"(?<=[^\W\d_]) ?[-–—→⇒➡] ?(?=\d{1,4} (?P<unit>[^\W\d_]{1,7})(?!\w))", _same_unit, OTHER),
)

RULES: tuple[Rule, ...] = (
    rule("list", r"(?<![\w/.,-])[12]\d{3}(?:,[12]\d{3}){1,12}(?![^\W_]|/\d|[.,]\d)", _years),
    rule(
        "list",
        r"(?<![\w/.,-])(?P<all>\d{1,3}(?:,\d{1,3}){1,30})(?![^\W_]|/\d|[.,]\d)",
        _list,
    ),
    rule(  # TDP1,2,3
        "list",
        r"(?<=[^\W\d_])(?P<all>\d{1,3}(?:,\d{1,3}){2,30})(?![^\W_]|/\d|[.,]\d)",
        lambda m: (said := _list(m)) and " " + said,
    ),
    rule(
        "list",
        r"(?<![\w/.,-])(?P<all>\d{1,3}(?:,\d{1,3}){1,29}),(?=\d{1,3}[^\W\d_])",
        lambda m: (said := _list(m, more=1)) and said + ", ",
        OTHER,
    ),
)

PAUSES: tuple[Rule, ...] = (
    rule("list", rf"(?<=[{MARKS}]),(?=[\w{MARKS}])", always(", "), OTHER),
    rule("list", rf"(?<=[^\W_]),(?=[{MARKS}])", always(", "), OTHER),
)
