"""`docs/security.md` is held to its word: every row of a table of threats names tests, and they are there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
MODEL = TOP / "docs/security.md"
STEPS = (
    "Coming in at the web",
    "Typing",
    "Voice",
    "Desk and planner",
    "Seal",
    "Keys and roots",
    "Broker",
    "Node",
    "Cache",
    "Playout",
    "Receipts",
    "Updates",
    "Supply",
    "Enrolment and certificates",
)
TUF = (
    *(
        "arbitrary_installation",
        "endless_data",
        "extraneous_dependencies",
        "fast_forward",
        "freeze",
        "malicious_mirror",
    ),
    *("mix_and_match", "rollback", "slow_retrieval", "key_compromise", "wrong_installation"),
)
_NAMED = re.compile(r"`(test_\w+)(?:::(test_\w+))?`")


def rows() -> list[str]:
    """Every row of every table whose first column is the threat."""
    found, inside = [], False
    for line in MODEL.read_text("utf-8").splitlines():
        inside = line.startswith("| threat |") or (inside and line.startswith("|"))
        if inside and not line.startswith(("| threat |", "|---")):
            found.append(line)
    return found


@cache
def written() -> dict[str, str]:
    """The text of every file of tests, by its name."""
    return {path.stem: path.read_text("utf-8") for path in (TOP / "tests").rglob("test_*.py")}


def is_there(file: str, name: str) -> bool:
    return re.search(rf"^(?:async )?def {name}\(", written().get(file, ""), re.MULTILINE) is not None


@pytest.mark.parametrize("row", rows())
def test_every_row_names_tests_that_are_there(row: str) -> None:
    named = _NAMED.findall(row.replace("\\|", "/").split("|")[3])
    functions = [(file, name) for file, name in named if name]
    assert functions, "no test by name (`file::function`)"
    assert [each for each in functions if not is_there(*each)] == []
    assert [file for file, name in named if not name and file not in written()] == []


def test_a_name_that_is_nowhere_is_noticed() -> None:
    assert is_there("test_threat_model", "test_a_name_that_is_nowhere_is_noticed")
    assert not is_there("test_threat_model", "test_a_name_that_is")
    assert not is_there("test_nowhere", "test_a_name_that_is_nowhere_is_noticed")


def test_every_step_of_the_walk_has_its_table_and_every_kind_of_threat_is_thought_of() -> None:
    text = MODEL.read_text("utf-8")
    titles = re.findall(r"^### (.+)$", text, re.MULTILINE)
    assert [step for step in STEPS if not any(title.startswith(step) for title in titles)] == []
    assert len(rows()) > 100
    for kind in "STRIDE":
        assert sum(row.startswith(f"| **{kind}**") for row in rows()) >= 4, kind


def test_every_attack_of_the_update_frameworks_list_has_a_test_by_its_name() -> None:
    names = re.findall(r"^def (test_tuf_\w+)", "\n".join(written().values()), re.MULTILINE)
    assert [attack for attack in TUF if not any(f"test_tuf_{attack}" in name for name in names)] == []


def test_how_to_report_is_said_at_the_top() -> None:
    said = (TOP / "SECURITY.md").read_text("utf-8")
    for word in ("Reporting", "Supported versions", "What is promised", "docs/security.md"):
        assert word in said
    assert "SECURITY.md" in MODEL.read_text("utf-8")
