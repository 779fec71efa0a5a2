"""`loa announce --dry-run`: what would be met is told, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from makers_loa import PLACE, Loa, at_home, in_this_process
from makers_web import NOON, Town, settled_town

from controller.desk import Desk, DeskError
from controller.store import Store
from loa import house

ANNOUNCE = ("announce", "Họp thôn tối nay. " * 20, "--area", PLACE, "--at", "2027-01-04 17:00", "--title", "Họp thôn")


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    with settled_town(tmp_path):
        at_home(monkeypatch, tmp_path)
    monkeypatch.setattr(house, "now", lambda: NOON)
    return in_this_process(capsys)


def kept(folder: Path) -> int:
    store = Store(f"sqlite:///{folder}/loa.db")
    try:
        return len(store.announcements.list())
    finally:
        store.close()


def test_a_dry_run_tells_when_it_sounds_and_what_the_day_has_and_writes_nothing(loa: Loa, tmp_path: Path) -> None:
    told = loa(*ANNOUNCE, "--dry-run")
    assert told.out.splitlines() == [
        "Would sound at 04/01/2027 17:00:00",
        "It meets no other announcement or programme.",
        "On 04/01/2027: 0 minutes used; this announcement adds about 36 s.",
    ]
    assert kept(tmp_path) == 0


def test_a_dry_run_says_the_conflict_in_a_sentence_with_offers_that_stand(loa: Loa, tmp_path: Path) -> None:
    loa(*ANNOUNCE)
    lines = loa(*ANNOUNCE, "--dry-run").out.splitlines()
    assert lines[1].startswith("At 17:00 on 04/01/2027, 6 loudspeakers will sound “Họp thôn” (36 s);")
    assert lines[2:4] == ["- Right after, at 17:01", "- Move to 16:55"]
    assert kept(tmp_path) == 1


def test_a_program_reads_the_same_as_json(loa: Loa) -> None:
    loa(*ANNOUNCE)
    told = json.loads(loa(*ANNOUNCE, "--dry-run", "--json", "--repeat", "FREQ=WEEKLY;BYDAY=MO,TH").out)
    [met] = told["conflicts"]
    assert (met["turn"], met["at"], len(met["nodes"])) == ("alike", "2027-01-04T10:00:00+00:00", 6)
    assert [each["kind"] for each in told["offers"]] == ["after", "move", "skip"]
    assert told["offers"][2]["leave_out"] == ["2027-01-04"]
    assert (told["repeats"], len(told["comings"]), told["budget"]["most_minutes"]) == (True, 5, None)


def test_a_dry_run_refuses_what_would_be_refused_and_what_it_cannot_do(loa: Loa, tmp_path: Path) -> None:
    loa("announce", "Họp.", "--area", "nowhere", "--dry-run").refuses(1, "nowhere")
    loa(*ANNOUNCE, "--dry-run", "--wait").refuses(1, "--wait")
    loa("announce", "--recording", "x.wav", "--area", PLACE, "--dry-run").refuses(1, "--recording")
    assert kept(tmp_path) == 0


def test_what_was_taken_is_told_with_what_it_meets_as_a_dry_run_tells_it(loa: Loa) -> None:
    first = loa(*ANNOUNCE)
    assert (first.code, first.err) == (0, "")
    foreseen = loa(*ANNOUNCE, "--dry-run").out.splitlines()[1]
    told = loa(*ANNOUNCE)
    assert (told.code, told.out.count("\n"), told.err) == (0, 1, f"{foreseen}\n")


def test_a_program_reads_what_was_met_beside_what_was_taken(loa: Loa) -> None:
    first = json.loads(loa(*ANNOUNCE, "--json", "--key", "k").out)
    assert first["conflicts"] == []
    dry = json.loads(loa(*ANNOUNCE, "--dry-run", "--json").out)
    told = loa(*ANNOUNCE, "--json")
    assert (json.loads(told.out)["conflicts"], told.err) == (dry["conflicts"], "")
    assert len(json.loads(loa(*ANNOUNCE, "--json", "--key", "k").out)["conflicts"]) == 1, "the same wish sent twice"


def test_what_is_booked_once_more_is_told_what_it_meets_too(loa: Loa, tmp_path: Path) -> None:
    first = json.loads(loa(*ANNOUNCE, "--json").out)["announcement"]
    town = Town(tmp_path, fresh=False)
    town.voice(first)
    town.store.close()
    again = ("announce", "--again", first, "--area", PLACE, "--json", "--at")
    assert json.loads(loa(*again, "2027-01-04 18:00").out)["conflicts"] == []
    loa(*ANNOUNCE[:4], "--at", "2027-01-04 19:00")
    (met,) = json.loads(loa(*again, "2027-01-04 19:00").out)["conflicts"]
    assert met["turn"] == "alike"
    assert met["said"].startswith("At 19:00 on 04/01/2027")


def test_an_emergency_is_told_what_it_cuts(loa: Loa) -> None:
    loa(*ANNOUNCE)
    emergency = ("announce", "Sơ tán ngay.", "--area", PLACE, "--at", "2027-01-04 17:00:10", "--class", "emergency")
    told = loa(*emergency)
    assert (told.code, told.err.count("\n")) == (0, 1)
    assert "this emergency will cut into “Họp thôn” on 6 loudspeakers" in told.err


def test_what_the_look_ahead_refuses_does_not_undo_what_was_taken(
    loa: Loa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(*_: object) -> None:
        raise DeskError("desk.no_area")

    loa(*ANNOUNCE)
    monkeypatch.setattr(Desk, "foresee", refused)
    told = loa(*ANNOUNCE, "--json")
    assert (told.code, json.loads(told.out)["conflicts"], told.err) == (0, [], "")
    assert kept(tmp_path) == 2
