"""Policies from the shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers_loa import PLACE, Loa, at_home, in_this_process
from makers_web import settled_town

from schedules import rulebook_text

TEXT = f"""\
[policy]
area = "{PLACE}"
since = 2026-11-29

[quiet]
since = "21:00"
until = "05:00"
"""


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    with settled_town(tmp_path):
        at_home(monkeypatch, tmp_path)
    (tmp_path / "quy-che.toml").write_text(TEXT)
    return in_this_process(capsys)


def test_a_policy_is_shown_as_it_was_set_whatever_the_day(loa: Loa, tmp_path: Path) -> None:
    assert loa("policy", "apply", tmp_path / "quy-che.toml", "--as", "quan-tri").code == 0
    assert loa("policy", "show", PLACE, "--day", "2026-11-30").out == TEXT
    assert loa("policy", "show", PLACE, "--day", "2026-11-29").out == TEXT
    assert "has no policy" in loa("policy", "show", PLACE, "--day", "2026-11-28").out


def test_a_policy_from_above_is_shown_with_its_own_area_and_says_so(loa: Loa, tmp_path: Path) -> None:
    loa("policy", "apply", tmp_path / "quy-che.toml", "--as", "quan-tri")
    shown = loa("policy", "show", f"{PLACE}:thon-1", "--day", "2026-11-30").out
    assert shown == f"# Inherited from {PLACE}: the area itself has no policy.\n{TEXT}"
    assert rulebook_text.read(shown).area == PLACE
