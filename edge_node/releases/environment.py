"""The environments ``a`` and ``b`` below a prefix, and the links ``current`` (runs) and ``steady`` (is proven).

- An environment is made from nothing, without network: pip comes out of the system's own Python, so none lies in it.
- A link is replaced whole (a new one renamed over it) and flushed: after a power cut it leads to one of the two.
- Nothing of a wheel is run while it is installed; the self-check runs afterwards, as the node's user.
"""

from __future__ import annotations

import contextlib
import ctypes
import ensurepip
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from edge_node import disk
from edge_node.releases import bundle
from wire.release import Hitch

NAMES = ("a", "b")
CURRENT, STEADY = "current", "steady"
INSTALL_SECONDS = 1800.0  # a Raspberry Pi Zero and a slow card
PROVE_SECONDS = 120.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NotMade(Exception):
    """An environment that could not be made, or did not prove itself."""

    def __init__(self, hitch: Hitch, detail: str) -> None:
        super().__init__(detail)
        self.hitch = hitch


@dataclass(frozen=True)
class Person:
    """As whom something is run; None for as oneself."""

    user: int | None = None
    group: int | None = None


def led_to(prefix: Path, link: str) -> str:
    """Which environment the link leads to: a or b. Raises OSError; ValueError when it is neither."""
    name = os.readlink(prefix / link).rstrip("/").rpartition("/")[2]
    if name not in NAMES:
        raise ValueError(f"{prefix / link} leads to {name!r}, neither a nor b")
    return name


def lead(prefix: Path, link: str, name: str) -> None:
    """``link`` leads to the environment ``name``, durably. Raises OSError."""
    if not _leads(prefix / link, name):
        _made(prefix, link, name).replace(prefix / link)
    disk.sync_folder(prefix)


def keep_way(prefix: Path, name: str) -> None:
    """Whatever fills the disk from now on, both links can be led to ``name`` once: by a rename alone. Raises OSError.

    A link needs no room but an inode, and whoever makes many small files leaves none.
    """
    for link in (CURRENT, STEADY):
        kept = _kept(prefix, link)
        if not _leads(kept, name):
            kept.unlink(missing_ok=True)
            kept.symlink_to(name)
    disk.sync_folder(prefix)


def _made(prefix: Path, link: str, name: str) -> Path:
    """A link to ``name`` that may become ``link``: a new one, else the one that was kept. Raises OSError."""
    aside, kept = prefix / f".{link}.new", _kept(prefix, link)
    try:
        aside.unlink(missing_ok=True)
        aside.symlink_to(name)
    except OSError:
        if _leads(kept, name):
            return kept
        raise
    return aside


def _kept(prefix: Path, link: str) -> Path:
    return prefix / f".{link}.back"


def _leads(link: Path, name: str) -> bool:
    return link.is_symlink() and os.readlink(link) == name


def other(name: str) -> str:
    """The other of the two."""
    return NAMES[1 - NAMES.index(name)]


def remove(folder: Path) -> None:
    """``folder`` and all in it gone; one that is not there is fine. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)


def build(unpacked: Path, target: Path) -> None:
    """The environment ``target``, made anew from an unpacked bundle. Raises NotMade, OSError."""
    remove(target)
    python = Path(sys.base_prefix) / "bin" / f"python{sysconfig.get_python_version()}"
    _run([str(python), "-I", "-m", "venv", "--without-pip", str(target)], Hitch.NOT_BUILT, INSTALL_SECONDS, unpacked)
    pip = [str(target / "bin" / "python"), "-I", str(_pip()), "--isolated", "--no-input", "--no-cache-dir"]
    pip += ["--disable-pip-version-check", "install", "--no-warn-script-location"]
    only = ["--no-index", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    found = ["--find-links", str(unpacked / bundle.WHEELS), "-r", str(unpacked / bundle.NEEDS)]
    _run([*pip, *only, *found], Hitch.NOT_BUILT, INSTALL_SECONDS, unpacked)
    _flush(target)


def prove(target: Path, version: str, config: Path, who: Person) -> None:
    """The self-check of what was built: `loa node prove` in it, as ``who``. Raises NotMade."""
    program = [str(target / "bin" / "loa"), "node", "prove", "--config", str(config)]
    told = _run(program, Hitch.NOT_PROVEN, PROVE_SECONDS, who=who)
    try:
        answer = json.loads(told.strip().rpartition("\n")[2])
        good, says = answer["good"], answer["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotMade(Hitch.NOT_PROVEN, f"its self-check said {told[-200:]!r}") from None
    if good is not True or says != version:
        raise NotMade(Hitch.NOT_PROVEN, f"it says {str(answer)[:300]}")


def _flush(folder: Path) -> None:
    """The whole file system of ``folder`` on the disk, before anything leads there. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(descriptor)


def _pip() -> Path:
    """The pip that Python brings along as a wheel, which can be run as it is. Raises NotMade."""
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR"), Path(ensurepip.__file__).parent / "_bundled"]
    wheels = [wheel for folder in folders if folder for wheel in Path(folder).glob("pip-*.whl")]
    if not wheels:
        raise NotMade(Hitch.NOT_BUILT, "Python's own pip is not there: apt-get install python3-venv")
    return max(wheels) / "pip"


def _run(program: list[str], hitch: Hitch, seconds: float, aside: Path | None = None, who: Person = Person()) -> str:
    """What ``program`` says on standard output. Raises NotMade when it fails, or takes longer.

    ``aside``: where it may put what it needs for a while; /tmp may be memory.
    """
    environment = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            program,
            cwd="/",
            env=environment | ({"TMPDIR": str(aside)} if aside else {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            user=who.user,
            group=who.group,
            extra_groups=None if who.user is None else [],
        )
    except subprocess.TimeoutExpired:
        raise NotMade(hitch, f"{Path(program[0]).name} took longer than {seconds:.0f} s") from None
    except OSError as wrong:
        raise NotMade(hitch, str(wrong)) from None
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        why = f"{said[-1000:]} {done.stderr[-1000:].decode('utf-8', 'replace')}"
        raise NotMade(hitch, f"code {done.returncode}: {' '.join(why.split())[-300:]}")
    return said
