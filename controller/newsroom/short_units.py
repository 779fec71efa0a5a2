"""One letter behind a figure that stands for several things: t (tuổi, tấn, tỷ) and g (giờ, gam).

- What stands beside decides: money spoken of, a person, a load, goods, a part of the day, something weighed.
- Where nothing does, it is read as it is meant most often and flagged (``DOUBTFUL``), for the author to write it out.
- "1t2" is money and "7g30" is a time of day: they belong to `money` and `clock_times`.
"""

from __future__ import annotations

import re

from controller.newsroom.figures import signed
from controller.newsroom.numbers import cardinal
from controller.newsroom.rules import END, GAP, SIGNED, START, Rule, data, one_of, rule

DOUBTFUL = "two_meanings"
_WHY = "short_unit"
_PER = {**data("units")["units"], **data("units")["per"]}
_RATE = rf"(?:{GAP}/{GAP}(?P<per>{one_of(list(_PER))}){END})?"
_RANGE_BEGUN = re.compile(r"(?:\d{1,7}(?:[.,]\d{1,3})? ?(?:[tg]|h\d{0,2})?(?: ?[-–→,;]| đến| tới| và) ?){1,6}$")
_OLDEST, _HOURS = 120, 24

_PERSON = (
    r"trẻ|trẻ em|trẻ nhỏ|cháu|em|bé|nam|nữ|ông|bà|anh|chị|cụ|cô|chú|bác|người|thanh niên|phụ nữ|học sinh|công dân|"
    r"người dân|nạn nhân|đối tượng|độ tuổi|thọ|hưởng thọ|hưởng dương|thượng thọ|mừng thọ|sinh|năm nay|mới|đã|tuổi"
)
_OF_A_PERSON = re.compile(rf"(?<!\w)(?:{_PERSON})(?: (?:dưới|trên|từ|đủ|tròn|mới|đã|được|nay|là|khoảng|gần|hơn))?$")
_LIMIT = re.compile(r"(?<!\w)(?:dưới|trên|từ|đủ|tròn)$")
_PERSON_NAMED = re.compile(
    r"(?<!\w)(?i:em|cháu|bé|ông|bà|anh|chị|cụ|cô|chú|bác)(?: [^\W\d_a-zà-ỹđ][^\W\d_]{0,7}){1,4}[,(]? ?$"
)
_NAMED = re.compile(r"(?<!\w)[^\W\d_a-zà-ỹđ][^\W\d_]{0,7} ?[,(] ?$")
_AND_OVER = re.compile(r" (?:trở lên|trở xuống|tuổi đời)\b")
_SUMS = re.compile(
    r"(?<!\w)(?:giá|vay|vốn|thu|chi|trị giá|kinh phí|đầu tư|ngân sách|doanh thu|dự toán|nợ|tiền|thiệt hại|hỗ trợ|"
    r"ủng hộ|quyên góp|tổng mức|lãi|bán|mua|nộp|thuế|quỹ|thưởng|phạt|gói|giải ngân|tài trợ|lỗ|lương)\b[^.;!?\n]{0,30}$"
)
_MONEY_BEHIND = re.compile(r" ?(?:đồng|đ|vnđ|vnd|usd)(?!\w)", re.IGNORECASE)
_LOAD = re.compile(
    r"(?<!\w)(?:xe|tải|trọng tải|tải trọng|cẩu|cân|nặng|chở|sản lượng|năng suất|thu hoạch|container|khối lượng|xe ben)"
    r"(?: (?:dưới|trên|từ|quá|loại|đến|đạt|là|khoảng|gần|hơn))?$"
)
_GOODS = re.compile(
    r" (?:xi măng|thép|sắt|thóc|lúa|gạo|ngô|cát|đá|sỏi|gạch|phân|đạm|than|hàng|cá|tôm|lợn|thịt|rau|củ|quả|sắn|mía|chè|"
    r"cà phê|gỗ|dầu|muối|đường|rác|thức ăn|vật liệu|nhựa|keo|vải|cam|giống|hạt|đất|sữa|bột|bê tông|vôi|hồi|khoai|lạc|"
    r"nông sản|lương thực|hóa chất|tươi|khô|/)\b"
)
_LAND = frozenset({"ha", "Ha", "sào", "vụ"})

