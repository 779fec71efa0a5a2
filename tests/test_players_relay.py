"""Relays through every player: a real stream in, the sound measured as it leaves, and what stood in for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import makers_streams as made
import numpy as np
import pytest
from makers_sound import RATE, heard, until, utc_now, wav
from makers_streams import OTHER_HZ, TONE_HZ, Station, encoded
from pulse import Capture, Pulse, missing

from edge_node.players import relaying
from edge_node.players.file_player import FilePlayer
from edge_node.players.null_player import NullPlayer
from edge_node.players.player import Player, Progress, Take
from edge_node.tuner.receiver import Patience, Tuner

TUNER = Tuner(private=True, patience=Patience(read_seconds=1.0, first_back_off=0.05, most_back_off=0.2))
LEAD = timedelta(seconds=1)
Hears = Callable[[Progress], np.ndarray]


@pytest.fixture
def station() -> Iterator[Station]:
    with made.station() as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(relaying, "AGAIN_SECONDS", 0.5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulse]:
    pulse = Pulse(tmp_path_factory.mktemp("pulse"))
    pulse.start()
    yield pulse
    pulse.kill()


@pytest.fixture(params=["file", "fast", "sound"])
def loudspeaker(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Player, Hears]]:
    """A player, and what it has sounded so far, as floats."""
    if request.param != "sound":
        player: Player = FilePlayer(tmp_path / "out.wav", utc_now, fast=request.param == "fast", tuner=TUNER)
        yield player, lambda progress: heard(tmp_path / "out.wav")[-progress.samples :]
        player.close()
        return
    if missing():
        pytest.skip(missing() or "")
    from edge_node.players.sound_player import SoundPlayer

    server: Pulse = request.getfixturevalue("server")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(server.alsa_config))
    capture, player = server.capture(), SoundPlayer(utc_now, tuner=TUNER)
    yield player, lambda progress: _captured(capture, progress)
    player.close()
    capture.close()


def _captured(capture: Capture, progress: Progress) -> np.ndarray:
    """The last ``progress.samples`` samples up to the last one that is not silence."""
    until(lambda: np.count_nonzero(capture.samples()) > 0)
    before = len(capture.samples())
    until(lambda: len(capture.samples()) > before + RATE)
    out = capture.samples()
    end = int(np.flatnonzero(out)[-1]) + 1
    return out[max(0, end - progress.samples) : end]


def fallback(tmp_path: Path, seconds: float = 10) -> Path:
    tone = 0.25 * np.sin(2 * np.pi * OTHER_HZ * np.arange(round(seconds * RATE)) / RATE)
    return wav(tmp_path / "fallback.wav", tone.astype(np.float32))


def relay(url: str, seconds: float = 3, path: Path | None = None, from_ms: int = 0, volume: float = 0.0) -> Take:
    return Take("r1", path, utc_now() + LEAD, from_ms, volume, round(seconds * 1000), url)


def played(player: Player, take: Take) -> Progress:
    player.prime(take)
    until(lambda: done(player))
    progress = player.progress()
    assert progress
    return progress


def done(player: Player) -> bool:
    progress = player.progress()
    return progress is not None and (progress.finished or progress.failed is not None)


def strength(sound: np.ndarray, hertz: float) -> float:
    """How much of a sound's energy lies at a frequency: 0 to 1."""
    if not np.any(sound):
        return 0.0
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(sound), 1 / RATE) - hertz) < 20
    return float(spectrum[near].sum() / spectrum.sum())


def test_a_relay_sounds_from_its_second_for_its_time(loudspeaker: tuple[Player, Hears], station: Station) -> None:
    player, hears = loudspeaker
    take = relay(station.at("/live", made.endless(encoded())))
    progress = played(player, take)
    assert progress.failed is None
    assert progress.samples == 3 * RATE
    assert progress.position_ms == progress.sounded_ms == 3000
    assert progress.relayed_ms > 1500
    assert progress.fallback_ms == 0
    assert progress.started_at
    assert progress.started_at >= take.at - timedelta(milliseconds=1)
    sound = hears(progress)
    assert strength(sound[-RATE:], TONE_HZ) > 0.95
    assert progress.peak == pytest.approx(float(np.abs(sound).max()), rel=0.05)


def test_a_relay_that_begins_in_its_middle_sounds_the_rest(loudspeaker: tuple[Player, Hears], station: Station) -> None:
    player, _ = loudspeaker
    progress = played(player, relay(station.at("/live", made.endless(encoded())), 60, from_ms=58_000))
    assert (progress.samples, progress.position_ms) == (2 * RATE, 60_000)


