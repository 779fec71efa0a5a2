"""What may be installed: every library at one version, every file of it by its SHA-256, a file an extra in ``locks/``.

- The form is pip's own (``pip install --require-hashes -r locks/base.txt -r locks/node.txt``); two comments before each
  name say who wants it and which file each hash is of.
- A file is there for every target, with a wheel for each: nothing is compiled, nothing is built by what is not locked.
- Written by ``./run lock`` (`lock`), held against pyproject.toml and constraints.txt by ``./run check`` (`agreement`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pip._vendor.packaging import tags
from pip._vendor.packaging.markers import Marker
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from words import Said

PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("aarch64", "x86_64")
OLDEST_GLIBC, GLIBC = 17, 36  # of manylinux2014, and of Debian 12
PROGRAM = "loa-radio"
BASE, BUILD, CLIPS, UNITS, ASSETS = "base", "build", "clips", "units", "assets"
FOR_EDITABLE = "editables>=0.5"  # what hatchling asks for to install a source where it lies
READ = {  # wheels that are read and not installed: people's speech for a bench, and the country's official units
    CLIPS: "vieneu==3.8.3",
    UNITS: "vietnamadminunits==1.0.4",
}
MOST_BYTES = 4_000_000

_PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[A-Za-z0-9.!+_-]+)(?: ; (?P<marker>[^\\]+))?")
_HASH = re.compile(r"    --hash=sha256:(?P<sha256>[0-9a-f]{64})")
_VIA, _FILE = "# via: ", "#   "


class BadLock(Said):
    """A lock that is none, or that does not agree with what it was made of."""


@dataclass(frozen=True)
class Artefact:
    """One file as the index has it; ``sha256``: 64 hex digits."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Locked:
    """One distribution. ``marker``: where it is wanted, "" for everywhere; ``via``: who wants it, by name."""

    name: str
    version: str
    marker: str
    via: tuple[str, ...]
    artefacts: tuple[Artefact, ...]

    def is_for(self, python: str, machine: str) -> bool:
        """Whether that target wants it."""
        return not self.marker or Marker(self.marker).evaluate(environment(python, machine))

    def fitting(self, python: str, machine: str) -> list[Artefact]:
        """Its wheels for that target."""
        return [each for each in self.artefacts if fits(each.name, python, machine)]