_DAY_PART = re.compile(
    r" ?(?:(?:sáng|trưa|chiều|tối|đêm|ngày|hôm|mai|kém|rưỡi|đúng|cùng|thứ|tại|ở|mời|kính)\b"
    r"|[-–→] ?\d|(?:đến|tới) \d{1,2} ?[gh:])"
)
_TIME_BEFORE = re.compile(
    r"(?:(?<!\w)(?:lúc|từ|đến|tới|vào|hồi|trước|sau|sáng|trưa|chiều|tối|đêm|mai|nay|qua|giờ|hẹn|họp|khai mạc|bắt đầu|"
    r"kết thúc|mở cửa|đóng cửa|xuất phát|tập trung|cắt điện|mất điện|cúp điện|có mặt|thời gian:?|ca \d) ?$)"
)
_AFTER_A_TIME = re.compile(r"\d(?: ?[gh] ?[-–→] ?| ?h\d{0,2} ?[,;] ?| ?h\d{0,2} và )$")
_WEIGHED = re.compile(
    r"(?<!\w)(?:uống|pha|hòa|hoà|cân|nặng|thêm|bón|dùng|liều|chứa|lấy|trộn|rắc|phun|ăn|gói|lượng|cho|gồm|có|mỗi|với)$"
)
_NETWORK = re.compile(r"(?<!\w)(?:mạng|sóng|sim|internet|công nghệ|wifi|điện thoại)(?: \w{1,9})?$")
_STUFF = re.compile(
    r" (?:đường|thuốc|muối|bột|phân|men|đạm|lân|kali|vôi|gạo|thịt|cá|tôm|rau|hạt|giống|chế phẩm|vắc xin|bánh|sữa|đất|"
    r"chất|hoạt chất|vàng|bạc|ma túy|nước|mỡ|dầu|trà|chè|cà phê|lá|rễ|củ|quả|nấm|mật|tinh|ngô|đậu|lạc|urê|rễ|than)\b"
)


def _around(match: re.Match[str], small: bool = True) -> str:
    """The words before a figure, or before the range or list that it ends."""
    text = match.string[max(0, match.start() - 60) : match.start()]
    text = _RANGE_BEGUN.sub("", text)
    return text.rstrip().lower() if small else text


def _is_named(words: str) -> bool:
    return bool(_NAMED.search(words) or _PERSON_NAMED.search(words))


def _said(match: re.Match[str], unit: str) -> str:
    per = match["per"]
    return f"{signed(match, match['figure'])} {unit}" + (f" trên {_PER[per]}" if per else "")


def _tee(match: re.Match[str]) -> str | None:
    text, end, words = match.string, match.end(), _around(match)
    aged = match["figure"].isdigit() and int(match["figure"]) <= _OLDEST and not match["per"]
    if _MONEY_BEHIND.match(text, end, end + 6):
        return None
    if match["per"] in _LAND or _GOODS.match(text, end, end + 14):
        return _said(match, "tấn")
    if aged and (_OF_A_PERSON.search(words) or _is_named(_around(match, small=False))):
        return _said(match, "tuổi")
    if _LOAD.search(words):
        return _said(match, "tấn")
    if _SUMS.search(words):
        return _said(match, "tỷ")
    over = _LIMIT.search(words) or _AND_OVER.match(text, end, end + 12)
    return _said(match, "tuổi") if aged and over else None


def _undecided_tee(match: re.Match[str]) -> str | None:
    money = _MONEY_BEHIND.match(match.string, match.end(), match.end() + 6)
    return None if money else _said(match, "tỷ")


def _tonnes(match: re.Match[str]) -> str | None:
    """A lorry of 2t5; elsewhere it is money."""
    if not _LOAD.search(_around(match)):
        return None
    return f"{cardinal(int(match['figure']))} tấn {cardinal(int(match['rest']))}"


def _gee(match: re.Match[str]) -> str | None:
    text, end, words = match.string, match.end(), _around(match)
    if _NETWORK.search(words):
        return f"{cardinal(int(match['figure']))} giê" if match["figure"].isdigit() and not match["per"] else None
    if not _may_be_an_hour(match) or _STUFF.match(text, end, end + 14):
        return _said(match, "gam")
    if _is_an_hour(match, words):
        return None
    noun = re.match(r" [^\W\d_]", text[end : end + 2])
    return _said(match, "gam") if noun or _WEIGHED.search(words) else None


def _may_be_an_hour(match: re.Match[str]) -> bool:
    figure = match["figure"]
    return figure.isdigit() and len(figure) < 3 and int(figure) <= _HOURS and not match["per"] and not _slashed(match)


def _slashed(match: re.Match[str]) -> bool:
    return match.string[match.end() : match.end() + 2].lstrip()[:1] == "/"


def _is_an_hour(match: re.Match[str], words: str) -> bool:
    behind = _DAY_PART.match(match.string, match.end(), match.end() + 10)
    ranged = _AFTER_A_TIME.search(match.string, max(0, match.start() - 12), match.start())
    return bool(match["figure"][0] == "0" or behind or ranged or _TIME_BEFORE.search(words))


def _undecided_gee(match: re.Match[str]) -> str | None:
    return None if _is_an_hour(match, _around(match)) else _said(match, "gam")


_TEE = rf"{START}(?P<figure>{SIGNED}) ?t(?![^\W_]){_RATE}"
_GEE = rf"{START}(?P<figure>{SIGNED}) ?g(?![^\W_]| \d){_RATE}"
RULES: tuple[Rule, ...] = (
    rule(_WHY, rf"{START}(?P<figure>\d{{1,3}})t(?P<rest>\d)(?![^\W_])", _tonnes),
    rule(_WHY, _TEE, _tee),
    rule(DOUBTFUL, _TEE, _undecided_tee),
    rule(_WHY, _GEE, _gee),
    rule(DOUBTFUL, _GEE, _undecided_gee),
)
