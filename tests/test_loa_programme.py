"""Programmes from the shell."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from makers_loa import PLACE, Loa, at_home, in_this_process
from makers_web import Town

from controller.store import Store

SAMPLES = Path(__file__).parent.parent / "schedules" / "samples"
FILE = SAMPLES / "dong-dang.toml"


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    town = Town(tmp_path_factory.mktemp("town"))
    town.settle()
    town.store.close()
    return town.folder


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, furnished: Path, tmp_path: Path) -> Loa:
    shutil.copytree(furnished, tmp_path / "home")
    at_home(monkeypatch, tmp_path / "home")
    return in_this_process(capsys)


def test_a_file_is_checked_without_a_station(loa: Loa, tmp_path: Path) -> None:
    for sample in sorted(SAMPLES.glob("*.toml")):
        assert "A programme: lang-son:" in loa("programme", "check", sample).out
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(FILE.read_text().replace('start = "05:30"', 'start = "25:30"', 1))
    loa("programme", "check", wrong).refuses(1, "line", "slot[", "start")
    loa("programme", "check", tmp_path / "none.toml").refuses(1, "no such file")


def test_a_week_names_its_holidays_and_lunar_days(loa: Loa) -> None:
    shown = loa("programme", "show", FILE, "--week", "2026-09-02").out
    assert "Wednesday 02/09/2026" in shown
    assert "National Day" in shown
    assert "lunar 15/7" not in shown
    assert "lunar 15/7" in loa("programme", "show", FILE, "--week", "2026-08-27").out
    assert "05:00–05:05" in shown


def test_what_is_applied_is_shown_and_exported_letter_for_letter(loa: Loa, tmp_path: Path) -> None:
    loa("programme", "show", PLACE).refuses(1, "has no programme")
    told = loa("programme", "apply", FILE, "--as", "chu-tich")
    assert told.code == 0, told
    assert "“Nhạc hiệu Đài truyền thanh xã” has no sound yet" in told.out
    assert "Bản tin của xã" in loa("programme", "show", PLACE).out
    exported = loa("programme", "export", PLACE).out
    again = tmp_path / "again.toml"
    again.write_text(exported)
    assert loa("programme", "apply", again, "--as", "chu-tich").code == 0
    assert loa("programme", "export", PLACE).out == exported


def test_who_may_not_apply_it_is_told(loa: Loa) -> None:
    loa("programme", "apply", FILE, "--as", "van-hoa").refuses(1, "may not")
    loa("programme", "apply", FILE, "--since", "2020-01-01").refuses(1, "past")
    loa("programme", "export", "nowhere").refuses(1, "has no programme")


def test_an_announcement_asks_for_a_slot(loa: Loa, tmp_path: Path) -> None:
    announce = ("announce", "Họp thôn.", "--area", PLACE, "--json", "--slot")
    loa(*announce, "x").refuses(1, "programme")
    loa("programme", "apply", FILE, "--as", "chu-tich")
    store = Store(f"sqlite:///{tmp_path / 'home' / 'loa.db'}")
    series = store.programmes.of(PLACE)[0].programme
    name = next(item.series for slot in series.slots for item in slot.items if item.series)
    made = json.loads(loa(*announce, name).out)
    row = store.bookings.get(made["job"])
    store.close()
    assert row is not None
    assert (row.slot, row.start) == (name, None)
    loa(*announce, "no such series").refuses(1, name)


def test_a_relay_is_checked_against_the_stations_sources(
    loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = loa("programme", "apply", FILE, "--as", "chu-tich").out
    assert "“VOV1” is relayed by no loudspeaker yet" in told
    config = tmp_path / "station.toml"
    config.write_text('[relays]\nvov2 = "https://vov.example/2"\n')
    assert loa("programme", "check", FILE).code == 0
    loa("programme", "check", FILE, "--config", config).refuses(1, "line", "source", "did you mean vov2?")
    monkeypatch.setenv("LOA_RELAYS", "vov1=https://vov.example/1")
    assert loa("programme", "check", FILE, "--config", config).code == 0
    assert "is relayed by no" not in loa("programme", "apply", FILE, "--as", "chu-tich").out
    assert 'source = "VOV1"' in loa("programme", "export", PLACE).out, "as it was written"
    monkeypatch.setenv("LOA_RELAYS", "vov2=https://vov.example/2")
    loa("programme", "apply", FILE, "--as", "chu-tich").refuses(1, "line", "did you mean vov2?")
