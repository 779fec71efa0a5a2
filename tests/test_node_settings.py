"""The node's settings and what an installer is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers_node import HAMLET, NODE, ROOT

from edge_node import radio
from edge_node.settings import Settings, SettingsError, load, make

GOOD = {"node": NODE, "home": HAMLET, "root_keys": [ROOT.public.hex], "state_dir": "/var/lib/loa"}


def test_a_file_and_then_the_environment_decide(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(
        f'node = "{NODE}"\nhome = "{HAMLET}"\nroot_keys = ["{ROOT.public.hex}"]\n'
        f'state_dir = "{tmp_path}"\nfast = true\nplayer = "file"\n'
    )
    settings = load(path, {"LOA_NODE_BROKER_PORT": "1884", "LOA_NODE_PLAYER": "null", "HOME": "/root"})
    assert settings == Settings(NODE, HAMLET, (ROOT.public.hex,), tmp_path, broker_port=1884, player="null", fast=True)
    assert settings.wav == tmp_path / "out.wav"


def test_a_wrong_key_is_answered_with_the_nearest_right_one() -> None:
    with pytest.raises(SettingsError, match="broker_host"):
        make({**GOOD, "brokerhost": "x"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("player", "speaker"),
        ("clock", "maybe"),
        ("broker_port", "many"),
        ("broker_port", 70000),
        ("fast", "perhaps"),
        ("node", "Loa 1"),
        ("home", "lang son"),
        ("root_keys", ["abc"]),
        ("root_keys", [7]),
        ("log_level", "loud"),
    ],
)
def test_a_wrong_value_is_refused(key: str, value: object) -> None:
    with pytest.raises(SettingsError) as said:
        make({**GOOD, key: value})
    assert said.value.say("vi") != said.value.say("en")


@pytest.mark.parametrize("key", GOOD)
def test_a_missing_setting_is_named(key: str) -> None:
    with pytest.raises(SettingsError, match=key):
        make({name: value for name, value in GOOD.items() if name != key})


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text("node = ")
    for path in (tmp_path / "none.toml", tmp_path / "node.toml"):
        with pytest.raises(SettingsError, match=path.name):
            load(path, {})


def test_an_installer_is_told_what_works_and_what_does_not(tmp_path: Path) -> None:
    settings = make({**GOOD, "state_dir": str(tmp_path), "clock": "trust", "player": "null", "broker_port": 1})
    sentences, good = radio.check(settings, "en")
    assert not good
    assert len(sentences) == 8
    assert any("127.0.0.1:1 does not answer" in sentence for sentence in sentences)
    assert sum("cannot" in sentence or "does not" in sentence for sentence in sentences) == 1


def test_an_installer_is_told_whether_relays_can_be_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make({**GOOD, "state_dir": str(tmp_path), "clock": "trust", "player": "null", "broker_port": 1})
    assert "can be decoded" in radio.check(settings, "en")[0][-2]
    monkeypatch.setenv("PATH", "/nowhere")
    assert "install ffmpeg" in radio.check(settings, "en")[0][-2]


def test_an_installer_is_told_whether_the_node_has_a_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**GOOD, "state_dir": str(tmp_path), "clock": "trust", "player": "null", "broker_port": 1}
    assert "can speak an emergency itself" in radio.check(make(given), "en")[0][-1]
    assert "Own voice: none" in radio.check(make({**given, "voice": ""}), "en")[0][-1]
    monkeypatch.setenv("PATH", "/nowhere")
    assert "espeak-ng" in radio.check(make(given), "vi")[0][-1]


@pytest.mark.parametrize(
    ("name", "value"), [("voice", "-w /tmp/x"), ("voice", "vi\n"), ("voice_wpm", 79), ("voice_wpm", 451)]
)
def test_a_voice_is_a_name_and_speaks_at_a_speed_that_there_is(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=name):
        make({**GOOD, name: value})


def test_a_state_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    settings = make({**GOOD, "state_dir": str(blocked), "clock": "trust", "player": "null"})
    clock = radio.wallclock(settings)
    with pytest.raises(SettingsError, match="cannot be written to"):
        radio.make_agent(settings, radio.make_link(settings, clock), clock)
