"""Money and short magnitudes: 50.000đ, 1,5 tỷ VNĐ, 10k, 1tr2, 2,50€, $100, 50.000đ/ngày. Tables: money.toml."""

from __future__ import annotations

import re

from controller.newsroom.figures import signed
from controller.newsroom.numbers import cardinal
from controller.newsroom.rules import END, GAP, NUMBER, SIGNED, START, Rule, data, one_of, rule

_MARKS = data("money")["currencies"]
_CENTS = data("money")["with_cents"]
_MAGNITUDES = data("money")["magnitudes"]
_PER = {**data("units")["per"], **data("units")["units"]}
_LEAST_DIGITS = 3
_CURRENCY = one_of(list(_MARKS))
_MAGNITUDE = rf"(?:{GAP}(?P<size>{one_of(list(_MAGNITUDES))})(?![^\W\d_])(?P<rest>\d{{1,3}}(?!\w))?)"
_RATE = rf"(?:{GAP}/{GAP}(?P<per>{one_of(list(_PER))}){END})?"


def _sized(match: re.Match[str]) -> str:
    size, rest = match["size"], match["rest"]
    words = f"{signed(match, match['figure'])} {_MAGNITUDES[size]}" if size else signed(match, match["figure"])
    if not rest:
        return words
    below = {"triệu": "nghìn", "tỷ": "triệu", "tỉ": "triệu"}.get(_MAGNITUDES[size], "")
    return f"{words} {cardinal(int(rest.ljust(3, '0')))} {below}".rstrip()


def _amount(match: re.Match[str]) -> str | None:
    currency = _MARKS[match["currency"]]
    figure = match["figure"]
    if match["currency"] == "Đ" and len(figure) < _LEAST_DIGITS and not match["size"]:  # lớp 12Đ
        return None
    cents = re.fullmatch(r"(\d{1,9})[,.](\d{1,2})", figure)
    if cents and not match["size"] and currency in _CENTS:
        units, xu = int(cents[1]), int(cents[2].ljust(2, "0"))
        pieces = [f"{cardinal(units)} {currency}"] if units or not xu else []
        said = " ".join(pieces + ([f"{cardinal(xu)} xu"] if xu else []))
    else:
        said = f"{_sized(match)} {currency}"
    per = match.groupdict().get("per")
    return f"{said} trên {_PER[per]}" if per else said


RULES: tuple[Rule, ...] = (
    rule("money", rf"{START}(?P<figure>{SIGNED}){_MAGNITUDE}?{GAP}(?P<currency>{_CURRENCY})(?![^\W_]){_RATE}", _amount),
    rule("money", rf"(?P<currency>[$€£₫]){GAP}(?P<figure>{NUMBER}){_MAGNITUDE}?(?![^\W_])", _amount),
    rule(
        "magnitude",
        rf"{START}(?P<figure>{SIGNED}){_MAGNITUDE}(?!\w){_RATE}",
        lambda m: _sized(m) + (f" trên {_PER[m['per']]}" if m["per"] else ""),
    ),
)
