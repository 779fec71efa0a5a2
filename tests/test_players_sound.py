"""The sound player against a real sound server: what the loudspeaker is given is recorded and compared."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from makers_sound import RATE, find, noise, opus, until, utc_now, wav
from pulse import Capture, Pulse, missing

from edge_node.players import output, sound_player
from edge_node.players.player import Progress, Take
from edge_node.players.sound_player import SoundPlayer
from wire.errors import Reason

pytestmark = [pytest.mark.realtime, pytest.mark.skipif(missing() is not None, reason=str(missing()))]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    pulse = Pulse(tmp_path / "pulse")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(pulse.alsa_config))
    pulse.start()
    yield pulse
    pulse.kill()


@pytest.fixture
def capture(server: Pulse) -> Iterator[Capture]:
    capture = server.capture()
    yield capture
    capture.close()


@pytest.fixture
def player(server: Pulse) -> Iterator[SoundPlayer]:
    made = SoundPlayer(utc_now)
    yield made
    made.close()


def state(player: SoundPlayer) -> Progress:
    progress = player.progress()
    assert progress
    return progress


def recorded(capture: Capture, samples: int) -> np.ndarray:
    """The recording once it holds everything that was sounded."""
    until(lambda: np.count_nonzero(capture.samples()) > 0.98 * samples)
    heard = len(capture.samples())
    until(lambda: len(capture.samples()) > heard + RATE // 2)
    return capture.samples()


def test_the_loudspeaker_is_given_the_audio_whole_at_its_level(
    player: SoundPlayer, capture: Capture, tmp_path: Path
) -> None:
    audio = noise(2.0)
    at = utc_now() + timedelta(seconds=1)
    player.prime(Take("b1", opus(tmp_path / "a.ogg", audio), at, volume_dbfs=-6.0))
    until(lambda: state(player).finished)
    out = recorded(capture, len(audio))
    place, alike = find(audio, out)
    assert alike > 0.97  # Opus at low rates is not sample-exact
    piece = out[place : place + len(audio)]
    level = 20 * np.log10(np.sqrt(np.mean(piece**2)) / np.sqrt(np.mean(audio**2)))
    assert level == pytest.approx(-6.0, abs=0.5)
    assert np.count_nonzero(out[: place - 480]) == 0
    assert np.count_nonzero(out[place + len(audio) + 960 :]) == 0
    progress = state(player)
    assert progress.energy_sum == pytest.approx(float(np.sum(piece.astype(np.float64) ** 2)), rel=0.02)
    assert progress.peak == pytest.approx(float(np.abs(piece).max()), rel=0.02)
    assert progress.sounded_ms == 2000
    assert progress.started_at == at + timedelta(milliseconds=progress.skew_ms)
    assert player.device_ok is True
    assert player.device.startswith("sound ")


def test_lossless_audio_arrives_without_a_hole(player: SoundPlayer, capture: Capture, tmp_path: Path) -> None:
    audio = noise(3.0)
    player.prime(Take("b1", wav(tmp_path / "a.wav", audio), utc_now()))
    until(lambda: state(player).finished)
    assert find(audio, recorded(capture, len(audio)))[1] > 0.9999


def test_a_cut_fades_and_then_there_is_silence_and_the_next_take_sounds(
    player: SoundPlayer, capture: Capture, tmp_path: Path
) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 997.3 * np.arange(20 * RATE) / RATE)).astype(np.float32)
    player.prime(Take("b1", wav(tmp_path / "a.wav", tone), utc_now()))
    until(lambda: state(player).sounded_ms > 500)
    last = player.stop(50)
    assert last
    assert not last.sounding
    siren = noise(0.5)
    player.prime(Take("b2", wav(tmp_path / "b.wav", siren), utc_now()))
    until(lambda: state(player).finished)
    out = recorded(capture, last.samples + len(siren))
    place, alike = find(siren, out)
    assert alike > 0.999
    before = np.flatnonzero(out[: place - 1])
    assert len(before) == pytest.approx(last.samples, rel=0.05)
    end = before[-1]
    steps = np.abs(np.diff(out[end - RATE // 20 : end + 10]))
    assert steps.max() < 0.5 * 2 * np.pi * 997.3 / RATE * 1.05  # a click would be a steeper step than the tone's own
    loud = [np.abs(out[end - back : end - back + 480]).max() for back in (2400, 1440, 480)]
    assert loud[0] > loud[1] > loud[2]
    assert loud[2] < 0.1


def test_a_sound_server_that_dies_is_waited_for_and_the_take_goes_on(
    player: SoundPlayer,
    server: Pulse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sound_player, "GRACE_SECONDS", 0.5)
    monkeypatch.setattr(output, "MOST_BACK_OFF", 0.5)
    caplog.set_level(logging.INFO)
    audio = noise(6.0)
    player.prime(Take("b1", wav(tmp_path / "a.wav", audio), utc_now()))
    until(lambda: state(player).sounded_ms > 1000)
    server.kill()
    until(lambda: state(player).failed is Reason.AUDIO_DEVICE)
    assert player.device_ok is False
    assert not state(player).sounding
    stood = state(player).position_ms
    server.start()
    capture = server.capture()
    until(lambda: state(player).finished)
    out = recorded(capture, RATE)
    capture.close()
    assert state(player).failed is None
    assert player.device_ok is True
    rest = audio[-RATE:]
    assert find(rest, out)[1] > 0.999
    assert state(player).sounded_ms == 6000
    assert 1000 < stood < 6000
    assert "audio device lost" in caplog.text
    assert "audio device back" in caplog.text


def test_a_device_whose_callback_falls_silent_is_noticed_and_opened_again(
    player: SoundPlayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    player.prime(Take("b1", wav(tmp_path / "a.wav", noise(8.0)), utc_now()))
    until(lambda: state(player).sounded_ms > 300)
    first = player._output._stream
    with monkeypatch.context() as patch:
        patch.setattr(output, "STALE_SECONDS", -1.0)
        until(lambda: "audio device lost" in caplog.text)
    until(lambda: player.device_ok)
    assert player._output._stream is not first
    stood = state(player).sounded_ms
    until(lambda: state(player).sounded_ms > stood)


def test_without_any_device_the_take_says_so_and_the_player_lives(
    tmp_path: Path, server: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_player, "GRACE_SECONDS", 0.3)
    player = SoundPlayer(utc_now, "no such card")
    player.prime(Take("b1", wav(tmp_path / "a.wav", noise(1.0)), utc_now()))
    until(lambda: state(player).failed)
    assert state(player).failed is Reason.AUDIO_DEVICE
    assert player.device_ok is False
    assert player.stop()
    player.close()


def test_bad_audio_is_told_and_the_next_take_sounds(player: SoundPlayer, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"noise" * 100)
    player.prime(Take("b1", tmp_path / "bad", utc_now()))
    until(lambda: state(player).failed is Reason.BAD_AUDIO)
    player.prime(Take("b2", wav(tmp_path / "a.wav", noise(0.2)), utc_now()))
    until(lambda: state(player).finished)


def test_the_device_is_closed_when_nothing_sounds_for_a_while(
    player: SoundPlayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_player, "IDLE_SECONDS", 0.2)
    path = wav(tmp_path / "a.wav", noise(0.2))
    player.prime(Take("b1", path, utc_now()))
    until(lambda: state(player).finished)
    player.stop()
    until(lambda: not player._output.is_open)
    player.prime(Take("b2", path, utc_now()))
    until(lambda: state(player).finished)


def test_a_sound_server_that_hangs_is_noticed_by_the_age_of_its_last_callback(
    player: SoundPlayer,
    server: Pulse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing ends and nothing fails: the callback is simply never called again."""
    monkeypatch.setattr(output, "STALE_SECONDS", 1.0)
    monkeypatch.setattr(output, "MOST_BACK_OFF", 0.5)
    monkeypatch.setattr(sound_player, "STUCK_SECONDS", 1.0)
    monkeypatch.setattr(sound_player, "GRACE_SECONDS", 0.5)
    caplog.set_level(logging.INFO)
    audio = noise(4.0)
    player.prime(Take("b1", wav(tmp_path / "a.wav", audio), utc_now()))
    until(lambda: state(player).sounded_ms > 500)
    server.signal(signal.SIGSTOP)
    until(lambda: state(player).failed is Reason.AUDIO_DEVICE)
    assert "no callback for" in caplog.text
    assert "audio device back" not in caplog.text
    assert player.device_ok is False
    stood = state(player).sounded_ms
    server.kill()
    server.start()
    until(lambda: "audio device back" in caplog.text)
    capture = server.capture()
    until(lambda: state(player).finished)
    out = recorded(capture, RATE)
    capture.close()
    assert find(audio[-RATE:], out)[1] > 0.999
    assert stood < 4000
    assert state(player).sounded_ms == 4000
    assert player.device_ok is True


def test_a_stop_while_the_sound_server_hangs_returns(player: SoundPlayer, server: Pulse, tmp_path: Path) -> None:
    player.prime(Take("b1", wav(tmp_path / "a.wav", noise(7.0)), utc_now()))
    until(lambda: state(player).sounded_ms > 300)
    server.signal(signal.SIGSTOP)
    try:
        last = player.stop()
        assert last
        assert not last.sounding
        player.prime(Take("b2", wav(tmp_path / "b.wav", noise(0.3)), utc_now()))
        assert state(player).job_id == "b2"
    finally:
        server.signal(signal.SIGCONT)
    until(lambda: state(player).finished)
