"""What a version shows of itself before it may run: it reads the node's folder and changes nothing in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers_node import make_job
from makers_release import NOW, Home

from edge_node import proof
from edge_node.ledger import Ledger
from edge_node.report import version


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    ledger = Ledger(home.state / "ledger.sqlite")
    ledger.accept(make_job(), NOW)
    ledger.close()
    return home


def contents(folder: Path) -> dict[str, bytes]:
    """What stands in the folder but SQLite's own shared memory."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_this_version_is_one_that_could_run_and_leaves_everything_as_it_was(home: Home) -> None:
    before = contents(home.state)
    assert proof.answer(home.place.settings) == {"version": version(), "good": True, "findings": []}
    assert contents(home.state) == before


def test_a_ledger_that_it_cannot_read_is_found(home: Home) -> None:
    (home.state / "ledger.sqlite").write_bytes(b"no database" * 1000)
    answer = proof.answer(home.place.settings)
    assert answer["good"] is False
    assert len(answer["findings"]) == 1  # type: ignore[arg-type]


def test_a_key_that_is_none_is_found(home: Home) -> None:
    (home.state / "node.key").write_bytes(b"x")
    answer = proof.answer(home.place.settings)
    assert answer["good"] is False


def test_a_module_that_is_broken_is_found(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    import_module = proof.importlib.import_module

    def importing(name: str) -> object:
        if name == "edge_node.playout":
            raise ImportError("cannot import name 'x'", name="edge_node.player")
        return import_module(name)

    monkeypatch.setattr(proof.importlib, "import_module", importing)
    answer = proof.answer(home.place.settings)
    assert answer["findings"] == ["edge_node.playout: cannot import name 'x'"]
