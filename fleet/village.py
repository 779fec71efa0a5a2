"""The demonstration's places: two communes of Lạng Sơn with their hamlets, and a node in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PROVINCE = ("lang-son", "Tỉnh Lạng Sơn")
COMMUNES = (("lang-son:tam-thanh", "Phường Tam Thanh", "Khối"), ("lang-son:dong-dang", "Xã Đồng Đăng", "Thôn"))


@dataclass(frozen=True)
class Post:
    """Where one node hangs: its name on the wire, its name for people, its hamlet and that one's name."""

    node: str
    name: str
    hamlet: str
    hamlet_name: str


def posts(count: int) -> Iterator[Post]:
    """``count`` posts, dealt to the communes in turn."""
    for index in range(count):
        commune, _, word = COMMUNES[index % len(COMMUNES)]
        number = index // len(COMMUNES) + 1
        slug = commune.rpartition(":")[2]
        kind = {"Khối": "khoi", "Thôn": "thon"}[word]
        yield Post(f"{slug}-{number:02}", f"Cụm loa {word} {number}", f"{commune}:{kind}-{number}", f"{word} {number}")
