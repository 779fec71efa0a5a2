"""`./run wheel`: the program's wheel and source archive are the same bytes wherever, whenever and by whomever built."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from makers_install import TOP

import bundle  # isort: skip - of the folder deploy/, which makers_install adds
import own_wheel  # isort: skip

MOMENT = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)
OTHER_PLACE = {
    "TZ": "Asia/Ho_Chi_Minh",
    "LC_ALL": "C",
    "LANG": "vi_VN.UTF-8",
    "PYTHONHASHSEED": "4",
    "HOME": "/nowhere",
}


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real tool, as locked."""
    folder = tmp_path_factory.mktemp("tool") / "tool"
    try:
        own_wheel.fetch_tool(folder)
    except bundle.NoBundle as wrong:
        pytest.skip(f"no registry answers: {wrong}"[:200])
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git tracks, as somebody who has no git would get it."""
    folder = tmp_path_factory.mktemp("source") / "loa"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (TOP / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, folder / name)
    return folder


@contextmanager
def mask(bits: int) -> Iterator[None]:
    before = os.umask(bits)
    try:
        yield
    finally:
        os.umask(before)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_two_builds_in_two_places_by_two_people_are_the_same_bytes(
    tool: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_wheel.run_tool(tool, source, tmp_path / "one", MOMENT, own_wheel.KINDS)
    with mask(0o077):
        unbuilt = shutil.ignore_patterns("dist")  # the pages' files are built in both places
        shutil.copytree(source, tmp_path / "elsewhere" / "another name", copy_function=shutil.copyfile, ignore=unbuilt)
        for path in (tmp_path / "elsewhere" / "another name").rglob("*"):
            was_program = os.access(source / path.relative_to(tmp_path / "elsewhere" / "another name"), os.X_OK)
            path.chmod(0o700 if was_program else 0o600)
            os.utime(path, (86_400, 86_400))
        (tmp_path / "elsewhere" / "another name" / "words" / "__pycache__").mkdir()
        (tmp_path / "elsewhere" / "another name" / "words" / "__pycache__" / "left.cpython-311.pyc").touch()
        for name, value in OTHER_PLACE.items():
            monkeypatch.setenv(name, value)
        own_wheel.run_tool(tool, tmp_path / "elsewhere" / "another name", tmp_path / "two", MOMENT, own_wheel.KINDS)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    made, archive = sorted((tmp_path / "one").iterdir())
    with zipfile.ZipFile(made) as opened:
        names = opened.namelist()
        assert {each.date_time for each in opened.infolist()} == {(2026, 11, 27, 1, 2, 2)}
    assert {"wire/seal.py", "words/vi/supply.toml", "edge_node/agent.py"} <= set(names)
    assert [name for name in names if "__pycache__" in name or name.startswith(("tests/", "deploy/"))] == []
    front = {each for each in names if each.startswith("controller/web/static/dist/")}
    assert {"manifest.json", "stamp"} <= {Path(each).name for each in front}
    assert {Path(each).suffix for each in front} >= {".js", ".css", ".svg", ".woff2", ".br"}
    assert [each for each in names if "front/" in each or "node_modules" in each] == []
    with tarfile.open(archive) as opened_archive:
        packed = {each.name.partition("/")[2]: each for each in opened_archive.getmembers()}
    assert {
        "run",
        "locks/base.txt",
        "tests/test_house.py",
        "pyproject.toml",
        "cage/__init__.py",
    } | front <= packed.keys()
    assert {(each.uid, each.gid, each.mtime) for each in packed.values()} == {(0, 0, MOMENT.timestamp())}


def test_another_source_is_another_wheel(tool: Path, source: Path, tmp_path: Path) -> None:
    own_wheel.run_tool(tool, source, tmp_path / "one", MOMENT, ["wheel"])
    copy = tmp_path / "copy"
    shutil.copytree(source, copy)
    (copy / "words" / "__init__.py").write_text((copy / "words" / "__init__.py").read_text("utf-8") + "\n# one\n")
    own_wheel.run_tool(tool, copy, tmp_path / "two", MOMENT, ["wheel"])
    assert digests(tmp_path / "one") != digests(tmp_path / "two")


def test_what_cannot_be_built_is_one_sentence(tool: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = ["hatchling"]\n')
    with pytest.raises(bundle.NoBundle) as refused:
        own_wheel.run_tool(tool, tmp_path, tmp_path / "made", MOMENT, ["wheel"])
    assert refused.value.say("en").startswith("The program could not be built: ")
    assert "\n" not in refused.value.say("vi")
