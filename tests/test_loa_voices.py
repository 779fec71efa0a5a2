"""`loa voices` and its verbs: listing, adding, removing, sampling, as an operator types them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from makers_http import MINIMAL, describe, http_service
from makers_loa import Loa, at_home, in_this_process
from makers_neural import make_tar, voice_files
from makers_voice import make_mp3

from controller.bootstrap import make_sampler, make_studio
from controller.settings import from_values
from controller.studio import VoiceError, kokoro_files
from controller.studio.wavs import duration_seconds
from wire.plan import BulletinClass

KOKORO = not kokoro_files.missing()


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    at_home(monkeypatch, tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    return in_this_process(capsys)


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    return make_tar(tmp_path / "vi-mai.tar.gz", voice_files())


def listed(loa: Loa) -> dict[str, bool]:
    return {row["voice"]: row["available"] for row in json.loads(loa("voices", "--json").out)}


def test_a_voice_is_added_sampled_named_in_the_settings_and_removed(
    loa: Loa, voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = loa("voices", "add", voice, "--licence", "CC BY 4.0", "--name", "mai")
    assert (told.code, told.err) == (0, "")
    sha256, path = [line.split(": ", 1)[1].split(" (")[0] for line in told.out.splitlines()[1:]]
    assert len(sha256) == 64
    assert "CC BY 4.0" in told.out
    assert duration_seconds(Path(path)) > 1
    assert listed(loa) == {"espeak": True, "gtts": True, "kokoro": KOKORO, "neural:mai": True}
    facts = json.loads(loa("voices", "sample", "neural:mai", "--text", "họp lúc 7h30", "-o", "a.wav", "--json").out)
    assert facts == {"voice": "neural:mai", "file": "a.wav", "seconds": pytest.approx(duration_seconds(Path("a.wav")))}
    monkeypatch.setenv("LOA_VOICE_CHAIN", "neural:mai,espeak")
    assert json.loads(loa("speak", "Xin chào bà con.", "-o", "b.ogg", "--json").out)["voice"] == "neural:mai"
    settings = from_values({"state_dir": str(tmp_path / "home"), "voice_chain": ["neural:mai"]})
    make_studio(settings)
    make_sampler(settings)
    loa("voices", "remove", "mai").refuses(1, "voice_chain")
    monkeypatch.setenv("LOA_VOICE_CHAIN", "espeak")
    assert "neural:mai was removed" in loa("voices", "remove", "neural:mai").out
    assert listed(loa) == {"espeak": True, "gtts": True, "kokoro": KOKORO}
    with pytest.raises(VoiceError, match="no voice named neural:mai"):
        make_studio(settings).produce("Có.", BulletinClass.ORDINARY)
    monkeypatch.setenv("LOA_VOICE_CHAIN", "neural:mai,espeak")
    assert json.loads(loa("speak", "Xin chào bà con.", "-o", "b.ogg", "--json").out)["voice"] == "espeak"


def test_what_cannot_be_added_is_one_sentence(loa: Loa, voice: Path, tmp_path: Path) -> None:
    loa("voices", "add", voice).refuses(1, "no licence", "--licence")
    loa("voices", "add", "none.zip", "--licence", "x").refuses(1, "none.zip", "no such file")
    loa("voices", "add", voice, "--name", "Mai", "--licence", "x").refuses(1, "“Mai”")
    loa("voices", "add").refuses(2, "FILE")
    loa("voices", "addd", voice).refuses(2, "perhaps add")
    assert json.loads(loa("voices", "add", voice, "--licence", "x", "--json").out)["voice"] == "neural:vi-mai"
    loa("voices", "add", voice, "--licence", "x").refuses(1, "already")


def test_what_is_not_there_is_not_removed_nor_sampled(loa: Loa, tmp_path: Path) -> None:
    loa("voices", "remove", "mai").refuses(1, "mai")
    loa("voices", "remove", "espeak").refuses(1, "espeak")
    loa("voices", "remove", "http:fpt").refuses(1, "fpt.toml")
    loa("voices", "sample", "neural:mai").refuses(1, "espeak, gtts, kokoro")
    assert loa("voices", "sample", "espeak").out.startswith("espeak.wav: ")
    loa("voices", "sample", "espeak").refuses(1, "espeak.wav")
    loa("voices", "sample", "espeak", "-o", "/dev/full").refuses(1, "the disk is full")
    loa("voices", "sample", "espeak", "--text", "…", "-o", "x.wav").refuses(1, "nothing to read")


def test_a_machine_without_the_library_is_told_what_to_install(
    loa: Loa, voice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loa("voices", "add", voice, "--licence", "x")
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sherpa_onnx" else found(name))
    assert "loa-radio[neural]" in loa("voices").out
    assert loa("voices").code == 0
    loa("voices", "sample", "neural:vi-mai").refuses(3, "pip install")
    loa("voices", "add", voice, "--licence", "x", "--name", "b").refuses(3, "pip install")


def test_a_described_service_is_listed_and_sampled(loa: Loa, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "voices"
    folder.mkdir(parents=True)
    describe(folder, "url = 7", name="hong")
    with http_service((200, make_mp3(tmp_path, 4.0))) as service:
        describe(folder, MINIMAL, service, "fpt")
        assert listed(loa) == {"espeak": True, "gtts": True, "kokoro": KOKORO, "http:fpt": True, "http:hong": False}
        assert "“url”" in loa("voices").out
        assert loa("voices", "sample", "http:fpt").out.startswith("http-fpt.wav: ")
    assert duration_seconds(Path("http-fpt.wav")) > 3
