"""Plain figures: percentages, fractions, ordinals, section numbers, everything that is left of digits.

- The last rule reads any digit that no other rule claimed: no digit survives.
"""

from __future__ import annotations

import re
import unicodedata

from controller.newsroom.numbers import cardinal, ordinal, spell, whole, written
from controller.newsroom.rules import FIGURE, GAP, NUMBER, SIGNED, START, Rule, before, rule


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
    joined = "phần" if below <= 10 or whole_part else "trên"
    below_said = "tư" if below == 4 and joined == "phần" else cardinal(below)
    sign = "âm " if match["sign"] else ""
    return f"{sign}{cardinal(int(whole_part)) + ' và ' if whole_part else ''}{cardinal(above)} {joined} {below_said}"


FRACTION = r"(?P<sign>(?<![^\s(])-)?(?:(?P<whole>\d{1,6}) )?(?P<above>\d{1,4})/(?P<below>\d{1,4})"
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅛"


def _vulgar(match: re.Match[str]) -> str:
    above, below = unicodedata.normalize("NFKD", match.group()).split("\u2044")
    return f"{cardinal(int(above))} phần {'tư' if below == '4' else cardinal(int(below))}"


def fraction_words(match: re.Match[str]) -> str | None:
    """The words of a `FRACTION` match, None when it is none (nothing over zero)."""
    return _fraction(match)


def _odd(match: re.Match[str]) -> str | None:
    char = match.group()
    if not char.isdigit():
        return None
    power = "mũ " if char in "²³¹⁰⁴⁵⁶⁷⁸⁹" else ""
    return power + cardinal(unicodedata.digit(char))


RULES: tuple[Rule, ...] = (
    rule("percent", rf"{START}{SIGNED}{GAP}%", lambda m: signed(m, m.group().rstrip("% ")) + " phần trăm"),
    rule("fraction", rf"{START}{FRACTION}(?![\w/]|[.,]\d)", _fraction),
    rule("fraction", f"[{_VULGAR}]", _vulgar),
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
