"""`loa broker` stands beside the state of the station that it is for, and is never shared by two."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers_loa import Loa, at_home, in_this_process

from fleet import mosquitto
from loa.verbs import broker

pytestmark = pytest.mark.skipif(
    mosquitto.find() is None, reason="mosquitto is not installed: apt-get install mosquitto"
)


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    """It ends at once, as if told to."""
    at_home(monkeypatch, tmp_path / "one")
    monkeypatch.setattr(broker.signal, "signal", lambda number, handler: handler(number, None))
    return in_this_process(capsys)


def test_each_station_has_its_own_broker_and_two_never_meet_in_one_folder(
    loa: Loa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert loa("broker", "--port", 0).code == 0
    assert (tmp_path / "one" / "own-broker" / "mosquitto").is_dir()
    assert not (tmp_path / "one" / "broker").exists()  # what is written for whoever keeps another
    monkeypatch.setenv("LOA_STATE_DIR", str(tmp_path / "two"))
    assert loa("broker", "--port", 0).code == 0
    assert (tmp_path / "two" / "own-broker" / "mosquitto").is_dir()
    meet = ("broker", "--port", 0, "--state-dir", tmp_path / "one" / "own-broker")
    loa(*meet).refuses(1, str(tmp_path / "one"))
    monkeypatch.setenv("LOA_STATE_DIR", str(tmp_path / "one"))
    assert loa(*meet).code == 0


def test_its_port_is_that_of_the_settings(loa: Loa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_BROKER_PORT", "47813")
    assert "47813" in loa("broker").out
