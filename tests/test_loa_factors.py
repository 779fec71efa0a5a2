"""`loa user forget-factor`: the way back after phone and recovery codes were lost, also for the last administrator."""

from __future__ import annotations

from pathlib import Path

import pyotp
import pytest
from makers_loa import Loa, at_home, in_this_process

from controller.bootstrap import make_desk, open_store
from controller.settings import Settings
from loa import house


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    at_home(monkeypatch, tmp_path / "home")
    monkeypatch.setenv("LOA_STATE_DIR", str(tmp_path / "state"))
    return in_this_process(capsys)


def test_the_last_administrator_s_second_factor_is_reset_at_the_station(loa: Loa, tmp_path: Path) -> None:
    loa("user", "add", "quan")
    settings = Settings(state_dir=tmp_path / "state")
    store = open_store(settings)
    desk, now = make_desk(settings, store), house.now()
    quan = store.people.by_name("quan")
    assert quan
    entry = desk.accept(desk.invite(quan.id, quan, now), "một câu dễ nhớ", now)
    who = desk.signed_in(entry.token, now)
    assert who
    app = desk.begin_code(who, "Đài", now)
    desk.confirm_code(who, pyotp.TOTP(app.secret).at(now), now)
    assert store.factors.held(quan.id).any
    assert "quan" in loa("user", "forget-factor", "quan").out
    assert not store.factors.held(quan.id).any
    assert desk.signed_in(entry.token, now) is None
    assert store.acts.recent()[0].what == "forgot second factors"
    store.close()
    loa("user", "forget-factor", "nobody").refuses(1, "nobody")
