"""The bundle: one uncompressed tar of wheels, unpacked with limits into a new folder.

- Holds ``bundle.toml``, ``requirements.txt`` and ``wheels/*.whl``, each once, and nothing else: no link, no device,
  no other path. Every byte written was inside the sealed length; what the wheels will take is added up before.
- ``requirements.txt`` names every distribution as ``name==version`` with hashes, and nothing else: no option, no
  address. pip checks the hashes.
"""

from __future__ import annotations

import re
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wire.release import Release

DISTRIBUTION = "loa-radio"
MOST_FILES = 120
MOST_TEXT_BYTES = 1 << 18
MOST_INSTALLED_BYTES = 600_000_000
MOST_INSTALLED_FILES = 60_000
FORM, NEEDS, WHEELS = "bundle.toml", "requirements.txt", "wheels"
_NAME = re.compile(r"bundle\.toml|requirements\.txt|wheels/[A-Za-z0-9][A-Za-z0-9._+!-]{0,180}\.whl")
_NEED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,80})==([A-Za-z0-9._+!-]{1,80})((?:\s+--hash=sha256:[0-9a-f]{64})+)")


class BadBundle(Exception):
    """The bytes are those that were sealed, but they are no bundle, or another one than the statement says."""


@dataclass(frozen=True)
class Form:
    """What a bundle says of itself."""

    version: str
    python: str
    machine: str


def form(path: Path) -> Form:
    """What the bundle at ``path`` says of itself. Raises BadBundle, OSError."""
    with _as_tar():
        for member, content in _members(path):
            if member == FORM:
                return _form(content.read(MOST_TEXT_BYTES))
    raise BadBundle("no bundle.toml in it")


def unpack(path: Path, release: Release, folder: Path) -> int:
    """The bundle into the new ``folder``; how many bytes its wheels will take. Raises BadBundle, OSError."""
    (folder / WHEELS).mkdir(parents=True)
    with _as_tar():
        for name, content in _members(path):
            with (folder / name).open("xb") as out:
                while chunk := content.read(1 << 18):
                    out.write(chunk)
    _agrees(folder, release)
    return sum(_installed_bytes(wheel) for wheel in sorted((folder / WHEELS).iterdir()))


def needs(text: str) -> dict[str, str]:
    """Version by name of every distribution in a ``requirements.txt``. Raises BadBundle for anything else in it."""
    found: dict[str, str] = {}
    for raw in text.replace("\\\n", " ").splitlines():
        line = raw.partition("#")[0].strip() if not raw.strip().startswith("#") else ""
        if not line:
            continue
        need = _NEED.fullmatch(line)
        if need is None:
            raise BadBundle(f"requirements.txt: {line[:100]!r}")
        found[re.sub(r"[-_.]+", "-", need[1]).lower()] = need[2]
    return found


def _members(path: Path) -> Iterator[tuple[str, tarfile.ExFileObject]]:
    """Name and content of everything in the tar. Raises BadBundle, and what `_as_tar` is for."""
    names: set[str] = set()
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            if member.isdir() and member.name.rstrip("/") == WHEELS:
                continue
            if not member.isreg() or member.issparse() or not _NAME.fullmatch(member.name):
                raise BadBundle(f"not a file of a bundle: {member.name[:100]!r}")
            if member.name in names or len(names) >= MOST_FILES:
                raise BadBundle(f"twice, or too many: {member.name[:100]!r}")
            names.add(member.name)
            content = tar.extractfile(member)
            assert isinstance(content, tarfile.ExFileObject)
            yield member.name, content


@contextmanager
def _as_tar() -> Iterator[None]:
    """Whatever `tarfile` finds wrong while it is read is a bad bundle."""
    try:
        yield
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as wrong:
        raise BadBundle(f"no tar: {wrong}") from None


def _form(raw: bytes) -> Form:
    try:
        told = tomllib.loads(raw.decode("utf-8"))
        return Form(*(str(told[name])[:80] for name in ("version", "python", "machine")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, RecursionError) as wrong:
        raise BadBundle(f"bundle.toml: {wrong}") from None


def _agrees(folder: Path, release: Release) -> None:
    said = _form(_text(folder / FORM))
    if said != Form(release.version, release.python, release.machine):
        raise BadBundle(f"it says {said}")
    try:
        found = needs(_text(folder / NEEDS).decode("utf-8"))
    except UnicodeDecodeError as wrong:
        raise BadBundle(f"requirements.txt: {wrong}") from None
    if found.get(DISTRIBUTION) != release.version:
        raise BadBundle(f"requirements.txt names {DISTRIBUTION} {found.get(DISTRIBUTION)}")


def _text(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_TEXT_BYTES:
            raise BadBundle(f"{path.name} is too long")
        return path.read_bytes()
    except FileNotFoundError:
        raise BadBundle(f"no {path.name} in it") from None


def _installed_bytes(wheel: Path) -> int:
    """What a wheel says it will take; a zip that says less than it holds fails in pip. Raises BadBundle."""
    try:
        with zipfile.ZipFile(wheel) as held:
            inside = held.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RecursionError) as wrong:
        raise BadBundle(f"{wheel.name}: {wrong}") from None
    total = sum(each.file_size for each in inside)
    if total > MOST_INSTALLED_BYTES or len(inside) > MOST_INSTALLED_FILES:
        raise BadBundle(f"{wheel.name} would take {total} bytes")
    return total
