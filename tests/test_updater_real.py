"""The updater with nothing stood in for: environments made by pip from wheels, processes, a supervisor, kill -9."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_release import (
    PROJECT,
    SLOW,
    Home,
    Supervisor,
    bundle,
    members,
    program,
    start_updater,
    statement,
    tar,
    until,
)

from edge_node.releases import bundle as bundles
from edge_node.releases import environment
from edge_node.releases.environment import NotMade, Person, lead
from edge_node.releases.progress import Phase
from loa import parser
from wire.release import Hitch


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with version 1.0, made by the very steps of an update; where it is copied to it works too."""
    folder = tmp_path_factory.mktemp("made")
    make(folder, bundle("1.0"), "1.0", folder / "a")
    return folder / "a"


def make(folder: Path, content: bytes, version: str, target: Path) -> None:
    path, unpacked = folder / f"{version}.tar", folder / f"{version}.unpacked"
    path.write_bytes(content)
    bundles.unpack(path, statement(content, version), unpacked)
    environment.build(unpacked, target)


@pytest.fixture
def home(tmp_path: Path, made: Path) -> Home:
    """The environment stands as a: its script leads to the interpreter where it was made, so that is moved too."""
    home = Home(tmp_path)
    (home.prefix / "a").rmdir()
    shutil.copytree(made, home.prefix / "a", symlinks=True)
    script = home.prefix / "a" / "bin" / "loa"
    script.write_text(script.read_text().replace(str(made), str(home.prefix / "a")))
    return home


@pytest.fixture
def supervised(home: Home) -> Iterator[Supervisor]:
    with Supervisor(home) as supervisor:
        until((home.state / "update" / "lease").exists)
        yield supervisor


def lives(home: Home) -> list[str]:
    """The versions of the processes that ran, in order."""
    return (home.state / "update" / "lives").read_text().split()


def finish(updater: subprocess.Popen[bytes]) -> None:
    _, said = updater.communicate(timeout=300)
    assert updater.returncode == 0, said.decode()


def kill(updater: subprocess.Popen[bytes]) -> None:
    os.killpg(updater.pid, signal.SIGKILL)  # its unit ends pip with it
    updater.communicate()


def test_a_good_version_comes_to_run_and_a_bad_one_after_it_goes_away_whatever_is_killed(
    home: Home, supervised: Supervisor
) -> None:
    content = bundle("1.1")
    home.offer(content, statement(content, "1.1", 2))
    updater = start_updater(home, supervised.tools)
    until(lambda: home.progress.phase is Phase.BUILDING)
    kill(updater)
    assert (home.current, lives(home)) == ("a", ["1.0"])
    finish(start_updater(home, supervised.tools))
    assert (home.progress.phase, home.current, home.steady, lives(home)) == (Phase.DONE, "b", "b", ["1.0", "1.1"])

    content = bundle("1.2", "crashes")
    home.offer(content, statement(content, "1.2", 3))
    updater = start_updater(home, supervised.tools, "1.1", SLOW)  # it is killed before it gives the version up
    until(lambda: lives(home)[-1] == "1.2")
    kill(updater)
    assert (home.progress.phase, home.current, home.steady) == (Phase.TRIAL, "a", "b")
    finish(start_updater(home, supervised.tools, "1.1"))
    held = home.progress
    assert (held.phase, held.reason, held.ran) == (Phase.FAILED, Hitch.NO_LIFE, True)
    assert (home.current, home.steady) == ("b", "b")
    until(lambda: lives(home)[-1] == "1.1")
    assert set(lives(home)[2:-1]) == {"1.2"}
    assert not (home.prefix / "update" / "work").exists()


