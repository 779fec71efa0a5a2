"""Sentences by themselves and outlines: what they sound like, how they are kept, who has to wait."""

from __future__ import annotations

import json
import os
import shutil
import threading
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from makers_web import opus

from controller.studio import MasteringError, Style, Trouble, VoiceError, make_chain, remade
from controller.studio import peaks as peaks_room
from controller.studio.chain import Chain
from controller.studio.loudness import measure
from controller.studio.ogg import duration_ms
from controller.studio.peaks import Outlines, peaks
from controller.studio.remade import Busy, Remade
from controller.studio.sampling import MOST_CHARS, Sampler
from controller.studio.voice import Voice
from wire.names import BadName

NEEDS_VOICE = pytest.mark.skipif(not (shutil.which("espeak-ng") and shutil.which("ffmpeg")), reason="espeak-ng, ffmpeg")


class Named:
    """A voice that notes that it was asked, and fails."""

    def __init__(self, name: str, asked: list[str]) -> None:
        self.name, self._asked = name, asked

    def why_not(self) -> VoiceError | None:
        return None

    def speak(self, text: str, work_dir: Path) -> Path:
        self._asked.append(self.name)
        raise VoiceError(Trouble.TEMPORARY, "studio.unreadable", voice=self.name)


@NEEDS_VOICE
def test_a_sentence_has_the_loudness_of_the_whole_and_no_tone(tmp_path: Path) -> None:
    sampler = Sampler(make_chain(("espeak",)), Style(), tmp_path / "samples")
    made = sampler.sample("Mời bà con đến họp tại nhà văn hóa thôn.")
    assert measure(made).lufs == pytest.approx(-16.0, abs=0.5)
    assert duration_ms(made) < 6_000
    assert sampler.sample("Mời bà con đến họp tại nhà văn hóa thôn.") == made
    assert [each.name for each in (tmp_path / "samples").iterdir()] == [made.name]


def test_samples_of_an_earlier_start_are_made_anew(tmp_path: Path) -> None:
    (tmp_path / "samples" / "making-left").mkdir(parents=True)
    (tmp_path / "samples" / ("a" * 64)).write_text("of another voice")
    Sampler(Chain([Named("a", [])]), Style(), tmp_path / "samples")
    assert list(tmp_path.iterdir()) == []


@NEEDS_VOICE
def test_one_short_word_is_heard(tmp_path: Path) -> None:
    sampler = Sampler(make_chain(("espeak",)), Style(preset="flat"), tmp_path)
    assert duration_ms(sampler.sample("Ừ.")) > 100


@pytest.mark.parametrize(
    ("text", "key"), [("", "nothing_to_say"), ("…!", "nothing_to_say"), ("a" * 601, "text_too_long")]
)
def test_what_is_no_sentence_is_refused_before_any_voice_is_asked(tmp_path: Path, text: str, key: str) -> None:
    asked: list[str] = []
    with pytest.raises(VoiceError) as wrong:
        Sampler(Chain([Named("a", asked)]), Style(), tmp_path).sample(text)
    assert (wrong.value.key, asked, MOST_CHARS) == (f"studio.{key}", [], 600)


def test_the_voice_of_the_whole_is_asked_first(tmp_path: Path) -> None:
    asked: list[str] = []
    chain: list[Voice] = [Named(name, asked) for name in ("a", "b", "c")]
    for voice in ("b", "no such voice"):
        with pytest.raises(VoiceError):
            Sampler(Chain(chain), Style(), tmp_path).sample("Một câu.", voice)
    assert asked == ["b", "a", "c", "a", "b", "c"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MasteringError) as wrong:
        Sampler(Chain([Named("a", [])]), Style(), tmp_path / "file" / "samples").sample("Một câu.")
    assert wrong.value.key == "studio.shelf_failed"


def maker(text: str = "x") -> Callable[[Path], Path]:
    def make(work: Path) -> Path:
        (work / "made").write_text(text)
        return work / "made"

    return make


