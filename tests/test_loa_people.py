"""Rights from the shell: given for a time, listed, withdrawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from makers_loa import PLACE, Loa, at_home, in_this_process
from makers_web import settled_town


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    with settled_town(tmp_path):
        at_home(monkeypatch, tmp_path)
    return in_this_process(capsys)


def rights_of(loa: Loa, name: str) -> list[dict[str, object]]:
    people = json.loads(loa("user", "list", "--json").out)
    return next(each["grants"] for each in people if each["name"] == name)  # type: ignore[no-any-return]


def test_a_right_is_given_for_days_and_hours_listed_and_withdrawn(loa: Loa) -> None:
    wanted = ["--role", "emergency", "--area", PLACE, "--hours", "18:00-06:00", "--days", "mon,fri"]
    told = json.loads(loa("user", "grant", "van-hoa", *wanted, "--from", "+1h", "--to", "+48h", "--json").out)
    assert (told["name"], told["role"], told["area"]) == ("van-hoa", "emergency", PLACE)
    assert told["hours"] == {"days": ["mon", "fri"], "since": "18:00", "until": "06:00"}
    assert told["since"] < told["until"]
    line = next(line for line in loa("user", "list").out.splitlines() if told["grant"] in line)
    assert line.startswith(f"  {told['grant']}  emergency  {PLACE}  20")
    assert line.endswith("18:00–06:00 mon,fri")
    assert told["grant"] in loa("user", "withdraw", "van-hoa", told["grant"]).out
    ended = next(each for each in rights_of(loa, "van-hoa") if each["grant"] == told["grant"])
    assert str(ended["until"]) < told["since"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--days", "mon,someday"), "someday"),
        (("--hours", "6pm"), "6pm"),
        (("--hours", "18:00-"), "time of day"),
        (("--to", "yesterday"), "yesterday"),
        (("--to", "2020-01-01"), "after now"),
        (("--area", "nowhere"), "nowhere"),
        (("--as", "van-hoa"), "van-hoa may not do this"),
        (("--as", "chu-tich"), "chu-tich may not do this"),
    ],
)
def test_a_right_that_cannot_be_is_one_sentence(loa: Loa, typed: tuple[str, ...], said: str) -> None:
    before = rights_of(loa, "van-hoa")
    loa("user", "grant", "van-hoa", "--role", "operator", *typed).refuses(1, said)
    assert rights_of(loa, "van-hoa") == before


def test_the_last_administrator_s_right_stays(loa: Loa) -> None:
    first = next(each["grant"] for each in rights_of(loa, "quan-tri") if each["role"] == "administrator")
    loa("user", "withdraw", "quan-tri", str(first)).refuses(1, "the last")
    loa("user", "withdraw", "quan-tri", "g0").refuses(1, "holds no such right")
