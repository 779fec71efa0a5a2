"""`./run lock` and its check: every file by its hash for every target, and pyproject, constraints and locks agree."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from makers_install import TOP, wheel

import agreement  # isort: skip - of the folder deploy/, which makers_install adds
import lock  # isort: skip
import locks  # isort: skip
import registry  # isort: skip

PROJECT = """
[build-system]
requires = ["builder>=1"]
[project]
dependencies = ["one>=1,<2"]
[project.optional-dependencies]
node = ["two[fast]>=2"]
"""
PINS = (
    "builder==1.0\neditables==0.6\none==1.5\ntwo==2.0\nthree==3.0\nvieneu==3.8.3\nvietnamadminunits==1.0.4\nfour==4.0\n"
)
WANTS = {"one": ["four; python_version>='3.13'"], "two": ["three>=3; extra=='fast'", "never; extra=='slow'"]}
ANY = "py3-none-any"


def listing(name: str, version: str, *tags: str) -> bytes:
    """What an index says of a project (PEP 691)."""
    files = [f"{name}-{version}-{tag}.whl" for tag in tags or (ANY,)] + [
        f"{name}-{version}.tar.gz",
        f"{name}-9.whl.asc",
    ]
    told = [{"filename": each, "url": f"at/{each}", "size": 1, "hashes": {"sha256": digest(each)}} for each in files]
    return json.dumps({"files": told}).encode()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its pins, and an index that has them all."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "constraints.txt").write_text(PINS)
    pages = {name: listing(name, version) for name, version in locks.constraints(PINS).items()}
    told = {name: "".join(f"Requires-Dist: {each}\n" for each in WANTS.get(name, [])).encode() for name in pages}
    compiled = [f"cp3{minor}-cp3{minor}-manylinux_2_28_{at}" for minor in (11, 12, 13, 14) for at in locks.MACHINES]
    pages["three"] = listing("three", "3.0", *compiled, "cp313-cp313t-manylinux_2_28_x86_64", "cp311-cp311-win_amd64")

    def asked(address: str, most: int, form: str = "*/*") -> bytes:
        name = address.rstrip("/").rsplit("/", 1)[-1]
        return told[name.partition("-")[0]] if name.endswith(".metadata") else pages[name]

    monkeypatch.setattr(registry, "_asked", asked)
    return tmp_path


def locked(source: Path) -> locks.Source:
    (source / "locks").mkdir(exist_ok=True)
    for group, text in lock.made(source).items():
        (source / "locks" / f"{group}.txt").write_text(text)
    return locks.Source.of(source)


def said(source: locks.Source) -> list[str]:
    return [wrong.say("en") for wrong in agreement.complaints(source)]


# --- as it stands ------------------------------------------------------------------------------------------------


def test_what_is_asked_for_pinned_and_locked_agrees() -> None:
    assert said(locks.Source.of(TOP)) == []


def test_nothing_in_the_locks_is_of_one_machine_or_leads_anywhere() -> None:
    for path in (TOP / "locks").iterdir():
        assert re.search(r"://|(?<!\d)/|\\\\|@|--(?!hash=sha256:)", path.read_text().replace("./run", "")) is None, path


def test_pip_reads_the_locks_as_they_are(tmp_path: Path) -> None:
    made = wheel(tmp_path, "a_one", "1.0")
    entry = locks.Locked("a-one", "1.0", 'python_version >= "3.11"', ("loa-radio",), ())
    for sha256, code in ((hashlib.sha256(made.read_bytes()).hexdigest(), 0), ("0" * 64, 1)):
        entry = dataclasses.replace(entry, artefacts=(locks.Artefact(made.name, sha256),))
        (tmp_path / "node.txt").write_text(locks.written("node", [entry]))
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--find-links", tmp_path, "--target"]
        command += [
            tmp_path / "there",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "-r",
            tmp_path / "node.txt",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_the_program_installs_by_hash_or_not_at_all() -> None:
    commands = re.findall(r"pip install.*", (TOP / "run").read_text())
    assert len(commands) == 2
    assert [each for each in commands if "--require-hashes" not in each and "--no-index" not in each] == []


# --- writing -----------------------------------------------------------------------------------------------------


def test_a_group_holds_all_that_it_comes_to_on_any_target_with_the_index_s_hashes(source: Path) -> None:
    made = locked(source)
    assert made.locked.keys() == {"base", "node", "build", "clips", "units"}
    assert [(each.name, each.marker, each.via) for each in made.locked["base"]] == [
        ("four", 'python_version == "3.13"', ("one",)),
        ("one", "", ("loa-radio",)),
    ]
    assert [(each.name, each.via) for each in made.locked["node"]] == [("three", ("two",)), ("two", ("loa-radio",))]
    three = made.locked["node"][0]
    assert [each.name.split("-")[2] for each in three.artefacts] == [
        "cp311",
        "cp311",
        "cp312",
        "cp312",
        "cp313",
        "cp313",
    ]
    assert all(each.sha256 == digest(each.name) for each in three.artefacts)
    (fitting,) = three.fitting("3.13", "aarch64")
    assert fitting.name == "three-3.0-cp313-cp313-manylinux_2_28_aarch64.whl"
    assert [each.name for each in made.for_target(("base", "node"), "3.11", "x86_64")] == ["one", "three", "two"]
    assert locks.requirements([three], "3.13", "aarch64") == f"three==3.0 --hash=sha256:{fitting.sha256}\n"
    assert said(made) == []


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        ("platform_machine=='x86_64'", 'platform_machine == "x86_64"'),
        ("python_version<'3.13'", 'python_version == "3.11" or python_version == "3.12"'),
        (
            "python_version<'3.12' and platform_machine=='aarch64'",
            'python_version == "3.11" and platform_machine == "aarch64"',
        ),
        ("python_version>='3.11'", ""),
        ("sys_platform=='win32'", None),
    ],
)
def test_what_only_some_targets_want_is_locked_for_those(source: Path, marker: str, told: str | None) -> None:
    project = PROJECT.replace("two[fast]>=2", f"two[fast]>=2; {marker}")
    (source / "pyproject.toml").write_text(project)
    (source / "constraints.txt").write_text(PINS if told is not None else PINS.replace("two==2.0\nthree==3.0\n", ""))
    made = locked(source)
    found = {each.name: each.marker for each in made.locked["node"]}
    assert found == ({"two": told, "three": told} if told is not None else {})
    assert said(made) == []


@pytest.mark.parametrize(
    ("pins", "why"),
    [
        (PINS.replace("three==3.0\n", "").replace("four==4.0\n", ""), "constraints.txt has no version of: four, three"),
        (PINS.replace("one==1.5", "one==2.5"), "The index has no one 2.5 that is not withdrawn"),
        (PINS.replace("three==3.0", "three>=3.0"), "a line that pins nothing, or what is pinned already: three>=3.0"),
        (PINS + "One==1.5\n", "a line that pins nothing, or what is pinned already: One==1.5"),
    ],
)
def test_what_cannot_be_locked_is_named(source: Path, pins: str, why: str) -> None:
    (source / "constraints.txt").write_text(pins)
    with pytest.raises(locks.BadLock) as refused:
        lock.made(source)
    assert why in refused.value.say("en")


def test_a_pin_that_will_not_do_and_a_target_without_a_wheel_are_named(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "pyproject.toml").write_text(PROJECT.replace("one>=1,<2", "one>=1.6,<2"))
    with pytest.raises(locks.BadLock, match=r"pins one 1\.5; loa-radio wants one"):
        lock.made(source)
    (source / "pyproject.toml").write_text(PROJECT)
    asked = registry._asked
    only = listing("one", "1.5", "cp311-abi3-manylinux2014_x86_64")
    monkeypatch.setattr(registry, "_asked", lambda at, *more: only if at.endswith("/one/") else asked(at, *more))
    with pytest.raises(locks.BadLock, match=r"one has no wheel for Python 3\.11 on aarch64"):
        lock.made(source)


def test_a_wheel_that_the_index_names_with_another_hash_is_not_read(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = registry._asked

    def no_metadata(address: str, *more: int) -> bytes:
        if address.endswith(".metadata"):
            raise registry.NotThere("supply.no_index", why=404)
        return b"other bytes" if address.endswith(".whl") else asked(address, *more)

    monkeypatch.setattr(registry, "_asked", no_metadata)
    with pytest.raises(locks.BadLock, match=r"py3-none-any\.whl is not what the index said of it"):
        lock.made(source)


@pytest.mark.parametrize(
    "answer",
    [
        b"no json",
        b"[" * 100_000,
        b"[]",
        b'{"files": 1}',
        b'{"files": [{"filename": "one-1.5-py3-none-any.whl", "url": "at", "hashes": {"sha256": "0"}}]}',
        listing("one", "1.5", "py3-none-any.\nfive==1"),
    ],
)
def test_an_index_that_answers_something_else_is_refused(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    monkeypatch.setattr(registry, "_asked", lambda *told: answer)
    with pytest.raises(locks.BadLock, match="did not answer as it should"):
        registry.release("one", "1.5")


# --- agreeing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "why"),
    [
        ("pyproject.toml", '"two[fast]>=2"', '"two[fast]>=2", "five"', "locks/node.txt lacks five: ./run lock"),
        ("pyproject.toml", '"one>=1,<2"', '"one>=1.6"', "locks/base.txt has one 1.5; wanted is one>=1.6: ./run lock"),
        ("pyproject.toml", '"two[fast]>=2"', "", "locks/node.txt has two, which nothing in it wants: ./run lock"),
        ("pyproject.toml", "node =", "web =", "locks/web.txt is missing: ./run lock"),
        ("pyproject.toml", "node =", "web =", "locks/node.txt is of no extra that there is: ./run lock"),
        ("constraints.txt", "one==1.5", "one==1.6", "locks/base.txt has one 1.5, constraints.txt does not: ./run lock"),
        ("constraints.txt", "four", "five==1\nfour", "constraints.txt pins five, which nothing wants"),
        (
            "locks/node.txt",
            "cp313-cp313-manylinux_2_28_x",
            "cp313-cp313-win_x",
            "three has no wheel for Python 3.13 on x86_64",
        ),
    ],
)
def test_whatever_does_not_agree_is_named(source: Path, file: str, old: str, new: str, why: str) -> None:
    locked(source)
    text = (source / file).read_text()
    assert old in text
    (source / file).write_text(text.replace(old, new))
    assert why in said(locks.Source.of(source))


def test_what_is_installed_here_and_wants_more_than_is_locked_is_named() -> None:
    real = locks.Source.of(TOP)
    short = {**real.locked, "node": [each for each in real.locked["node"] if each.name != "pycparser"]}
    wanted = [line for line in said(dataclasses.replace(real, locked=short)) if "pycparser" in line]
    assert len(wanted) == 1
    assert "locks/node.txt lacks pycparser" in wanted[0]


# --- hostile files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url elsewhere",
        "one @ file:one.whl",
        "one>=1 --hash=sha256:" + "0" * 64,
        "# via: loa-radio\none==1.5",
        "# via: loa-radio\n#   one.whl\none==1.5 \\\n    --hash=md5:" + "0" * 32,
        "# via: loa-radio\n#   one.whl\none==1.5 \\\n    --hash=sha256:"
        + "0" * 64
        + " \\\n    --hash=sha256:"
        + "1" * 64,
        "# via: loa-radio\n#   one.whl\n-e .\n    --hash=sha256:" + "0" * 64,
    ],
)
def test_a_lock_that_was_edited_into_something_else_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "base.txt").write_text(f"# base: written by ./run lock\n\n{line}\n")
    with pytest.raises(locks.BadLock, match=r"locks/base\.txt is not as"):
        locks.read(tmp_path / "base.txt")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"# base: written by ./run lock\n\n" + b"x" * locks.MOST_BYTES])
def test_a_lock_that_is_empty_binary_or_endless_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "base.txt").write_bytes(content)
    with pytest.raises(locks.BadLock):
        locks.read(tmp_path / "base.txt")


def test_what_is_written_is_read_back_and_every_group_of_the_project_has_a_file() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    for group in locks.wanted(project):
        path = TOP / "locks" / f"{group}.txt"
        assert locks.written(group, locks.read(path)) == path.read_text()
