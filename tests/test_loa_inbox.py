"""The inbox from the shell."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from makers_loa import PLACE, Loa, at_home, in_this_process
from makers_web import NOON, Town

from controller.desk import Wish
from controller.rights import Role
from loa import house
from schedules.calendars import Recurrence
from wire.plan import BulletinClass, Level


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A station where the province has sent one bulletin to every commune; and that bulletin."""
    town = Town(tmp_path_factory.mktemp("town"))
    town.settle()
    sender = town.person("so", Role.APPROVER, "lang-son", "Chu Thị Ngọc")
    start, daily = town.now + timedelta(hours=4), Recurrence("FREQ=DAILY")
    wish = Wish("Phòng cháy rừng.", ("lang-son",), start, level=Level.PROVINCE, recurrence=daily)
    sent = town.desk.announce(wish, sender, town.now)
    town.store.close()
    return town.folder, sent.announcement_id


@pytest.fixture
def loa(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    furnished: tuple[Path, str],
    tmp_path: Path,
) -> Loa:
    shutil.copytree(furnished[0], tmp_path / "home")
    at_home(monkeypatch, tmp_path / "home")
    monkeypatch.setattr(house, "now", lambda: NOON)  # the days named here are still to come
    return in_this_process(capsys)


def test_a_commune_sees_and_places_what_came(loa: Loa, furnished: tuple[Path, str]) -> None:
    listed = json.loads(loa("inbox", "list", "--as", "van-hoa", "--json").out)
    assert [(each["announcement"], each["area"]) for each in listed["waiting"]] == [(furnished[1], PLACE)]
    assert [(each["rule"], each["times"], each["drill"]) for each in listed["waiting"]] == [("FREQ=DAILY", 1, False)]
    told = loa("inbox", "list", "--as", "van-hoa").out
    assert "Phòng cháy rừng" in told
    assert re.search(r"its sender wishes: \d\d:\d\d \d\d/\d\d/2026, and then again", told)
    assert loa("inbox", "place", furnished[1], PLACE, "--at", "23/12/2026 05:30", "--as", "van-hoa").code == 0
    assert loa("inbox", "list", "--as", "van-hoa").out == "Nothing yet.\n"
    loa("inbox", "decline", furnished[1], PLACE, "--reason", "x", "--as", "van-hoa").refuses(1, "does not wait")


def test_what_cannot_be_decided_is_refused(loa: Loa, furnished: tuple[Path, str]) -> None:
    decline = ("inbox", "decline", furnished[1])
    loa(*decline, "lang-son:tam-thanh", "--reason", "x", "--as", "van-hoa").refuses(1, "does not speak for")
    loa(*decline, PLACE, "--reason", " ", "--as", "van-hoa").refuses(1, "why it is not broadcast")
    loa("inbox", "place", "none", PLACE, "--as", "van-hoa").refuses(1, "none")
    loa("inbox", "place", furnished[1], PLACE, "--at", "soon").refuses(2, "is not a time")
    loa("inbox", "order", "b1", "b2", "--first", "own").refuses(1, "do not clash")
    assert loa(*decline, PLACE, "--reason", "Đã phát", "--as", "van-hoa").code == 0


def test_of_two_that_clash_one_goes_first(loa: Loa, tmp_path: Path) -> None:
    town = Town(tmp_path / "home", fresh=False)
    people = town.store.people
    for name, area, level in (("so", "lang-son", Level.PROVINCE), ("chu-tich", PLACE, Level.COMMUNE)):
        who = people.by_name(name)
        assert who
        wish = Wish(name, (area,), level=level, bulletin_class=BulletinClass.PRIORITY)
        made = town.desk.announce(wish, who, town.now)
        town.voice(made.announcement_id)
        town.store.bookings.set_start(str(made.booking_id), NOON + timedelta(days=1))
    town.store.close()
    (clash,) = json.loads(loa("inbox", "list", "--as", "van-hoa", "--json").out)["clashes"]
    assert clash["first"] == "above"
    assert loa("inbox", "order", clash["own"], clash["above"], "--first", "own", "--as", "van-hoa").code == 0
    assert f"{clash['own']} and {clash['above']}; now own" in loa("inbox", "list", "--as", "van-hoa").out
