"""Quantities with a unit: 12 kg, 1m³, 100 km/h, 3/4m, 25°C, 1m65. The units are in units.toml."""

from __future__ import annotations

import re

from controller.newsroom.figures import FRACTION, fraction_words, signed
from controller.newsroom.numbers import cardinal, spell
from controller.newsroom.rules import END, FIGURE, GAP, OTHER, SIGNED, START, Rule, always, before, data, one_of, rule

_UNITS = data("units")["units"]
_GLUED = data("units")["glued"]
_PER = data("units")["per"]
_ANY = one_of(list(_UNITS))
_RATE = rf"(?:{GAP}/{GAP}(?P<per>{one_of([*_UNITS, *_PER])}){END})?"


def _rate(match: re.Match[str]) -> str:
    per = match["per"]
    return f" trên {_PER.get(per) or _UNITS[per]}" if per else ""


def _quantity(match: re.Match[str]) -> str:
    return f"{signed(match, match['figure'])} {_UNITS[match['unit']]}{_rate(match)}"


def _glued(match: re.Match[str]) -> str:
    return f"{signed(match, match['figure'])} {_GLUED[match['unit']]}"


def _part(match: re.Match[str]) -> str | None:
    words = fraction_words(match)
    return words and f"{words} {_UNITS[match['unit']]}{_rate(match)}"


def _height(match: re.Match[str]) -> str | None:
    """1m65; 1m2 and 1m3 are areas and volumes but where a height or depth is spoken of."""
    metres, rest = match.groups()
    if rest in _POWERS and not _is_length(match, int(metres), rest):
        return None
    return f"{cardinal(int(metres))} mét {cardinal(int(rest)) if rest[0] != '0' else spell(rest)}"


def _is_length(match: re.Match[str], metres: int, rest: str) -> bool:
    """Behind "rộng" a volume is none, and an area is small only where the breadth of a road or a crack is meant."""
    words = before(match, 40)
    if _LENGTH.search(words):
        return True
    wide = _WIDE.search(words) is not None
    return wide and (rest == "3" or metres < _LEAST_AREA or (metres < 10 and _LINEAR.search(words) is not None))


def _share(match: re.Match[str]) -> str | None:
    """Behind a counted thing (3 người/nhóm) a slash is "trên"; between two names (xã/phường) it is not."""
    return f" trên {match['thing']}" if _COUNTED.search(before(match)) else None


_POWERS = ("2", "3")
_ABOUT = r"(?: (?:khoảng|gần|hơn|tới|đến|trên|dưới|từ|thêm|là|lên|quá))?"
_LENGTH = re.compile(rf"(?<!\w)(?:cao|sâu|dài|ngập|dày|dâng|mực nước|nước lên|chiều rộng|bề rộng|chiều ngang){_ABOUT}$")
_WIDE = re.compile(rf"(?<!\w)rộng{_ABOUT}$")
_LINEAR = re.compile(r"(?<!\w)(?:đường|cống|rãnh|cầu|mương|hố|hào|khe|nứt|dài|sâu|cao)\b[^.;!?\n]{0,32}$")
_LEAST_AREA = 4
_COUNTED = re.compile(rf"[\d{FIGURE}] (?:[^\W\d_]+ ){{0,2}}[^\W\d_]+$")
_THINGS = (
    "nhóm|lớp|đội|thôn|xã|ca|lượt|buổi|phiên|đợt|suất|bao|thùng|chai|bộ|chiếc|cái|xe|hồ sơ|cháu|trẻ|khẩu|nhân khẩu|giải"
)
RULES: tuple[Rule, ...] = (
    rule("unit", r"(?:(?<=tháng)|(?<=tuần)|(?<=ngày)|(?<=năm)|(?<=quý)|(?<=giờ)) ?/ ?lần\b", always(" một lần"), OTHER),
    rule("unit", rf"(?<=[^\W\d_]) ?/ ?(?P<thing>{_THINGS})\b", _share, OTHER),
    rule("height", rf"{START}(\d{{1,2}})m(\d\d|[1-9]){END}", _height),
    rule("unit", rf"{START}{FRACTION}{GAP}(?P<unit>{_ANY}){END}{_RATE}", _part),
    rule("unit", rf"{START}(?P<figure>{SIGNED}){GAP}(?P<unit>{_ANY}){END}{_RATE}", _quantity),
    rule("unit", rf"{START}(?P<figure>{SIGNED})(?P<unit>{one_of(list(_GLUED))}){END}", _glued),
    rule(
        "unit",
        rf"(?<=[^\W\d_]) ?/ ?(?P<unit>{one_of([*_UNITS, *_PER])}){END}",
        lambda m: f" trên {_PER.get(m['unit']) or _UNITS[m['unit']]}",
    ),
    rule("unit", rf"(?<![\w/]){one_of(list(data('units')['bare']))}{END}", lambda m: _UNITS[m.group()]),
)
