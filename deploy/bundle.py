"""A program as one file, for sites without internet: how it is laid out, and how it is written.

``loa-node-VERSION-cpXY-MACHINE.tar`` (``loa-station-…`` for a station), not compressed (wheels are):
``bundle.toml``, ``requirements.txt`` with the hash
of every wheel, ``wheels/``; for a fresh machine also ``debs/``, and the installer with what it lays down.

- The same input gives the same bytes: sorted names, one moment, no owners, two modes.
- Read by ``install-node.sh`` and by the node's own updates; written here only.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from words import Said

PYTHONS = ("3.11", "3.13")  # of Debian 12 and 13
MACHINES = {"aarch64": "arm64", "x86_64": "amd64"}  # as the kernel names them, and as Debian does
PROGRAM = "loa-radio"
EXTRAS = {"node": "node", "controller": "station"}  # of the program, and what people call what is installed with it

_WHEEL = re.compile(r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[A-Za-z0-9_.!+]+)(-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl")
_NO_NAME = re.compile(r"[-_.]+")


class NoBundle(Said):
    """A bundle that cannot be made, and why."""


@dataclass(frozen=True)
class Target:
    """What the bundle is for. ``python``: one of PYTHONS; ``machine``: one of MACHINES; ``extra``: one of EXTRAS."""

    python: str
    machine: str
    extra: str = "node"

    @property
    def tag(self) -> str:
        """As wheels name the interpreter: ``cp311``."""
        return f"cp{self.python.replace('.', '')}"


@dataclass(frozen=True)
class Wheel:
    """One distribution: its name as PEP 503 writes it, its version, its file."""

    name: str
    version: str
    path: Path


def wheels_in(folder: Path) -> list[Wheel]:
    """The wheels of a folder by name. Raises ValueError for a name that is no wheel's (PEP 427)."""
    return sorted((_wheel(path) for path in folder.iterdir()), key=lambda each: each.name)


def requirements(wheels: Iterable[Wheel]) -> str:
    """Every wheel with the only hash it may have: for ``pip install --require-hashes``."""
    return "".join(f"{each.name}=={each.version} --hash=sha256:{_sha256(each.path)}\n" for each in wheels)


def about(target: Target, version: str, made_at: datetime, debian: str = "") -> str:
    """``bundle.toml``. ``made_at``: of the source, not of the writing; ``debian``: the packages' release."""
    told = {"version": version, "python": target.python, "machine": target.machine}
    if target.extra != "node":
        told["extra"] = target.extra
    told["made_at"] = made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if debian:
        told["debian"] = debian
    return "".join(f'{key} = "{value}"\n' for key, value in told.items())


def file_name(target: Target, version: str) -> str:
    """What the bundle is called."""
    return f"loa-{EXTRAS[target.extra]}-{version}-{target.tag}-{target.machine}.tar"


def write(folder: Path, bundle: Path, made_at: datetime) -> None:
    """Every file under ``folder`` into ``bundle``, which is there whole or not at all. Raises OSError."""
    half = bundle.with_name(f".{bundle.name}.half")
    try:
        with half.open("wb") as content:
            # pax headers would hold fractions of seconds
            with tarfile.open(fileobj=content, mode="w", format=tarfile.GNU_FORMAT) as tar:
                for path in sorted(each for each in folder.rglob("*") if each.is_file()):
                    _add(tar, path, path.relative_to(folder).as_posix(), int(made_at.timestamp()))
            content.flush()
            os.fsync(content.fileno())
        half.replace(bundle)
    finally:
        half.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, path: Path, name: str, moment: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = path.stat().st_size, moment
    member.mode = 0o755 if name.endswith(".sh") else 0o644
    with path.open("rb") as content:
        tar.addfile(member, content)


def _wheel(path: Path) -> Wheel:
    found = _WHEEL.fullmatch(path.name)
    if found is None:
        raise ValueError(f"not a wheel: {path.name}")
    return Wheel(_NO_NAME.sub("-", found["name"]).lower(), found["version"], path)


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
