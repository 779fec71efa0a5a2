"""Dates as offices write them: 24/11/2025, 24-11-25, 2025-11-24, 30/4, 20-4, 11/2025, T10/2025, tháng 4, 10/3 ÂL.

- A day and month alone (2/9) is a date behind a word that calls for one, in a range of days, as a known feast, or where
  it cannot be a fraction of single digits and nothing is counted behind it; 12/15 is no date, 12/18 xã is a share.
- What is counted behind it (đến nay 5/8 thôn) beats all callers but those that leave no doubt (ngày, sáng, thứ ba).
- With a dash (20-4): see `dashed_dates`.
- "ngày" is said where it was not written. By the lunar calendar month 1 is giêng and month 12 is chạp.
"""

from __future__ import annotations

import re

from controller.newsroom.numbers import cardinal
from controller.newsroom.rules import FIGURE, Rule, always, before, rule

_NAMED_FOR = r"đường|phố|quảng trường|công viên|nông trường|bệnh viện"
_HAS_DAY = re.compile(
    rf"(?:(?<!\w)(?:ngày|mùng|mồng|rằm|ngày lễ|{_NAMED_FOR})"  # or a day that stands alone: 10-15/12, 5 và 7/12
    r"|(?:^|[^\d/.,-])\d{1,2}(?: ?[-–—→⇒]|,| và| đến| tới| hoặc|, \d{1,2},| rạng))$"
)
_NAMED_DAY = re.compile(r"\bNgày [A-ZĐÂÔƠƯ][^\W\d_]*(?: [^\W\d_]+){0,6} ?$")
_CALLS_FOR_DATE = re.compile(
    r"(?:ngày|mùng|mồng|hôm|sáng|trưa|chiều|tối|đêm|dịp|lễ|từ|đến|tới|trước|sau|qua|nay|mai|hết|kể từ|tết|vào|hạn"
    rf"|{_NAMED_FOR}|phút|giờ|[\d{FIGURE}] ?[-–—→⇒]|(?<![\d/])\d{{1,2}}[,;]|[\d{FIGURE}] và|thứ \w{{2,4}},?|chủ nhật,?"
    rf"|{FIGURE}[,;]?)[ :(]{{0,3}}$"
)
CALLS_FOR_DASHED = re.compile(
    r"(?:(?<!từ )(?<!các )(?<!những )ngày|sáng|trưa|chiều|tối|đêm|dịp|lễ|quốc khánh|hôm nay|hôm qua|hạn|vào"
    rf"|thứ \w{{2,4}},?|chủ nhật,?|{FIGURE},|{FIGURE} và|{FIGURE} ?[-–])[ :(]{{0,2}}$"
)
_SHARE_BEFORE = re.compile(r"(?<!\w)(?:trình độ|đạt|tỷ lệ|tỉ lệ|hạng|huyết áp|chiếm|gần|hơn|được|có|khoảng|bằng)$")
COUNTED = re.compile(
    r" ?(?:%|(?:số|diện tích|dân số|tổng|phiếu|thôn|xã|phường|bản|khu|khối|tổ|đội|chi|hộ|người|đại biểu|tiêu chí|"
    r"chỉ tiêu|đồng chí|trường|lớp|em|cháu|con|cây|nhà|cụm|trạm|công trình|dự án|nhiệm vụ|điểm|môn|học sinh|giáo viên|"
    r"ý kiến|thành viên|câu|phần|suất|lượt|cán bộ|đảng viên|đoàn viên|hội viên|cơ sở|đơn vị|tỉnh|huyện|sản phẩm|ngày|"
    r"chiều dài|quãng đường|km|kg|ha|héc|m|thời gian|nước|tuyến|chặng|lượng|doanh nghiệp|hồ sơ|trẻ|phụ nữ|quân số)\b)"
)
_SURE_CALL = re.compile(r"^(?:ngày|mùng|mồng|hôm|sáng|trưa|chiều|tối|đêm|dịp|lễ|thứ |chủ nhật|tết|hạn)")
_SINCE = re.compile(r"^(?:từ|kể từ|trước|sau|vào)\b")
_UNTIL = re.compile(r" (?:đến|tới) (\d{1,2})/(\d{1,2})(?![\w/]|[.,]\d)")
_PART_OF = re.compile(
    r" ?(?:%|(?:số (?:hộ|dân|người)|diện tích|dân số|tổng số|chặng|quãng|chiều dài|lượng|thời gian|hộ trở lên)\b)"
)
_NAME = re.compile(r" [^\W\d_a-zà-ỹđ]")
MEASURED = (
    r"(?:°|(?:tháng|giờ|phút|độ|người|hộ|con|lần|ngày|năm|tuần|triệu|tỷ|tỉ|nghìn|ngàn|đồng|đ|cháu|em|tấn|tạ|ha"
    r"|km|kg|m|mm|cm)\b)"
)
_LUNAR = re.compile(r" ?\(?(?:(?i:âm lịch|âl\b)|AL\b|tức|âm\b)")
FEASTS = {
    (3, 2), (8, 3), (10, 3), (26, 3), (30, 4), (1, 5), (7, 5), (15, 5), (19, 5), (1, 6), (5, 6), (27, 7), (19, 8),
    (2, 9), (5, 9), (13, 10), (15, 10), (20, 10), (18, 11), (20, 11), (22, 12), (25, 12), (1, 1),
}  # fmt: skip
ALWAYS = (24, 7)  # hours a day, days a week
_YEARS = range(1000, 3000)


