"""Numbers in Vietnamese words.

- mốt, tư, lăm after mươi; linh between a hundred and a unit; groups of thousands, millions, tỷ (and tỷ tỷ).
- Groups without hundreds are read short: 2026 is "hai nghìn hai mươi sáu", 1.005 "một nghìn linh năm".
- Decimals are read digit by digit behind "phẩy"; anything beyond 21 digits is read digit by digit.
"""

from __future__ import annotations

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_BILLION = 1_000_000_000
MOST_DIGITS = 21


def spell(digits: str) -> str:
    """Each digit by its name: ``"0912"`` → "không chín một hai". Other characters are skipped."""
    return " ".join(DIGITS[int(char)] for char in digits if char.isascii() and char.isdigit())


def cardinal(number: int) -> str:
    """``number`` (any size up to ``MOST_DIGITS`` digits, else spelt) in words; negative numbers begin with "âm"."""
    if number < 0:
        return "âm " + cardinal(-number)
    if number == 0:
        return DIGITS[0]
    if number >= 10**MOST_DIGITS:
        return "không rõ" if number >= 10**4000 else spell(str(number))
    return " ".join(_group(number, first=True))


def _group(number: int, first: bool) -> list[str]:
    above, rest = divmod(number, _BILLION)
    if above:
        return [*_group(above, first), "tỷ", *(_below_billion(rest, first=False) if rest else [])]
    return _below_billion(rest, first)


def _below_billion(number: int, first: bool) -> list[str]:
    words: list[str] = []
    for size, name in ((1_000_000, "triệu"), (1000, "nghìn"), (1, "")):
        group, number = divmod(number, size)
        if not group:
            continue
        last = size == 1
        words += _below_thousand(group, first or not last)
        words += [name] if name else []
        first = False
    return words


def _below_thousand(number: int, first: bool) -> list[str]:
    hundreds, rest = divmod(number, 100)
    tens, unit = divmod(rest, 10)
    words = [DIGITS[hundreds], "trăm"] if hundreds else []
    if not rest:
        return words
    if tens == 0:
        return [*words, DIGITS[unit]] if first and not hundreds else [*words, "linh", DIGITS[unit]]
    words += ["mười"] if tens == 1 else [DIGITS[tens], "mươi"]
    if unit:
        words.append(_unit_after_ten(tens, unit))
    return words


def _unit_after_ten(tens: int, unit: int) -> str:
    if unit == 5:
        return "lăm"
    if tens > 1 and unit in (1, 4):
        return "mốt" if unit == 1 else "tư"
    return DIGITS[unit]


def ordinal(number: int) -> str:
    """What follows "thứ": nhất, hai, ba, tư, năm …"""
    return {1: "nhất", 4: "tư"}.get(number) or cardinal(number)


def whole(digits: str) -> str:
    """A run of digits as people read it: a number, or digit by digit when it begins with 00 or is a long 0…-code."""
    if len(digits) > MOST_DIGITS or (len(digits) > 2 and digits[0] == "0"):
        return spell(digits)
    return cardinal(int(digits))


def written(figure: str) -> str:
    """A written figure (``NUMBER`` of figures.py: ``1.234.567``, ``12,5``, ``1 500``, ``-3``) in words."""
    sign = "âm " if figure[0] in "-−" else ""
    plain = figure.lstrip("-−").replace(" ", "").replace("\u2009", "")
    grouped, mark, fraction = plain, "", ""
    if "," in plain and "." in plain:
        mark = max(",", ".", key=plain.rfind)
        grouped, _, fraction = plain.rpartition(mark)
    elif plain.count(",") == 1:
        grouped, mark, fraction = plain.partition(",")
    elif plain.count(".") == 1 and (len(plain.partition(".")[2]) != 3 or plain.startswith("0.")):
        grouped, mark, fraction = plain.partition(".")
    words = whole(grouped.replace(".", "").replace(",", ""))
    return f"{sign}{words} phẩy {spell(fraction)}" if mark else sign + words
