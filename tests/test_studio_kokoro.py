"""Kokoro: Vietnamese syllables become sounds that it knows, tones are laid over its pitch, and it really speaks."""

from __future__ import annotations

import io
import json
import sys
import tomllib
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_neural import make_model

from controller.studio import Trouble, VoiceError, kokoro_files, kokoro_melody, kokoro_speaker, kokoro_voice
from controller.studio.chain import make_chain, voices
from controller.studio.kokoro_sounds import MOST_SIGNS, Spoken, breaths, sounds
from controller.studio.kokoro_voice import KokoroLimits, KokoroVoice
from controller.studio.onnx_cutting import cut
from controller.studio.syllable import Syllable, apart, nearest
from controller.studio.wavs import duration_seconds

TOP = Path(__file__).parent.parent
TEXT = "Mời bà con đến họp. Có mưa to."
installed = pytest.mark.skipif(bool(kokoro_files.missing()), reason="the extra kokoro is not installed")
TONED = ["a", "à", "á", "ả", "ã", "ạ"]


# --- syllables -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("đường", "đ-ươ-ng huyền"),
        ("Nghiêng", "ng-iê-ng ngang"),
        ("quốc", "cw-ô-c sắc"),
        ("quyết", "cw-iê-t sắc"),
        ("quả", "cw-a- hỏi"),
        ("gì", "gi-i- huyền"),
        ("giếng", "gi-iê-ng sắc"),
        ("giữa", "gi-ươ- ngã"),
        ("ghế", "g-ê- sắc"),
        ("kỹ", "c-i- ngã"),
        ("khuya", "khw-iê- ngang"),
        ("yêu", "-iê-u ngang"),
        ("ý", "-i- sắc"),
        ("hoạch", "hw-a-ch nặng"),
        ("thuở", "thw-ơ- hỏi"),
        ("tay", "t-ă-i ngang"),
        ("tai", "t-a-i ngang"),
        ("tàu", "t-ă-u huyền"),
        ("của", "c-uô- hỏi"),
        ("khuỷu", "khw-i-u hỏi"),
        ("xoong", "x-o-ng ngang"),
        ("hoà", "hw-a- huyền"),
        ("hòa", "hw-a- huyền"),
        ("người", "ng-ươ-i huyền"),
    ],
)
def test_a_syllable_is_taken_apart(word: str, parts: str) -> None:
    its = apart(word)
    assert its is not None
    assert f"{its.onset}{'w' * its.glide}-{its.vowel}-{its.coda} {its.tone}" == parts


@pytest.mark.parametrize("word", ["", "b", "xyz", "covid", "nghiêngg", "áà", "7", "中文", "ба", "nghiêngnghiêng"])
def test_what_is_no_syllable_is_not_taken_for_one(word: str) -> None:
    assert apart(word) is None


@pytest.mark.parametrize(
    ("word", "read"), [("zalo", "da lo"), ("covid", "co vi dê"), ("web", "u e bê"), ("b7", "bê bảy"), ("中文", "")]
)
def test_a_foreign_word_is_read_by_the_nearest_syllables(word: str, read: str) -> None:
    assert nearest(word) == [apart(each) for each in read.split()]


def test_every_syllable_of_the_bench_has_sounds() -> None:
    lists = tomllib.loads((TOP / "bench" / "intelligibility_texts.toml").read_text("utf-8"))
    for text in [*lists["tuning"], *lists["heard"]]:
        for word in text.replace(",", " ").replace(".", " ").split():
            its = apart(word)
            assert its is not None, word
            assert sounds(its).rhyme


@given(st.text(max_size=200))
def test_whatever_is_written_is_spoken_or_left_out(text: str) -> None:
    for breath in breaths(text):
        assert any(isinstance(each, Spoken) for each in breath)
        assert not isinstance(breath[0], str)
        assert len(kokoro_melody.lay_out(breath)[0]) <= MOST_SIGNS


@given(st.lists(st.sampled_from(["mưa", "gió", "nghiêng", "khuỷu,", "web", "họp."]), max_size=400))
def test_a_long_sentence_is_cut_between_words_and_keeps_them_all(words: list[str]) -> None:
    said = [each for breath in breaths(" ".join(words)) for each in breath if isinstance(each, Spoken)]
    assert len(said) == sum(len(nearest(word.strip(",."))) for word in words)


