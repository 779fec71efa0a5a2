"""`./run wheelhouse`: a node's program as one file, complete, the same each time, for other machines too."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import subprocess
import tarfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from makers_install import TOP, wheel

import bundle  # isort: skip - of the folder deploy/, which makers_install adds
import debs  # isort: skip
import locks  # isort: skip
import wheelhouse  # isort: skip

MOMENT = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)
PI = bundle.Target("3.13", "aarch64")


def filled(folder: Path) -> Path:
    """A folder as it goes into a bundle."""
    (folder / "wheels").mkdir(parents=True)
    wheel(folder / "wheels", "b_two", "2.0")
    wheel(folder / "wheels", "a.one")
    (folder / "install-node.sh").write_text("#!/bin/sh\n")
    (folder / "bundle.toml").write_text(bundle.about(PI, "0.1.0", MOMENT))
    return folder


def test_the_same_files_give_the_same_bytes_whoever_wrote_them_and_when(tmp_path: Path) -> None:
    source = filled(tmp_path / "source")
    bundle.write(source, tmp_path / "one.tar", MOMENT)
    for path in source.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    bundle.write(source, tmp_path / "two.tar", MOMENT)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar", "r:") as tar:
        members = tar.getmembers()
    assert [each.name for each in members] == [
        "bundle.toml",
        "install-node.sh",
        "wheels/a.one-1.0-py3-none-any.whl",
        "wheels/b_two-2.0-py3-none-any.whl",
    ]
    assert {(each.uid, each.gid, each.uname, each.mtime) for each in members} == {(0, 0, "", MOMENT.timestamp())}
    assert [each.mode for each in members] == [0o644, 0o755, 0o644, 0o644]


def test_a_bundle_that_could_not_be_written_whole_is_not_there(tmp_path: Path) -> None:
    source = filled(tmp_path / "source")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            bundle.write(source, tmp_path / "one.tar", MOMENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == [source]


def test_every_distribution_is_named_with_the_one_hash_that_it_may_have(tmp_path: Path) -> None:
    wheels = bundle.wheels_in(filled(tmp_path) / "wheels")
    lines = bundle.requirements(wheels).splitlines()
    assert [line.split("==")[0] for line in lines] == ["a-one", "b-two"]
    told = subprocess.run(["sha256sum", wheels[0].path], capture_output=True, text=True, check=True).stdout.split()[0]
    assert lines[0] == f"a-one==1.0 --hash=sha256:{told}"
    (tmp_path / "wheels" / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"notes\.txt"):
        bundle.wheels_in(tmp_path / "wheels")


def test_a_bundle_says_what_it_is_for() -> None:
    told = tomllib.loads(bundle.about(PI, "0.1.0", MOMENT, "trixie"))
    assert told == {
        "version": "0.1.0",
        "python": "3.13",
        "machine": "aarch64",
        "made_at": "2026-11-27T01:02:03Z",
        "debian": "trixie",
    }
    assert bundle.file_name(PI, "0.1.0") == "loa-node-0.1.0-cp313-aarch64.tar"


def test_what_only_the_target_wants_is_missed_though_this_python_does_not_want_it(tmp_path: Path) -> None:
    for_target = "only-there>=2; python_version>='3.13' and platform_machine=='aarch64'"
    wants = (for_target, "never; python_version<'3.9'", "asked-for; extra=='node'", "not-asked; extra=='controller'")
    wheel(tmp_path, "loa_radio", "0.1.0", wants)
    assert [*wheelhouse.unmet(bundle.wheels_in(tmp_path), PI)] == ["only-there>=2 (loa-radio)", "asked-for (loa-radio)"]
    wheel(tmp_path, "asked_for")
    wheel(tmp_path, "only_there", "1.9")
    assert [*wheelhouse.unmet(bundle.wheels_in(tmp_path), PI)] == ["only-there>=2 (loa-radio)"]
    assert [*wheelhouse.unmet(bundle.wheels_in(tmp_path), bundle.Target("3.11", "aarch64"))] == []


def test_a_bundle_of_a_station_holds_what_its_installer_lays() -> None:
    laid = {path.name for path in wheelhouse._laid("controller")}
    installer = (TOP / "deploy" / "install-station.sh").read_text("utf-8")
    units = re.search(r"^UNITS=\((.*)\)$", installer, re.MULTILINE)
    packages = re.search(r"^PACKAGES=\((.*)\)$", installer, re.MULTILINE)
    assert units
    assert packages
    assert {*units[1].split(), "install-station.sh", "installing.sh", "controller.toml", "mosquitto.conf"} <= laid
    assert "operations.md" in laid
    assert tuple(packages[1].split()) == debs.wanted(relays=False, station=True)
    told = tomllib.loads(bundle.about(bundle.Target("3.11", "x86_64", "controller"), "0.1.0", MOMENT))
    assert told["extra"] == "controller"
    assert bundle.file_name(bundle.Target("3.11", "x86_64", "controller"), "0.1.0").startswith("loa-station-0.1.0")


def test_the_installer_and_the_bundle_name_the_same_packages() -> None:
    said = (TOP / "deploy" / "install-node.sh").read_text()
    assert f"PACKAGES=({' '.join(debs.NEEDED)})\nRELAYS=({' '.join(debs.FOR_RELAYS)})\n" in said
    assert f"PINS=({' '.join(debs.FOR_PINS)})\n" in said


@pytest.mark.parametrize("wrong", [["--python", "3.9"], ["--machine", "armv7l"], ["--elsewhere"]])
def test_a_target_that_does_not_exist_is_not_understood(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        wheelhouse.main(wrong)
    assert wrong[0] in capsys.readouterr().err


def locked(name: str, version: str, sha256: str) -> locks.Locked:
    artefact = locks.Artefact(f"{name.replace('-', '_')}-{version}-py3-none-any.whl", sha256)
    return locks.Locked(name, version, "", ("loa-radio",), (artefact,))


def test_what_no_registry_has_is_one_sentence_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(bundle.NoBundle) as refused:
        wheelhouse.download([locked("nowhere-to-be-had", "2", "0" * 64)], PI, tmp_path / "wheels")
    assert refused.value.say("en").startswith("pip could not get the libraries: ERROR")
    assert "nowhere-to-be-had==2" in refused.value.say("vi")
    assert "\n" not in refused.value.say("vi")


def test_a_wheel_of_that_name_with_other_bytes_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    there = wheel(tmp_path, "a-one".replace("-", "_"), "1.0")
    with pytest.raises(bundle.NoBundle, match="HASHES"):
        wheelhouse.download([locked("a-one", "1.0", "0" * 64)], PI, tmp_path / "wheels")
    true = hashlib.sha256(there.read_bytes()).hexdigest()
    wheelhouse.download([locked("a-one", "1.0", true)], PI, tmp_path / "wheels")
    assert [path.name for path in (tmp_path / "wheels").iterdir()] == [there.name]


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert wheelhouse.main(["-o", str(tmp_path / "file" / "dist")]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_a_raspberry_pi_gets_wheels_for_every_library_from_a_machine_that_is_none(tmp_path: Path) -> None:
    wanted = locks.Source.of(TOP).for_target(("base", "node"), PI.python, PI.machine)
    try:
        wheelhouse.download(wanted, PI, tmp_path / "wheels")
    except bundle.NoBundle as wrong:
        pytest.skip(f"no registry answers: {wrong}"[:200])
    wheel(tmp_path / "wheels", "loa_radio", "0.1.0", requirements_of_a_node())
    wheels = bundle.wheels_in(tmp_path / "wheels")
    assert {"cryptography", "msgspec", "numpy", "psutil", "soundfile", "cffi"} <= {each.name for each in wheels}
    tags = {each.path.stem.rsplit("-", 1)[1] for each in wheels}
    assert [tag for tag in tags if tag != "any" and not all(part.endswith("_aarch64") for part in tag.split("."))] == []
    assert [*wheelhouse.unmet(wheels, PI)] == []


def requirements_of_a_node() -> list[str]:
    """What the program itself asks for, as its wheel would say."""
    about = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    extra = [f"{each}; extra=='node'" for each in about["optional-dependencies"]["node"]]
    return [*about["dependencies"], *extra]


def test_debian_packages_for_another_machine_and_release_are_had_without_touching_this_one(tmp_path: Path) -> None:
    before = Path("/var/lib/dpkg/status").stat() if Path("/var/lib/dpkg/status").exists() else None
    try:
        release = debs.fetch(["libportaudio2"], PI, tmp_path / "debs")
    except (bundle.NoBundle, OSError) as wrong:
        pytest.skip(f"no package source of Debian answers: {wrong}"[:200])
    assert before
    names = sorted(path.name for path in (tmp_path / "debs").iterdir())
    assert release == "trixie"
    assert [name for name in names if name.startswith("libportaudio2_") and name.endswith("_arm64.deb")]
    assert [name for name in names if name.startswith("libasound2t64_")]
    assert [name for name in names if name.startswith(("libc6_", "dpkg_")) or "%" in name] == []
    assert list(tmp_path.iterdir()) == [tmp_path / "debs"]
    assert Path("/var/lib/dpkg/status").stat().st_mtime_ns == before.st_mtime_ns
