"""Whether an advisory's entry is about a version: ranges and lists of the OSV schema, by Python's order or Debian's.

- What cannot be judged counts as met: rather one alarm too many.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from pip._vendor.packaging.version import InvalidVersion, Version

Compare = Callable[[str, str], int]

_ENDS = ("fixed", "last_affected", "limit")
_PIECE = re.compile(r"(\D*)(\d*)")


@dataclass(frozen=True)
class Package:
    """One thing that is installed or locked. ``ecosystem``: ``PyPI``, or ``Debian:12`` for a source package."""

    ecosystem: str
    name: str
    version: str


def is_affected(package: Package, entry: Mapping[str, Any]) -> bool:
    """Whether an ``affected`` entry is about that version (OSV schema, "Evaluation").

    Raises ValueError, KeyError, TypeError or AttributeError for an entry that is none.
    """
    compare = python_order if package.ecosystem == "PyPI" else debian_order
    named, ranges = entry.get("versions") or [], [each for each in entry.get("ranges") or [] if each["type"] != "GIT"]
    if any(_is_same(package.version, str(each), compare) for each in named):
        return True
    if not named and not ranges:
        return True  # the whole package, whatever its version
    return any(_in_range(package.version, each["events"], compare) for each in ranges)


def _is_same(version: str, other: str, compare: Compare) -> bool:
    try:
        return version == other or compare(version, other) == 0
    except InvalidVersion:
        return False


def _in_range(version: str, events: Iterable[Mapping[str, str]], compare: Compare) -> bool:
    told = [(kind, str(at)) for each in events for kind, at in each.items()]
    begun = [at for kind, at in told if kind == "introduced"]
    if not begun:
        raise ValueError("a range without a beginning")
    try:
        return any(_in_stretch(version, at, told, compare) for at in begun)
    except InvalidVersion:
        return True


def _in_stretch(version: str, begun: str, told: Iterable[tuple[str, str]], compare: Compare) -> bool:
    """Whether it lies between a beginning and the first end that comes after it."""
    if begun != "0" and compare(version, begun) < 0:
        return False
    for kind, end in told:
        if kind not in _ENDS or end == "*" or (begun != "0" and compare(end, begun) < (kind != "last_affected")):
            continue
        if compare(version, end) >= (kind == "last_affected"):
            return False
    return True


def python_order(one: str, other: str) -> int:
    """-1, 0 or 1 (PEP 440). Raises InvalidVersion."""
    left, right = Version(one), Version(other)
    return (left > right) - (left < right)


def debian_order(one: str, other: str) -> int:
    """-1, 0 or 1 (deb-version(7)). Raises InvalidVersion."""
    for left, right in zip(_debian(one), _debian(other), strict=True):
        for mine, theirs in zip_longest(left, right, fillvalue=([0], 0)):
            if mine != theirs:
                return 1 if mine > theirs else -1
    return 0


def _debian(version: str) -> tuple[list[tuple[list[int], int]], ...]:
    """Epoch, upstream version and revision, each in pieces of letters and a number."""
    epoch, _, rest = version.rpartition(":")
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    if not re.fullmatch(r"\d*", epoch) or not re.fullmatch(r"[A-Za-z0-9.+~-]+", rest):
        raise InvalidVersion(version)
    return _pieces(epoch), _pieces(upstream), _pieces(revision)


def _pieces(text: str) -> list[tuple[list[int], int]]:
    return [([*map(_weight, letters), 0], int(digits or "0")) for letters, digits in _PIECE.findall(text)]


def _weight(letter: str) -> int:
    """~ sorts before the end, letters after it, everything else after letters."""
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 256
