"""The npm packages that the pages' files are made of, out of their lock: for the list of parts and for the licences.

- What esbuild brings for each machine (``@esbuild/…``) is esbuild. It is a tool: nothing of it travels.
- The lock says a licence, a person wrote it down in `licences.toml`; both must say the same.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from words import Said

LOCK = Path("controller/web/front/package-lock.json")
_BEFORE = "node_modules/"


@dataclass(frozen=True)
class Package:
    """One package. ``sha512``: 128 hex digits; ``tool``: it only builds."""

    name: str
    version: str
    licence: str
    sha512: str
    tool: bool


def packages(top: Path) -> list[Package]:
    """Those of the lock, by name. Raises Said for a lock that is none, OSError."""
    try:
        told = json.loads((top / LOCK).read_text("utf-8"))["packages"]
        return sorted(_packages(told), key=lambda each: each.name)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as wrong:
        raise Said("supply.front_lock", why=wrong) from wrong


def _packages(told: Mapping[str, Mapping[str, object]]) -> Iterator[Package]:
    for path, about in told.items():
        name = path.rpartition(_BEFORE)[2]
        if not name or name.startswith("@esbuild/"):
            continue
        kind, _, digest = str(about["integrity"]).partition("-")
        if kind != "sha512":
            raise ValueError(f"{name}: {kind}")
        sha512 = base64.b64decode(digest, validate=True).hex()
        yield Package(name, str(about["version"]), str(about.get("license", "")), sha512, bool(about.get("dev")))


def complaints(top: Path, known: Mapping[str, Mapping[str, str]]) -> Iterator[Said]:
    """Every licence that is not as it is written down (``[front]``), or may not be."""
    found = packages(top)
    for name in sorted(known["front"].keys() - {each.name for each in found}):
        yield Said("supply.licence_in_vain", name=name)
    for each in found:
        written = known["front"].get(each.name, "")
        if not written:
            yield Said("supply.no_licence", name=each.name)
        elif written != each.licence:
            yield Said("supply.other_licence", name=each.name, licence=written, said=each.licence)
        elif written not in known["allowed"]:
            yield Said("supply.licence_forbidden", name=each.name, licence=written)
