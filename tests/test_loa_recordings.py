"""Recordings, repeats and drills from the shell."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from makers_loa import PLACE, Loa, at_home, in_this_process
from makers_sound_files import convert, generate, speech

from controller.store import Store


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    at_home(monkeypatch, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], home: Path) -> Loa:
    run = in_this_process(capsys)
    for command in (("user", "add", "an"), ("area", "add", "lang-son", "Tỉnh"), ("area", "add", PLACE, "Xã")):
        assert run(*command).code == 0
    return run


def test_a_recording_is_announced_with_its_language_and_how_often(loa: Loa, home: Path, tmp_path: Path) -> None:
    file = convert(tmp_path / "Chủ tịch xã.mp3")
    announce = ("announce", "--recording", file, "--area", PLACE, "--times", "2", "--drill", "--json")
    made = json.loads(loa(*announce, "--spoken-language", "tyz").out)
    store = Store(f"sqlite:///{home}/loa.db")
    held = store.announcements.get(made["announcement"])
    store.close()
    assert held is not None
    assert (held.title, held.language, held.times, held.drill) == ("Chủ tịch xã", "tyz", 2, True)
    assert (home / "recordings" / str(held.recording)).is_file()


def test_a_recording_that_cannot_be_used_is_refused_with_its_reason(loa: Loa, home: Path, tmp_path: Path) -> None:
    announce = ("announce", "--area", PLACE, "--recording")
    silence = generate(tmp_path / "silence.wav", "anullsrc=d=3")
    loa(*announce, silence).refuses(1, "is no sound in")
    loa(*announce, tmp_path / "none.wav").refuses(1, "cannot be read")
    loa(*announce, tmp_path).refuses(1, "cannot be read")
    loa(*announce, speech(), "--spoken-language", "tiếng Tày").refuses(1, "no language code")
    loa("announce", "--area", PLACE).refuses(2, "--recording")
    loa(*announce, speech(), "--times", "11").refuses(2, "11")
    store = Store(f"sqlite:///{home}/loa.db")
    assert store.announcements.list() == []
    store.close()


def test_a_recording_is_finished_as_it_would_be_broadcast(loa: Loa, tmp_path: Path) -> None:
    once, thrice = tmp_path / "a.ogg", tmp_path / "b.mp3"
    first = json.loads(loa("speak", "--recording", speech(), "-o", once, "--json").out)
    second = json.loads(loa("speak", "--recording", speech(), "--times", "3", "--mp3", "-o", thrice, "--json").out)
    assert (first["voice"], second["media_type"]) == ("recording", "audio/mpeg")
    assert second["seconds"] > first["seconds"] + 4
    read = subprocess.run(["ffprobe", "-v", "error", str(thrice)], check=False)
    assert read.returncode == 0