def _month(match: re.Match[str], month: int) -> str:
    lunar = {1: "giêng", 12: "chạp"}.get(month)
    if lunar and _LUNAR.match(match.string, match.end(), match.end() + 12):
        return f"tháng {lunar}"
    return "tháng tư" if month == 4 else f"tháng {cardinal(month)}"


def _day(match: re.Match[str], day: int) -> str:
    at = match.start()
    named = _HAS_DAY.search(before(match)) or _NAMED_DAY.search(match.string[max(0, at - 60) : at])
    return cardinal(day) if named else f"ngày {cardinal(day)}"


def named(match: re.Match[str], day: int, month: int) -> str:
    """A day and month in words, with "ngày" where it does not stand before."""
    return f"{_day(match, day)} {_month(match, month)}"


def _full(match: re.Match[str]) -> str | None:
    day, month, year = int(match["day"]), int(match["month"]), int(match["year"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    if len(match["year"]) == 2:
        year += 2000 if year < 70 else 1900
    return f"{_day(match, day)} {_month(match, month)} năm {cardinal(year)}"


def _short_year(match: re.Match[str]) -> str | None:
    """24-11-25 and 24.11.25 are dates only behind a word that calls for one; 24/11/25 is one anywhere."""
    return _full(match) if "/" in match.group() or CALLS_FOR_DASHED.search(before(match)) else None


def _day_month(match: re.Match[str]) -> str | None:
    day, month = int(match["day"]), int(match["month"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    if _LUNAR.match(match.string, match.end(), match.end() + 12):
        return named(match, day, month)
    called = _CALLS_FOR_DATE.search(before(match))
    if called and _is_share(match, day, month, called.group()):
        return None
    if not (called or _looks_like_a_date(match, day, month)):
        return None
    return named(match, day, month)


def _is_share(match: re.Match[str], day: int, month: int, called: str) -> bool:
    """Whether so many of a whole are counted in spite of a word that calls for a date: đến nay 5/8 thôn."""
    if day > month or _SURE_CALL.search(called):
        return False
    text, end = match.string, match.end()
    other = _UNTIL.match(text, end, end + 20)
    if other:  # từ 1/3 đến 1/2 lượng mưa: what is counted stands behind the second
        text, end = match.string, other.end()
        if int(other[1]) > int(other[2]):
            return False
    if _PART_OF.match(text, end, end + 20):
        return True
    return (bool(other) or not _SINCE.search(called)) and _is_counted(text, end)


def _is_counted(text: str, end: int) -> bool:
    """Whether things are counted at ``end``; a thing with a name (xã Tân Liên) begins a new phrase."""
    counted = COUNTED.match(text, end, end + 14)
    return counted is not None and not _NAME.match(text, counted.end(), counted.end() + 3)


def _looks_like_a_date(match: re.Match[str], day: int, month: int) -> bool:
    """Without a word that calls for a date: a feast, or nothing that could be a share."""
    plain_fraction = max(day, month) < 10 and "0" not in match.group()
    mixed = re.search(r"\d $", match.string[max(0, match.start() - 2) : match.start()])
    half = (day == 1 and month in (2, 3, 4, 10) and match.group()[0] != "0") or (day, month) == ALWAYS
    share = day <= month and (
        _SHARE_BEFORE.search(before(match)) or COUNTED.match(match.string, match.end(), match.end() + 14)
    )
    return not (mixed or half or share or (plain_fraction and (day, month) not in FEASTS))


def _listed(match: re.Match[str]) -> str | None:
    """1,2,3/5 behind a word that calls for a date, and 28,29/11, are days and no decimals."""
    month, days = int(match["month"]), [int(day) for day in match["days"].split(",")]
    if not (1 <= month <= 12 and min(days) >= 1 and max(days) <= 31 and days == sorted(set(days))):
        return None
    if not _CALLS_FOR_DATE.search(before(match)) and (days[0] < 10 or _SHARE_BEFORE.search(before(match))):
        return None
    year = f" năm {cardinal(int(match['year']))}" if match["year"] else ""
    first = _day(match, days[0])
    return f"{', '.join([first, *map(cardinal, days[1:])])} {_month(match, month)}{year}"


def _month_year(match: re.Match[str]) -> str | None:
    month, year = int(match["month"]), int(match["year"])
    if not (1 <= month <= 12 and year in _YEARS):
        return None
    said = cardinal(month) if month != 4 else "tư"
    prefix = "" if before(match).endswith(("tháng", "-", "–", "và", ",")) else "tháng "
    return f"{prefix}{said} năm {cardinal(year)}"


_YEAR_BEHIND = r"(?![\w/]|[.,]\d)"
RULES: tuple[Rule, ...] = (
    rule(
        "date",
        r"(?<![\w/.,-])(?P<days>\d{1,2}(?:,\d{1,2}){1,9})/(?P<month>\d{1,2})(?:/(?P<year>\d{4}))?(?![\w/]|[.,]\d)",
        _listed,
    ),
    rule("date", rf"(?<![\w/.-])(?P<year>\d{{4}})([-/])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}}){_YEAR_BEHIND}", _full),
    rule(
        "date",
        rf"(?<![\w/.])(?P<day>\d{{1,2}}) ?([/.-]) ?(?P<month>\d{{1,2}}) ?\2 ?(?P<year>\d{{4}}){_YEAR_BEHIND}",
        _full,
    ),
    rule(
        "date",
        r"(?<![\w/.-])(?P<day>\d{1,2})([/.-])(?P<month>\d{1,2})\2(?P<year>\d\d)(?![\w/-]|[.,]\d)",
        _short_year,
    ),
    rule("date", r"(?<![\w/.])(?P<month>\d{1,2}) ?[/] ?(?P<year>[12]\d{3})(?![\w/]|[.,]\d)", _month_year),
    rule("date", r"(?<=háng )(?P<month>\d{1,2})[-./ ](?P<year>[12]\d{3})(?![\w/]|[.,]\d)", _month_year),
    rule("date", r"(?<![\w/.,-])[Tt]\.?(?P<month>\d{1,2})[/-](?P<year>[12]\d{3})(?![\w/]|[.,]\d)", _month_year),
    rule(
        "date",
        r"(?<![\w/.])(?:(?<!\d,)|(?<=/\d,)|(?<=/\d\d,))(?P<day>\d{1,2})/(?P<month>\d{1,2})(?![\w/%]|\.\d|,\d(?!\d?/\d))",
        _day_month,
    ),
    rule(
        "date",
        rf"(?<={FIGURE},)(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})(?![\w/%]|\.\d|,\d(?!\d?/\d))",
        _day_month,
    ),
    rule("date", r"(?<=háng )0?4(?![\w/.,:]|[.,]\d)", always("tư")),
)
