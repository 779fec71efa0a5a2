"""What the locked libraries may be used under: `licences.toml`, held against what is installed here, without a network.

- A library's licence is written down once, by a person, as an SPDX expression; whatever a new version says instead of
  it is found.
- A program under another licence (GPL) is started as a process, never imported: it is no library of ours.
"""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Iterator, Mapping
from email.message import Message
from pathlib import Path

from pip._vendor.packaging.version import Version

from locks import ASSETS, BUILD, READ, Source
from words import Said

FILE = Path(__file__).parent / "licences.toml"
FOR_WORKING = {ASSETS, BUILD, *READ, "test", "intelligibility", "fuzz"}  # never on a station or a node
MOST_SPELLED = 60  # longer is the text of a licence, not its name

Book = Mapping[str, Mapping[str, str]]


def book() -> Book:
    """The tables of `licences.toml`."""
    return tomllib.loads(FILE.read_text("utf-8"))


def complaints(source: Source, known: Book) -> Iterator[Said]:
    """Everything that is not as written down, or may not be."""
    groups: dict[str, set[str]] = {}
    versions = {each.name: each.version for locked in source.locked.values() for each in locked}
    for group, locked in source.locked.items():
        for each in locked:
            groups.setdefault(each.name, set()).add(group)
    for name in sorted(known["libraries"].keys() - versions.keys()):
        yield Said("supply.licence_in_vain", name=name)
    for name in sorted(versions):
        licence = known["libraries"].get(name, "")
        if not licence:
            yield Said("supply.no_licence", name=name)
        elif not is_allowed(licence, known["allowed"]) and not (
            groups[name] <= FOR_WORKING and known["tools"].get(name) == licence
        ):
            yield Said("supply.licence_forbidden", name=name, licence=licence)
        said = installed(name, versions[name], known)
        if licence and said is not None and said != licence:
            yield Said("supply.other_licence", name=name, licence=licence, said=said)


def is_allowed(licence: str, allowed: Mapping[str, str]) -> bool:
    """Whether a simple SPDX expression (no brackets) leaves a way that is allowed."""
    return any(all(part in allowed for part in way.split(" AND ")) for way in licence.split(" OR "))


def installed(name: str, version: str, known: Book) -> str | None:
    """What the library says of itself where it lies here in that version; None where it does not."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    if Version(metadata["Version"]) != Version(version):
        return None
    told = _told(metadata)  # type: ignore[arg-type]
    return known["spelled"].get(told, told) if told else known["silent"].get(name, "")


def _told(metadata: Message) -> str:
    if expression := metadata.get("License-Expression"):
        return str(expression)
    text = str(metadata.get("License") or "").strip()
    if text and "\n" not in text and len(text) <= MOST_SPELLED:
        return text
    told = [each.split(" :: ")[-1] for each in metadata.get_all("Classifier", []) if each.startswith("License ::")]
    return ", ".join(sorted({*told} - {"DFSG approved"}))
