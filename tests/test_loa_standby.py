"""What is kept ready, from the shell; and an approved announcement booked once more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import makers_store
import pytest
from makers_loa import PLACE, Loa, at_home, in_this_process
from makers_web import NOON, Town

from controller.desk import Wish
from loa import house


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A station with one approved and voiced announcement; and its id."""
    town = Town(tmp_path_factory.mktemp("town"))
    town.settle()
    who = min(town.store.people.all(), key=lambda each: each.created_at)
    sent = town.desk.announce(Wish("Bà con lên nhà văn hóa.", (PLACE,)), who, town.now)
    held = town.store.announcements.get(sent.announcement_id)
    assert held
    town.store.assets.put(makers_store.asset())
    town.store.announcements.set_voiced(held.id, held.script_hash, makers_store.SHA)
    town.store.close()
    return town.folder, held.id


@pytest.fixture
def loa(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, furnished: tuple[Path, str], tmp_path: Path
) -> Loa:
    shutil.copytree(furnished[0], tmp_path / "home")
    at_home(monkeypatch, tmp_path / "home")
    monkeypatch.setattr(house, "now", lambda: NOON)  # the days named here are still to come
    return in_this_process(capsys)


def test_it_is_kept_listed_and_dropped(loa: Loa, furnished: tuple[Path, str]) -> None:
    assert loa("standby", "list").out == "Siren: none yet. The station makes it when it runs; it needs ffmpeg.\n"
    assert (
        loa("standby", "keep", furnished[1], PLACE).out == f"{furnished[1]} is kept on every loudspeaker of {PLACE}.\n"
    )
    (line,) = loa("standby", "list").out.splitlines()[1:]
    assert line.startswith(f"{PLACE}  {furnished[1]}  ordinary  10 s  Bà con lên")
    told = json.loads(loa("standby", "list", "--json").out)
    assert told["siren"] is None
    assert [(each["area"], each["asset"]) for each in told["kept"]] == [(PLACE, makers_store.SHA)]
    assert loa("standby", "drop", furnished[1], PLACE).code == 0
    assert json.loads(loa("standby", "list", "--json").out)["kept"] == []


def test_an_announcement_is_prepared_without_a_place(loa: Loa) -> None:
    assert "is prepared and approved" in loa("standby", "prepare", "Lũ về.", "--class", "emergency", "--times", "2").out
    loa("standby", "prepare", " ").refuses(1, "")
    loa("standby", "prepare").refuses(2, "")


def test_what_cannot_be_kept_is_refused(loa: Loa, furnished: tuple[Path, str]) -> None:
    loa("standby", "keep", "none", PLACE).refuses(1, "none")
    loa("standby", "keep", furnished[1], "nowhere").refuses(1, "nowhere")
    loa("standby", "keep", furnished[1]).refuses(2, "")
    loa("standby", "keep", "\x1b[31m" * 50, "-x").refuses(2, "")
    loa("standby", "list", "--as", "nobody").refuses(1, "nobody")


def test_an_approved_announcement_is_sent_again(loa: Loa, furnished: tuple[Path, str]) -> None:
    again = ("announce", "--again", furnished[1], "--area", PLACE, "--at", "2026-12-24 17:00")
    made = json.loads(loa(*again, "--key", "k", "--json").out)
    assert made["announcement"] == furnished[1]
    assert json.loads(loa(*again, "--key", "k", "--json").out) == made
    loa(*again, "--title", "x").refuses(1, "--title")
    loa(*again, "--class", "emergency").refuses(1, "--class")
    loa(*again, "--dry-run").refuses(1, "--again")
    loa("announce", "Chữ", "--again", furnished[1], "--area", PLACE).refuses(2, "")
    loa("announce", "--again", "none", "--area", PLACE).refuses(1, "none")