def test_an_environment_is_whole_without_network_and_holds_what_was_named(made: Path) -> None:
    listed = subprocess.run(
        [
            made / "bin" / "python",
            "-c",
            "from importlib import metadata as m; print(sorted(d.name for d in m.distributions()))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout.strip() == "['loa-radio', 'tiny-need']"
    environment.prove(made, "1.0", Path("/dev/null"), Person())
    with pytest.raises(NotMade, match="it says") as lie:
        environment.prove(made, "1.1", Path("/dev/null"), Person())
    assert lie.value.hitch is Hitch.NOT_PROVEN


def test_pip_takes_no_wheel_but_those_that_were_hashed(tmp_path: Path) -> None:
    wrong = members("1.1")
    name, _ = program("1.1")
    wrong[f"wheels/{name}"] = program("1.1", "crashes")[1]
    with pytest.raises(NotMade, match="Expected sha256"):
        make(tmp_path, tar(wrong), "1.1", tmp_path / "b")


@pytest.mark.parametrize("manner", ["lies", "is bad", "hangs when asked"])
def test_a_version_that_lies_is_bad_or_hangs_does_not_come_to_run(
    tmp_path: Path, made: Path, manner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "PROVE_SECONDS", 1.0)
    module = next(made.glob("lib/*/site-packages/loa_tiny.py"))
    place = tmp_path / "b"
    shutil.copytree(made, place, symlinks=True)
    spoilt = place / module.relative_to(made)
    spoilt.write_text(spoilt.read_text().replace('"good"', f'"{manner}"', 1))
    script = place / "bin" / "loa"
    script.write_text(script.read_text().replace(str(made), str(place)))
    begun = time.monotonic()
    with pytest.raises(NotMade) as wrong:
        environment.prove(place, "1.0", Path("/dev/null"), Person())
    assert wrong.value.hitch is Hitch.NOT_PROVEN
    assert time.monotonic() - begun < 300  # it would hang for ten minutes


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that everybody may enter, whatever lies above a test's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_a_new_version_is_tried_as_the_nodes_user_and_not_as_root(open_path: Path) -> None:
    script = open_path / "bin" / "loa"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\necho "{\\"good\\": true, \\"version\\": \\"$(id -u):$(id -g):$(id -G)\\"}"\n')
    script.chmod(0o755)
    environment.prove(open_path, "65534:65533:65533", Path("/dev/null"), Person(65534, 65533))


def test_the_verb_refuses_what_is_not_roots_in_one_sentence(home: Home) -> None:
    home.prefix.chmod(0o777)
    line = [sys.executable, "-m", "loa", "node", "update", "--config", home.config, "--prefix", home.prefix]
    told = subprocess.run(
        line, cwd=PROJECT, capture_output=True, text=True, env={**os.environ, "LOA_LANG": "en"}, check=False
    )
    assert (told.returncode, told.stdout) == (1, "")
    assert "can be written to by others than root" in told.stderr
    home.prefix.chmod(0o755)
    told = subprocess.run(line, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (0, ""), told.stderr
    assert home.progress.phase is Phase.IDLE


UNIT = (PROJECT / "deploy" / "loa-node-update.service").read_text("utf-8")


def test_the_unit_runs_what_is_proven_and_before_the_first_update_what_there_is(tmp_path: Path) -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    program = shlex.split(line.replace("/opt/loa", str(tmp_path)))
    for name in ("a", "b"):
        script = tmp_path / name / "bin" / "loa"
        script.parent.mkdir(parents=True)
        script.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        script.chmod(0o755)
    lead(tmp_path, "current", "b")
    told = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    assert told.startswith("b node update --config")
    lead(tmp_path, "steady", "a")
    told = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    assert told.startswith("a node update")
    wanted = parser.read(told.split()[1:], "en")
    assert (wanted.prefix, wanted.unit, str(wanted.config)) == (tmp_path, "loa-node.service", "/etc/loa/node.toml")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    units = [PROJECT / "deploy" / f"loa-node-update.{kind}" for kind in ("service", "path")]
    read = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert [line for line in read.stderr.splitlines() if "loa-node-update" in line] == []
