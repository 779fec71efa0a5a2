"""The intelligibility bench: wrong words are counted right, voices are compared in pairs, the lists stay apart."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import intelligibility, measure, recogniser, word_errors
from bench.recogniser import Listener, NoRecogniser
from bench.word_errors import Heard, char_error, fewer, heard, interval, word_error
from controller.studio.kokoro_voice import KokoroVoice
from loa.verbs.bench import NAMES

needs_programs = pytest.mark.skipif(
    not all(shutil.which(name) for name in ("espeak-ng", "ffmpeg")), reason="espeak-ng or ffmpeg is not installed"
)


@pytest.mark.parametrize(
    ("said", "written", "wrong"),
    [
        ("Mời bà con đến họp.", "mời bà con đến họp", 0),
        ("mời bà con đến họp", "mời con đến họp", 1),  # left out
        ("mời bà con đến họp", "xin mời bà con đến họp", 1),  # put in
        ("mời bà con đến họp", "mời bà còn đến hợp", 2),  # replaced
        ("mời bà con đến họp", "", 5),
        ("mời bà con đến họp", "…", 5),
        ("họp lúc bảy giờ", "Họp lúc 7 giờ.", 0),
        ("ngoài nhà văn hóa ký giấy", "ngoài nhà văn hoá kí giấy", 0),
        ("đường", "đương", 1),
    ],
)
def test_wrong_words_are_counted(said: str, written: str, wrong: int) -> None:
    found = heard(said, written)
    assert (found.wrong_words, found.words) == (wrong, len(said.split()))


def test_the_error_is_of_all_sentences_together() -> None:
    sentences = [Heard(1, 2, 1, 10), Heard(0, 8, 0, 30)]
    assert word_error(sentences) == pytest.approx(0.1)
    assert char_error(sentences) == pytest.approx(1 / 40)


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)))
def test_a_distance_is_a_distance(one: list[int], other: list[int]) -> None:
    found = word_errors.distance(one, other)
    assert found == word_errors.distance(other, one)
    assert abs(len(one) - len(other)) <= found <= max(len(one), len(other))
    assert (found == 0) == (one == other)


def test_a_voice_that_is_better_in_every_sentence_is_better_for_sure() -> None:
    worse = [Heard(8, 10, 0, 1)] * 20
    better = [Heard(4, 10, 0, 1), Heard(2, 10, 0, 1)] * 10
    low, high = interval(better, worse)
    assert fewer(better, worse) == pytest.approx(1 - 3 / 8)
    assert 0.5 < low < fewer(better, worse) < high < 0.75
    assert interval(worse, worse) == (0, 0)


def test_the_lists_are_apart_and_in_spoken_form() -> None:
    tuning, held_out = intelligibility.tuning(), intelligibility.held_out()
    heard_before = tomllib.loads(intelligibility.TEXTS.read_text("utf-8"))["heard"]
    assert (len(tuning) >= 30, len(held_out) >= 120) == (True, True)
    assert len({*tuning, *held_out, *heard_before}) == len(tuning) + len(held_out) + len(heard_before)
    for text in [*tuning, *held_out]:
        assert 6 <= len(word_errors.words(text)) <= 20, text
        assert not any(char.isdigit() for char in text)


def test_the_held_out_list_is_the_one_that_was_kept() -> None:
    kept = hashlib.sha256("\n".join(intelligibility.held_out()).encode()).hexdigest()
    assert kept == "fa5957ddae0e8396ae7a44b3974fc6714fe8dca44e2767afb1a74cca00d91d68"


@needs_programs
def test_every_voice_is_read_back() -> None:
    asked: list[str] = []

    @contextmanager
    def deaf(folder: Path) -> Iterator[Listener]:
        def listen(sound: Path) -> str:
            assert sound.stat().st_size > 1000
            asked.append(sound.suffix)
            return "mời bà con" if sound.suffix == ".wav" else ""

        yield listen

    found = intelligibility.measured_with(deaf, quick=True)
    kokoro = KokoroVoice().why_not() is None
    assert (asked.count(".wav"), asked.count(".opus")) == ((8, 6) if kokoro else (6, 4))
    assert kokoro == ("studio's kokoro voice, on air: words wrong" in {figure.name for figure in found.figures})
    values = {figure.name: figure.value for figure in found.figures}
    assert values["espeak-ng -v vi, on air: words wrong"] == 100
    assert 50 < values["studio's espeak voice: words wrong"] < 100
    assert values["studio's espeak voice: fewer wrong words than espeak-ng -v vi"] == 0  # deaf to any difference


def test_without_a_recogniser_the_bench_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recogniser, "find_spec", lambda name: None)
    with pytest.raises(NoRecogniser, match=r"\./run bench --only intelligibility"), recogniser.whisper(tmp_path):
        pass


@needs_programs
def test_the_recogniser_writes_down_words(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="the extra intelligibility is not installed")
    sound = intelligibility.out_of_the_box("xin chào bà con", tmp_path)
    with recogniser.whisper(tmp_path) as listener:
        assert word_errors.words(listener(sound))


def test_the_command_line_offers_every_measurement() -> None:
    assert tuple(measure.MEASUREMENTS) == NAMES
