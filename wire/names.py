"""Names of things on the wire: areas, nodes, jobs, assets, keys.

- An area's name is a path of slugs joined by ``:`` (``lang-son:dong-dang:thon-1``): what a key may
  speak for is then a question of prefix, which a node can answer alone (ADR 6).
- A node's name is one slug; a node is an area of its own (the area name *is* the node's name).
- Names travel in topics, file names and URLs, so the alphabet is small: ``a-z 0-9 -``.
"""

from __future__ import annotations

import re
from typing import NewType

AreaId = NewType("AreaId", str)
NodeId = NewType("NodeId", str)
JobId = NewType("JobId", str)
AssetId = NewType("AssetId", str)  # SHA-256 of the finished file, 64 lower-case hex digits
KeyId = NewType("KeyId", str)  # first 16 hex digits of the SHA-256 of the raw public key

SLUG = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"
_AREA = re.compile(rf"{SLUG}(?::{SLUG})*")
_SLUG = re.compile(SLUG)
_ASSET = re.compile(r"[0-9a-f]{64}")
MAX_AREA_CHARS = 200


class BadName(ValueError):
    """A name that the wire does not carry; ``what`` is area, node, asset …, ``name`` the offender."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"{name[:80]!r} is not a name for a {what}")
        self.what, self.name = what, name


def area_id(text: str) -> AreaId:
    """``text`` as an area name. Raises BadName."""
    if len(text) > MAX_AREA_CHARS or not _AREA.fullmatch(text):
        raise BadName("area", text)
    return AreaId(text)


def node_id(text: str) -> NodeId:
    """``text`` as a node name (one slug). Raises BadName."""
    if not _SLUG.fullmatch(text):
        raise BadName("node", text)
    return NodeId(text)


def asset_id(text: str) -> AssetId:
    """``text`` as an asset name (SHA-256 in lower-case hex). Raises BadName."""
    if not _ASSET.fullmatch(text):
        raise BadName("asset", text)
    return AssetId(text)


def lies_within(area: str, owner: str) -> bool:
    """Whether ``area`` is ``owner`` or lies below it; the owner ``*`` holds everything."""
    return owner == "*" or area == owner or area.startswith(owner + ":")