@installed
def test_every_sound_of_the_table_is_a_sign_that_kokoro_knows() -> None:
    known = json.loads(kokoro_files.signs())["vocab"]
    onsets = [*"bcdđghlmnprstvx", "", "ch", "gi", "kh", "ng", "nh", "ph", "th", "tr"]
    rhymes = [
        (vowel, coda) for vowel in "aăâeêioôơuư" for coda in ("", "c", "ch", "i", "m", "n", "ng", "nh", "p", "t", "u")
    ]
    said = [sounds(Syllable(onset, True, "a", "", "ngang")) for onset in onsets]
    said += [sounds(Syllable("", False, vowel, coda, tone)) for vowel, coda in rhymes for tone in ("sắc", "nặng")]
    said += [sounds(Syllable("", False, vowel, "", "ngang")) for vowel in ("iê", "uô", "ươ")]
    assert {sign for each in said for sign in each.onset + each.rhyme} <= known.keys()
    assert set(" ,.;:!?…") <= known.keys()


# --- how long and how high -----------------------------------------------------------------------------------


def test_pauses_and_held_sounds_are_cut_short() -> None:
    signs, placed = kokoro_melody.lay_out(breaths("Mưa, nắng.")[0])
    frames = kokoro_melody.timed(signs, placed, [40.0] * (len(signs) + 2))
    assert len(frames) == len(signs) + 2
    assert max(frames[1:-1]) <= kokoro_melody.HELD_FRAMES
    assert frames[0] == frames[-1] == 40.0, "the silence around a breath stays: cut, it costs the first words"
    longer, its = kokoro_melody.lay_out(breaths("Vì bà")[0])
    first = [sign in kokoro_melody.LONGER_FIRST for sign in longer]
    assert [each > 4 for each in kokoro_melody.timed(longer, its, [4.0] * (len(longer) + 2))[1:-1]] == first


@pytest.mark.parametrize("word", ["mưa", "tay", "ngoài", "mạ", "ý", "nghiêng", "một", "thích"])
@pytest.mark.parametrize("proposed", [0.0, 1.0, 4.0])
def test_a_rhyme_lasts_long_enough_for_its_tone(word: str, proposed: float) -> None:
    signs, placed = kokoro_melody.lay_out(breaths(word)[0])
    (one,) = placed
    frames = kokoro_melody.timed(signs, placed, [proposed] * (len(signs) + 2))
    rhyme = slice(one.rhyme + 1, one.end + 1)
    assert sum(frames[rhyme]) == max(one.its.least, proposed * (one.end - one.rhyme))
    assert frames[1 : rhyme.start] == [proposed] * (rhyme.start - 1), "and nothing else is drawn out"
    assert one.its.least == (6 if word in ("mạ", "một", "thích") else 8)


def test_between_words_kokoro_may_pause_less_but_not_longer() -> None:
    signs, placed = kokoro_melody.lay_out(breaths("Mưa to")[0])
    between = signs.index(" ")
    for proposed, told in ((0.0, 0.0), (1.0, 1.0), (20.0, 2.0)):
        assert kokoro_melody.timed(signs, placed, [proposed] * (len(signs) + 2))[1 + between] == told


def test_no_rhyme_fades_away() -> None:
    signs, placed = kokoro_melody.lay_out(breaths("Bà ba sát")[0])
    frames = [4.0] * (len(signs) + 2)
    pitches = kokoro_melody.pitched(frames, placed, [5.0] * int(sum(frames) * 2))
    fading = [8.0] * (2 * 4 * (placed[1].end + 1))
    fading += [-9.0] * (len(pitches) - len(fading))
    told = kokoro_melody.strong(frames, placed, pitches, fading)
    last = range(2 * 4 * (placed[2].rhyme + 1), 2 * 4 * (placed[2].end + 1))
    assert [told[at] for at in last] == [8.0 - kokoro_melody.SOFTER_BY] * (len(last) - 2) + [-9.0] * 2, "but its stop"
    assert [each for at, each in enumerate(told) if at not in last] == [
        each for at, each in enumerate(fading) if at not in last
    ]
    whispered = [5.0] * len(pitches)
    assert kokoro_melody.strong(frames, placed, whispered, fading) == fading, "where nothing has voice, nothing is told"


