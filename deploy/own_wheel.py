"""`./run wheel`: Loa's own wheel and source archive, the same bytes from the same source wherever they are built.

- The tool that builds is locked like everything else, and is put into a folder of its own for the time of it.
- What differs between two machines is told to it: the moment is the last commit's (or SOURCE_DATE_EPOCH), the locale C,
  the zone UTC, the mask 022.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import build_assets
import pip_door
from bundle import NoBundle

from locks import ASSETS, BUILD
from words import Said, say, system_language

TOP = Path(__file__).parent.parent
KINDS = ("wheel", "sdist")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build both and print what ``sha256sum`` would. Exit code 1: one sentence says why not."""
    language = system_language()
    parser = argparse.ArgumentParser(prog="./run wheel", description=say("supply.about_wheel", language))
    parser.add_argument(
        "-o", dest="into", metavar="DIR", type=Path, default=Path("dist"), help=say("deploy.into_help", language)
    )
    into = parser.parse_args(arguments).into
    try:
        built = build(TOP, into, moment(), KINDS)
    except (Said, OSError) as wrong:
        sys.stderr.write(f"{wrong.say(language) if isinstance(wrong, Said) else wrong}\n")
        return 1
    for path in built:
        sys.stdout.write(f"{sha256(path)}  {path}\n")
    return 0


def build(source: Path, into: Path, made_at: datetime, kinds: Sequence[str] = ("wheel",)) -> list[Path]:
    """Those kinds (of KINDS) of the program in ``source``, in order. Raises NoBundle, OSError."""
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="loa-build-") as private:
        tool, made = Path(private) / "tool", Path(private) / "made"
        fetch_tool(tool, with_node=not build_assets.is_fresh(source))
        run_tool(tool, source, made, made_at, kinds)
        built = sorted(made.iterdir())  # the wheel first
        return [_moved(path, into / path.name) for path in built]


def fetch_tool(into: Path, with_node: bool = True) -> None:
    """What builds, as locked; ``with_node``: also what the pages' files are made with. Raises NoBundle."""
    groups = [BUILD, ASSETS] if with_node else [BUILD]
    files = [part for group in groups for part in ("-r", TOP / "locks" / f"{group}.txt")]
    pip_door.run("install", "--target", into, *pip_door.LOCKED, *files)


def run_tool(tool: Path, source: Path, into: Path, made_at: datetime, kinds: Sequence[str]) -> None:
    """One run of the tool over a source. Raises NoBundle."""
    told = {"PYTHONPATH": str(tool), "SOURCE_DATE_EPOCH": str(int(made_at.timestamp()))}
    told |= {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    wanted = [part for kind in kinds for part in ("--target", kind)]
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *wanted, "--directory", str(into.absolute())],
        cwd=source,
        env=os.environ | told,
        umask=0o022,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoBundle("supply.not_built", why=" ".join(done.stderr.split())[-500:])


def _moved(path: Path, to: Path) -> Path:
    half = to.with_name(f".{to.name}.half")
    half.write_bytes(path.read_bytes())
    return half.replace(to)


def version() -> str:
    """What pyproject.toml calls it."""
    return str(tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def sha256(path: Path) -> str:
    """Of a file, as 64 hex digits. Raises OSError."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def moment() -> datetime:
    """Of the source: of the last commit, or as SOURCE_DATE_EPOCH says (reproducible-builds.org)."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told is None:
        asked = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=TOP, capture_output=True, text=True, check=False
        )
        told = asked.stdout.strip()
    return datetime.fromtimestamp(int(told) if told else (TOP / "pyproject.toml").stat().st_mtime, UTC)


if __name__ == "__main__":
    sys.exit(main())
