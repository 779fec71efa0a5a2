"""What is seen but not heard: broken lines, bullets, emoji, addresses of the net, signs.

- A line that goes on in the next one (lower case there, a comma here, or a long line without an end) is joined to it.
- Bullets, emoji and ornaments are dropped; signs with a name are read by it; other signs stay, a voice skips them.
"""

from __future__ import annotations

import re
import unicodedata

from controller.newsroom.numbers import DIGITS
from controller.newsroom.rules import FIGURE, MARKS, OTHER, Rule, always, data, one_of, rule

_ITEM = re.compile(r"[-+*•–—]|\d{1,2}[.)]|[a-zđ]\)|[IVX]{1,5}\.")
_LONG_LINE = 60

_ORNAMENT = (
    "\u2022\u25cf\u25cb\u25aa\u25ab\u25a0\u25a1\u25c6\u25c7\u2605\u2606\u2713\u2714\u27a4\u27a2\u00b7\u2043\uf0b7"
)
_ARROWS = "→⇒➡⟶➔➜"
_TO_FIGURE = re.compile("[\ufe0f]? ?[0-9]")
_NAMED = "°±×÷¬^`~$€£¥₫+=<>≥≤|%‰"


def _is_picture(char: str) -> bool:
    if char in _NAMED or char.isascii():
        return False
    return unicodedata.category(char) in {"So", "Sk", "Sm"} or 0xFE00 <= ord(char) <= 0xFE0F


def _points_from_figure_to_figure(match: re.Match[str]) -> bool:
    text, at, end = match.string, match.start(), match.end()
    return text[max(0, at - 2) : at].rstrip()[-1:].isalnum() and bool(_TO_FIGURE.match(text, end, end + 3))


def _picture(match: re.Match[str]) -> str | None:
    char = match.group()
    if char in _ARROWS and _points_from_figure_to_figure(match):
        return None
    return " " if char in _ORNAMENT or _is_picture(char) else None


def _line_end(match: re.Match[str]) -> str | None:
    text, at = match.string, match.start()
    begin = text.rfind("\n", max(0, at - 400), at) + 1
    line, after = text[max(begin, at - 400) : at].rstrip(" \"'”’)"), text[at + 1 : at + 12]
    if not line or not after.strip() or after[0] == "\n" or line[-1] in ".!?…:;":
        return None
    goes_on = after[0].islower() or line[-1] == "," or len(line) >= _LONG_LINE
    return " " if goes_on and not _ITEM.match(after) else None


DROPS: tuple[Rule, ...] = (
    rule("picture", r"[^\x00-\x7f\w\s]", _picture, OTHER),
    rule("broken_line", r"\n", _line_end, OTHER),
    rule("bullet", r"(?m)^ ?(?:[-+*–—][-+*–— ]{0,8}(?=[ \w\"“(])(?!\d))", always(""), OTHER),
    rule("ornament", r"[*_#=~\-–—.]{3,}+|[#*_`^\\]", lambda m: "…" if m.group()[:3] == "..." else " ", OTHER),
)


_FOREIGN = data("foreign")["words"]


def _address(match: re.Match[str]) -> str:
    bare = re.sub(r"^https?://", "", match.group().rstrip(".,;:/"))
    names = {".": " chấm ", "/": " xẹt ", "@": " a còng ", "-": " gạch ngang ", "_": " gạch dưới "}
    words = "".join(names.get(c, c if c.isalpha() else f" {_digit(c)} ") for c in bare)
    words = re.sub(r"^www\b", "vê kép vê kép vê kép", words)
    words = re.sub(r"[A-Za-z]++", lambda word: _FOREIGN.get(word.group().lower(), word.group()), words)
    return re.sub(r" {2,}", " ", words).strip() + match.group()[len(match.group().rstrip(".,;:/")) :].rstrip("/")


def _digit(char: str) -> str:
    return DIGITS[int(char)] if char.isascii() and char.isdigit() else ""


ADDRESSES: tuple[Rule, ...] = (
    rule("address", r"(?<![\w.@/-])(?:https?://|www\.)[^\s,;()\"“”]{1,200}", _address, OTHER),
    rule("address", r"(?<![\w.@/-])[A-Za-z0-9._-]{1,64}+@[A-Za-z0-9-]{1,64}(?:\.[A-Za-z]{2,24}){1,4}", _address, OTHER),
    rule(
        "address",
        r"(?<![\w.@/-])[A-Za-z][A-Za-z0-9-]{0,64}(?:\.[A-Za-z0-9-]{1,64}){0,3}?\.(?:gov|com|org|net|edu|info)(?:\.vn)?"
        r"(?:/[\w./-]{1,200})?+(?![\w@]|\.\w)",
        _address,
        OTHER,
    ),
    rule(
        "address",
        r"(?<![\w.@/-])[A-Za-z][A-Za-z0-9-]{0,64}(?:\.[A-Za-z0-9-]{1,64}){0,4}?\.vn(?:/[\w./-]{1,200})?+(?![\w@]|\.\w)",
        _address,
        OTHER,
    ),
)

_SIGNS = data("signs")

SYMBOLS: tuple[Rule, ...] = (
    rule("range", rf"(?<={FIGURE}) ?(?:[-–—−÷~]|[-=]>|[{_ARROWS}]{OTHER}?) ?(?={FIGURE})", always(" đến "), OTHER),
    rule("range", rf"(?:(?<=sáng)|(?<=trưa)|(?<=chiều)|(?<=tối)) ?[-–] ?(?={FIGURE})", always(" đến "), OTHER),
    rule("plus", rf"(?<=\w) \+ (?={FIGURE})", always(" cộng "), OTHER),
    rule("times", rf"(?<={FIGURE}) ?[xX×*] ?(?={FIGURE})", always(" nhân "), OTHER),
    rule("above", rf"(?<![{MARKS}])> ?(?={FIGURE})", always(" trên "), OTHER),
    rule("below", rf"(?<![{MARKS}])< ?(?={FIGURE})", always(" dưới "), OTHER),
    rule("slash", rf"(?<={FIGURE}) ?/ ?(?=[{MARKS}])", always(" trên "), OTHER),
    rule("slash", rf"(?<={FIGURE})/(?=[^\W\d_])", always(" trên "), OTHER),
    rule("proportion", rf"(?<={FIGURE}):(?={FIGURE})", always(" trên "), OTHER),
    rule("slash", r" ?/ ?", always(", "), OTHER),
    rule("joined", rf"(?<=[\w{MARKS}])[-–](?=[\w{MARKS}])", always(" "), OTHER),
    rule("sign", one_of(list(_SIGNS["always"])), lambda m: f" {_SIGNS['always'][m.group()]} ", OTHER),
    rule(
        "sign",
        rf"(?<={FIGURE}) ?{one_of(list(_SIGNS['between']))} ?(?={FIGURE})",
        lambda m: f" {_SIGNS['between'][m.group().strip()]} ",
        OTHER,
    ),
    rule("sign", rf"(?<=\w) ?= ?(?={FIGURE})", always(" bằng "), OTHER),
    rule("picture", f"[{_ARROWS}]", always(" "), OTHER),
    rule("sign", r"[<>|{}\[\]+=~^$]", always(" "), OTHER),
)
