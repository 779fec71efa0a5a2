"""The node's settings and what an installer is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from makers_node import HAMLET, NODE, ROOT

from edge_node import radio
from edge_node.settings import Settings, SettingsError, faults, load, make
from edge_node.wiring import Line, Wiring
from schedules.due import PRIME

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


def test_every_fault_of_the_settings_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(
        'home = "Lang Son"\nroot_keys = ["abc"]\nbrokerhost = "x"\nbroker_port = 0\nvoice_wpm = 3\nfast = "?"\n'
    )
    environment = {"LOA_NODE_MAINS_PIN": "17", "LOA_NODE_AMPLIFIER_LEAD_SECONDS": "9", "LOA_NODE_BATTERY_PIN": ""}
    said = " ".join(each.say("en") for each in faults(path, environment))
    for setting in ("node", "home", "brokerhost", "broker_port", "voice_wpm", "fast", "mains_pin", "state_dir"):
        assert f"“{setting}”" in said, setting
    assert "“amplifier_lead_seconds” = “9.0”" in said
    assert "public root key" in said
    assert "battery_pin" not in said
    assert len(faults(path, environment)) == 10
    assert [each.key for each in faults(tmp_path / "none.toml", {})] == ["node.bad_settings_file"]
    good = {
        f"LOA_NODE_{key.upper()}": value[0] if isinstance(value, list) else str(value) for key, value in GOOD.items()
    }
    assert faults(None, good) == []


def test_the_amplifiers_lead_leaves_time_to_write_down_what_begins() -> None:
    longest = make({**GOOD, "amplifier_lead_seconds": 1.5}).amplifier_lead_seconds
    assert timedelta(seconds=longest + 0.5) <= PRIME
    for lead in (1.6, 2.0, -0.1, "nan"):
        with pytest.raises(SettingsError, match=r"0-1\.5"):
            make({**GOOD, "amplifier_lead_seconds": lead})


@pytest.mark.parametrize("pin", ["17", "gpiochip0:17 ", "gpiochip0:!x", "/dev/gpiochip0:1", 17])
def test_a_pin_is_a_line_of_a_chip(pin: object) -> None:
    with pytest.raises(SettingsError, match="gpiochip0:!17"):
        make({**GOOD, "mains_pin": pin})
    assert make({**GOOD, "mains_pin": "gpiochip0:!17"}).wiring == Wiring(mains=Line("gpiochip0", 17, active_low=True))


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
