"""How the offline voice says syllables: its own sounds by default, others where measured, nothing lost or let in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_voice import make_program

from controller.studio import diction
from controller.studio.diction import Syllable, dictated, syllables, words
from controller.studio.espeak_voice import EspeakVoice
from controller.studio.wavs import duration_seconds

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
TEXT = "Kính mời bà con đến nhà văn hóa thôn. Cuộc họp bắt đầu lúc bảy giờ."


def known(text: str) -> dict[str, Syllable]:
    """What the installed espeak-ng would make of each word of ``text``."""
    asked = words(text)
    command = ["espeak-ng", "-v", "vi", "-q", "-x", "-b", "1", "--stdin"]
    said = subprocess.run(command, input="\n\n".join(asked), capture_output=True, check=True, text=True).stdout
    return syllables(asked, said)


def sound(folder: Path, text: str) -> bytes:
    command = ["espeak-ng", "-v", "vi", "-b", "1", "-w", str(folder / "said.wav"), "--stdin"]
    subprocess.run(command, input=text, check=True, text=True)
    return (folder / "said.wav").read_bytes()


def test_only_what_can_be_vietnamese_is_asked_for_and_once() -> None:
    assert words("Bà con, bà CON: 12 mp3 ở thôn") == ["bà", "con", "ở", "thôn"]


def test_a_word_never_gets_the_sounds_of_another() -> None:
    said = "_b'a:2_|\nk,O1n_|\n"
    assert syllables(["bà", "con"], said)["con"] == Syllable("con", "k", ",", "O", "1", "n")
    assert syllables(["bà", "con", "ơi"], said) == {}


@pytest.mark.parametrize("said", ["(en)sm'I1T(vi)_|", ",a:1b,e1s'e7_|", "", "fˈeɪsbʊk"])
def test_what_is_no_single_syllable_stays_as_it_is_written(said: str) -> None:
    found = syllables(["át"], said)
    assert found == {}
    assert dictated("át chủ bài", found) == "át chủ bài"


def test_the_level_tone_falls_only_before_a_pause() -> None:
    found = {"con": Syllable("con", "x", "'", "O", "7", "n")}
    assert dictated("con con, con (con) con", found) == (
        "[[x'O1n]] [[x'O7n]], [[x'O7n]], [[x'O7n]],  [[x'O7n]]".replace("x'", _onset("con") + "'")
    )


def _onset(word: str) -> str:
    return diction.ONSETS.get(word[0], "x")


def test_signs_that_would_get_lost_keep_the_sentence_as_it_is() -> None:
    found = {"con": Syllable("con", "k", "'", "O", "7", "n")}
    assert dictated("con & con", found) == "con & con"


@given(st.text())
def test_any_text_at_all_is_taken(text: str) -> None:
    found = {word: Syllable(word, "k", "'", "O", "7", "n") for word in words(text)}
    dictated(text, found)
    assert words(dictated(text, {})) == words(text)


@needs_espeak
def test_without_exchanges_the_sounds_are_those_of_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = sound(tmp_path, TEXT)
    for table in ("ONSETS", "CODAS", "VOWELS", "RHYMES"):
        monkeypatch.setattr(diction, table, {})
    said = dictated(TEXT, known(TEXT))
    assert said.count("[[") == len(TEXT.split())
    assert sound(tmp_path, said) == plain


@needs_espeak
def test_every_exchange_names_sounds_that_the_engine_has(tmp_path: Path) -> None:
    onsets = [f"{onset}'a:1" for onset in diction.ONSETS.values()]
    rest = [f"t'{vowel}1{coda}" for vowel, coda in diction.RHYMES.values()]
    rest += [f"t'a:1{coda}" for coda in diction.CODAS.values()] + [f"t'{vowel}1" for vowel in diction.VOWELS.values()]
    heard = {spelt: sound(tmp_path, f"[[{spelt}]]") for spelt in [*onsets, *rest]}
    assert heard
    assert len({*heard.values(), sound(tmp_path, "[['a:1]]"), sound(tmp_path, "[[t'1]]")}) == len(set(heard)) + 2


@needs_espeak
def test_exchanges_are_heard(tmp_path: Path) -> None:
    text = "Đi gì cá rừng gà nhà."
    assert sound(tmp_path, dictated(text, known(text))) != sound(tmp_path, text)


@needs_espeak
def test_instructions_in_a_text_are_never_followed(tmp_path: Path) -> None:
    voice = EspeakVoice()
    said = duration_seconds(voice.speak("Bà con [[a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1]] ơi", tmp_path))
    spelt = duration_seconds(voice.speak("Bà con a một a một a một a một ơi", tmp_path))
    assert said > spelt  # read out, letter by letter


@needs_espeak
@pytest.mark.parametrize("broken", ["--load", "-x"])
def test_an_engine_that_does_not_know_how_reads_as_it_comes(tmp_path: Path, broken: str) -> None:
    script = f'for each; do [ "$each" = {broken} ] && exit 1; done; exec espeak-ng "$@"'
    wav = EspeakVoice(program=make_program(tmp_path, script)).speak(TEXT, tmp_path)
    assert 3 < duration_seconds(wav) < 15


@needs_espeak
def test_a_very_long_sentence_is_read_whole(tmp_path: Path) -> None:
    one = duration_seconds(EspeakVoice().speak("kính mời bà con đến nhà văn hóa", tmp_path))
    many = duration_seconds(EspeakVoice().speak("kính mời bà con đến nhà văn hóa " * 80, tmp_path))
    assert many == pytest.approx(80 * one, rel=0.25)
