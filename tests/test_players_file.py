"""The file player: exactly what the loudspeaker would have sounded, whatever happens to the process."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from makers_sound import RATE, find, heard, mp3, noise, opus, until, utc_now, wav

from edge_node.players.decoding import Source
from edge_node.players.file_player import FAST_BLOCK, FilePlayer
from edge_node.players.player import Progress, Take
from edge_node.players.reel import Reel
from wire.errors import Reason


@pytest.fixture(params=["paced", "fast"])
def player(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FilePlayer]:
    made = FilePlayer(tmp_path / "out.wav", utc_now, fast=request.param == "fast")
    yield made
    made.close()


def play(player: FilePlayer, path: Path, job: str = "b1", from_ms: int = 0, volume: float = 0.0) -> Progress:
    player.prime(Take(job, path, utc_now(), from_ms, volume))
    until(lambda: done(player))
    progress = player.progress()
    assert progress
    return progress


def done(player: FilePlayer) -> bool:
    progress = player.progress()
    return progress is not None and (progress.finished or progress.failed is not None)


def cues(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "out.cues.jsonl").read_text().splitlines()]


def test_the_file_is_the_audio_sample_by_sample(player: FilePlayer, tmp_path: Path) -> None:
    audio = noise(0.7)
    progress = play(player, wav(tmp_path / "a.wav", audio))
    out = heard(tmp_path / "out.wav")
    assert len(out) == len(audio) == progress.samples
    assert np.abs(out - audio).max() < 2 / 32768
    assert progress.energy_sum == pytest.approx(float(np.sum(out.astype(np.float64) ** 2)), rel=1e-4)
    assert progress.peak == pytest.approx(float(np.abs(out).max()), rel=1e-4)


@pytest.mark.parametrize("make", [opus, mp3], ids=["opus", "mp3"])
def test_compressed_audio_comes_out_whole_and_alike(player: FilePlayer, tmp_path: Path, make: Any) -> None:
    audio = noise(1.0) if make is opus else noise(1.0, rate=24_000)
    play(player, make(tmp_path / "a", audio))
    out = heard(tmp_path / "out.wav")
    expected = audio if make is opus else np.interp(np.arange(RATE) / 2, np.arange(24_000), audio)
    at, alike = find(expected, np.concatenate([np.zeros(4800, np.float32), out, np.zeros(4800, np.float32)]))
    assert alike > 0.95
    assert abs(at - 4800) < 2500  # MP3 carries an encoder's delay


def test_another_rate_is_resampled_without_an_image(player: FilePlayer, tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(22_050) / 22_050)
    play(player, wav(tmp_path / "a.wav", tone, 22_050))
    out = heard(tmp_path / "out.wav")
    assert len(out) == pytest.approx(RATE, abs=3)
    middle = out[4800:-4800]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
    hertz = np.fft.rfftfreq(len(middle), 1 / RATE)
    assert spectrum[np.abs(hertz - 1000) > 50].sum() < 1e-6 * spectrum.sum()


def test_volume_attenuates_to_the_decibel(player: FilePlayer, tmp_path: Path) -> None:
    audio = noise(0.3)
    play(player, wav(tmp_path / "a.wav", audio), volume=-20.0)
    assert np.abs(heard(tmp_path / "out.wav") - audio / 10).max() < 2 / 32768


def test_stereo_becomes_mono(player: FilePlayer, tmp_path: Path) -> None:
    left, right = noise(0.2, 1), noise(0.2, 2)
    play(player, wav(tmp_path / "a.wav", np.stack([left, right], axis=1)))
    assert np.abs(heard(tmp_path / "out.wav") - (left + right) / 2).max() < 2 / 32768


def test_parts_follow_each_other_and_the_cues_tell_which_is_which(player: FilePlayer, tmp_path: Path) -> None:
    one, two = noise(0.3, 1), noise(0.4, 2)
    play(player, wav(tmp_path / "1.wav", one), "b1")
    play(player, wav(tmp_path / "2.wav", two), "b2", from_ms=100)
    out, said = heard(tmp_path / "out.wav"), cues(tmp_path)
    assert np.abs(out - np.concatenate([one, two[4800:]])).max() < 2 / 32768
    assert [(cue["job"], cue["offset"], cue["from_ms"], cue["samples"], cue["ended"]) for cue in said] == [
        ("b1", 0, 0, len(one), True),
        ("b2", len(one), 100, len(two) - 4800, True),
    ]
    assert all(cue["started_at"].endswith("Z") for cue in said)


def test_a_reel_is_continued_after_a_restart(tmp_path: Path) -> None:
    audio = noise(0.2)
    for _ in range(3):
        player = FilePlayer(tmp_path / "out.wav", utc_now, fast=True)
        play(player, wav(tmp_path / "a.wav", audio))
        player.close()
    assert len(heard(tmp_path / "out.wav")) == 3 * len(audio)
    assert [cue["offset"] for cue in cues(tmp_path)] == [0, len(audio), 2 * len(audio)]


def test_a_cut_fades_to_nothing_and_loses_no_sample_before_it(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(20 * RATE) / RATE)
    player = FilePlayer(tmp_path / "out.wav", utc_now)
    player.prime(Take("b1", wav(tmp_path / "a.wav", tone), utc_now()))
    until(lambda: (at := player.progress()) and at.sounded_ms > 200)
    last = player.stop(100)
    player.close()
    out, fade = heard(tmp_path / "out.wav"), RATE // 10
    assert last
    assert last.samples == len(out)
    assert last.position_ms == len(out) * 1000 // RATE
    assert np.abs(out[:-fade] - tone[: len(out) - fade]).max() < 2 / 32768
    gain = 0.5 + 0.5 * np.cos(np.pi * np.arange(fade) / fade)
    assert np.abs(out[-fade:] - gain * tone[len(out) - fade : len(out)]).max() < 3 / 32768
    assert cues(tmp_path)[0]["ended"] is True


@pytest.mark.parametrize(
    "content", [b"", b"not audio at all" * 100, b"OggS" + b"\0" * 500], ids=["empty", "text", "torn"]
)
def test_what_cannot_be_decoded_is_bad_audio_and_the_next_take_sounds(
    content: bytes, player: FilePlayer, tmp_path: Path
) -> None:
    (tmp_path / "bad").write_bytes(content)
    assert play(player, tmp_path / "bad").failed is Reason.BAD_AUDIO
    assert play(player, wav(tmp_path / "a.wav", noise(0.1))).failed is None


def test_a_file_that_is_not_there_is_bad_audio(player: FilePlayer, tmp_path: Path) -> None:
    assert play(player, tmp_path / "nothing").failed is Reason.BAD_AUDIO


def test_a_full_disk_is_told_and_leaves_a_readable_file(
    player: FilePlayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio, real = wav(tmp_path / "a.wav", noise(0.1)), os.pwrite

    def full(handle: int, data: bytes, at: int) -> int:
        if len(data) > 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data, at)

    play(player, audio)
    with monkeypatch.context() as patch:
        patch.setattr("edge_node.players.reel.os.pwrite", full)
        assert play(player, audio).failed is Reason.DISK_FULL
    assert len(heard(tmp_path / "out.wav")) == RATE // 10
    assert play(player, audio).failed is None
    assert len(heard(tmp_path / "out.wav")) == 2 * RATE // 10


def test_a_file_of_somebody_else_is_left_alone(player: FilePlayer, tmp_path: Path) -> None:
    (tmp_path / "out.wav").write_bytes(b"a diary, not a recording. " * 10)
    assert play(player, wav(tmp_path / "a.wav", noise(0.1))).failed is Reason.AUDIO_DEVICE
    assert (tmp_path / "out.wav").read_bytes() == b"a diary, not a recording. " * 10
    assert player.device_ok is False


def test_a_fast_player_still_waits_for_its_second(tmp_path: Path) -> None:
    clock = [utc_now()]
    player = FilePlayer(tmp_path / "out.wav", lambda: clock[0], fast=True)
    player.prime(Take("b1", wav(tmp_path / "a.wav", noise(20)), clock[0] + timedelta(hours=1)))
    until(lambda: (tmp_path / "out.wav").exists())
    at = player.progress()
    assert at
    assert at.started_at is None
    clock[0] += timedelta(hours=1)
    until(lambda: done(player))
    player.close()
    assert len(heard(tmp_path / "out.wav")) == 20 * RATE


def test_a_reel_that_is_full_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_node.players.reel.MOST_BYTES", 10_000)
    player = FilePlayer(tmp_path / "out.wav", utc_now, fast=True)
    audio = wav(tmp_path / "a.wav", noise(0.2))
    for _ in range(3):
        play(player, audio)
    player.close()
    assert [len(heard(tmp_path / name)) for name in ("out.wav", "out.1.wav", "out.2.wav")] == [RATE // 5] * 3
    assert len((tmp_path / "out.2.cues.jsonl").read_text().splitlines()) == 1


def test_two_crashes_that_nobody_counted_repeat_nothing(tmp_path: Path) -> None:
    audio, out = noise(1.0), tmp_path / "out.wav"
    path = wav(tmp_path / "a.wav", audio)
    pcm, pieces = Source(path, 0, 0.0).read(RATE), [(0, 300), (300, 500)]
    for begins, ends in pieces:  # cut twice: the caller knows of no more than the first 200 ms
        torn = Reel(out)
        torn.begin("b1", begins, utc_now())
        torn.write(pcm[begins * 48 : ends * 48])
        torn.close()
    player = FilePlayer(out, utc_now, fast=True)
    progress = play(player, path, from_ms=200)
    player.close()
    assert progress.samples == RATE * 8 // 10
    assert np.abs(heard(out) - heard(path)).max() < 2 / 32768


@pytest.mark.parametrize("pace", ["paced", "fast"])
def test_a_killed_process_leaves_a_readable_file_and_goes_on_where_it_was(tmp_path: Path, pace: str) -> None:
    seconds = 4 if pace == "paced" else 1500
    audio = noise(20) if pace == "fast" else noise(seconds)
    path = wav(tmp_path / "a.wav", np.tile(audio, seconds // 20) if pace == "fast" else audio)
    kept, out = tmp_path / "kept.json", tmp_path / "out.wav"
    position_ms = 0
    for kill_after in (0.5, 1.0, None):
        command = [sys.executable, str(Path(__file__).parent / "crash_player.py"), str(out), str(path), "b1"]
        process = subprocess.Popen([*command, str(position_ms), str(kept), pace], cwd=Path(__file__).parent.parent)
        before = position_ms
        if kill_after is None:
            assert process.wait(60) == 0
            break
        until(lambda before=before: kept.exists() and json.loads(kept.read_text())["position_ms"] > before + 500)
        process.kill()
        process.wait()
        position_ms = json.loads(kept.read_text())["position_ms"]
        told_ahead_ms = FAST_BLOCK * 1000 // RATE if pace == "fast" else 0  # it counts a block, then writes it
        assert len(heard(out)) * 1000 // RATE >= position_ms - told_ahead_ms - 1
    whole, original = heard(out), heard(path)
    assert json.loads(kept.read_text())["finished"] is True
    assert abs(len(whole) - len(original)) <= 3 * RATE // 1000  # no more than a millisecond at each seam
    assert find(original[-RATE:], whole[-RATE - 480 :])[1] > 0.999
    assert find(original[:RATE], whole[: RATE + 480])[1] > 0.999
    parts = cues(tmp_path)
    assert len(parts) >= 2
    assert [part["ended"] for part in parts] == [False] * (len(parts) - 1) + [True]
    assert sum(part["samples"] for part in parts) == len(whole)
