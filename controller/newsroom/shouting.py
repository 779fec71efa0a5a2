"""A notice typed wholly in capitals: its units and currencies are found as if they stood in their own case.

- Only a line without a small letter is looked at, and there only what stands behind a figure: TỪ 7H, 50.000Đ, 100KM/H.
- The text keeps its length, so that what is read still points at what was written.
"""

from __future__ import annotations

import re

from controller.newsroom.rules import data, one_of

_UNITS = (
    "mm cm dm m km mm2 cm2 m2 km2 mm² cm² m² km² cm3 dm3 m3 cm³ dm³ m³ ha mg kg ml l lít kw kwh kv kva oC °C "
    "đ đồng vnđ vnd usd k tr trđ triệu tỷ tỉ nghìn ngàn"
)
_SMALL = {each.upper(): each for each in [*_UNITS.split(), "độ C"]}
_PER = {**_SMALL, **{each.upper(): each for each in data("units")["per"]}}
_NO_LETTERS = "ºªµ"  # small letters by the book only
_MONEY = one_of(["Đ", "ĐỒNG", "VNĐ", "VND"])
_SHOUTED = re.compile(
    rf"(?<=\d) ?{one_of(list(_SMALL))}(?![^\W_])(?: {_MONEY}(?![^\W_]))?(?: ?/ ?{one_of(list(_PER))}(?![^\W_]))?"
)
_EACH = re.compile(one_of(list(_PER)))


def quiet(text: str) -> str:
    """``text`` with the units of its lines in capitals in small letters where they have them; as long as before."""
    return "\n".join(map(_line, text.split("\n")))


def _line(line: str) -> str:
    if any(char.islower() and char not in _NO_LETTERS for char in line):
        return line
    return _SHOUTED.sub(lambda shouted: _EACH.sub(lambda each: _PER[each.group()], shouted.group()), line)
