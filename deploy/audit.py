"""`./run audit`: what is known against the libraries as locked, a bundle or this machine's Debian packages, offline.

- Judged against a file of advisories (OSV) that is brought along, such as an index's whole export on a stick.
- A weakness that was looked at and does not touch Loa stands in an exceptions file, with a reason and a last day.
- Exit codes: 0 nothing known, 1 something is, 2 not understood, 3 the advisories or another file cannot be believed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import debs
from advisories import LEAST_RECORDS, MOST_DAYS, Book, Finding, NotBelieved, consult
from affected import Package

from edge_node.releases import bundle
from locks import Source
from words import Said, say, system_language

TOP = Path(__file__).parent.parent
EXCEPTIONS = TOP / "deploy" / "advisory-exceptions.toml"
DEBIAN = (*debs.NEEDED, *debs.FOR_RELAYS, *debs.FOR_PINS, "mosquitto", "postgresql")


@dataclass(frozen=True)
class Exempt:
    """A weakness that does not count up to and with the day ``until``. ``name``: its id or one of its other names."""

    name: str
    package: str
    reason: str
    until: date


def main(arguments: Sequence[str] | None = None, now: datetime | None = None) -> int:
    """Print what is known. ``now``: for tests."""
    wanted, language = _parser().parse_args(arguments), system_language()
    now = now or datetime.now(UTC)
    try:
        exempt = exceptions(wanted.exceptions)
        book = consult(wanted.advisories, packages(wanted))
        book.believe(now, wanted.at_least, wanted.days)
    except (Said, OSError, bundle.BadBundle) as wrong:
        sys.stderr.write(f"{wrong.say(language) if isinstance(wrong, Said) else wrong}\n")
        return 3
    open_ones = [each for each in book.findings if not _is_exempt(each, exempt, now.date())]
    sys.stdout.write(_as_json(book, open_ones) if wanted.json else "".join(f"{_line(each)}\n" for each in open_ones))
    for line in _remarks(book, exempt, open_ones, now, language):
        sys.stderr.write(f"{line}\n")
    return 1 if open_ones else 0


def packages(wanted: argparse.Namespace) -> list[Package]:
    """What is judged. Raises BadBundle, BadLock, NotBelieved, OSError."""
    if wanted.bundle:
        return [Package("PyPI", name, version) for name, version in _needs(wanted.bundle).items()]
    found = {(each.name, each.version) for group in Source.of(TOP).locked.values() for each in group}
    return [Package("PyPI", *each) for each in sorted(found)] + (_debian() if wanted.debian else [])


def _needs(path: Path) -> dict[str, str]:
    """Version by name of what the bundle brings along. Raises BadBundle, OSError."""
    try:
        with tarfile.open(path, "r:") as opened:
            member = next(each for each in opened if each.name == bundle.NEEDS and each.isreg())
            content = opened.extractfile(member)
            assert content
            needs = bundle.needs(content.read(bundle.MOST_TEXT_BYTES).decode("utf-8"))
            needs.pop(bundle.DISTRIBUTION)
    except (tarfile.TarError, StopIteration, EOFError, ValueError, KeyError, OverflowError) as wrong:
        raise NotBelieved("supply.no_bundle", file=path.name, why=type(wrong).__name__) from wrong
    return needs


def _debian() -> list[Package]:
    """The source packages, as installed here, of what Loa starts. Raises NotBelieved where there is no dpkg."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    ecosystem = "Debian:" + release.get("VERSION_ID", "").strip('"')
    asked = ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}|${source:Package}|${source:Version}\\n", *DEBIAN]
    lines = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    told = {(name, version) for state, name, version in (line.split("|") for line in lines) if state.startswith("ii")}
    if not told:
        raise NotBelieved("supply.no_dpkg")
    return [Package(ecosystem, *each) for each in sorted(told)]


def exceptions(path: Path) -> list[Exempt]:
    """Raises NotBelieved for one without a reason or a last day, OSError."""
    try:
        told = tomllib.loads(path.read_text("utf-8")).get("exception", [])
        exempt = [Exempt(each["id"], each["package"], each["reason"].strip(), each["until"]) for each in told]
        if any(not each.reason or type(each.until) is not date or not each.name for each in exempt):
            raise ValueError("reason, until")
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise NotBelieved("supply.exceptions", file=path.name, why=str(wrong)[:100]) from wrong
    return exempt


def _is_exempt(finding: Finding, exempt: Iterable[Exempt], today: date) -> bool:
    return any(_is_about(each, finding) and today <= each.until for each in exempt)


def _is_about(exempt: Exempt, finding: Finding) -> bool:
    return exempt.name in finding.names and exempt.package == finding.package.name


def _line(each: Finding) -> str:
    fixed = f" -> {', '.join(each.fixed)}" if each.fixed else ""
    names = [each.names[0], *(name for name in each.names[1:] if name.startswith("CVE-"))]
    return _printable(f"{each.package.name} {each.package.version}{fixed}  {' '.join(names)}  {each.summary}")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _remarks(book: Book, exempt: list[Exempt], found: list[Finding], now: datetime, language: str) -> Iterable[str]:
    for each in exempt:
        if not any(_is_about(each, finding) for finding in book.findings):
            yield say("supply.exempt_in_vain", language, name=each.name, package=each.package)
        elif now.date() > each.until:
            yield say("supply.exempt_over", language, name=each.name, package=each.package, until=each.until)
    for ecosystem, records in book.records.items():
        newest = book.newest[ecosystem]
        days = max(0, (now - newest).days)
        yield say("supply.judged", language, ecosystem=ecosystem, records=records, newest=newest.date(), days=days)
    if book.unreadable:
        yield say("supply.unreadable", language, unreadable=book.unreadable)
    yield say("supply.found" if found else "supply.nothing", language, findings=len(found))


def _as_json(book: Book, found: list[Finding]) -> str:
    told = [
        {"package": each.package.name, "version": each.package.version, "ecosystem": each.package.ecosystem}
        | {"names": each.names, "summary": each.summary, "fixed": each.fixed}
        for each in found
    ]
    newest = {ecosystem: moment.isoformat() for ecosystem, moment in book.newest.items()}
    whole = {"findings": told, "records": book.records, "newest": newest, "unreadable": book.unreadable}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _parser() -> argparse.ArgumentParser:
    language = system_language()
    parser = argparse.ArgumentParser(prog="./run audit", description=say("supply.about_audit", language))
    parser.add_argument(
        "--advisories", required=True, type=Path, metavar="FILE", help=say("supply.advisories_help", language)
    )
    parser.add_argument("--bundle", type=Path, metavar="TAR", help=say("supply.bundle_help", language))
    parser.add_argument("--debian", action="store_true", help=say("supply.debian_help", language))
    parser.add_argument(
        "--exceptions", type=Path, default=EXCEPTIONS, metavar="TOML", help=say("supply.exceptions_help", language)
    )
    limits = {"--at-least": LEAST_RECORDS, "--days": MOST_DAYS}
    said = {"--at-least": say("supply.at_least_help", language), "--days": say("supply.days_help", language)}
    for name, usual in limits.items():
        parser.add_argument(name, type=int, default=usual, metavar="N", help=said[name])
    parser.add_argument("--json", action="store_true", help=say("supply.json_help", language))
    return parser


if __name__ == "__main__":
    sys.exit(main())
