"""The Debian packages that a node or a station needs and a fresh system lacks, for any machine; nothing is installed.

- apt resolves them in a folder of its own, where only what every Debian has (priority required) counts as
  installed; this system's list of packages is not read and not changed, and no foreign architecture is set up.
- Where packages come from is what this system's apt uses of Debian, with the other release's name put in.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle import MACHINES, NoBundle, Target

RELEASES = {"3.11": "bookworm", "3.13": "trixie"}  # the release with that Python
NEEDED = ("alsa-utils", "ca-certificates", "espeak-ng", "libportaudio2", "python3", "python3-venv")
OF_STATION = ("bubblewrap", "ca-certificates", "espeak-ng", "ffmpeg", "mosquitto", "python3", "python3-venv")
FOR_RELAYS = ("bubblewrap", "ffmpeg")
FOR_PINS = ("gpiod",)
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

_SOURCES = (
    "indextargets",
    "--format",
    "$(REPO_URI) $(CODENAME) $(COMPONENT)",
    "Created-By: Packages",
    "Origin: Debian",
)
_TAKEN = re.compile(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", re.MULTILINE)


def wanted(relays: bool, station: bool = False) -> tuple[str, ...]:
    """The packages of a node, ``relays``: also what decodes broadcasts of others; or those of a ``station``."""
    return OF_STATION if station else NEEDED + FOR_PINS + (FOR_RELAYS if relays else ())


def fetch(packages: Sequence[str], target: Target, into: Path) -> str:
    """``packages`` and what they depend on into the folder; the release's name. Raises NoBundle, OSError."""
    release, into = RELEASES[target.python], into.absolute()
    into.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".apt-") as private:
        apt = _Apt.lay(Path(private), _sources(release), MACHINES[target.machine])
        apt.run("apt-get", "update")
        everywhere = _TAKEN.findall(apt.run("apt-get", "-s", "install", "~prequired"))
        known = apt.run("apt-cache", "show", *(f"{name}={version}" for name, version in everywhere))
        apt.status.write_text(re.sub("^(Package: .*)$", r"\1\nStatus: install ok installed", known, flags=re.MULTILINE))
        apt.run("apt-get", "--download-only", "install", *packages)
        for path in apt.archives.glob("*.deb"):
            # apt writes the epoch's colon as %3a, which a URL would read back
            shutil.move(path, into / path.name.replace("%3a", "."))
    return release


@dataclass(frozen=True)
class _Apt:
    """apt over a folder of its own."""

    options: tuple[str, ...]
    status: Path
    archives: Path

    @classmethod
    def lay(cls, folder: Path, sources: Sequence[str], architecture: str) -> _Apt:
        """Folders and settings for a system of ``architecture`` on which nothing is installed."""
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "sources.list").write_text("".join(f"{line}\n" for line in sources))
        settings = {
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",  # apt's own account may not look into this folder
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Dir::State": folder,
            "Dir::State::lists": folder / "lists",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "Dir::Etc::sourcelist": folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Debug::NoLocking": "true",
        }
        options = tuple(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))
        return cls(options, folder / "status", folder / "cache" / "archives")

    def run(self, program: str, *arguments: str) -> str:
        """What the program prints. Raises NoBundle."""
        return _asked(program, "-q", *(("-y",) if program == "apt-get" else ()), *self.options, *arguments)


def _sources(release: str) -> list[str]:
    """Lines for sources.list. Raises NoBundle where this system's apt knows nothing of Debian's."""
    lines = set()
    for each in _asked("apt-get", *_SOURCES).splitlines():
        address, codename, component = each.split()
        suite = re.sub(r"^[a-z]+", release, codename)
        lines.add(f"deb [signed-by={KEYRING}] {address} {suite} {component}")
    if not lines or not Path(KEYRING).exists():
        raise NoBundle("deploy.no_debian")
    return sorted(lines)


def _asked(*command: str) -> str:
    done = subprocess.run(command, env=os.environ | {"LC_ALL": "C"}, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("E:")] or done.stderr.splitlines()
        raise NoBundle("deploy.apt_failed", why=" ".join(said[:3])[:500])
    return done.stdout
