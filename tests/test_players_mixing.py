"""Two takes at once: to the sample on the file player's reel, and as it is heard through ALSA and PulseAudio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from makers_sound import RATE, find, heard, noise, until, utc_now, wav
from pulse import Capture, Pulse, missing

from edge_node.players.console import BENEATH, RISE_MS
from edge_node.players.file_player import FilePlayer
from edge_node.players.gains import Gains
from edge_node.players.player import BENEATH_DB, FADE_MS, Player, Take
from edge_node.players.sound_player import SoundPlayer

pytestmark = pytest.mark.realtime

FADE = FADE_MS * RATE // 1000


def level(seconds: float, value: float) -> np.ndarray:
    return np.full(int(seconds * RATE), value, np.float32)


def tone(seconds: float, hertz: float, amplitude: float = 0.3) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def sounded_ms(player: Player) -> int:
    progress = player.progress()
    return progress.sounded_ms if progress else 0


def is_over(player: Player) -> bool:
    progress = player.progress()
    return progress is not None and progress.finished


def cues(tmp_path: Path) -> dict[str, dict[str, int]]:
    return {cue["job"]: cue for cue in map(json.loads, (tmp_path / "out.cues.jsonl").read_text().splitlines())}


@pytest.fixture
def reel(tmp_path: Path) -> Iterator[FilePlayer]:
    made = FilePlayer(tmp_path / "out.wav", utc_now)
    yield made
    made.close()


# -- gains ---------------------------------------------------------------------------------------------------------


def test_gains_never_sum_to_more_than_one_however_moves_fall_into_one_another() -> None:
    gains, chance = Gains(), np.random.default_rng(7)
    states: list[dict[object, float]] = [
        {"a": 1.0},
        {"a": 0.0, "b": 1.0},
        {"a": BENEATH, "b": 1 - BENEATH},
        {"b": 0.0, "c": 1 - BENEATH, "a": BENEATH},
        {"a": 1.0, "b": 0.0},
    ]
    for _ in range(100):
        gains.move(dict(states[chance.integers(len(states))]), int(chance.integers(0, 300)))
        for _ in range(int(chance.integers(1, 4))):
            step = int(min(gains.left or 50, chance.integers(1, 200)))
            total = sum(np.broadcast_to(gains.over(name, step), step) for name in "abc")
            assert np.max(total) <= 1 + 1e-9
            gains.pass_by(step)


# -- on the reel ---------------------------------------------------------------------------------------------------


def test_a_cross_fade_of_two_at_full_level_has_neither_hole_nor_overload(reel: FilePlayer, tmp_path: Path) -> None:
    one, two = wav(tmp_path / "1.wav", level(3.0, 0.99)), wav(tmp_path / "2.wav", level(0.5, 0.99))
    reel.prime(Take("b1", one, utc_now()))
    until(lambda: sounded_ms(reel) > 300)
    last = reel.cross(Take("b2", two, utc_now() + timedelta(seconds=0.2)))
    until(lambda: is_over(reel))
    out = heard(tmp_path / "out.wav")
    assert np.abs(out - 0.99).max() < 3 / 32768
    parts = cues(tmp_path)
    assert last
    assert last.samples == parts["b1"]["samples"] == parts["b2"]["offset"] + FADE
    assert len(out) == parts["b2"]["offset"] + RATE // 2


def test_the_incoming_take_begins_on_its_exact_sample(reel: FilePlayer, tmp_path: Path) -> None:
    speech = noise(0.5, seed=5)
    reel.prime(Take("b1", wav(tmp_path / "1.wav", level(3.0, 0.0)), utc_now()))
    until(lambda: sounded_ms(reel) > 200)
    at = utc_now() + timedelta(seconds=0.25)
    reel.cross(Take("b2", wav(tmp_path / "2.wav", speech), at))
    until(lambda: is_over(reel))
    progress = reel.progress()
    assert progress
    assert abs(progress.skew_ms) < 1000 / RATE + 0.002  # a sample
    out, offset = heard(tmp_path / "out.wav"), cues(tmp_path)["b2"]["offset"]
    gain = 0.5 - 0.5 * np.cos(np.pi * np.arange(FADE) / FADE)
    assert np.abs(out[offset : offset + FADE] - speech[:FADE] * gain).max() < 3 / 32768
    assert np.abs(out[offset + FADE : offset + len(speech)] - speech[FADE:]).max() < 3 / 32768


def test_what_lies_beneath_is_quieter_to_the_sample_and_comes_back_to_where_it_was(
    reel: FilePlayer, tmp_path: Path
) -> None:
    lower, upper = wav(tmp_path / "1.wav", level(2.5, 0.8)), wav(tmp_path / "2.wav", level(0.7, -0.4))
    reel.prime(Take("b1", lower, utc_now()))
    until(lambda: sounded_ms(reel) > 300)
    reel.lay_over(Take("e1", upper, utc_now()))
    until(lambda: is_over(reel))
    reel.stop(0)
    until(lambda: is_over(reel))
    out, parts = heard(tmp_path / "out.wav"), cues(tmp_path)
    begin, end = parts["e1"]["offset"], parts["e1"]["offset"] + parts["e1"]["samples"]
    mixed = 0.8 * BENEATH - 0.4 * (1 - BENEATH)
    assert np.abs(out[:begin] - 0.8).max() < 3 / 32768
    assert np.abs(out[begin + FADE : end] - mixed).max() < 3 / 32768
    assert np.abs(out[end + RISE_MS * RATE // 1000 :] - 0.8).max() < 3 / 32768
    assert np.diff(out[end:]).max() < 0.001, "it comes back without a click"
    assert len(out) == int(2.5 * RATE) == parts["b1"]["samples"]


def test_a_reel_that_was_torn_in_two_parts_at_once_knows_both(tmp_path: Path) -> None:
    from edge_node.players.reel import Reel

    out, block = tmp_path / "out.wav", np.zeros(4800, np.int16)
    torn = Reel(out)
    torn.begin("b1", 0, utc_now())
    torn.write(block)
    torn.begin("e1", 0, utc_now())
    torn.write(block)
    torn.write(block, {"b1": 4800, "e1": 4800})
    torn.close()
    again = Reel(out)
    found = {name: again.torn(name) for name in ("b1", "e1", "other")}
    assert [(cue.offset, cue.samples) for cue in found.values() if cue] == [(0, 14_400), (4800, 9600)]
    again.close()


# -- as it is heard ------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    if missing():
        pytest.skip(missing() or "")
    pulse = Pulse(tmp_path / "pulse")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(pulse.alsa_config))
    pulse.start()
    yield pulse
    pulse.kill()


@pytest.fixture
def capture(server: Pulse) -> Iterator[Capture]:
    made = server.capture()
    yield made
    made.close()


@pytest.fixture
def card(server: Pulse) -> Iterator[SoundPlayer]:
    made = SoundPlayer(utc_now)
    yield made
    made.close()


def recorded(capture: Capture) -> np.ndarray:
    """The recording, half a second after the last sound."""
    until(lambda: len(out := capture.samples()) > RATE and not np.count_nonzero(out[-RATE // 2 :]))
    return capture.samples()


def dbfs_of(hertz: float, out: np.ndarray) -> float:
    """The level of one tone in a piece of sound, in dB of its amplitude."""
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(out)) / RATE) * np.hanning(len(out))
    return float(20 * np.log10(2 * abs(out @ wave) / np.hanning(len(out)).sum() + 1e-9))


def test_heard_an_item_ducks_and_is_restored_within_half_a_decibel(
    card: SoundPlayer, capture: Capture, tmp_path: Path
) -> None:
    card.prime(Take("b1", wav(tmp_path / "1.wav", tone(5.0, 1000)), utc_now()))
    until(lambda: sounded_ms(card) > 1200)
    card.lay_over(Take("e1", wav(tmp_path / "2.wav", tone(1.5, 3000)), utc_now()))
    until(lambda: is_over(card))
    card.stop(0)
    until(lambda: is_over(card))
    out = recorded(capture)
    sounds = np.flatnonzero(out)
    out = out[sounds[0] : sounds[-1] + 1]
    upper = np.array([dbfs_of(3000, out[at : at + 4800]) for at in range(0, len(out) - 4800, 480)])
    on = np.flatnonzero(upper > -20) * 480
    before, during, after = out[9600:38_400], out[on[0] + 14_400 : on[-1] - 9600], out[on[-1] + 28_800 : -4800]
    full = 20 * np.log10(0.3)
    assert dbfs_of(1000, before) == pytest.approx(full, abs=0.1)
    assert dbfs_of(1000, during) == pytest.approx(full + BENEATH_DB, abs=0.5)
    assert dbfs_of(3000, during) == pytest.approx(full, abs=0.5)
    assert dbfs_of(1000, after) == pytest.approx(dbfs_of(1000, before), abs=0.5)


def test_heard_a_cross_fade_leaves_no_silence_between_the_two(
    card: SoundPlayer, capture: Capture, tmp_path: Path
) -> None:
    one, two = noise(6.0, seed=3), noise(1.0, seed=4)
    card.prime(Take("b1", wav(tmp_path / "1.wav", one), utc_now()))
    until(lambda: sounded_ms(card) > 600)
    last = card.cross(Take("b2", wav(tmp_path / "2.wav", two), utc_now() + timedelta(seconds=0.3)))
    until(lambda: is_over(card))
    out = recorded(capture)
    place, alike = find(two[FADE:], out)
    place -= FADE
    assert alike > 0.99
    blocks = out[place - RATE // 2 : place + RATE // 2].reshape(-1, RATE // 200)  # 5 ms
    assert np.sqrt((blocks**2).mean(axis=1)).min() > 0.02
    assert last
    begun = np.flatnonzero(out)[0]
    assert last.samples == pytest.approx(place + FADE - begun, abs=RATE // 100)


def test_heard_an_item_that_was_cut_goes_on_where_it_stopped(
    card: SoundPlayer, capture: Capture, tmp_path: Path
) -> None:
    item, siren = noise(4.0, seed=6), noise(0.6, seed=8)
    path = wav(tmp_path / "1.wav", item)
    card.prime(Take("b1", path, utc_now()))
    until(lambda: sounded_ms(card) > 1500)
    last = card.cross(Take("e1", wav(tmp_path / "2.wav", siren), utc_now()))
    assert last
    until(lambda: is_over(card))
    card.prime(Take("b1", path, utc_now(), from_ms=last.position_ms))
    until(lambda: is_over(card))
    out = recorded(capture)
    alarm = find(siren, out)[0]
    first, rest = item[: RATE // 2], item[-RATE:]
    began, ended = find(first, out)[0], find(rest, out)[0] + RATE
    resumed = np.flatnonzero(out[alarm + len(siren) + 96 :])[0] + alarm + len(siren) + 96
    cut_at = (alarm + FADE - began) / RATE
    went_on_at = (len(item) - (ended - resumed)) / RATE
    assert went_on_at == pytest.approx(cut_at, abs=0.1)