@pytest.mark.parametrize(("word", "rises"), [("má", True), ("mà", False), ("mạ", False)])
def test_a_tone_is_heard_in_the_pitch(word: str, rises: bool) -> None:
    (breath,) = breaths(word)
    signs, placed = kokoro_melody.lay_out(breath)
    frames = [4.0] * (len(signs) + 2)
    heard = kokoro_melody.pitched(frames, placed, [200.0] * int(sum(frames) * 2))
    first, last = int(4 * 2 * (placed[0].rhyme + 1)), int(4 * 2 * (placed[0].end + 1)) - 1
    assert (heard[last] > heard[first] * 1.1) == rises
    assert (heard[last] < heard[first] * 0.95) == (not rises)
    assert all(65 < hertz < 700 for hertz in heard)


def test_the_six_tones_are_six_contours() -> None:
    assert len({sounds(its).contour for its in map(apart, TONED) if its}) == 6


def test_what_has_no_voice_stays_without() -> None:
    (breath,) = breaths("sát")
    signs, placed = kokoro_melody.lay_out(breath)
    frames = [4.0] * (len(signs) + 2)
    heard = kokoro_melody.pitched(frames, placed, [5.0] * int(sum(frames) * 2))
    assert heard[0] == heard[-1] == 5.0
    assert max(heard) > 100, "a vowel sounds even where Kokoro would whisper it"
    assert heard[int(4 * 2 * (placed[0].end + 1)) - 1] == 5.0, "a stop has no voice"


# --- the model -----------------------------------------------------------------------------------------------


@installed
def test_a_model_that_was_cut_makes_of_what_is_given_what_the_whole_makes() -> None:
    import numpy
    import onnxruntime

    whole = make_model()
    told = {"x": numpy.array([[5, 9, 7]], numpy.int64)}
    expected = onnxruntime.InferenceSession(whole, providers=["CPUExecutionProvider"])
    rest = {each.name: numpy.array([1.0], "float32") for each in expected.get_inputs() if each.name != "x"}
    rest["x_length"] = numpy.array([3], numpy.int64)
    full = expected.run(["y"], told | {name: rest[name] for name in rest if name != "x"})[0]
    first = onnxruntime.InferenceSession(cut(whole, {}, {"pitches": 2}), providers=["CPUExecutionProvider"])
    second = onnxruntime.InferenceSession(cut(whole, {"pitches": 2}, {"y": 3}), providers=["CPUExecutionProvider"])
    assert [each.name for each in first.get_inputs()] == ["x"]
    assert [each.name for each in second.get_inputs()] == ["pitches"]
    pitches = first.run(None, told)[0]
    assert numpy.array_equal(second.run(None, {"pitches": pitches})[0], full)
    assert not numpy.array_equal(second.run(None, {"pitches": pitches + 50})[0], full)


@given(st.integers(0, 3000), st.binary(max_size=20))
def test_a_model_that_is_broken_is_refused(length: int, junk: bytes) -> None:
    content = make_model()[:length] + junk
    try:
        cut(content, {"pitches": 2}, {"y": 3})
    except (ValueError, IndexError):
        return


@installed
def test_a_file_that_was_changed_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, read in (("MODEL_SHA256", kokoro_files.model), ("STYLE_SHA256", kokoro_files.style)):
        monkeypatch.setattr(kokoro_files, name, "0" * 64)
        with pytest.raises(kokoro_files.Damaged):
            read()
    complaint = io.StringIO()
    monkeypatch.setattr(sys, "stderr", complaint)
    assert kokoro_speaker.main([str(tmp_path / "a.wav")]) == kokoro_speaker.DAMAGED
    assert complaint.getvalue() == "part.bin\n"
    monkeypatch.setattr(kokoro_files, "PARTS", ("no_such_package",))
    assert kokoro_speaker.main([str(tmp_path / "a.wav")]) == kokoro_speaker.MISSING


def test_the_speaker_is_the_one_that_was_measured() -> None:
    row_bytes = 2 * kokoro_files.STYLE_WIDTH
    assert len(kokoro_files.style()) % row_bytes == 0
    rows = len(kokoro_files.style()) // row_bytes
    assert (rows - 1) * kokoro_files.STYLE_STEP >= MOST_SIGNS, "the longest breath has its row"


