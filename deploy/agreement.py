"""Whether pyproject.toml, constraints.txt and ``locks/`` say the same; run by ``./run check``, without a network.

- Every extra has a file; what it asks for is in it, at a version that will do.
- Nothing is locked that nobody wants, nothing at another version than the one that is pinned, nothing pinned in vain.
- Every target has a wheel for each that it wants.
- What is installed here in its locked version wants nothing that is not locked.
- Each is under a licence that is written down and allowed (`licences`).
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import front_parts
import licences
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

from locks import MACHINES, PROGRAM, PYTHONS, READ, Locked, Source, environment
from words import Said, say, system_language

TOP = Path(__file__).parent.parent


def main() -> int:
    """Print what does not agree. Exit code 1: something, or a file cannot be read."""
    language = system_language()
    try:
        source = Source.of(TOP)
        wrongs = [*complaints(source), *licences.complaints(source, licences.book())]
        wrongs += front_parts.complaints(TOP, licences.book())
        said = [wrong.say(language) for wrong in wrongs]
    except (Said, OSError) as wrong:
        said = [wrong.say(language) if isinstance(wrong, Said) else str(wrong)]
    sys.stdout.write("".join(f"{line}\n" for line in said) or say("supply.agree", language) + "\n")
    return 1 if said else 0


def complaints(source: Source) -> Iterator[Said]:
    """Everything in which they differ, in order."""
    for group in sorted(source.asked.keys() ^ source.locked.keys()):
        yield Said("supply.group_only" if group in source.asked else "supply.group_gone", group=group)
    for group in sorted(source.asked.keys() & source.locked.keys()):
        yield from _group(source, group)
    used = {each.name for group in source.locked.values() for each in group}
    for name in sorted(source.pinned.keys() - used):
        yield Said("supply.pinned_in_vain", name=name)


def _group(source: Source, group: str) -> Iterator[Said]:
    held = {each.name: each for each in source.locked[group]}
    for each in source.asked[group]:
        locked = held.get(canonicalize_name(each.name))
        if locked is None and not any(wants(each, python, machine) for python in PYTHONS for machine in MACHINES):
            continue
        if locked is None or PROGRAM not in locked.via:
            yield Said("supply.not_locked", wanted=str(each), group=group)
        elif not each.specifier.contains(locked.version, prereleases=True):
            yield Said("supply.locked_unfit", name=locked.name, version=locked.version, wanted=str(each), group=group)
    direct = {canonicalize_name(each.name) for each in source.asked[group]}
    for locked in held.values():
        if source.pinned.get(locked.name) != locked.version:
            yield Said("supply.pinned_otherwise", name=locked.name, version=locked.version, group=group)
        if not set(locked.via) & (held.keys() - {locked.name}) and locked.name not in direct:
            yield Said("supply.locked_in_vain", name=locked.name, group=group)
        yield from _without_wheel(locked)
        if group not in READ:
            yield from _wants_more(locked, held, group)


def wants(each: Requirement, python: str, machine: str) -> bool:
    """Whether that target wants it."""
    return each.marker is None or each.marker.evaluate(environment(python, machine))


def _without_wheel(locked: Locked) -> Iterator[Said]:
    for python in PYTHONS:
        for machine in MACHINES:
            if locked.is_for(python, machine) and not locked.fitting(python, machine):
                yield Said("supply.no_wheel", name=locked.name, python=python, machine=machine)


def _wants_more(locked: Locked, held: dict[str, Locked], group: str) -> Iterator[Said]:
    """What the library itself says where it lies here in that very version."""
    try:
        installed = importlib.metadata.distribution(locked.name)
    except importlib.metadata.PackageNotFoundError:
        return
    here = environment(f"{sys.version_info[0]}.{sys.version_info[1]}", platform.machine())
    for each in map(Requirement, installed.requires or [] if installed.version == locked.version else []):
        if each.marker and not each.marker.evaluate(here):
            continue
        if canonicalize_name(each.name) not in held:
            yield Said("supply.not_locked", wanted=f"{each} ({locked.name})", group=group)


if __name__ == "__main__":
    sys.exit(main())
