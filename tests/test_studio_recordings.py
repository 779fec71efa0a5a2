"""From spoken text to a recording on the shelf: loudness, length, bytes, refusals, measured on the file."""

from __future__ import annotations

import hashlib
import re
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from makers_voice import make_program

from controller.newsroom import spoken
from controller.studio import MasteringError, Shelf, ShelfError, Studio, VoiceError, make_chain
from controller.studio.chain import Chain
from controller.studio.espeak_voice import EspeakVoice
from controller.studio.mastering import master
from wire.plan import BulletinClass

ARTICLES = Path(__file__).parent / "data" / "articles"
NOTICE = spoken((ARTICLES / "tiem-phong.txt").read_text("utf-8")).text


def make_studio(folder: Path) -> Studio:
    return Studio(Shelf(folder / "shelf"), make_chain(["espeak"]), folder / "work")


def measured(path: Path) -> tuple[float, float]:
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition("Summary:")[2]
    return tuple(float(re.search(p, said)[1]) for p in (r"I:\s+(\S+) LUFS", r"Peak:\s+(\S+) dBFS"))  # type: ignore[index]


@pytest.mark.parametrize("bulletin_class", BulletinClass)
@pytest.mark.parametrize("text", ["Có.", NOTICE], ids=["one word", "a notice"])
def test_every_recording_has_broadcast_loudness(tmp_path: Path, bulletin_class: BulletinClass, text: str) -> None:
    finished = make_studio(tmp_path).produce(text, bulletin_class)
    lufs, peak = measured(finished.path)
    assert lufs == pytest.approx(-16.0, abs=0.5)
    assert peak <= -1.0
    assert (lufs, peak) == pytest.approx((finished.lufs, finished.peak_dbtp), abs=0.1)


def test_the_facts_are_those_of_the_file(tmp_path: Path) -> None:
    finished = make_studio(tmp_path).produce(NOTICE, BulletinClass.ORDINARY)
    content = finished.path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == finished.sha256 == finished.path.name
    assert len(content) == finished.size_bytes
    sound, rate = soundfile.read(finished.path)
    assert (rate, sound.ndim) == (48_000, 1)
    assert finished.duration_ms == pytest.approx(len(sound) / 48, abs=30)
    assert 20_000 < finished.size_bytes * 8000 / finished.duration_ms < 40_000
    assert (finished.media_type, finished.voice) == ("audio/ogg", "espeak")
    assert not list((tmp_path / "work").iterdir())


def test_the_same_text_gives_the_same_bytes(tmp_path: Path) -> None:
    names = {make_studio(tmp_path / n).produce(NOTICE, BulletinClass.PRIORITY).sha256 for n in "ab"}
    assert len(names) == 1


def test_a_whole_article_is_read_out_complete(tmp_path: Path) -> None:
    text = spoken((ARTICLES / "bai-dong-dang.txt").read_text("utf-8")).text
    finished = make_studio(tmp_path).produce(text, BulletinClass.ORDINARY)
    letters = sum(char.isalnum() for char in text)
    assert 6 < letters / (finished.duration_ms / 1000) < 16
    assert finished.lufs == pytest.approx(-16.0, abs=0.5)
    sound, rate = soundfile.read(finished.path)
    minutes = [float(np.sqrt(np.mean(sound[at : at + rate * 30] ** 2))) for at in range(0, len(sound), rate * 30)]
    assert min(minutes[:-1]) > 0.03, "half a minute of it is silent"


def test_a_drill_sounds_like_no_real_bulletin_and_says_what_it_is(tmp_path: Path) -> None:
    real = make_studio(tmp_path).produce(NOTICE, BulletinClass.EMERGENCY)
    drill = make_studio(tmp_path).produce(NOTICE, BulletinClass.EMERGENCY, drill=True)
    begins = [np.abs(np.fft.rfft(soundfile.read(made.path, frames=48_000)[0])).argmax() for made in (real, drill)]
    assert begins[0] > 700
    assert abs(int(begins[1]) - 440) < 5
    assert drill.duration_ms > real.duration_ms


def test_attention_tones_differ_by_class(tmp_path: Path) -> None:
    made = [make_studio(tmp_path).produce("Có.", each) for each in BulletinClass]
    begins = {int(np.abs(np.fft.rfft(soundfile.read(one.path, frames=12_000)[0])).argmax()) for one in made}
    assert len(begins) == len(BulletinClass)


@pytest.mark.parametrize("text", ["", "  \n ", "📢 🙂", "... !"])
def test_a_text_without_words_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(VoiceError) as refused:
        make_studio(tmp_path).produce(text, BulletinClass.ORDINARY)
    assert refused.value.key == "studio.nothing_to_say"


def test_a_text_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VoiceError) as refused:
        make_studio(tmp_path).produce("a " * 60_000, BulletinClass.ORDINARY)
    assert refused.value.key == "studio.text_too_long"


def _wav(path: Path, frames: bytes) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 22_050, 0, "NONE", ""))
        out.writeframes(frames)
    return path


def test_silence_and_garbage_are_not_mastered(tmp_path: Path) -> None:
    with pytest.raises(MasteringError) as refused:
        master(_wav(tmp_path / "silent.wav", bytes(100_000)), BulletinClass.ORDINARY, False, tmp_path)
    assert refused.value.key == "studio.silent"
    (tmp_path / "garbage.wav").write_bytes(b"RIFFgarbage" * 99)
    with pytest.raises(MasteringError) as refused:
        master(tmp_path / "garbage.wav", BulletinClass.ORDINARY, False, tmp_path)
    assert refused.value.key == "studio.mastering_failed"


def test_without_ffmpeg_the_sentence_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_program(tmp_path, 'exec /usr/bin/env -i PATH=/usr/bin:/bin espeak-ng "$@"')
    studio = Studio(Shelf(tmp_path / "shelf"), Chain([EspeakVoice(program=program)]), tmp_path / "work")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(MasteringError) as refused:
        studio.produce(NOTICE, BulletinClass.ORDINARY)
    assert "apt-get install ffmpeg" in refused.value.say("vi")


def test_the_shelf_names_a_recording_by_its_bytes_and_keeps_it_once(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    source = tmp_path / "sound"
    source.write_bytes(b"sound")
    first, second = shelf.add(source), shelf.add(source)
    assert first == second == hashlib.sha256(b"sound").hexdigest()
    assert [path.name for path in shelf.folder.iterdir()] == [first]
    assert shelf.find(first) == shelf.path(first)
    assert shelf.find("0" * 64) is None


def test_a_shelf_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ShelfError):
        Shelf(tmp_path / "shelf").add(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(ShelfError):
        Shelf(tmp_path / "file" / "shelf")
