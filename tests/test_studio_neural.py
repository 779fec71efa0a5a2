"""Neural voices: a real sherpa-onnx speaks a tiny model, in a process that may crash, hang or refuse."""

from __future__ import annotations

import importlib.util
import os
import shutil
import struct
import tarfile
import tomllib
import wave
from collections.abc import Callable
from pathlib import Path

import pytest
from makers_neural import (
    LETTERS,
    METADATA,
    RATE,
    make_model,
    make_tar,
    make_tokens,
    make_zip,
    piper_config,
    voice_files,
)
from makers_voice import make_program

from controller.studio import Trouble, VoiceError, make_chain, neural_speaker, neural_voice, voices
from controller.studio import phonemes as reading
from controller.studio.neural_voice import NeuralLimits, NeuralVoice
from controller.studio.phonemes import phonemes
from controller.studio.voice_keeping import Added, KeepingLimits, add, kept, remove
from controller.studio.wavs import duration_seconds, is_silent

TEXT = "Kính mời bà con đến nhà văn hóa thôn. Cuộc họp bắt đầu lúc bảy giờ."
PIPER = {"comment": "piper", "language": "Vietnamese", "sample_rate": str(RATE), "n_speakers": "1", "voice": "vi"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "voices"


def added(file: Path, home: Path, **more: str) -> Added:
    return add(file, home, licence=more.pop("licence", "CC0"), **more)


def refusal(file: Path, home: Path, licence: str = "CC0", **limits: int) -> VoiceError:
    with pytest.raises(VoiceError) as refused:
        add(file, home, licence=licence, limits=KeepingLimits(**limits))
    assert [path.name for path in home.glob("*")] in ([], [".lock"])
    assert refused.value.say("vi") != refused.value.say("en")
    return refused.value


def a_voice(tmp_path: Path, home: Path, **files: bytes) -> NeuralVoice:
    added(make_tar(tmp_path / "thu.tar.gz", voice_files(**files)), home)
    return NeuralVoice(home / "thu")


def failing(voice: NeuralVoice, folder: Path, text: str = TEXT) -> VoiceError:
    with pytest.raises(VoiceError) as failed:
        voice.speak(text, folder)
    return failed.value


# --- speaking ------------------------------------------------------------------------------------------------


def test_a_model_that_is_given_is_kept_and_speaks(tmp_path: Path, home: Path) -> None:
    came = make_tar(tmp_path / "vi_VN-thu.tar.bz2", voice_files(**{"vi-thu/LICENSE": b"MIT License\n\n(c)"}))
    new = add(came, home)
    assert (new.name, new.record.licence, new.record.source) == ("neural:vi-vn-thu", "MIT License", came.name)
    assert new.record.source_sha256 == neural_voice.neural_record.sha256_of(came)
    assert duration_seconds(new.sample) > 2
    assert sorted(path.name for path in new.sample.parent.iterdir()) == [
        "LICENCE.txt", "model.onnx", "sample.wav", "tokens.txt", "voice.toml",
    ]  # fmt: skip
    reading_of = make_chain([new.name], home).speak(tmp_path, TEXT)
    assert reading_of.voice == new.name
    with wave.open(str(reading_of.wav), "rb") as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, RATE)
    letters = sum(letter in LETTERS for letter in TEXT.lower())
    assert duration_seconds(reading_of.wav) == pytest.approx(letters * 0.08 + 0.35, abs=0.5)


def test_a_long_text_is_read_whole_in_parts_with_pauses_at_sentences(tmp_path: Path, home: Path) -> None:
    voice = a_voice(tmp_path, home)
    once = duration_seconds(voice.speak(TEXT, tmp_path))
    many = duration_seconds(voice.speak(" ".join([TEXT] * 60), tmp_path))
    assert many == pytest.approx(60 * once + 59 * 0.35, rel=0.02)
    assert sorted(path.name for path in tmp_path.glob("neural*")) == ["neural.wav"]


@pytest.mark.parametrize("make", [make_tar, make_zip])
@pytest.mark.parametrize("end", ["tar.gz", "tar.bz2", "tar.xz", "tar", "zip"])
def test_archives_of_every_kind_are_taken(
    tmp_path: Path, home: Path, make: Callable[[Path, dict[str, bytes]], Path], end: str
) -> None:
    if (make is make_zip) != (end == "zip"):
        make = make_zip if end == "zip" else make_tar
    assert added(make(tmp_path / f"thu.{end}", voice_files()), home).name == "neural:thu"


