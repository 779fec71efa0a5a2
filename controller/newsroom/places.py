"""Figures that name a thing: plates, classes, houses, kilometre posts, coordinates, scores of a match.

- Plate: the place by its number, the letters, the rest digit by digit (12A-123.45); a fishing boat has its province
  first (QN-90123-TS). Where a blank parts a plate it needs its shape, or a word for a vehicle before it.
- Behind "lớp", "số nhà", "ngõ" … a slash is no fraction and no date.
- A score (2-1) stands behind a word of a match and is no range.
"""

from __future__ import annotations

import re

from controller.newsroom.numbers import cardinal, spell, whole, written
from controller.newsroom.rules import CODE, FIGURE, NUMBER, OTHER, START, Rule, always, before, rule
from controller.newsroom.syllables import letters

_IN_CLASS = re.compile(r"(?<!\w)(?:lớp|khối)$")
_NUMBERED = re.compile(r"(?<!\w)(?:lớp|ngõ|ngách|hẻm|kiệt|số nhà|nhà số|số|phòng|địa chỉ:?|căn hộ)$")
_MATCH = re.compile(
    r"(?:(?:tỷ|tỉ) số|thắng|thua|hòa|gỡ hòa|cầm hòa|dẫn|dẫn trước|đánh bại|bàn thắng)"
    r"(?: [^\W\d_]+){0,5}[\s:(]{0,2}$"
)
_SURE_MATCH = re.compile(r"(?:(?:tỷ|tỉ) số|kết quả trận)[^.!?\n\d]{0,30}$")
_MATCH_GOES_ON = re.compile(
    r" ?(?:$|[.,;:!?)\n]|(?:sau|trước|cho|trong|tại|ở|với|đội|và|nghiêng|chung|để|ngay|ngày|từ|qua)\b)"
)
_VEHICLE = re.compile(r"(?:biển số|biển kiểm soát|bks|biển|xe(?: [^\W\d_]+){0,3})(?: số)?[: ]{0,2}$")
_PLACE = re.compile(r"(?i)t[oọ]a? ?độ|toạ độ|vĩ độ|kinh độ|vị trí|bão|áp thấp|tâm chấn")
_HALVES = {"N": "vĩ Bắc", "S": "vĩ Nam", "E": "kinh Đông", "W": "kinh Tây", "B": "Bắc", "Đ": "Đông", "T": "Tây"}


def _plate(match: re.Match[str]) -> str | None:
    place, written_letters, serie, rest = match.group("place", "letters", "serie", "rest")
    if _IN_CLASS.search(before(match)):
        return None
    sign = "biển số " if match["sign"] else ""
    named = written_letters if len(written_letters) == 1 else letters(written_letters)
    return f"{sign}{cardinal(int(place))} {named}{' ' + spell(serie) if serie else ''}, {spell(rest)}"


def _loose_plate(match: re.Match[str]) -> str | None:
    """Parted by a blank or a point only, a plate could be something else, but for what stands before it."""
    shaped = match["serie"] and (len(match["rest"]) > 4 or "-" in match.group())
    return _plate(match) if match["sign"] or shaped or _VEHICLE.search(before(match, 30)) else None


def _boat(match: re.Match[str]) -> str:
    return f"{letters(match['place'])}, {spell(match['number'])}, tê ét sì"


def _numbered(match: re.Match[str]) -> str | None:
    if not _NUMBERED.search(before(match)):
        return None
    return " trên ".join(whole(each) for each in match.group().split("/"))


def _score(match: re.Match[str]) -> str | None:
    near, sure = _MATCH.search(before(match, 40)), _SURE_MATCH.search(before(match, 60))
    goes_on = _MATCH_GOES_ON.match(match.string, match.end(), match.end() + 10)
    return f"{whole(match[1])} {whole(match[2])}" if sure or (near and goes_on) else None


def _coordinate(match: re.Match[str]) -> str | None:
    degrees, minutes, seconds, half = match.group("degrees", "minutes", "seconds", "half")
    if not (minutes or half) or not _is_place(match):
        return None
    words = [written(degrees), "độ"]
    words += [written(minutes), "phút"] if minutes else []
    words += [written(seconds), "giây"] if seconds else []
    first = [written(match["first"]), "đến"] if match["first"] else []
    return " ".join(first + words + ([_HALVES[half]] if half else []))


