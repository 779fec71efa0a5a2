"""What people upload: admitted as a plain WAV, or refused with the reason; then mastered like any speech."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import pytest
from makers_sound_files import convert, generate, half_of, speech

import cage
from cage import Bounds, Cage
from controller.studio import Limits, RecordingError, Shelf, Studio, Wanted, admit, make_chain
from wire.plan import BulletinClass

KINDS = {
    "phone.m4a": ["-c:a", "aac"],
    "chrome.webm": ["-c:a", "libopus"],
    "firefox.ogg": ["-c:a", "libopus"],
    "old.mp3": ["-b:a", "64k"],
    "fine.flac": ["-ar", "96000"],
    "deep.wav": ["-ar", "96000", "-c:a", "pcm_s24le", "-ac", "2"],
    "telephone.wav": ["-ar", "8000", "-c:a", "pcm_mulaw"],
}


def refusal(upload: Path, limits: Limits | None = None) -> str:
    with pytest.raises(RecordingError) as refused:
        admit(upload, upload.parent, limits)
    assert refused.value.say("vi") != refused.value.say("en")
    return refused.value.key.removeprefix("studio.recording_")


@pytest.mark.parametrize(("name", "how"), KINDS.items(), ids=KINDS)
def test_what_people_record_with_is_admitted(tmp_path: Path, name: str, how: list[str]) -> None:
    recording = admit(convert(tmp_path / name, *how), tmp_path, language="tyz")
    with wave.open(str(recording.wav), "rb") as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (48_000, 1, 2)
        assert sound.getnframes() / 48_000 == pytest.approx(recording.seconds)
    with wave.open(str(speech()), "rb") as original:
        assert recording.seconds == pytest.approx(original.getnframes() / 22_050, abs=0.1)
    assert recording.language == "tyz"


@pytest.mark.parametrize("name", [name for name in KINDS if name != "telephone.wav"])
def test_half_a_file_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(half_of(convert(tmp_path / name, *KINDS[name]))) == "cut_off"


def test_two_channels_that_cancel_each_other_out_are_heard(tmp_path: Path) -> None:
    upload = convert(tmp_path / "wrong-way.wav", "-af", "pan=stereo|c0=c0|c1=-1*c0")
    assert admit(upload, tmp_path).lufs == pytest.approx(admit(speech(), tmp_path).lufs, abs=0.5)


def test_a_picture_on_the_sleeve_is_no_video(tmp_path: Path) -> None:
    picture = generate(tmp_path / "sleeve.png", "color=red:s=32x32:d=0.1", "-frames:v", "1")
    upload = convert(
        tmp_path / "song.mp3", "-i", str(picture), "-map", "0", "-map", "1", "-disposition:v", "attached_pic"
    )
    assert admit(upload, tmp_path).seconds > 3


def test_a_video_by_the_name_of_a_recording_is_refused(tmp_path: Path) -> None:
    video = generate(tmp_path / "a.mp4", "testsrc=d=2:s=64x64", "-i", str(speech()), "-c:v", "mpeg4")
    assert refusal(video.rename(tmp_path / "a.mp3")) == "video"


def test_silence_and_distortion_are_refused(tmp_path: Path) -> None:
    assert refusal(generate(tmp_path / "silence.wav", "anullsrc=d=3")) == "silent"
    assert refusal(convert(tmp_path / "loud.wav", "-af", "volume=20dB")) == "clipped"
    assert refusal(convert(tmp_path / "loud.mp3", "-af", "volume=20dB", "-b:a", "64k")) == "clipped"


def test_a_very_quiet_recording_is_not_taken_for_a_distorted_one(tmp_path: Path) -> None:
    assert admit(convert(tmp_path / "quiet.wav", "-af", "volume=-35dB"), tmp_path).lufs < -45


@pytest.mark.parametrize("level", [0.99, 0.3, 0.125])
@pytest.mark.parametrize("hertz", [300, 1000])
def test_a_clear_tone_is_not_taken_for_a_distorted_one(tmp_path: Path, hertz: int, level: float) -> None:
    """A beep, a siren: it touches its highest step in each turn, and is cut off nowhere."""
    tone = generate(tmp_path / "tone.wav", f"aevalsrc='{level}*sin(2*PI*{hertz}*t)':s=48000:d=4")
    assert admit(tone, tmp_path).seconds == pytest.approx(4)


def test_what_was_distorted_and_turned_down_again_is_refused(tmp_path: Path) -> None:
    chain = "volume=10dB,aformat=sample_fmts=s16,volume=-12dB"
    assert refusal(convert(tmp_path / "loud.wav", "-af", chain)) == "clipped"
    assert refusal(convert(tmp_path / "loud.flac", "-af", "volume=10dB", "-ar", "8000")) == "clipped"


def test_too_short_too_long_too_big_and_empty_are_refused(tmp_path: Path) -> None:
    assert refusal(convert(tmp_path / "short.wav", "-t", "0.2")) == "too_short"
    assert refusal(speech(), Limits(most_seconds=2)) == "too_long"
    assert refusal(speech(), Limits(most_bytes=1000)) == "too_big"
    (tmp_path / "empty.wav").write_bytes(b"")
    assert refusal(tmp_path / "empty.wav") == "empty"


def test_a_small_file_that_unfolds_into_hours_is_stopped(tmp_path: Path) -> None:
    bomb = generate(tmp_path / "bomb.flac", "anullsrc=r=8000:cl=mono:d=4000", "-c:a", "flac")
    assert bomb.stat().st_size < 1_000_000
    assert refusal(bomb, Limits(most_seconds=60)) == "too_long"
    assert (tmp_path / "recording.wav").stat().st_size < 62 * 96_000


def test_three_hours_of_wav_are_stopped_early(tmp_path: Path) -> None:
    long = tmp_path / "long.wav"
    frames = 3 * 3600 * 8000
    with wave.open(str(long), "wb") as out:
        out.setparams((1, 1, 8000, 0, "NONE", ""))
        out.writeframes(b"\x80\x90" * 8000)
    with long.open("r+b") as out:  # a sparse file: three hours by its header and by its size
        out.truncate(44 + frames)
        out.seek(4)
        out.write((36 + frames).to_bytes(4, "little"))
        out.seek(40)
        out.write(frames.to_bytes(4, "little"))
    assert refusal(long, Limits(most_seconds=60)) == "too_long"


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 400,
        b"#EXTM3U\nhttp://127.0.0.1:1/a.ts\n" * 50,
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"PK\x03\x04" + bytes(4000),
        b"<html><body>404</body></html>" * 50,
    ],
    ids=["noise", "a playlist", "a list of files", "a zip", "a page"],
)
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "song.mp3").write_bytes(content)
    assert refusal(tmp_path / "song.mp3") == "format"


def test_a_format_outside_the_list_is_refused(tmp_path: Path) -> None:
    assert refusal(convert(tmp_path / "rare.au")) == "format"


def test_a_language_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no language code"):
        admit(speech(), tmp_path, language="tiếng Tày")


def test_a_file_whose_reading_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ffprobe").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "ffprobe").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert refusal(speech(), Limits(work_seconds=0.3)) == "hung"


def test_a_stranger_s_file_is_read_within_bounds() -> None:
    greedy = [sys.executable, "-c", "bytearray(1 << 30)"]
    assert cage.run(greedy, 30.0, Cage()).code == 0
    assert "MemoryError" in cage.run(greedy, 30.0, Cage(bounds=Bounds(memory_bytes=400 << 20))).said
    endless = [sys.executable, "-c", "while True: pass"]
    assert cage.run(endless, 30.0, Cage(bounds=Bounds(cpu_seconds=1))).code != 0
    with pytest.raises(cage.NotInstalled):
        cage.run(["no-such-program"], 1.0, Cage())


def test_a_file_is_written_no_larger_than_its_bound(tmp_path: Path) -> None:
    writes = [sys.executable, "-c", f"open({str(tmp_path / 'out')!r}, 'wb').write(bytes(5_000_000))"]
    assert cage.run(writes, 30.0, Cage(writes=tmp_path, bounds=Bounds(file_bytes=1_000_000))).code != 0
    assert (tmp_path / "out").stat().st_size <= 1_000_000


def test_a_recording_becomes_a_broadcast(tmp_path: Path) -> None:
    recording = admit(convert(tmp_path / "phone.m4a", "-c:a", "aac"), tmp_path)
    studio = Studio(Shelf(tmp_path / "shelf"), make_chain(["espeak"]), tmp_path / "work")
    once = studio.make(recording, Wanted(BulletinClass.ORDINARY))
    assert (once.voice, once.failures) == ("recording", ())
    assert once.lufs == pytest.approx(-16.0, abs=0.5)
    drill = studio.make(recording, Wanted(BulletinClass.ORDINARY, drill=True))
    assert drill.duration_ms > once.duration_ms + 4000, "the notice is not heard twice"
    thrice = studio.make(recording, Wanted(BulletinClass.ORDINARY, times=3))
    added = thrice.duration_ms - once.duration_ms
    assert added == pytest.approx(2 * (recording.seconds * 1000 + 1500), abs=1500)
    assert recording.wav.exists()
    assert subprocess.run(["ffprobe", "-v", "error", str(thrice.path)], check=False).returncode == 0