def test_a_folder_is_taken_and_left_as_it_is(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "giong"
    folder.mkdir()
    (folder / "a.onnx").write_bytes(make_model())
    (folder / "tokens.txt").write_bytes(make_tokens())
    (folder / "MODEL_CARD").write_text("# Model card\n\n* Dataset: x\n* License: CC BY 4.0\n")
    assert add(folder, home).record.licence == "CC BY 4.0"
    assert sorted(path.name for path in folder.iterdir()) == ["MODEL_CARD", "a.onnx", "tokens.txt"]


def test_a_model_of_piper_gets_its_facts_and_tokens_from_the_file_beside_it(tmp_path: Path, home: Path) -> None:
    (tmp_path / "vi.onnx").write_bytes(make_model({}, piper=True))
    (tmp_path / "vi.onnx.json").write_bytes(piper_config())
    new = added(tmp_path / "vi.onnx", home)
    assert (new.record.reads, new.record.language) == ("codepoints", "vi")
    assert duration_seconds(NeuralVoice(home / "vi").speak(TEXT, tmp_path)) > 3


def test_a_voice_taught_phonemes_gets_them_from_espeak(tmp_path: Path, home: Path) -> None:
    spoken = sorted({*phonemes(TEXT + " Kính chào bà con. Đây là giọng đọc mới của đài truyền thanh.", "vi"), "_^$"})
    tokens = "".join(f"{each} {number}\n" for number, each in enumerate([*"_^$", *spoken]) if len(each) == 1).encode()
    files = {"v/vi.onnx": make_model(PIPER, piper=True), "v/tokens.txt": tokens, "v/espeak-ng-data/x": b"ignored"}
    assert added(make_tar(tmp_path / "vi.tar.gz", files), home).record.reads == "phonemes"
    assert NeuralVoice(home / "vi").why_not() is None
    assert 3 < duration_seconds(NeuralVoice(home / "vi").speak(TEXT, tmp_path)) < 40


def test_a_sentence_without_end_is_spoken_in_pieces_with_a_breath_between(tmp_path: Path, home: Path) -> None:
    voice = a_voice(tmp_path, home)
    words = "mưa to gió lớn nước lên rất nhanh " * 20
    seconds = duration_seconds(voice.speak(words, tmp_path))
    assert seconds == pytest.approx(len(words) * 0.08, rel=0.02)


def test_phonemes_keep_the_marks_of_clauses_and_lose_the_marks_of_languages() -> None:
    spoken = phonemes("Kính mời bà con, [[h@l]] đến họp: bảy giờ… computer!", "vi")
    assert [each for each in spoken if each in ",;:.!?()[]"] == [",", ":", ".", "!"]
    assert phonemes("… , !", "vi") == ""


def test_a_lexicon_is_used_where_there_is_one(tmp_path: Path, home: Path) -> None:
    words = sorted(
        {
            word.strip(".,").lower()
            for word in f"{TEXT} Kính chào bà con Đây là giọng đọc mới của đài truyền thanh".split()
        }
    )
    lexicon = "".join(f"{word} {' '.join(word)}\n" for word in words).encode()
    facts = METADATA | {"frontend": "", "comment": "vits"}
    files = {"a.onnx": make_model(facts), "tokens.txt": make_tokens(), "lexicon.txt": lexicon}
    assert added(make_tar(tmp_path / "tu.tar.gz", files), home).record.reads == "lexicon"
    assert duration_seconds(NeuralVoice(home / "tu").speak(TEXT, tmp_path)) > 2


# --- voices that fail ----------------------------------------------------------------------------------------


def test_without_the_library_the_sentence_says_how_to_install_it(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = a_voice(tmp_path, home)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sherpa_onnx" else found(name))
    failed = failing(voice, tmp_path)
    assert (failed.kind, failed.key) == (Trouble.REFUSED, "voices.neural_missing")
    assert "pip install 'loa-radio[neural]'" in failed.say("vi")
    assert not {each.name: each.available for each in voices(home)}["neural:thu"]


def a_speaker(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a neural voice is spoken by ``script`` (Python)."""
    path = folder / "speaker.py"
    path.write_text(f"import os, sys, time, wave\nmodel, tokens, lexicon, target = sys.argv[1:]\n{script}\n")
    monkeypatch.setattr(neural_voice, "_SPEAKER", path)


SILENT = "out = wave.open(target, 'wb'); out.setparams((1, 2, 8000, 0, 'NONE', '')); out.writeframes(bytes(80_000))"


@pytest.mark.parametrize(
    ("script", "kind", "key"),
    [
        ("os.kill(os.getpid(), 11)", Trouble.TEMPORARY, "voices.crashed"),
        ("os.abort()", Trouble.TEMPORARY, "voices.crashed"),
        ("time.sleep(60)", Trouble.TEMPORARY, "studio.hung"),
        ("sys.exit(3)", Trouble.TEMPORARY, "studio.failed"),
        ("raise ValueError('bad')", Trouble.TEMPORARY, "studio.failed"),
        ("x = bytearray(1 << 40)", Trouble.TEMPORARY, "studio.failed"),
        ("pass", Trouble.TEMPORARY, "studio.unreadable"),
        ("open(target, 'w').write('no sound')", Trouble.TEMPORARY, "studio.unreadable"),
        (SILENT, Trouble.TEMPORARY, "studio.silent"),
        (SILENT.replace("80_000", "80"), Trouble.TEMPORARY, "studio.implausible"),
        ("sys.stderr.write('No space left on device'); sys.exit(1)", Trouble.TEMPORARY, "studio.disk_full"),
        (f"sys.exit({neural_speaker.MISSING})", Trouble.REFUSED, "voices.neural_missing"),
        (f"sys.exit({neural_speaker.REFUSED})", Trouble.REFUSED, "voices.unusable"),
    ],
)
def test_a_speaker_that_misbehaves_takes_nobody_with_it(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, script: str, kind: Trouble, key: str
) -> None:
    a_voice(tmp_path, home)
    a_speaker(tmp_path, script, monkeypatch)
    limit = 1.5 if key == "studio.hung" else 60.0  # the others end by themselves, however busy the machine is
    failed = failing(NeuralVoice(home / "thu", limits=NeuralLimits(limit)), tmp_path)
    assert (failed.kind, failed.key) == (kind, key)


def test_a_voice_that_fails_leaves_the_text_to_the_next(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_voice(tmp_path, home)
    a_speaker(tmp_path, "os.abort()", monkeypatch)
    assert make_chain(["neural:thu", "espeak"], home).speak(tmp_path, TEXT).voice == "espeak"


@pytest.mark.parametrize("name", ["model.onnx", "tokens.txt"])
def test_a_file_that_was_changed_is_not_used(tmp_path: Path, home: Path, name: str) -> None:
    voice = a_voice(tmp_path, home)
    assert voice.why_not() is None
    path = home / "thu" / name
    held = path.read_bytes()
    path.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))
    os.utime(path, ns=(1, 1))
    failed = failing(voice, tmp_path)
    assert (failed.kind, failed.key) == (Trouble.REFUSED, "voices.changed")
    assert name in failed.say("vi")
    path.unlink()
    assert failing(voice, tmp_path).key == "voices.unreadable"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("reads", "speaks", "missing_key"),
        ('"letters"', '"minds"', "bad_value"),
        ('"letters"', "7", "bad_value"),
        ('"vi"', '"vi; rm"', "bad_value"),
        ('"model.onnx"', '"../../etc/passwd"', "bad_value"),
        ("reads", "x = 1\nreads", "unknown_key"),
        ("reads", "\0", "not_toml"),
    ],
)
def test_a_record_that_was_changed_is_answered_with_its_key(
    tmp_path: Path, home: Path, old: str, new: str, key: str
) -> None:
    voice = a_voice(tmp_path, home)
    path = home / "thu" / "voice.toml"
    path.write_text(path.read_text().replace(old, new, 1))
    assert (failing(voice, tmp_path).kind, failing(voice, tmp_path).key) == (Trouble.REFUSED, f"voices.{key}")


def test_a_text_without_words_is_refused(tmp_path: Path, home: Path) -> None:
    assert failing(a_voice(tmp_path, home), tmp_path, "… !!!").kind is Trouble.BAD_TEXT


def test_espeak_that_is_missing_or_broken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program, key in (("no-such-espeak", "espeak_missing"), (make_program(tmp_path, "exit 3"), "failed")):
        monkeypatch.setattr(reading, "PROGRAM", program)
        with pytest.raises(VoiceError) as failed:
            phonemes("Xin chào.", "vi")
        assert failed.value.key == f"studio.{key}"
        assert (reading.not_installed() is None) == (key == "failed")


# --- adding and removing -------------------------------------------------------------------------------------


def a_tar(target: Path, *entries: tuple[str, bytes, str]) -> Path:
    """A tar of (name, kind, link) entries before a good voice."""
    with tarfile.open(target, "w:gz") as archive:
        for name, kind, link in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, link
            archive.addfile(entry)
    return target


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "a\\..\\b", "C:/x", "a\nb", "x" * 250, ".."])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, home: Path, name: str) -> None:
    for make, end in ((make_tar, "tar.gz"), (make_zip, "zip")):
        failed = refusal(make(tmp_path / f"thu.{end}", {**voice_files(), name: b"x"}), home)
        assert failed.key in {"voices.archive_unsafe_name", "voices.archive_broken"}
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.BLKTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, home: Path, kind: bytes) -> None:
    failed = refusal(a_tar(tmp_path / "thu.tar.gz", ("model.onnx", kind, "/etc/passwd")), home)
    assert failed.key == "voices.archive_not_a_file"


def test_a_link_in_a_zip_or_a_folder_is_refused(tmp_path: Path, home: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "thu.zip", "w") as archive:
        entry = zipfile.ZipInfo("model.onnx")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    assert refusal(tmp_path / "thu.zip", home).key == "voices.archive_not_a_file"
    (tmp_path / "giong").mkdir()
    (tmp_path / "giong" / "a.onnx").symlink_to("/etc/passwd")
    assert refusal(tmp_path / "giong", home).key == "voices.archive_not_a_file"


def test_a_name_that_comes_twice_or_is_file_and_folder_is_refused(tmp_path: Path, home: Path) -> None:
    with tarfile.open(tmp_path / "thu.tar", "w") as archive:
        for name in ("tokens.txt", "tokens.txt"):
            archive.addfile(tarfile.TarInfo(name))
    assert refusal(tmp_path / "thu.tar", home).key == "voices.archive_unsafe_name"
    assert refusal(make_tar(tmp_path / "b.tar", {"a": b"", "a/b": b""}), home).key == "voices.archive_unsafe_name"


def test_bombs_are_stopped_by_what_comes_out_not_by_what_is_said(tmp_path: Path, home: Path) -> None:
    bomb = {"zero": bytes(50_000_000)}
    for make, end in ((make_tar, "tar.gz"), (make_tar, "tar.xz"), (make_zip, "zip")):
        assert (
            refusal(make(tmp_path / f"thu.{end}", bomb), home, most_bytes=9_000_000).key == "voices.archive_too_large"
        )
    many = {f"f{number}": b"" for number in range(60)}
    for make, end in ((make_tar, "tar.gz"), (make_zip, "zip")):
        assert refusal(make(tmp_path / f"thu.{end}", many), home, most_files=50).key == "voices.archive_too_many"
    huge = tarfile.TarInfo("x")
    huge.type, huge.size = tarfile.XHDTYPE, 1 << 40
    (tmp_path / "p.tar").write_bytes(huge.tobuf() + bytes(1 << 20))
    assert refusal(tmp_path / "p.tar", home).kind is Trouble.REFUSED
    assert refusal(make_tar(tmp_path / "thu.tar", bomb), home, most_bytes=1_000_000).key == "voices.archive_too_large"


def test_an_archive_that_is_none_or_cut_off_is_refused(tmp_path: Path, home: Path) -> None:
    good = make_tar(tmp_path / "thu.tar.gz", voice_files()).read_bytes()
    zipped = make_zip(tmp_path / "thu.zip", voice_files()).read_bytes()
    for held in (b"", b"PK\x03\x04", good[: len(good) // 2], b"\x1f\x8b" + bytes(99), zipped[:300], bytes(20_000)):
        for end in ("tar.gz", "zip"):
            (tmp_path / f"hong.{end}").write_bytes(held)
            assert refusal(tmp_path / f"hong.{end}", home).key in {"voices.archive_broken", "voices.no_model"}
    for name in ("none.zip", "none.onnx"):
        assert refusal(tmp_path / name, home).key == "voices.unreadable"
    (tmp_path / "thu.exe").write_bytes(good)
    assert refusal(tmp_path / "thu.exe", home).key == "voices.no_voice_file"


@pytest.mark.parametrize(
    ("files", "key"),
    [
        ({"a.txt": b""}, "no_model"),
        ({"a.onnx": make_model(), "b.onnx": make_model()}, "many_models"),
        ({"a.onnx": b"", "tokens.txt": make_tokens()}, "not_onnx"),
        ({"a.onnx": b"\xff" * 99, "tokens.txt": make_tokens()}, "not_onnx"),
        ({"a.onnx": make_model()[:-9], "tokens.txt": make_tokens()}, "not_onnx"),
        ({"a.onnx": make_model()}, "no_tokens"),
        ({"a.onnx": make_model({}), "tokens.txt": make_tokens()}, "no_facts"),
        ({"a.onnx": make_model({}), "a.onnx.json": b"{"}, "bad_config"),
        ({"a.onnx": make_model({}), "a.onnx.json": b"[" * 99_999}, "bad_config"),
        ({"a.onnx": make_model({}), "a.onnx.json": b"[]"}, "bad_config"),
        ({"a.onnx": make_model({}), "a.onnx.json": b'{"audio": {"sample_rate": true}}'}, "no_facts"),
        ({"a.onnx": make_model({}), "a.onnx.json": b'{"audio": {"sample_rate": 16000}}'}, "no_tokens"),
        (
            {
                "a.onnx": make_model({}),
                "a.onnx.json": b'{"audio": {"sample_rate": 16000}, "phoneme_id_map": {"a": [-1]}}',
            },
            "bad_config",
        ),
    ],
)
def test_what_is_no_voice_is_refused_with_what_is_missing(
    tmp_path: Path, home: Path, files: dict[str, bytes], key: str
) -> None:
    assert refusal(make_tar(tmp_path / "thu.tar.gz", files), home).key == f"voices.{key}"


@pytest.mark.parametrize(
    "model",
    [
        make_model(METADATA | {"sample_rate": "many"}),
        make_model(METADATA | {"n_speakers": "-5"}),
        make_model({"sample_rate": "16000"}),
        make_model(loudness=0.0),
        make_model(loudness=float("nan")),
        make_model().replace(b"Reshape", b"NoSuchO"),
        struct.pack("<BB", 0x3A, 0) + make_model()[-400:][make_model()[-400:].index(b"r") - 3 :],
    ],
)
def test_a_model_that_cannot_speak_is_not_kept(tmp_path: Path, home: Path, model: bytes) -> None:
    files = {"a.onnx": model, "tokens.txt": make_tokens()}
    refusal(make_tar(tmp_path / "thu.tar.gz", files), home)


def test_without_a_licence_nothing_is_kept(tmp_path: Path, home: Path) -> None:
    came = make_tar(tmp_path / "thu.tar.gz", voice_files())
    assert refusal(came, home, licence=" \n ").key == "voices.no_licence"
    assert add(came, home, licence="CC BY\n4.0\x07").record.licence == "CC BY 4.0"
    assert tomllib.loads((home / "thu" / "voice.toml").read_text())["licence"] == "CC BY 4.0"


def test_a_name_is_checked_and_taken_once(tmp_path: Path, home: Path) -> None:
    came = make_tar(tmp_path / "thu.tar.gz", voice_files())
    for name in ("../x", "A", "-x", "x" * 41, "a b", ".adding"):
        with pytest.raises(VoiceError) as refused:
            add(came, home, name, "CC0")
        assert refused.value.key == "voices.bad_name"
    add(came, home, "mai", "CC0")
    with pytest.raises(VoiceError) as taken:
        add(came, home, "mai", "CC0")
    assert taken.value.key == "voices.name_taken"
    assert kept(home) == ["mai"]


def test_what_a_killed_process_left_goes_and_two_at_a_time_wait(tmp_path: Path, home: Path) -> None:
    import fcntl

    left = home / ".adding-left"
    left.mkdir(parents=True)
    came = make_tar(tmp_path / "thu.tar.gz", voice_files())
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(VoiceError) as busy:
            added(came, home)
        assert (busy.value.key, left.exists()) == ("voices.busy", True)
    added(came, home)
    assert not left.exists()


def test_a_voice_that_is_removed_is_gone(tmp_path: Path, home: Path) -> None:
    a_voice(tmp_path, home)
    remove("thu", home)
    assert [path.name for path in home.iterdir()] == [".lock"]
    for name in ("thu", "..", "", "../x", ".lock"):
        with pytest.raises(VoiceError, match="no neural voice"):
            remove(name, home)
    with pytest.raises(VoiceError, match="Voices: espeak, gtts, kokoro"):
        make_chain(["neural:thu"], home).speak(tmp_path, "Có.")
    assert make_chain(["neural:thu", "espeak"], home).speak(tmp_path, "Có.").voice == "espeak"


def test_silence_is_told_from_sound(tmp_path: Path, home: Path) -> None:
    assert not is_silent(a_voice(tmp_path, home).speak(TEXT, tmp_path))
    shutil.rmtree(home)
