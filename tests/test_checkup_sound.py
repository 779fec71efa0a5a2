"""What an installer is told of the sound: of programs that stand in, and of a real sound server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pulse
import pytest
from makers_node import HAMLET, NODE, ROOT, make_config
from test_checkup import PROJECT, keys, told

from edge_node import checkup
from edge_node.checkup import sound
from wire.plan import Asset


def test_a_muted_mixer_a_missing_siren_and_a_spoilt_file_are_told(tmp_path: Path) -> None:
    mixer = (
        "Simple mixer control 'Master',0\n  Capabilities: pvolume pswitch\n  Mono: Playback 0 [0%] [-60dB] [off]\n"
        "Simple mixer control 'PCM',0\n  Front Left: Playback 255 [100%] [0.00dB] [on]\n"
        "Simple mixer control 'Mic',0\n  Front Left: Capture 0 [0%] [off]\n"
    )
    muted = [each.facts["control"] for each in sound._mixer(told(tmp_path), lambda command: mixer)]
    assert muted == ["Master"]
    siren = Asset("a" * 64, 3, 1000, "audio/ogg", "a.ogg")
    other = Asset("b" * 64, 3, 1000, "audio/ogg", "b.ogg")
    settings = told(tmp_path)
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / other.sha256).write_bytes(b"xyz")
    config = make_config(standby=(siren, other), siren=siren.sha256)
    found = ["audio_ok", "!siren_missing", "!standby_missing", "!standby_spoilt"]
    assert keys(sound.shelf(settings, config)) == found
    assert keys(sound.shelf(settings, make_config())) == ["audio_ok", "!siren_none"]


def test_the_volume_that_an_emergency_opens_is_looked_at_on_its_own_card(tmp_path: Path) -> None:
    contents = (
        "Simple mixer control 'Speaker',0\n  Capabilities: pvolume\n  Front Left: Playback 9 [60%] [-9dB] [on]\n"
        "Simple mixer control 'Mic',0\n  Capabilities: cvolume\n  Front Left: Capture 9 [60%] [on]\n"
    )
    card = {
        "amixer --version": "amixer version 1.2.14",
        "amixer -D hw:1 scontents": contents,
        "amixer -D hw:1 sget Speaker": contents.split("Simple")[1],
        "amixer -D hw:1 sget Mic": contents.split("Simple")[2],
    }

    def found(name: str, answers: dict[str, str], device: str = "hw:1") -> checkup.Finding:
        settings = told(tmp_path, mixer=name, mixer_device=device, mixer_percent=90)
        (one,) = sound._mixer(settings, lambda command: answers.get(" ".join(command)))
        assert name in one.say("vi")
        assert keys([one]) == [("" if one.good else "!") + one.key.removeprefix("node.check_")]
        return one

    good = found("Speaker", card)
    assert (good.good, good.key, good.facts["percent"]) == (True, "node.check_mixer_ok", 90)
    for name in ("PCM", "Mic"):  # no such control, and one that nothing is heard through
        bad = found(name, card)
        assert (bad.good, bad.key, bad.facts["names"]) == (False, "node.check_mixer_none", "Speaker")
    away = found("Speaker", card, "hw:7")
    assert (away.good, away.key, away.facts["device"]) == (False, "node.check_mixer_device", "hw:7")
    bare = found("Speaker", {})
    assert (bare.good, bare.key) == (False, "node.check_mixer_program")
    assert "alsa-utils" in bare.say("vi")
    assert list(sound._mixer(told(tmp_path), lambda command: None)) == []


SOUND = """
import json, os, pathlib, sys
from edge_node import programs, settings
from edge_node.checkup import sound
told = settings.make(json.loads(sys.argv[1]))
print(json.dumps([[each.good, each.key, each.say("vi")] for each in sound.player(told, programs.run)]))
"""


@pytest.mark.skipif(pulse.missing() is not None, reason=str(pulse.missing()))
def test_a_real_sound_server_is_opened_missed_and_found_muted(tmp_path: Path) -> None:
    server = pulse.Pulse(tmp_path / "pulse")
    server.start()

    def found(device: str = "", **changed: str) -> list[str]:
        given = {"node": NODE, "home": HAMLET, "root_keys": [ROOT.public.hex], "state_dir": str(tmp_path)}
        answer = subprocess.run(
            [sys.executable, "-c", SOUND, json.dumps({**given, "sound_device": device, **changed})],
            env={**server.environment, "ALSA_CONFIG_PATH": str(server.alsa_config), "PYTHONPATH": str(PROJECT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return [("" if good else "!") + key for good, key, _ in json.loads(answer.stdout.splitlines()[-1])]

    try:
        assert found() == ["node.check_device_ok"]
        assert found("no such card")[0] == "!node.check_device_bad"
        assert found(mixer="Master") == ["node.check_device_ok", "node.check_mixer_ok"]
        assert found(mixer="Nobody") == ["node.check_device_ok", "!node.check_mixer_none"]
        assert found(mixer="Master", mixer_device="hw:77") == ["node.check_device_ok", "!node.check_mixer_device"]
        subprocess.run(["pactl", "set-sink-mute", pulse.SINK, "1"], env=server.environment, check=True, timeout=20)
        assert found() == ["node.check_device_ok", "!node.check_muted"]
    finally:
        server.kill()
    assert found()[0] in ("!node.check_device_bad", "!node.check_device_busy")
