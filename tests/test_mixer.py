"""The sound card's own volume: a real `amixer` on a real sound server, and what stands in for one that misbehaves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from makers_node import make_config, make_emergency, make_job
from makers_sound import RATE, find, noise, until, utc_now, wav
from pulse import Pulse, missing

from edge_node import mixer
from edge_node.mixer import Found, Mixer, NoMixer
from edge_node.players.null_player import NullPlayer
from edge_node.players.sound_player import SoundPlayer
from edge_node.playout import Playout, Sound
from wire.plan import Job

pytestmark = pytest.mark.realtime

SCONTROL = """Simple mixer control 'PCM',0
  Capabilities: pvolume pvolume-joined pswitch pswitch-joined
  Playback channels: Mono
  Limits: Playback -10239 - 400
  Mono: Playback -1180 [85%] [-11.80dB] [{switch}]
"""


def test_what_amixer_says_is_read() -> None:
    assert mixer.read(SCONTROL.format(switch="off")) == Found((85,), muted=True)
    assert mixer.read(SCONTROL.format(switch="on")) == Found((85,), muted=False)
    two = "  Front Left: Playback 3 [10%] [on]\n  Front Right: Playback 3 [20%] [off]\n"
    assert mixer.read(two) == Found((10, 20), muted=True)
    assert mixer.read("  Mono: Playback 20 [33%]\n") == Found((33,), muted=None)


@pytest.mark.parametrize(
    "said",
    ["", "Simple mixer control 'Mic',0\n  Capabilities: cswitch\n", "  Mono: Capture 3 [40%] [on]\n", "\0" * 99_999],
)
def test_what_is_no_volume_is_refused(said: str) -> None:
    with pytest.raises(NoMixer):
        mixer.read(said)


def pretend(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Another program by the name of amixer."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "amixer"
    program.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")


def test_a_node_without_a_mixer_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, f"open({str(tmp_path / 'asked')!r}, 'w')")
    none = Mixer("", "default", 100, tmp_path / "mixer")
    none.open_up()
    none.put_back()
    none.close()
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("body", ["sys.exit('Unable to find simple control')", "time.sleep(60)", "print('x' * 10**6)"])
def test_a_mixer_that_fails_or_hangs_delays_nothing_and_is_told_once(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mixer, "MOST_SECONDS", 0.3)
    monkeypatch.setattr(mixer, "LOOK_SECONDS", 0.05)
    pretend(tmp_path, monkeypatch, body)
    bad = Mixer("PCM", "default", 100, tmp_path / "mixer")
    bad.open_up()
    until(lambda: "mixer_failed" in caplog.text)
    bad.put_back()
    bad.close()
    assert sum(each.levelname == "WARNING" and each.name == "loa.node.mixer" for each in caplog.records) == 1
    assert not (tmp_path / "mixer").exists()


def test_what_a_process_that_died_had_opened_is_put_back_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    pretend(tmp_path, monkeypatch, f"open({str(asked)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')")
    (tmp_path / "mixer").write_bytes(b'{"percents":[40],"muted":true}')
    Mixer("PCM", "hw:1", 100, tmp_path / "mixer").close()
    assert asked.read_text() == "-D hw:1 sset PCM 40% mute\n"
    assert not (tmp_path / "mixer").exists()


# a card that keeps how it stands in a file, and answers nobody while there is a file "broken"
CARD = """
import os, pathlib
stands = pathlib.Path({folder!r}, "stands")
with open(stands.with_name("asked"), "a") as asked:
    asked.write(sys.argv[3] + "\\n")
if stands.with_name("broken").exists():
    sys.exit("Mixer default load error")
if sys.argv[3] == "sset":
    percent, switch = sys.argv[5].rstrip("%"), {{"mute": "off", "unmute": "on"}}[sys.argv[6]]
    stands.with_name("new").write_text(percent + " " + switch)
    os.replace(stands.with_name("new"), stands)