def test_a_relay_is_as_loud_as_its_band_allows(loudspeaker: tuple[Player, Hears], station: Station) -> None:
    player, hears = loudspeaker
    progress = played(player, relay(station.at("/live", made.endless(encoded())), volume=-20.0))
    level = 20 * np.log10(np.sqrt(np.mean(hears(progress)[-RATE:] ** 2)))
    assert level == pytest.approx(-29.0, abs=1.0)  # the station's tone is at -9 dBFS


def test_without_a_stream_what_stands_in_for_it_sounds(
    loudspeaker: tuple[Player, Hears], station: Station, tmp_path: Path
) -> None:
    player, hears = loudspeaker
    progress = played(player, relay(station.url + "/nothing", path=fallback(tmp_path)))
    assert progress.failed is None
    assert progress.relayed_ms == 0
    assert 2300 <= progress.fallback_ms <= 2700
    assert "404" in progress.trouble
    assert strength(hears(progress)[-2 * RATE :], OTHER_HZ) > 0.95


def test_a_stream_that_is_lost_is_stood_in_for_and_goes_on_when_it_is_back(
    loudspeaker: tuple[Player, Hears], station: Station, tmp_path: Path
) -> None:
    player, hears = loudspeaker
    station.at("/live", made.once(encoded(seconds=3)))
    take = relay(station.url + "/live", 9, fallback(tmp_path))
    player.prime(replace(take, at=take.at + 2 * LEAD))  # by then a decoder has begun on a busy machine too
    until(lambda: station.asked)
    station.at("/live", made.not_found)
    until(lambda: (now := player.progress()) and now.fallback_ms > 500)
    station.at("/live", made.endless(encoded()))
    until(lambda: done(player))
    progress = player.progress()
    assert progress
    assert progress.samples == 9 * RATE
    assert progress.relayed_ms > 3500
    assert progress.fallback_ms > 500
    sound = hears(progress)
    seconds = [sound[at : at + RATE // 2] for at in range(0, len(sound) - RATE // 2, RATE // 2)]
    stronger = ["stream" if strength(each, TONE_HZ) > 0.8 else "fallback" for each in seconds if np.any(each)]
    assert (stronger[1], stronger[-1]) == ("stream", "stream")
    assert any(strength(each, OTHER_HZ) > 0.8 for each in seconds)


def test_with_nothing_at_all_a_relay_is_silent_and_ends_in_time(
    loudspeaker: tuple[Player, Hears], station: Station
) -> None:
    player, _ = loudspeaker
    progress = played(player, relay(station.url + "/nothing", 1))
    assert progress.finished
    assert (progress.samples, progress.relayed_ms, progress.fallback_ms) == (RATE, 0, 0)
    assert progress.energy_sum == 0


def test_a_cut_relay_lets_go_of_its_stream(loudspeaker: tuple[Player, Hears], station: Station) -> None:
    player, _ = loudspeaker
    others = receivers()  # of what other tests left behind in this process
    player.prime(relay(station.at("/live", made.endless(encoded())), 60))
    until(lambda: (now := player.progress()) and now.relayed_ms > 300)
    assert receivers() - others
    last = player.stop(50)
    assert last
    assert 300 < last.sounded_ms < 30_000
    until(lambda: not receivers() - others)


def receivers() -> set[threading.Thread]:
    """The threads that hold a stream."""
    return {each for each in threading.enumerate() if each.name.startswith("relay-")}


def test_a_fallback_that_is_no_sound_is_silence(
    loudspeaker: tuple[Player, Hears], station: Station, tmp_path: Path
) -> None:
    player, _ = loudspeaker
    (tmp_path / "bad").write_bytes(b"not audio" * 100)
    progress = played(player, relay(station.url + "/nothing", 2, tmp_path / "bad"))
    assert progress.finished
    assert progress.fallback_ms == 0


def test_a_fallback_sounds_once_through(loudspeaker: tuple[Player, Hears], station: Station, tmp_path: Path) -> None:
    player, _ = loudspeaker
    progress = played(player, relay(station.url + "/nothing", 3, fallback(tmp_path, 1.0)))
    assert progress.fallback_ms == 1000


def test_without_a_decoder_what_stands_in_sounds_at_once(
    loudspeaker: tuple[Player, Hears], station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player, _ = loudspeaker
    assert player.can_relay
    monkeypatch.setenv("PATH", "/nowhere")
    assert not player.can_relay
    progress = played(player, relay(station.at("/live", made.endless(encoded())), 2, fallback(tmp_path)))
    assert progress.fallback_ms == 2000
    assert station.asked == []


def test_the_null_player_keeps_a_relays_time_and_calls_nobody(station: Station) -> None:
    player = NullPlayer(utc_now)
    progress = played(player, relay(station.url + "/live", 0.5))
    assert (progress.sounded_ms, progress.relayed_ms) == (500, 500)
    assert player.can_relay
    assert station.asked == []
