"""What the public package index says of one release: its files with their hashes, and what it wants.

- Asked as pip would ask (its own session: proxies and certificates as set up), at pip's default index and no other.
- Every answer has a size limit; a file is not believed before its hash is right.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from functools import cache
from typing import Any

from pip._internal.models.index import PyPI
from pip._internal.network.session import PipSession
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from pip._vendor.packaging.version import Version
from pip._vendor.requests.exceptions import RequestException

from locks import BadLock

FORM = "application/vnd.pypi.simple.v1+json"
MOST_LISTING, MOST_METADATA, MOST_WHEEL = 64_000_000, 1_000_000, 200_000_000
SECONDS = 60

_FILE = re.compile(r"[A-Za-z0-9._+!-]{1,250}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class NotThere(BadLock):
    """The index has no such page."""


@dataclass(frozen=True)
class File:
    """One file of a release. ``size``: bytes, 0 where the index does not say."""

    name: str
    sha256: str
    address: str
    size: int


@dataclass(frozen=True)
class Release:
    """One version of one project, and its files that are not withdrawn."""

    name: str
    version: str
    files: tuple[File, ...]


def release(name: str, version: str) -> Release:
    """What the index has of it. Raises BadLock."""
    wanted = (name, Version(version))
    answer = _asked(f"{PyPI.simple_url}/{name}/", MOST_LISTING, FORM)
    try:
        listed = json.loads(answer)["files"]
        files = [_file(each) for each in listed if _of(each["filename"]) == wanted and not each.get("yanked")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
        raise BadLock("supply.no_index", why=type(wrong).__name__) from wrong
    if not files:
        raise BadLock("supply.not_there", name=name, version=version)
    return Release(name, version, tuple(files))


def _of(file: str) -> tuple[str, Version | None]:
    """Name and version of a file; of one that is neither wheel nor source, none."""
    try:
        if file.endswith(".whl"):
            name, version, *_ = parse_wheel_filename(file)
        else:
            name, version = parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        return "", None
    return canonicalize_name(name), version


def _file(told: dict[str, Any]) -> File:
    name, sha256, size = str(told["filename"]), told["hashes"]["sha256"], told.get("size")
    if not _FILE.fullmatch(name) or not _SHA256.fullmatch(sha256):
        raise ValueError(name)
    return File(name, sha256, str(told["url"]), size if isinstance(size, int) else 0)


def requires(release: Release) -> list[Requirement]:
    """What it wants, markers and all. Raises BadLock."""
    return [Requirement(each) for each in _metadata(release).get_all("Requires-Dist", [])]


def _metadata(release: Release) -> Message:
    with suppress(importlib.metadata.PackageNotFoundError):
        installed = importlib.metadata.distribution(release.name)
        if Version(installed.version) == Version(release.version) and (told := installed.read_text("METADATA")):
            return HeaderParser().parsestr(told)
    wheels = sorted((each for each in release.files if each.name.endswith(".whl")), key=lambda each: each.size)
    if not wheels:
        raise BadLock("supply.not_there", name=release.name, version=release.version)
    with suppress(NotThere):
        told = _asked(f"{wheels[0].address}.metadata", MOST_METADATA).decode("utf-8", "replace")
        return HeaderParser().parsestr(told)
    content = _asked(wheels[0].address, MOST_WHEEL)
    if hashlib.sha256(content).hexdigest() != wheels[0].sha256:
        raise BadLock("supply.other_bytes", file=wheels[0].name)
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        (name,) = [each for each in opened.namelist() if each.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(opened.read(name)[:MOST_METADATA].decode("utf-8", "replace"))


@cache
def _session() -> PipSession:
    return PipSession(retries=2)


def _asked(address: str, most: int, form: str = "*/*") -> bytes:
    """At most ``most`` bytes of what is there. Raises NotThere, BadLock."""
    headers = {"Accept": form, "Accept-Encoding": "identity"}
    try:
        with _session().get(address, headers=headers, timeout=SECONDS, stream=True) as answer:
            content = b"".join(_until(answer.iter_content(64_000), most))
    except (RequestException, OSError) as wrong:
        raise BadLock("supply.no_index", why=type(wrong).__name__) from wrong
    if answer.status_code in (404, 410):
        raise NotThere("supply.no_index", why=answer.status_code)
    if answer.status_code != 200 or len(content) > most:
        raise BadLock("supply.no_index", why=answer.status_code)
    return content


def _until(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        most -= len(piece)
        if most < 0:
            return
