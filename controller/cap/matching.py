"""Which of the station's areas an alert means: by official code, else by name. What is not certain is not guessed.

- A code counts together with its kind (``GSO=20``), as the station was told it.
- A name counts with its accents, else without them; where two areas are called so, it is left to a person.
- In "Xã Đồng Đăng, tỉnh Lạng Sơn" the province only says where the commune lies.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.cap.alert import Place
from controller.roster import Area, AreaKind, ancestors

_KINDS = (
    *("thành phố", "thị trấn", "thị xã", "đặc khu", "khu phố", "tỉnh", "huyện", "quận", "phường", "xã"),
    *("thôn", "bản", "tp", "tx", "tt"),
)
_KIND = re.compile(rf"(?:các )?(?:(?:{'|'.join(_KINDS)})\.? )?")
_BETWEEN = re.compile(r"[,;\n]| và | and |(?<=\w) - (?=\w)")
_MOST_PARTS = 100


@dataclass(frozen=True)
class Matched:
    """The areas found, each once, and the names of what was not."""

    areas: tuple[str, ...]
    unknown: tuple[str, ...]


def match(places: Iterable[Place], areas: Iterable[Area], codes: Mapping[str, str]) -> Matched:
    """The areas that ``places`` mean. ``codes``: area by ``kind=value``."""
    book = _Book(areas, codes)
    found: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for place in places:
        here, missing = _of(place, book)
        found.update(dict.fromkeys(here))
        unknown.update(dict.fromkeys(missing))
    wide = [area for area in found if not any(above in found for above in ancestors(area))]
    return Matched(tuple(wide), tuple(unknown))


def _of(place: Place, book: _Book) -> tuple[list[str], list[str]]:
    """The areas of one place, and what of it is unknown."""
    coded = [area for kind, value in place.geocodes if (area := book.coded(kind, value))]
    if coded:
        return coded, []
    whole = book.named(place.name)
    if whole:
        return [whole], []
    parts = [part.strip(" .") for part in _BETWEEN.split(place.name) if part.strip(" .")][:_MOST_PARTS]
    named = [(part, book.named(part)) for part in parts]
    found = [area for _, area in named if area]
    inner = [area for area in found if not any(area in ancestors(other) for other in found)]
    return inner, [part for part, area in named if not area] if found else [place.name]


class _Book:
    """The station's areas by code and by name; groups are no places."""

    def __init__(self, areas: Iterable[Area], codes: Mapping[str, str]) -> None:
        self._codes = {_fold(code): area for code, area in codes.items()}
        self._names: dict[str, set[str]] = {}
        for area in areas:
            if area.kind is not AreaKind.GROUP:
                for form in _forms(area.name):
                    self._names.setdefault(form, set()).add(area.id)

    def coded(self, kind: str, value: str) -> str | None:
        return self._codes.get(_fold(f"{kind}={value}"))

    def named(self, name: str) -> str | None:
        """The one area of that name, in the strictest form in which there is any."""
        for form in _forms(name):
            if found := self._names.get(form):
                return next(iter(found)) if len(found) == 1 else None
        return None


def _forms(name: str) -> tuple[str, ...]:
    """A name in full, without the word for its kind, without accents."""
    full = _fold(name)
    bare = _KIND.sub("", full, count=1) or full
    return full, bare, _plain(bare)


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFD", text.replace("đ", "d"))
    return "".join(each for each in apart if not unicodedata.combining(each))
