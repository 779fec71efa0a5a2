"""Every act that the code notes has words of its own on the page of the audit log, in both languages."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller import lockup, orders, setting_changes, turned_away
from controller.store import cosigners_out
from controller.vault import noted as noted_backups
from words import LANGUAGES, table

TOP = Path(__file__).parent.parent
WHAT = {"Act": 1, "_act": 0, "_note": 1}  # who makes an act, and which argument says what was done
HANDED_ON = {
    "CHANGED",
    "BEGUN",
    "line.kind",
    "what",
    "verb",
    "line.what",
    "_sending(sent)",
    "BY_DEFAULT",
    "orders.ORDERED",
    "OUT",
    "KEPT",
}
BY_NAME = {orders.ORDERED, orders.BY_DEFAULT, "approved", "submitted", "enrolled", "replaced key"}
BY_NAME |= {*turned_away.KINDS, setting_changes.CHANGED, setting_changes.BEGUN, *lockup.LOCKING, *lockup.UNLOCKING}
BY_NAME |= {cosigners_out.OUT, noted_backups.KEPT}


def noted() -> Iterator[tuple[str, ast.expr]]:
    """Where an act is noted, and what it is."""
    listed = subprocess.run(
        ["git", "ls-files", "controller", "loa"], cwd=TOP, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if not name.endswith(".py") or "/migrations/" in name:
            continue
        for call in ast.walk(ast.parse((TOP / name).read_text(encoding="utf-8"))):
            called = getattr(call.func, "attr", getattr(call.func, "id", "")) if isinstance(call, ast.Call) else ""
            if isinstance(call, ast.Call) and called in WHAT and len(call.args) > 2:
                yield f"{name}:{call.lineno}", call.args[WHAT[called]]


def acts() -> set[str]:
    """Every act by its name in the log."""
    found = {each.value for _, each in noted() if isinstance(each, ast.Constant)}
    return {str(each) for each in found} | BY_NAME


def test_what_is_noted_is_seen_here() -> None:
    unseen = [(where, ast.unparse(each)) for where, each in noted() if not isinstance(each, ast.Constant)]
    assert [each for each in unseen if each[1] not in HANDED_ON] == []
    assert len(acts()) > 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_act_has_words(language: str) -> None:
    words = table(language)
    assert [each for each in sorted(acts()) if f"web.act_{each.replace(' ', '_')}" not in words] == []
