"""Known weaknesses out of a file in the OSV form (ossf.github.io/osv-schema): read with limits, matched with versions.

- The file is a zip, a folder or one JSON file; nothing is unpacked, no name in it is ever a path.
- A record that cannot be read is counted, not skipped in silence; a file without records, with too few, or with nothing
  new for too long says nothing about safety and is refused.
- A weakness that several records tell of by each other's names is one.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from affected import Package, is_affected
from pip._vendor.packaging.utils import canonicalize_name

from words import Said

MOST_RECORDS, MOST_RECORD, MOST_BYTES = 400_000, 4_000_000, 2_000_000_000
LEAST_RECORDS = 1000  # an export of any real index has many thousands
MOST_DAYS = 30
MOST_UNREADABLE = 0.01  # of all records

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)

# what zipfile raises: also for methods and passwords that it does not know
_NO_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class NotBelieved(Said):
    """Advisories that prove nothing, and why."""


@dataclass(frozen=True)
class Finding:
    """One weakness of one package. ``names``: its id and other names; ``fixed``: versions that mend it."""

    package: Package
    names: tuple[str, ...]
    summary: str
    fixed: tuple[str, ...]


@dataclass(frozen=True)
class Book:
    """All that a file says of some packages, by ecosystem: how many records, and when the newest of them changed."""

    findings: tuple[Finding, ...]
    records: Mapping[str, int]
    newest: Mapping[str, datetime]
    unreadable: int

    def believe(self, now: datetime, least: int = LEAST_RECORDS, days: int = MOST_DAYS) -> None:
        """Raises NotBelieved where the file is too small, spoilt, too old, or from the future."""
        if self.unreadable > sum(self.records.values()) * MOST_UNREADABLE:
            raise NotBelieved("supply.spoilt_records", unreadable=self.unreadable)
        for ecosystem, records in self.records.items():
            if records < max(least, 1):
                raise NotBelieved("supply.few_records", ecosystem=ecosystem, records=records, least=least)
            newest = self.newest[ecosystem]
            if newest > now + timedelta(days=1):
                raise NotBelieved("supply.future", newest=newest.date())
            if newest < now - timedelta(days=days):
                age = (now - newest).days
                raise NotBelieved("supply.old", ecosystem=ecosystem, newest=newest.date(), days=age, most=days)


def consult(path: Path, packages: Iterable[Package]) -> Book:
    """What the file at ``path`` says of those packages. Raises NotBelieved, OSError."""
    asked: dict[tuple[str, str], list[Package]] = {}
    for each in packages:
        asked.setdefault((each.ecosystem, each.name), []).append(each)
    records = {ecosystem: 0 for ecosystem, _ in asked}
    newest = dict.fromkeys(records, datetime.min.replace(tzinfo=UTC))
    findings, unreadable = list[Finding](), 0
    for content in _contents(path):
        try:
            record = _record(content)
            changed, about = (
                _moment(record["modified"]),
                {_key(each)[0] for each in record["affected"]} & records.keys(),
            )
            findings += [] if record.get("withdrawn") else list(_found(record, asked))
        except _UNREADABLE:
            unreadable += 1
            continue
        for ecosystem in about:
            records[ecosystem] += 1
            newest[ecosystem] = max(newest[ecosystem], changed)
    return Book(tuple(_merged(findings)), records, newest, unreadable)


def _contents(path: Path) -> Iterator[bytes]:
    """Every record as bytes, one that is too long as none. Raises NotBelieved, OSError."""
    left, count = MOST_BYTES, 0
    for content in _zipped(path) if path.is_file() and zipfile.is_zipfile(path) else _files(path):
        left, count = left - len(content), count + 1
        if left < 0 or count > MOST_RECORDS:
            raise NotBelieved("supply.too_large", file=path.name)
        yield content if len(content) <= MOST_RECORD else b""


def _zipped(path: Path) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(path) as opened:
            for each in opened.infolist():
                if each.filename.endswith(".json"):
                    with opened.open(each) as content:
                        yield content.read(MOST_RECORD + 1)
    except _NO_ZIP as wrong:
        raise NotBelieved("supply.no_zip", file=path.name, why=type(wrong).__name__) from wrong


def _files(path: Path) -> Iterator[bytes]:
    for each in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
        if each.is_symlink() or not each.is_file():
            continue
        with each.open("rb") as content:
            yield content.read(MOST_RECORD + 1)


def _record(content: bytes) -> dict[str, Any]:
    record = json.loads(content)
    if not isinstance(record["id"], str) or not isinstance(record["modified"], str):
        raise TypeError(record["id"])
    return {**record, "affected": record.get("affected") or []}


def _moment(text: str) -> datetime:
    told = datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _key(affected: Mapping[str, Any]) -> tuple[str, str]:
    """Ecosystem and name of what an entry is about."""
    package = affected.get("package") or {"ecosystem": "", "name": ""}
    ecosystem, name = str(package["ecosystem"]), str(package["name"])
    return ecosystem, canonicalize_name(name) if ecosystem == "PyPI" else name


def _found(record: Mapping[str, Any], asked: Mapping[tuple[str, str], list[Package]]) -> Iterator[Finding]:
    names = (record["id"], *(str(each) for each in record.get("aliases") or []))
    summary = " ".join(str(record.get("summary") or record.get("details") or "").split())[:200]
    for entry in record["affected"]:
        for package in asked.get(_key(entry), []):
            if is_affected(package, entry):
                yield Finding(package, names, summary, tuple(_fixes(entry)))


def _fixes(entry: Mapping[str, Any]) -> Iterator[str]:
    for events in (each["events"] for each in entry.get("ranges") or [] if each["type"] != "GIT"):
        yield from (str(each["fixed"])[:50] for each in events if "fixed" in each)


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """One for each weakness, though several records tell of it by other names."""
    kept: list[Finding] = []
    for each in sorted(findings, key=lambda each: (each.package.name, each.package.version, each.names)):
        same = [other for other in kept if other.package == each.package and set(other.names) & set(each.names)]
        names, fixes = [*each.names], [*each.fixed]
        for other in same:
            kept.remove(other)
            names, fixes = [*other.names, *names], [*other.fixed, *fixes]
        summary = next((other.summary for other in (*same, each) if other.summary), "")
        kept.append(Finding(each.package, tuple(dict.fromkeys(names)), summary, tuple(dict.fromkeys(fixes))))
    yield from kept
