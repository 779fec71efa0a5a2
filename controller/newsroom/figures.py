"""Plain figures: percentages, fractions, ordinals, section numbers, everything that is left of digits.

- The last rule reads any digit that no other rule claimed: no digit survives.
"""

from __future__ import annotations

import re
import unicodedata

from controller.newsroom.numbers import cardinal, ordinal, spell, whole, written
from controller.newsroom.rules import FIGURE, GAP, NUMBER, OTHER, SIGNED, START, Rule, always, before, rule


def signed(match: re.Match[str], figure: str) -> str:
    """``figure`` in words; a dash between two figures is a range's, not a sign."""
    if figure[0] in "-−" and before(match)[-1:].isalnum() and re.search(r"[\d\ue000]$", before(match)):
        return "đến " + written(figure[1:])
    return written(figure)


def _fraction(match: re.Match[str]) -> str | None:
    above, below = int(match["above"]), int(match["below"])
    if not below:
        return None
    whole_part = match["whole"]
    joined = "phần" if whole_part or (below <= 10 and not _is_share(match, above, below)) else "trên"
    below_said = "tư" if below == 4 and joined == "phần" else cardinal(below)
    sign = "âm " if match["sign"] else ""
    return f"{sign}{cardinal(int(whole_part)) + ' và ' if whole_part else ''}{cardinal(above)} {joined} {below_said}"


def _is_share(match: re.Match[str], above: int, below: int) -> bool:
    """Whether so many *of* so many things are meant (9/10 thôn, 7/7), not a part of one thing (9/10 diện tích)."""
    if (above, below) == (24, 7):  # hours a day, days a week
        return True
    return above <= below and (above == below or bool(_THINGS.match(match.string, match.end(), match.end() + 12)))


_THINGS = re.compile(
    r" (?:phiếu|thôn|xã|phường|bản|khu|khối|tổ|đội|chi bộ|chi hội|hộ|đại biểu|tiêu chí|chỉ tiêu|đồng chí|trường|lớp|"
    r"em|cháu|cây|nhà|cụm|trạm|công trình|dự án|nhiệm vụ|học sinh|ý kiến|thành viên|câu|cán bộ|đảng viên|đơn vị)\b"
)
FRACTION = r"(?P<sign>(?<![^\s(])-)?(?:(?P<whole>\d{1,6}) )?(?P<above>\d{1,4})/(?P<below>\d{1,4})"
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"


def _vulgar(match: re.Match[str]) -> str:
    above, below = unicodedata.normalize("NFKD", match.group()).split("\u2044")
    return f"{cardinal(int(above))} phần {'tư' if below == '4' else cardinal(int(below))}"


def fraction_words(match: re.Match[str]) -> str | None:
    """The words of a `FRACTION` match, None when it is none (nothing over zero)."""
    return _fraction(match)


def _each(match: re.Match[str]) -> str:
    return ", ".join(whole(piece) for piece in re.split("[:-]", match.group()))


def _section(match: re.Match[str]) -> str | None:
    """Behind the name of a part of a text, and as a heading, a point is no decimal point."""
    heads = match.start() == 0 or match.string[match.start() - 1] == "\n"
    heading = heads and match.string[match.end() : match.end() + 2] == ". "
    if not heading and not _PART.search(before(match)):
        return None
    return " chấm ".join(whole(piece) for piece in match.group().split("."))


_PART = re.compile(r"(?<!\w)(?:mục|khoản|phần|bảng|hình|điều|chương|biểu|phụ lục|phiên bản|bài|tiết|mẫu)(?: số)?$")


def _odd(match: re.Match[str]) -> str | None:
    char = match.group()
    if unicodedata.category(char) not in ("No", "Nl"):
        return None
    power = "mũ " if char in "²³¹⁰⁴⁵⁶⁷⁸⁹" else ""
    number = unicodedata.numeric(char)
    return power + cardinal(int(number)) if number == int(number) else None


PLUS: tuple[Rule, ...] = (rule("plus", r"(?<![^\s(:–-])\+(?=\d)", always("cộng "), OTHER),)

RULES: tuple[Rule, ...] = (
    rule("percent", rf"{START}{SIGNED}{GAP}%", lambda m: signed(m, m.group().rstrip("% ")) + " phần trăm"),
    rule("fraction", rf"{START}{FRACTION}(?![\w/]|[.,]\d)", _fraction),
    rule("fraction", f"[{_VULGAR}]", _vulgar),
    rule("ratio", rf"{START}\d{{1,3}}(?:[:-]\d{{1,3}}){{2,4}}(?![\w:-]|[.,]\d)", _each),
    rule("sections", r"(?<![\w/.,-])\d{1,3}\.\d{1,3}(?!\w|[.,%/-]\d| ?%)", _section),
    rule("ordinal", r"(?<=hứ )\d{1,4}(?!\w|[.,/:]\d)", lambda m: ordinal(int(m.group()))),
    rule(
        "sections",
        rf"{START}\d{{1,4}}(?:\.\d{{1,4}}){{2,8}}(?!\d)(?=\.?(?: |$|\n))",
        lambda m: (
            None
            if re.fullmatch(r"\d{1,3}(?:\.\d{3})+", m.group())
            else " chấm ".join(whole(p) for p in m.group().split("."))
        ),
    ),
    rule("number", rf"{START}{SIGNED}(?!\d)", lambda m: signed(m, m.group())),
    rule("number", rf"(?<![\d{FIGURE}]){NUMBER}", lambda m: written(m.group())),
    rule("number", r"[0-9]++", lambda m: whole(m.group()) if len(m.group()) < 22 else spell(m.group())),
    rule("number", r"[^\x00-\x7f]", _odd),
)