def test_what_is_kept_is_made_once_and_the_oldest_go_first(tmp_path: Path) -> None:
    kept = Remade(tmp_path / "kept", most=3)
    for second, name in enumerate("abcde"):
        os.utime(kept.get(name, maker(name)), (second, second))  # some file systems tell no two of them apart
    assert {each.name for each in (tmp_path / "kept").iterdir()} == {"c", "d", "e"}
    assert kept.get("e", maker("other")).read_text() == "e"
    assert kept.get("a", maker("anew")).read_text() == "anew"


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(work: Path) -> Path:
        (work / "half").write_text("half")
        raise VoiceError(Trouble.TEMPORARY, "studio.unreadable", voice="a")

    kept = Remade(tmp_path / "kept", most=3)
    with pytest.raises(VoiceError):
        kept.get("a", fail)
    assert list((tmp_path / "kept").iterdir()) == []
    assert kept.get("a", maker()).is_file()


def test_while_one_is_made_few_wait_and_the_others_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remade, "MOST_WAITING", 1)
    kept = Remade(tmp_path / "kept", most=9)
    begun, go = threading.Event(), threading.Event()

    def slowly(work: Path) -> Path:
        begun.set()
        assert go.wait(60)
        return maker()(work)

    first = threading.Thread(target=kept.get, args=("slow", slowly))
    first.start()
    try:
        assert begun.wait(60)
        with pytest.raises(Busy) as wrong:
            kept.get("more", maker())
    finally:
        go.set()
        first.join(60)
    assert wrong.value.key == "studio.busy"
    assert kept.get("more", maker()).is_file()
    assert kept.get("slow", maker("other")).read_text() == "x"


def test_who_waits_for_what_is_being_made_finds_it_made(tmp_path: Path) -> None:
    kept = Remade(tmp_path / "kept", most=9, seconds=30)
    makings: list[str] = []

    def make(work: Path) -> Path:
        makings.append("made")
        return maker()(work)

    together = [threading.Thread(target=kept.get, args=("same", make)) for _ in range(4)]
    for each in together:
        each.start()
    for each in together:
        each.join(60)
    assert makings == ["made"]


def test_a_turn_that_does_not_come_is_given_up(tmp_path: Path) -> None:
    kept = Remade(tmp_path / "kept", most=9, seconds=0.01)
    with pytest.raises(Busy):
        kept.get("outer", lambda work: kept.get("inner", maker()))
    assert kept.get("inner", maker()).is_file()


def test_peaks_follow_the_sound() -> None:
    samples = array("h", [0] * 1000 + [16_000, -32_768] * 500 + [8_192] * 1000)
    found = peaks(samples, 30)
    assert (len(found), found[:10], found[10:20], found[20:]) == (30, [0] * 10, [100] * 10, [25] * 10)
    assert peaks(array("h"), 4) == []
    assert peaks(array("h", [0, 0]), 4) == [0, 0]
    assert len(peaks(array("h", [1] * 1001), 400)) <= 400


def test_an_outline_is_of_the_sound_and_kept(tmp_path: Path) -> None:
    sound = tmp_path / ("a" * 64)
    sound.write_bytes(opus(2.0))
    outlines = Outlines(tmp_path / "outlines")
    made = outlines.of(sound)
    assert json.loads(made.read_text())["seconds"] == pytest.approx(2.0, abs=0.05)
    sound.unlink()
    assert outlines.of(sound) == made
    with pytest.raises(BadName):
        outlines.of(tmp_path / "loa.db")


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 4000, b"#EXTM3U\nfile:///etc/passwd\n", opus(0.3)[:90]],
    ids=["empty", "zeros", "list", "torn"],
)
def test_what_is_no_recording_has_no_outline(tmp_path: Path, data: bytes) -> None:
    sound = tmp_path / ("b" * 64)
    sound.write_bytes(data)
    with pytest.raises(MasteringError):
        Outlines(tmp_path / "outlines").of(sound)
    assert list((tmp_path / "outlines").iterdir()) == []


def test_a_decoder_that_is_not_there_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sound = tmp_path / ("c" * 64)
    sound.write_bytes(b"x")
    with pytest.raises(MasteringError) as wrong:
        Outlines(tmp_path / "outlines").of(sound)
    assert wrong.value.key == "studio.ffmpeg_missing"
    assert peaks_room.COUNT == 400
