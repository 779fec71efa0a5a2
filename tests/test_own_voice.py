"""The node's own voice with the real espeak-ng: any text at all, and programs that misbehave."""

from __future__ import annotations

import resource
import stat
import wave
from pathlib import Path
from types import SimpleNamespace

import pytest
from makers_emergency import TEXT

from edge_node import own_voice
from edge_node.own_voice import NoVoice, OwnVoice


def seconds(path: Path) -> float:
    with wave.open(str(path), "rb") as sound:
        return sound.getnframes() / sound.getframerate()


def spoken(text: str, folder: Path) -> float:
    target = folder / "speech.wav"
    OwnVoice().speak(text, target)
    return seconds(target)


def program(folder: Path, script: str) -> str:
    path = folder / "espeak-ng"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_text_is_spoken(tmp_path: Path) -> None:
    assert 4 < spoken(TEXT, tmp_path) < 15


@pytest.mark.parametrize(
    "text",
    [
        "-w /tmp/loa-never.wav --stdout Khẩn cấp",
        "<speak><audio src='/etc/passwd'>Khẩn cấp</audio></speak>",
        "[[h@'loU]] Khẩn\x00 cấp\x1b[31m \u202e\ud7ff",
        "A" * 5000,
        "Khẩn cấp! " * 500,
        "\n\n\n.\nđi\n",
    ],
)
def test_no_text_is_an_instruction_or_too_much(tmp_path: Path, text: str) -> None:
    assert spoken(text, tmp_path) > 0.2
    assert [path.name for path in tmp_path.iterdir()] == ["speech.wav"]
    assert not Path("/tmp/loa-never.wav").exists()


def test_tags_and_phonemes_are_not_obeyed(tmp_path: Path) -> None:
    tagged = spoken("[[ ]] <break time='9s'/> Lũ về", tmp_path)
    assert tagged < 6


@pytest.mark.parametrize("text", ["", " \n", "...", "\x00\x07", "<>[]", "\u202e"])
def test_nothing_to_say_is_said_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(NoVoice, match="nothing to say"):
        spoken(text, tmp_path)


def test_a_node_without_the_program_or_without_a_voice_has_none(tmp_path: Path) -> None:
    for voice in (OwnVoice(program="no-such-program"), OwnVoice(voice="")):
        assert not voice.works
        with pytest.raises(NoVoice, match="no voice"):
            voice.speak(TEXT, tmp_path / "speech.wav")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("cat >/dev/null; exit 3", "ended with 3"),
        ("cat >/dev/null", "wrote nothing"),
        ("exit 0", "wrote nothing"),
        ("exec cat /dev/zero >&2", "did not end"),
        ("sleep 60", "did not end"),
    ],
)
def test_a_program_that_misbehaves_is_ended_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    if why == "did not end":  # the others end by themselves, however busy the machine is
        monkeypatch.setattr(own_voice, "LIMIT_SECONDS", 1.0)
    monkeypatch.setattr(own_voice, "MOST_MEMORY_BYTES", resource.RLIM_INFINITY)
    voice = OwnVoice(program=program(tmp_path, script))
    with pytest.raises(NoVoice, match=why):
        voice.speak(TEXT, tmp_path / "speech.wav")


@pytest.mark.parametrize("script", ["cat >/dev/null", 'while [ "$1" != -w ]; do shift; done; head -c 999 SPEECH >"$2"'])
def test_a_full_disk_is_no_matter_of_the_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    OwnVoice().speak(TEXT, tmp_path / "whole.wav")
    voice = OwnVoice(program=program(tmp_path, script.replace("SPEECH", str(tmp_path / "whole.wav"))))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(OSError, match="room"):
        voice.speak(TEXT, tmp_path / "speech.wav")
