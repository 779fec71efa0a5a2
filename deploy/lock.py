"""`./run lock`: writes ``locks/`` anew from pyproject.toml, constraints.txt and what the public index says of files.

- Versions are constraints.txt's: nothing is chosen here. What it lacks is named; it is written there by hand.
- Hashes are the public index's own (PEP 691), whatever else pip is set up to take packages from.
- What a library wants is read in it: where it is installed in that version, else as the index tells (PEP 658), else
  in its smallest wheel, held against its hash.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import registry
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

from locks import (
    MACHINES,
    PROGRAM,
    PYTHONS,
    READ,
    Artefact,
    BadLock,
    Locked,
    constraints,
    environment,
    fits,
    wanted,
    written,
)
from words import Said, say, system_language

TOP = Path(__file__).parent.parent
TARGETS = [(python, machine) for python in PYTHONS for machine in MACHINES]
AT_ONCE = 8


@dataclass
class Index:
    """What the index says of the versions that are pinned; asked once each."""

    pinned: dict[str, str]
    known: dict[str, registry.Release] = field(default_factory=dict)
    asks: dict[str, list[Requirement]] = field(default_factory=dict)

    def learn(self, asked: Iterable[Requirement]) -> None:
        """All that this comes to on some target. Raises BadLock for what is not pinned or not there."""
        extras: dict[str, set[str]] = {}
        missing: set[str] = set()
        reached = [each for each in asked if _anywhere(each, [""])]
        while reached:
            for each in reached:
                extras.setdefault(canonicalize_name(each.name), {""}).update(each.extras)
            missing |= extras.keys() - self.pinned.keys()
            self._ask(sorted(extras.keys() - self.known.keys() - missing))
            more = [each for name in self.known for each in self.asks[name] if _anywhere(each, extras.get(name, {""}))]
            reached = [
                each for each in more if not each.extras | {""} <= extras.get(canonicalize_name(each.name), set())
            ]
        if missing:
            raise BadLock("supply.not_pinned", names=", ".join(sorted(missing)))

    def read(self, asked: Iterable[Requirement]) -> None:
        """These alone, for what is read and not installed. Raises BadLock."""
        self._ask([canonicalize_name(each.name) for each in asked])

    def _ask(self, names: list[str]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            releases = list(pool.map(lambda name: registry.release(name, self.pinned[name]), names))
            self.known |= dict(zip(names, releases, strict=True))
            self.asks |= dict(zip(names, pool.map(registry.requires, releases), strict=True))


def _anywhere(each: Requirement, extras: Iterable[str]) -> bool:
    """Whether some target wants it, with one of the extras of what asks for it."""
    marker = each.marker
    return marker is None or any(marker.evaluate(environment(*target, extra)) for target in TARGETS for extra in extras)


def main() -> int:
    """Write ``locks/`` and print what changed. Exit code 1: one sentence says why not."""
    language = system_language()
    try:
        groups = made(TOP)
        folder = TOP / "locks"
        folder.mkdir(exist_ok=True)
        for path in folder.glob("*.txt"):
            if path.stem not in groups:
                path.unlink()
        for group, text in groups.items():
            if not (folder / f"{group}.txt").exists() or (folder / f"{group}.txt").read_text("utf-8") != text:
                (folder / f"{group}.txt").write_text(text, "utf-8")
                sys.stdout.write(f"locks/{group}.txt\n")
    except (Said, OSError) as wrong:
        sys.stderr.write(f"{wrong.say(language) if isinstance(wrong, Said) else wrong}\n")
        return 1
    sys.stderr.write(say("supply.locked", language, groups=len(groups)) + "\n")
    return 0


def made(top: Path) -> dict[str, str]:
    """Group -> its file, for the source in ``top``. Raises BadLock, OSError."""
    asked = wanted(tomllib.loads((top / "pyproject.toml").read_text("utf-8")))
    index = Index(constraints((top / "constraints.txt").read_text("utf-8")))
    index.learn(each for group, requirements in asked.items() if group not in READ for each in requirements)
    index.read(each for group in READ for each in asked[group])
    return {group: written(group, _group(index, requirements, group)) for group, requirements in asked.items()}


def _group(index: Index, requirements: list[Requirement], group: str) -> list[Locked]:
    """All that a group comes to; for what is read, what they name and nothing that it would want."""
    targets: dict[str, set[tuple[str, str]]] = {}
    via: dict[str, set[str]] = {}
    for target in TARGETS:
        for name, wants in _closure(index, requirements, target, deep=group not in READ).items():
            targets.setdefault(name, set()).add(target)
            via.setdefault(name, set()).update(wants)
    return [_locked(index, name, targets[name], via[name]) for name in sorted(targets)]


def _closure(index: Index, requirements: list[Requirement], target: tuple[str, str], deep: bool) -> dict[str, set[str]]:
    """Name -> who wants it, on that target. Raises BadLock where a pin is not what is wanted."""
    via: dict[str, set[str]] = {}
    open_ends = [(PROGRAM, "", each) for each in requirements]
    seen: set[tuple[str, str]] = set()
    while open_ends:
        wants, extra, each = open_ends.pop()
        if each.marker and not each.marker.evaluate(environment(*target, extra)):
            continue
        name = canonicalize_name(each.name)
        if not each.specifier.contains(index.pinned[name], prereleases=True):
            raise BadLock("supply.pin_unfit", name=name, version=index.pinned[name], wanted=str(each), by=wants)
        via.setdefault(name, set()).add(wants)
        for its_extra in ("", *sorted(each.extras)) if deep else ():
            if (name, its_extra) not in seen:
                seen.add((name, its_extra))
                open_ends += [(name, its_extra, more) for more in index.asks[name]]
    return via


def _locked(index: Index, name: str, targets: set[tuple[str, str]], via: set[str]) -> Locked:
    files = [each for each in index.known[name].files if any(fits(each.name, *target) for target in targets)]
    for target in sorted(targets):
        if not any(fits(each.name, *target) for each in files):
            raise BadLock("supply.no_wheel", name=name, python=target[0], machine=target[1])
    artefacts = tuple(Artefact(each.name, each.sha256) for each in sorted(files, key=lambda each: each.name))
    return Locked(name, index.pinned[name], marker(targets), tuple(sorted(via)), artefacts)


def marker(targets: set[tuple[str, str]]) -> str:
    """Where something is wanted, in the words of PEP 508; "" for everywhere."""
    if len(targets) == len(TARGETS):
        return ""
    machines = sorted({machine for _, machine in targets})
    if targets == {(python, machine) for python in PYTHONS for machine in machines}:
        return " or ".join(f'platform_machine == "{machine}"' for machine in machines)
    pythons = sorted({python for python, _ in targets})
    if targets == {(python, machine) for python in pythons for machine in MACHINES}:
        return " or ".join(f'python_version == "{python}"' for python in pythons)
    told = sorted(targets)
    return " or ".join(f'python_version == "{python}" and platform_machine == "{at}"' for python, at in told)


if __name__ == "__main__":
    sys.exit(main())
