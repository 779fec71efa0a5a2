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
from makers_sound_files import convert, generate
from makers_voice import make_program

from controller.newsroom import spoken
from controller.studio import (
    MasteringError,
    Shelf,
    ShelfError,
    Studio,
    Style,
    VoiceError,
    Wanted,
    admit,
    loudness,
    make_chain,
)
from controller.studio.chain import Chain
from controller.studio.espeak_voice import EspeakVoice
from controller.studio.mastering import Score, master
from controller.studio.style import PRESETS
from controller.studio.tones import CLOSING, DRILL
from wire.plan import BulletinClass

TOP = Path(__file__).parent.parent
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


def test_a_long_article_is_read_out_complete(tmp_path: Path) -> None:
    text = spoken((ARTICLES / "bai-dong-dang.txt").read_text("utf-8")).text[:3600]
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


def score_of(wav: Path) -> Score:
    return Score(DRILL, [(wav, 0)], CLOSING[BulletinClass.ORDINARY])


def _wav(path: Path, frames: bytes) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 22_050, 0, "NONE", ""))
        out.writeframes(frames)
    return path


SOURCES: dict[str, list[str]] = {
    "very quiet": ["-af", "volume=-40dB"],
    "very loud": ["-af", "volume=3dB"],
    "clipped": ["-af", "volume=25dB"],
    "a third of a second": ["-t", "0.3"],
    "stereo": ["-ac", "2"],
    "8 kHz": ["-ar", "8000"],
    "96 kHz": ["-ar", "96000", "-c:a", "pcm_s16le"],
}
MADE_SOURCES = {
    "noise": "anoisesrc=d=4:a=0.3:seed=1",
    "crackle": "aevalsrc='if(lt(mod(n,4800),2),0.9,0.002*sin(2*PI*300*t))':d=4",
    "hum": "aevalsrc='0.99*sgn(sin(2*PI*120*t))':d=4",
}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("source", [*SOURCES, *MADE_SOURCES])
def test_every_source_comes_out_equally_loud(tmp_path: Path, source: str, preset: str) -> None:
    wav = tmp_path / "source.wav"
    convert(wav, *SOURCES[source]) if source in SOURCES else generate(wav, MADE_SOURCES[source])
    wav = admit(wav, tmp_path).wav if source == "96 kHz" else wav
    for made in master(score_of(wav), Style(preset=preset), tmp_path, also_mp3=True):
        lufs, peak = measured(made.path)
        assert lufs == pytest.approx(-16.0, abs=0.5)
        assert peak <= -1.0


def test_an_mp3_for_old_devices_is_the_same_recording_and_changes_nothing_of_the_other(tmp_path: Path) -> None:
    alone = make_studio(tmp_path / "a").make(NOTICE, Wanted(BulletinClass.ORDINARY))
    both = [make_studio(tmp_path / n).make(NOTICE, Wanted(BulletinClass.ORDINARY, also_mp3=True)) for n in "bc"]
    assert alone.mp3 is None
    assert {each.sha256 for each in both} == {alone.sha256}
    mp3 = both[0].mp3
    assert mp3
    assert both[1].mp3
    assert mp3.sha256 == both[1].mp3.sha256 == hashlib.sha256(mp3.path.read_bytes()).hexdigest()
    assert (mp3.media_type, mp3.size_bytes) == ("audio/mpeg", mp3.path.stat().st_size)
    sound, rate = soundfile.read(mp3.path)
    assert len(sound) / rate == pytest.approx(alone.duration_ms / 1000, abs=0.1)