# --- the voice -----------------------------------------------------------------------------------------------


@installed
def test_it_speaks_a_text_as_long_as_reading_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kokoro_voice, "_MOST_CHARS", 12)  # so that it is read in two parts
    reading = make_chain(["kokoro", "espeak"]).speak(tmp_path, "Mời họp. Có mưa to.")
    assert reading.voice == "kokoro"
    assert 1.2 < duration_seconds(reading.wav) < 4
    with wave.open(str(reading.wav), "rb") as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 24_000)
        loud = max(map(abs, memoryview(sound.readframes(sound.getnframes())).cast("h")))
    assert 3000 < loud < 32_767
    assert [path.name for path in reading.wav.parent.iterdir()] == ["kokoro.wav"]


@installed
def test_a_text_spoken_twice_is_the_same_bytes(tmp_path: Path) -> None:
    spoken = []
    for number in range(2):  # each in a process of its own
        (tmp_path / str(number)).mkdir()
        spoken.append(KokoroVoice().speak("Mưa to.", tmp_path / str(number)).read_bytes())
    assert spoken[0] == spoken[1]


def test_without_the_packages_the_sentence_says_how_to_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kokoro_files, "PARTS", ("no_such_package",))
    with pytest.raises(VoiceError) as failed:
        KokoroVoice().speak(TEXT, tmp_path)
    assert (failed.value.kind, failed.value.key) == (Trouble.REFUSED, "voices.kokoro_missing")
    assert "pip install 'loa-radio[kokoro]'" in failed.value.say("vi")
    assert not {each.name: each.available for each in voices()}["kokoro"]
    assert make_chain(["kokoro", "espeak"]).speak(tmp_path, TEXT).voice == "espeak"


SILENT = "out = wave.open(target, 'wb'); out.setparams((1, 2, 8000, 0, 'NONE', '')); out.writeframes(bytes(80_000))"


@pytest.mark.parametrize(
    ("script", "kind", "key"),
    [
        ("os.abort()", Trouble.TEMPORARY, "voices.crashed"),
        ("time.sleep(60)", Trouble.TEMPORARY, "studio.hung"),
        ("raise ValueError('bad')", Trouble.TEMPORARY, "studio.failed"),
        ("x = bytearray(1 << 40)", Trouble.TEMPORARY, "studio.failed"),
        ("pass", Trouble.TEMPORARY, "studio.unreadable"),
        (SILENT, Trouble.TEMPORARY, "studio.silent"),
        (SILENT.replace("80_000", "80"), Trouble.TEMPORARY, "studio.implausible"),
        ("sys.stderr.write('No space left on device'); sys.exit(1)", Trouble.TEMPORARY, "studio.disk_full"),
        (f"sys.exit({kokoro_speaker.MISSING})", Trouble.REFUSED, "voices.kokoro_missing"),
        (f"sys.stderr.write('part.bin'); sys.exit({kokoro_speaker.DAMAGED})", Trouble.REFUSED, "voices.kokoro_damaged"),
    ],
)
def test_a_speaker_that_misbehaves_takes_nobody_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, kind: Trouble, key: str
) -> None:
    path = tmp_path / "speaker.py"
    path.write_text(f"import os, sys, time, wave\n(target,) = sys.argv[1:]\n{script}\n")
    monkeypatch.setattr(kokoro_voice, "_SPEAKER", ["-I", str(path)])
    monkeypatch.setattr(kokoro_files, "missing", list)
    limit = 1.5 if key == "studio.hung" else 60.0  # the others end by themselves, however busy the machine is
    with pytest.raises(VoiceError) as failed:
        KokoroVoice(KokoroLimits(limit)).speak(TEXT, tmp_path)
    assert (failed.value.kind, failed.value.key) == (kind, key)
    assert failed.value.say("vi") != failed.value.say("en")


def test_a_text_without_words_is_refused_and_another_script_is_left_to_another_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kokoro_files, "missing", list)
    for text, kind in (("… !!!", Trouble.BAD_TEXT), ("中文 ภาษา", Trouble.REFUSED)):
        with pytest.raises(VoiceError) as failed:
            KokoroVoice().speak(text, tmp_path)
        assert failed.value.kind is kind