def environment(python: str, machine: str, extra: str = "") -> dict[str, str]:
    """What the markers of requirements ask for (PEP 508), as that target answers."""
    about = {"python_version": python, "python_full_version": f"{python}.0", "platform_machine": machine}
    about |= {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux", "extra": extra}
    return about | {"implementation_name": "cpython", "platform_python_implementation": "CPython"}


def fits(wheel: str, python: str, machine: str) -> bool:
    """Whether the wheel of that file name (PEP 427) can be installed on that target."""
    try:
        *_, told = parse_wheel_filename(wheel)
    except InvalidWheelFilename:
        return False
    return not told.isdisjoint(_accepted(python, machine))


@cache
def _accepted(python: str, machine: str) -> frozenset[tags.Tag]:
    major, minor = map(int, python.split("."))
    platforms = [f"manylinux_2_{glibc}_{machine}" for glibc in range(GLIBC, OLDEST_GLIBC - 1, -1)]
    platforms += [f"manylinux2014_{machine}"]
    platforms += [f"manylinux_2_{glibc}_{machine}" for glibc in (12, 5)] + [f"manylinux2010_{machine}"]
    platforms += [f"manylinux1_{machine}"]
    compiled = tags.cpython_tags((major, minor), [f"cp{major}{minor}"], platforms)
    return frozenset([*compiled, *tags.compatible_tags((major, minor), f"cp{major}{minor}", platforms)])


def wanted(project: Mapping[str, object]) -> dict[str, list[Requirement]]:
    """Group -> what a pyproject.toml asks for: its dependencies, each extra, what builds it; and what is read."""
    about, building = project["project"], project["build-system"]
    assert isinstance(about, dict)
    assert isinstance(building, dict)
    asked = {BASE: about["dependencies"], **about["optional-dependencies"]}
    asked |= {BUILD: [*building["requires"], FOR_EDITABLE]} | {group: [each] for group, each in READ.items()}
    return {group: [Requirement(each) for each in told] for group, told in asked.items()}


def constraints(text: str) -> dict[str, str]:
    """Name -> version of a constraints.txt. Raises BadLock for a line that pins nothing, or pins anew."""
    pinned: dict[str, str] = {}
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        name, pins, version = line.partition("==")
        if not pins or canonicalize_name(name) in pinned or not re.fullmatch(r"[\w.!+-]+", version):
            raise BadLock("supply.constraint_line", line=line[:100])
        pinned[canonicalize_name(name)] = version
    return pinned


def written(group: str, locked: Iterable[Locked]) -> str:
    """The file of a group."""
    return f"# {group}: written by ./run lock\n" + "".join(
        "\n"
        + f"{_VIA}{', '.join(each.via)}\n"
        + "".join(f"{_FILE}{artefact.name}\n" for artefact in each.artefacts)
        + f"{each.name}=={each.version}"
        + (f" ; {each.marker}" if each.marker else "")
        + "".join(f" \\\n    --hash=sha256:{artefact.sha256}" for artefact in each.artefacts)
        + "\n"
        for each in sorted(locked, key=lambda each: each.name)
    )


def read(path: Path) -> list[Locked]:
    """The file of a group. Raises BadLock for anything that `written` would not write, OSError."""
    with path.open("rb") as content:
        text = content.read(MOST_BYTES + 1)
    blocks = [] if len(text) > MOST_BYTES else text.decode("utf-8", "replace").split("\n\n")
    if not blocks or not re.fullmatch(r"# [a-z0-9-]+: written by \./run lock\n?", blocks[0]):
        raise BadLock("supply.lock_line", file=path.name, line=(blocks or [""])[0][:100])
    return [_locked(path.name, block.rstrip("\n").split("\n")) for block in blocks[1:]]


def _locked(file: str, lines: list[str]) -> Locked:
    names = [line.removeprefix(_FILE) for line in lines if line.startswith(_FILE)]
    rest = [line.removesuffix(" \\") for line in lines if not line.startswith(_FILE)]
    pin = _PIN.fullmatch(rest[1]) if len(rest) > 1 else None
    hashes = [_HASH.fullmatch(line) for line in rest[2:]]
    if pin is None or not rest[0].startswith(_VIA) or None in hashes or not len(hashes) == len(names) > 0:
        raise BadLock("supply.lock_line", file=file, line=" ".join(rest)[:100])
    artefacts = [Artefact(name, found["sha256"]) for name, found in zip(names, hashes, strict=True) if found]
    via = tuple(rest[0].removeprefix(_VIA).split(", "))
    return Locked(pin["name"], pin["version"], (pin["marker"] or "").strip(), via, tuple(artefacts))


@dataclass(frozen=True)
class Source:
    """What stands in a folder with a pyproject.toml: what is asked for, pinned and locked."""

    asked: dict[str, list[Requirement]]
    pinned: dict[str, str]
    locked: dict[str, list[Locked]]

    @classmethod
    def of(cls, top: Path) -> Source:
        """Raises BadLock, OSError."""
        project = tomllib.loads((top / "pyproject.toml").read_text("utf-8"))
        held = {path.stem: read(path) for path in sorted((top / "locks").glob("*.txt"))}
        return cls(wanted(project), constraints((top / "constraints.txt").read_text("utf-8")), held)

    def for_target(self, groups: Iterable[str], python: str, machine: str) -> list[Locked]:
        """What a target installs of those groups, once each, by name. Raises KeyError for a group that is not there."""
        found = {each.name: each for group in groups for each in self.locked[group] if each.is_for(python, machine)}
        return [found[name] for name in sorted(found)]


def requirements(locked: Iterable[Locked], python: str, machine: str) -> str:
    """For ``pip --require-hashes``: what fits that target alone."""
    return "".join(
        f"{each.name}=={each.version}"
        + "".join(f" --hash=sha256:{artefact.sha256}" for artefact in each.fitting(python, machine))
        + "\n"
        for each in locked
    )
