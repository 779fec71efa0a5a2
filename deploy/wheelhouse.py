"""`./run wheelhouse`: a program (a node's, or a station's) and all it needs, as one file for a site without internet.

- Two uses: an update, and with ``--debs`` a stick from which a fresh machine is installed, the installer on it.
- The wheel of Loa is built from this source; the others come from where pip takes its packages, as ``locks/`` has
  their hashes.
- Nothing is built for another machine: a distribution without a wheel for the target is an error.
- pip chooses nothing: what the *target* wants is read in the locks, and looked up again in the wheels themselves.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.parser import HeaderParser
from pathlib import Path

import bundle
import debs
import own_wheel
import pip_door
import sbom
from bundle import MACHINES, PROGRAM, PYTHONS, NoBundle, Target, Wheel
from pip._vendor.packaging.requirements import Requirement

from locks import BASE, GLIBC, OLDEST_GLIBC, Locked, Source, environment, requirements
from words import Said, say, system_language

TOP = Path(__file__).parent.parent
PARTS = "sbom.cdx.json"
# what the installers are and lay down
LAID = {
    "node": (
        "deploy/install-node.sh",
        "deploy/installing.sh",
        "deploy/node.toml",
        "deploy/loa-node*.[pst]*",
        "docs/installer.md",
    ),
    "controller": (
        "deploy/install-station.sh",
        "deploy/installing.sh",
        "deploy/controller.toml",
        "deploy/mosquitto.conf",
        "deploy/loa-[bc]*.[ps]*",
        "docs/operations.md",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the bundle and print its path. Exit code 1: one sentence says why not."""
    wanted = _parser().parse_args(arguments)
    target = Target(wanted.python, wanted.machine, "controller" if wanted.station else "node")
    language = system_language()
    try:
        made = make(target, wanted.into, debs.wanted(wanted.relays, wanted.station) if wanted.debs else ())
    except (Said, OSError) as wrong:
        sys.stderr.write(f"{wrong.say(language) if isinstance(wrong, Said) else wrong}\n")
        return 1
    sys.stderr.write(say("deploy.made", language, megabytes=f"{made.stat().st_size / 1e6:.1f}") + "\n")
    sys.stdout.write(f"{made}\n")
    return 0


def make(target: Target, into: Path, packages: Sequence[str] = ()) -> Path:
    """The bundle for ``target`` in the folder ``into``, with ``packages`` of Debian. Raises NoBundle, OSError."""
    made_at = own_wheel.moment()
    into.mkdir(parents=True, exist_ok=True)
    source = Source.of(TOP)
    with tempfile.TemporaryDirectory(dir=into, prefix=".wheelhouse-") as private:
        folder = Path(private) / "bundle"
        own_wheel.build(TOP, folder / "wheels", made_at)
        download(source.for_target((BASE, target.extra), target.python, target.machine), target, folder / "wheels")
        wheels = bundle.wheels_in(folder / "wheels")
        missing = list(unmet(wheels, target))
        if missing:
            raise NoBundle("deploy.unmet", wheels=", ".join(missing))
        version = next(each.version for each in wheels if each.name == PROGRAM)
        debian = debs.fetch(packages, target, folder / "debs") if packages else ""
        (folder / "requirements.txt").write_text(bundle.requirements(wheels), "utf-8")
        (folder / "bundle.toml").write_text(bundle.about(target, version, made_at, debian), "utf-8")
        parts = _parts(source, target, wheels, folder, made_at)
        if packages:  # an update holds wheels and nothing else: a node refuses what it does not know
            (folder / PARTS).write_text(parts, "utf-8")
        for path in _laid(target.extra) if packages else ():
            shutil.copy(path, folder / path.name)
        made = into / bundle.file_name(target, version)
        bundle.write(folder, made, made_at)
        made.with_suffix(".cdx.json").write_text(parts, "utf-8")
        return made


def _parts(source: Source, target: Target, wheels: Sequence[Wheel], folder: Path, made_at: datetime) -> str:
    """The list of what the bundle brings along: the very files that are in it."""
    at = (target.python, target.machine)
    (own,) = [each for each in wheels if each.name == PROGRAM]
    in_it = {each.path.name for each in wheels}
    libraries = sbom.libraries(source, *at, (BASE, target.extra))
    for each in libraries:
        kept = [(a, b) for a, b in zip(each["hashes"], each["properties"], strict=True) if b["value"] in in_it]
        each["hashes"], each["properties"] = [a for a, _ in kept], [b for _, b in kept]
    whole = sbom.Whole(own.version, made_at, own_wheel.sha256(own.path))
    return sbom.written(
        whole,
        [*libraries, *sbom.front(), *sbom.brought(folder / "debs")],
        sbom.edges(source, *at, (BASE, target.extra)),
    )


def _laid(extra: str) -> Iterator[Path]:
    for pattern in LAID[extra]:
        yield from TOP.glob(pattern)


def download(locked: Sequence[Locked], target: Target, into: Path) -> None:
    """The wheels for ``target``, and only those whose hash is locked. Raises NoBundle, OSError."""
    platforms = [f"manylinux_2_{minor}_{target.machine}" for minor in range(GLIBC, OLDEST_GLIBC - 1, -1)]
    named = [part for each in (*platforms, f"manylinux2014_{target.machine}") for part in ("--platform", each)]
    python = ("--implementation", "cp", "--python-version", target.python)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(requirements(locked, target.python, target.machine))
        wanted.flush()
        pip_door.run("download", *python, *named, *pip_door.LOCKED, "--dest", into, "-r", wanted.name)


def unmet(wheels: Sequence[Wheel], target: Target) -> Iterator[str]:
    """What the wheels want on ``target`` and is not among them: ``"typing-extensions>=4 (of flask)"``."""
    held = {each.name: each.version for each in wheels}
    for each in wheels:
        about_target = environment(target.python, target.machine, target.extra if each.name == PROGRAM else "")
        for wanted in map(Requirement, _requires(each.path)):
            name = wanted.name.lower().replace("_", "-").replace(".", "-")
            if wanted.marker and not wanted.marker.evaluate(about_target):
                continue
            if name not in held or not wanted.specifier.contains(held[name], prereleases=True):
                yield f"{wanted.name}{wanted.specifier} ({each.name})"


def _requires(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as content:
        (metadata,) = [name for name in content.namelist() if name.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(content.read(metadata).decode()).get_all("Requires-Dist", [])


def _parser() -> argparse.ArgumentParser:
    language = system_language()
    parser = argparse.ArgumentParser(prog="./run wheelhouse", description=say("deploy.about", language))
    parser.add_argument("--python", choices=PYTHONS, default=PYTHONS[0], help=say("deploy.python_help", language))
    parser.add_argument("--machine", choices=MACHINES, default="aarch64", help=say("deploy.machine_help", language))
    parser.add_argument("--station", action="store_true", help=say("deploy.station_help", language))
    parser.add_argument("--debs", action="store_true", help=say("deploy.debs_help", language))
    parser.add_argument("--relays", action="store_true", help=say("deploy.relays_help", language))
    parser.add_argument(
        "-o", dest="into", metavar="DIR", type=Path, default=Path("dist"), help=say("deploy.into_help", language)
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
