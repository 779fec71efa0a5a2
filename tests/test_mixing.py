"""Siren and speech as one file: levels measured by ffmpeg, not by what made them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from makers_emergency import SIREN_SECONDS, TEXT, hertz_of, is_siren, level_dbfs, siren
from makers_sound import RATE, heard, noise, wav

from edge_node import mixing
from edge_node.mixing import loudness, mix
from edge_node.own_voice import OwnVoice
from edge_node.players.decoding import BadAudio


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    OwnVoice().speak(TEXT, tmp_path / "speech.wav")
    return tmp_path / "speech.wav"


def meter(path: Path) -> tuple[float, float]:
    """LUFS and dBTP, as ffmpeg measures them."""
    command = ["ffmpeg", "-nostdin", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    summary = said[said.rindex("Summary:") :]
    found = [re.search(rf"{name}:\s+(-?[\d.]+|-inf)", summary) for name in ("I", "Peak")]
    assert all(found)
    lufs, peak = (float(each[1]) for each in found if each)
    return lufs, peak


def test_the_siren_comes_first_and_the_words_twice(tmp_path: Path, speech: Path) -> None:
    mixed = mix(speech, siren(tmp_path / "siren"), drill=False, target=tmp_path / "out.wav")
    sound = heard(mixed.path)
    assert mixed.complete
    assert mixed.duration_ms == len(sound) * 1000 // RATE
    assert is_siren(sound[: int(2.4 * RATE)])
    words = sound[int((SIREN_SECONDS + 0.5) * RATE) :]
    half = len(words) // 2
    assert np.array_equal(words[:half], words[half : 2 * half])
    assert level_dbfs(words[:half]) > -30


def test_speech_is_as_loud_as_the_stations_and_does_not_clip(tmp_path: Path, speech: Path) -> None:
    mixed = mix(speech, None, drill=False, target=tmp_path / "out.wav")
    lufs, peak = meter(mixed.path)
    assert lufs == pytest.approx(-16.0, abs=1.0)
    assert peak < -1.0


@pytest.mark.parametrize("level", [0.002, 0.05, 0.5])
def test_loudness_is_measured_as_ffmpeg_does(tmp_path: Path, level: float) -> None:
    sound = np.concatenate([noise(5, level=level), np.zeros(RATE * 2, np.float32), noise(3, seed=2, level=level / 8)])
    path = wav(tmp_path / "a.wav", sound)
    samples = np.rint(heard(path) * 32768).astype(np.int16)
    assert loudness(samples) == pytest.approx(meter(path)[0], abs=0.15)


def test_silence_and_almost_nothing_have_a_loudness(tmp_path: Path) -> None:
    assert loudness(np.zeros(RATE, np.int16)) == -70.0
    assert loudness(np.zeros(0, np.int16)) == -70.0


def test_a_drill_never_sounds_the_siren(tmp_path: Path, speech: Path) -> None:
    mixed = mix(speech, siren(tmp_path / "siren"), drill=True, target=tmp_path / "out.wav")
    sound = heard(mixed.path)
    assert hertz_of(sound[: RATE * 2]) == pytest.approx(440, abs=5)
    assert not any(is_siren(sound[at : at + RATE]) for at in range(0, RATE * 4, RATE // 2))


def test_a_long_text_is_heard_once_and_never_beyond_the_bound(
    tmp_path: Path, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixing, "TWICE_BELOW_SECONDS", 1)
    once = mix(speech, None, drill=False, target=tmp_path / "once.wav")
    monkeypatch.setattr(mixing, "MOST_SECONDS", 3)
    cut = mix(speech, None, drill=False, target=tmp_path / "cut.wav")
    assert once.complete
    assert not cut.complete
    assert cut.duration_ms == 3000 < once.duration_ms


def test_a_siren_that_is_none_does_not_hold_up_the_words(tmp_path: Path, speech: Path) -> None:
    (tmp_path / "siren").write_bytes(b"no sound")
    assert mix(speech, tmp_path / "siren", drill=False, target=tmp_path / "out.wav").duration_ms > 5000


def test_speech_that_is_none_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "speech").write_bytes(b"no sound")
    with pytest.raises(BadAudio):
        mix(tmp_path / "speech", None, drill=False, target=tmp_path / "out.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["speech"]


def test_without_the_audio_libraries_the_speech_is_left_as_it_came(
    tmp_path: Path, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    raw = speech.read_bytes()
    mixed = mix(speech, siren(tmp_path / "siren"), drill=False, target=tmp_path / "out.wav")
    assert mixed.path.read_bytes() == raw
    assert mixed.duration_ms > 3000
    (tmp_path / "bad").write_bytes(b"")
    with pytest.raises(BadAudio):
        mix(tmp_path / "bad", None, drill=False, target=tmp_path / "out.wav")