def _is_place(match: re.Match[str]) -> bool:
    """A figure with a letter behind it is a place with its sign, with many decimals, or where places are spoken of."""
    exact = re.search(r"[.,]\d{3}", match["degrees"])
    beside = match.string[max(0, match.start() - 60) : match.end() + 20]
    return bool("°" in match.group() or "º" in match.group() or exact or _PLACE.search(beside))


def _level(match: re.Match[str]) -> str:
    level = match["level"]
    return f"báo động {cardinal(len(level) if level[0] == 'I' else int(level))}"


def _post(match: re.Match[str]) -> str:
    metres = match["metres"]
    return f"ki lô mét {written(match['km'])}" + (f" cộng {whole(metres)}" if metres else "")


_PLATE_BEGIN = (
    r"(?<![\w.,/-])(?P<sign>BS:? ?)?(?P<place>\d{2})(?:-| (?=[A-ZĐ]\d ?[-–]))?"
    r"(?P<letters>[A-ZĐ]{1,2})(?P<serie>\d)?"
)
_PLATE_END = r"(?P<rest>\d{3}\.\d{2}|\d{4,5})(?![\w/]|[.,]\d)"
RULES: tuple[Rule, ...] = (
    rule(
        "plate",
        rf"{_PLATE_BEGIN}(?: ?[-–] ?| (?=\d{{3}}\.\d\d)|(?<=[A-ZĐ]\d)\.(?=\d{{5}})){_PLATE_END}",
        _plate,
        CODE,
    ),
    rule("plate", rf"{_PLATE_BEGIN}[ .]?{_PLATE_END}(?! ?(?:m[²2]?|ha|kg|đ|đồng|người|hộ|cây)\b)", _loose_plate, CODE),
    rule("plate", r"(?<![\w.,/-])(?P<place>[A-ZĐ]{1,3}|BTh)[- ](?P<number>\d{4,5})[- ]TS(?!\w)", _boat, CODE),
    rule("house", r"(?<![\w.,/-])\d{1,4}(?:/\d{1,4}){1,3}(?![\w/%-]|[.,]\d)", _numbered),
    rule("score", r"(?<![\w.,/-])(\d{1,3}) ?[-–] ?(\d{1,3})(?![\w/%-]|[.,]\d| ?[-–] ?\d)", _score, OTHER),
    rule(
        "coordinate",
        rf"{START}(?:(?P<first>\d{{1,3}}[.,]\d{{1,6}}) ?[-–] ?)?(?P<degrees>\d{{1,3}}[.,]\d{{1,6}}) ?°?"
        r"(?P<minutes>)(?P<seconds>)(?P<half>[NSEW])(?!\w)",
        _coordinate,
        OTHER,
    ),
    rule(
        "coordinate",
        rf"{START}(?P<first>)(?P<degrees>\d{{1,3}}(?:[.,]\d{{1,6}})?) ?[°º]"
        r"(?: ?(?P<minutes>\d{1,2}(?:[.,]\d{1,6})?) ?['’′])?"
        r"(?: ?(?P<seconds>\d{1,2}(?:[.,]\d{1,6})?) ?(?:\"|”|″|''|’’))?(?: ?(?P<half>[NSEWBĐT])(?!\w))?",
        _coordinate,
        OTHER,
    ),
    rule("level", r"(?<!\w)BĐ[ -]?(?P<level>[1-5]|I{1,3})(?!\w|[.,]\d)", _level),
    rule(
        "post", rf"(?<!\d)(?<!\d )\b(?:Km|KM)\.? ?(?P<km>{NUMBER})(?: ?\+ ?(?P<metres>\d{{1,4}}))?(?!\w|[.,/]\d)", _post
    ),
    rule("post", rf"(?<!\d)(?<!\d )\b(?:Km|KM)(?= ?[\d{FIGURE}])", always("ki lô mét "), OTHER),
)