percent, switch = stands.read_text().split()
print(f"  Mono: Playback 1 [{{percent}}%] [{{switch}}]")
"""


def card(folder: Path, monkeypatch: pytest.MonkeyPatch, stands: str) -> Path:
    """The file that says how that card stands."""
    (folder / "stands").write_text(stands)
    pretend(folder, monkeypatch, CARD.format(folder=str(folder)))
    return folder / "stands"


def test_a_disk_that_refuses_leaves_no_emergency_muted_and_all_is_put_back_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stands = card(tmp_path, monkeypatch, "40 off")
    (tmp_path / "file").write_text("")
    made = Mixer("PCM", "default", 90, tmp_path / "file" / "mixer")  # nothing can be made there, by root either
    made.open_up()
    until(lambda: stands.read_text() == "90 on")
    assert "mixer_not_kept" in caplog.text
    made.put_back()
    until(lambda: stands.read_text() == "40 off")
    made.close()


def test_what_was_found_is_written_down_once_the_disk_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixer, "LOOK_SECONDS", 0.05)
    stands, blocking = card(tmp_path, monkeypatch, "40 off"), tmp_path / "file"
    blocking.write_text("")
    made = Mixer("PCM", "default", 90, blocking / "mixer")
    made.open_up()
    until(lambda: stands.read_text() == "90 on")
    blocking.unlink()
    until(lambda: (blocking / "mixer").exists())
    assert (blocking / "mixer").read_bytes() == b'{"percents":[40],"muted":true}'
    made.put_back()
    until(lambda: not (blocking / "mixer").exists())
    assert stands.read_text() == "40 off"
    made.close()


def test_what_nobody_foresaw_ends_one_look_and_not_the_mixer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mixer, "LOOK_SECONDS", 0.05)
    stands = card(tmp_path, monkeypatch, "40 off")
    real, wrong = mixer.read, [KeyError("nobody foresaw it"), RuntimeError("nor this")]

    def read(said: str) -> Found:
        if wrong:
            raise wrong.pop()
        return real(said)

    monkeypatch.setattr(mixer, "read", read)
    made = Mixer("PCM", "default", 90, tmp_path / "mixer")
    made.open_up()
    until(lambda: stands.read_text() == "90 on")
    made.put_back()
    until(lambda: stands.read_text() == "40 off")
    made.close()
    assert caplog.text.count("Traceback") == 1 + sum(
        each.levelname == "DEBUG" for each in caplog.records if each.exc_info
    )


def test_what_cannot_be_put_back_is_kept_and_tried_again_while_nothing_sounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mixer, "AGAIN_SECONDS", 0.05)
    stands = card(tmp_path, monkeypatch, "40 off")
    kept, asked = tmp_path / "mixer", tmp_path / "asked"
    first = Mixer("PCM", "default", 90, kept)
    first.open_up()
    until(lambda: stands.read_text() == "90 on")
    (tmp_path / "broken").write_text("")
    first.put_back()
    until(lambda: asked.read_text().count("sset") >= 4)
    first.close()
    assert kept.exists()
    assert sum(each.message.startswith("mixer_failed") for each in caplog.records if each.levelname == "WARNING") <= 2
    second = Mixer("PCM", "default", 90, kept)
    until(lambda: asked.read_text().count("sset") >= 8)
    assert kept.exists()
    (tmp_path / "broken").unlink()
    until(lambda: not kept.exists())
    assert stands.read_text() == "40 off"
    second.close()


@pytest.mark.parametrize(
    "kept", [b"", b"x" * 99_999, b'{"percents":[900],"muted":true}', b'{"percents":[],"muted":true}']
)
def test_a_spoilt_note_of_what_was_found_sets_nothing_and_is_thrown_away(
    kept: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands = card(tmp_path, monkeypatch, "40 off")
    (tmp_path / "mixer").write_bytes(kept)
    made = Mixer("PCM", "default", 90, tmp_path / "mixer")
    until(lambda: not (tmp_path / "mixer").exists())
    assert not (tmp_path / "asked").exists()
    made.open_up()
    until(lambda: stands.read_text() == "90 on")
    made.close()
    assert stands.read_text() == "40 off"


class Hand:
    """A mixer that only writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def open_up(self) -> None:
        self.told.append("open")

    def put_back(self) -> None:
        self.told.append("back")


def test_it_is_open_while_an_emergency_is_on_air_also_over_an_item_that_ducks() -> None:
    hand = Hand()
    playout = Playout(NullPlayer(utc_now), mixer=hand)  # type: ignore[arg-type]
    item, alarm = make_job(duck=True), make_emergency()

    def begin(job: Job) -> tuple[Job, Sound, datetime, int, object]:
        return job, Sound("a", None, 60_000), utc_now(), 0, make_config()

    playout.begin(*begin(item))  # type: ignore[arg-type]
    assert "open" not in hand.told
    playout.lay_over(*begin(alarm))  # type: ignore[arg-type]
    assert hand.told[-1] == "open"
    playout.cut()
    assert hand.told[-1] == "back"
    playout.cross(*begin(alarm))  # type: ignore[arg-type]
    assert hand.told[-1] == "open"


# -- the real one --------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    if missing() or not shutil.which("amixer"):
        pytest.skip(missing() or "amixer is not installed")
    pulse = Pulse(tmp_path / "pulse")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(pulse.alsa_config))
    pulse.start()
    yield pulse
    pulse.kill()


def amixer(*arguments: str) -> Found:
    command = ["amixer", "-D", "default", *arguments]
    return mixer.read(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_an_emergency_is_heard_through_a_mute_and_an_item_is_not(server: Pulse, tmp_path: Path) -> None:
    capture = server.capture()
    amixer("sset", "Master", "40%", "mute")
    playout = Playout(SoundPlayer(utc_now), mixer=Mixer("Master", "default", 90, tmp_path / "mixer"))
    sounds = {name: noise(1.5, seed) for name, seed in (("b1", 1), ("e1", 2), ("b2", 3))}
    for name, samples in sounds.items():
        job = make_emergency(name) if name.startswith("e") else make_job(name)
        sound = Sound(name, wav(tmp_path / f"{name}.wav", samples), 1500)
        playout.begin(job, sound, utc_now(), 0, make_config())
        until(lambda: (heard := playout.observe()) and heard.finished)
        playout.cut()
        until(
            lambda: (
                amixer("sget", "Master") == Found((40, 40), muted=True) or amixer("sget", "Master").percents == (40,)
            )
        )
    playout.close()
    heard = capture.samples()
    capture.close()
    alike = {name: find(samples[RATE // 2 :], heard)[1] for name, samples in sounds.items()}
    assert alike["e1"] > 0.95
    assert max(alike["b1"], alike["b2"]) < 0.1
    assert np.abs(heard).max() > 0.3
    assert not (tmp_path / "mixer").exists()


def test_muted_again_while_the_emergency_sounds_it_is_opened_again(server: Pulse, tmp_path: Path) -> None:
    amixer("sset", "Master", "100%", "unmute")
    made = Mixer("Master", "default", 100, tmp_path / "mixer")
    made.open_up()
    for _ in range(2):
        amixer("sset", "Master", "mute")
        until(lambda: amixer("sget", "Master").muted is False)
    made.close()