def test_a_text_is_repeated_between_opening_and_closing(tmp_path: Path) -> None:
    style = Style(opening="Đây là đài truyền thanh xã.", closing="Xin cảm ơn.", gap_ms=1000)
    studio = Studio(Shelf(tmp_path / "shelf"), make_chain(["espeak"]), tmp_path / "work", style)
    plain = make_studio(tmp_path / "plain").produce("Mời bà con đi họp.", BulletinClass.ORDINARY)
    once, thrice = (studio.make("Mời bà con đi họp.", Wanted(BulletinClass.ORDINARY, times=n)) for n in (1, 3))
    assert once.duration_ms > plain.duration_ms + 2000
    sound, _ = soundfile.read(thrice.path)
    loud = np.abs(sound[: len(sound) // 960 * 960]).reshape(-1, 960).max(axis=1) > 0.02
    gaps = [len(run) for run in "".join("#" if each else "." for each in loud).split("#") if len(run) >= 45]
    assert len(gaps) == 2, "the text is not heard three times with a gap between"
    with pytest.raises(ValueError, match="heard 1 to 10"):
        Wanted(BulletinClass.ORDINARY, times=11)


def test_an_amplifier_is_woken_before_the_tone(tmp_path: Path) -> None:
    sound, rate = soundfile.read(make_studio(tmp_path).produce("Có.", BulletinClass.ORDINARY).path)
    lead_in, tone = sound[int(0.2 * rate) : int(0.45 * rate)], sound[int(0.55 * rate) : int(0.75 * rate)]
    softer = 20 * np.log10(np.abs(tone).max() / np.abs(lead_in).max())
    assert 12 < softer < 30


def test_the_horn_s_preset_takes_away_what_only_strains_it(tmp_path: Path) -> None:
    low = generate(tmp_path / "low.wav", "sine=f=100:d=4[a];sine=f=1000:d=4[b];[a][b]amix=inputs=2")
    share = {}
    for preset in PRESETS:
        (made,) = master(score_of(low), Style(preset=preset), tmp_path)
        spectrum = np.abs(np.fft.rfft(soundfile.read(made.path)[0][5 * 48_000 : 7 * 48_000]))
        share[preset] = spectrum[200] / spectrum[2000]
    assert share["horn"] < share["flat"] / 4


@pytest.mark.parametrize(("name", "lufs"), [("1770-2_Comp_AbsGateTest", -69.5), ("1770-2_Comp_RelGateTest", -10.0)])
def test_the_meter_reads_the_gate_signals_of_the_itu(name: str, lufs: float) -> None:
    signal = TOP.parent / "shared" / "data" / "loudness" / f"{name}.wav"
    if not signal.exists():
        pytest.skip("the signals of ITU-R BS.2217 are not beside this folder: ../shared/data/loudness")
    assert loudness.measure(signal).lufs == pytest.approx(lufs, abs=0.1)


def _steps(*levels: tuple[float, int]) -> str:
    """A stereo sine of 1 kHz at (dBFS, seconds), one after the other (EBU Tech 3341)."""
    end, terms = 0, []
    for dbfs, seconds in levels:
        terms.append(f"between(t,{end},{end + seconds})*{10 ** (dbfs / 20):.9f}")
        end += seconds
    sine = f"({'+'.join(terms)})*sin(2*PI*1000*t)"
    return f"aevalsrc='{sine}|{sine}':d={end}:s=48000"


@pytest.mark.parametrize(
    ("levels", "lufs"),
    [
        ([(-23, 5)], -23.0),
        ([(-33, 5)], -33.0),
        ([(-36, 2), (-23, 12), (-36, 2)], -23.0),  # the relative gate leaves the soft ends out
        ([(-72, 5), (-36, 2), (-23, 12), (-36, 2), (-72, 5)], -23.0),  # and the absolute one the softest
    ],
)
def test_the_meter_reads_made_gate_signals(tmp_path: Path, levels: list[tuple[float, int]], lufs: float) -> None:
    signal = generate(tmp_path / "signal.wav", _steps(*levels), "-c:a", "pcm_s24le")
    assert loudness.measure(signal).lufs == pytest.approx(lufs, abs=0.15)


def test_silence_and_garbage_are_not_mastered(tmp_path: Path) -> None:
    with pytest.raises(MasteringError) as refused:
        master(score_of(_wav(tmp_path / "silent.wav", bytes(100_000))), Style(), tmp_path)
    assert refused.value.key == "studio.silent"
    (tmp_path / "garbage.wav").write_bytes(b"RIFFgarbage" * 99)
    with pytest.raises(MasteringError) as refused:
        master(score_of(tmp_path / "garbage.wav"), Style(), tmp_path)
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
