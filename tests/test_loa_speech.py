"""`loa spoken`, `speak`, `voices`, and what a machine lacks: through pipes, with any bytes at all."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers_loa import Loa, at_home, in_this_process, typed

from controller import studio
from fleet import mosquitto, nats
from loa import texts


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    at_home(monkeypatch, tmp_path / "home")
    return in_this_process(capsys)


# --- spoken --------------------------------------------------------------------------------------------------


def test_words_given_are_read_as_one_line(loa: Loa) -> None:
    assert loa("spoken", "lúc", "7h30").out == "lúc bảy giờ ba mươi phút\n"
    assert loa("spoken", "--", "-5").out == "âm năm\n"
    assert loa("spoken", "").out == "\n"
    assert loa("spoken", "một\r\n\n\u2028hai").out.count("\n") == 1


def test_json_says_what_was_rewritten(loa: Loa, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "ngày 5/6\n\nQWK\n".encode())
    first, empty, unknown = [json.loads(line) for line in loa("spoken", "--json").out.splitlines()]
    assert first["rewrites"] == [{"written": "5/6", "spoken": "năm tháng sáu", "why": "date"}]
    assert empty == {"spoken": "", "rewrites": [], "flags": []}
    assert unknown["flags"] == ["QWK"]


def test_what_is_read_otherwise_is_explained_to_a_person(loa: Loa) -> None:
    told = loa("spoken", "--explain", "UBND họp 7h30 🎉 tại QWK thoong").out.splitlines()
    assert told[0].startswith("Ủy ban nhân dân họp bảy giờ ba mươi phút tại ")
    assert [line.split(" → ")[0].strip() for line in told[1:5]] == ["UBND", "7h30", "🎉", "QWK"]
    assert told[2].endswith("time of day")
    assert told[5].startswith("  ? QWK: ")
    assert "thông" in told[6]


def test_what_is_read_otherwise_is_explained_to_a_program(loa: Loa) -> None:
    (line,) = loa("spoken", "--explain", "--json", "họp 7h30 thoong").out.splitlines()
    facts = json.loads(line)
    (rewrite,), (flag,) = facts["rewrites"], facts["flags"]
    assert facts["source"][rewrite["start"] : rewrite["end"]] == rewrite["written"] == "7h30"
    assert (rewrite["spoken"], rewrite["why"]) == ("bảy giờ ba mươi phút", "clock")
    assert (flag["written"], flag["why"], flag["suggestion"]) == ("thoong", "telex", "thông")


@pytest.mark.parametrize(
    ("came", "lines"),
    [
        (b"", 0),
        (b"\n", 1),
        (b"\n\n\n", 3),
        (b"a\r\n\r\nb\r\n", 3),
        (b"a", 1),
        (b"a\nb", 2),
        (b"\xff\xfe\n\xc3\n", 2),
        (b"a\x00b\x1b[2J\n\x00\n", 2),
        ("a\u2028b\x85c\vd\fe\rf\ng\n".encode(), 2),
        ("\ufeffxã\n".encode(), 1),
        ("ngày 5/6 ".encode() * 3_000 + b"\n1\n", 2),
    ],
)
def test_one_line_goes_out_for_each_that_comes_in(
    loa: Loa, monkeypatch: pytest.MonkeyPatch, came: bytes, lines: int
) -> None:
    for more in ((), ("--json",)):
        typed(monkeypatch, came)
        told = loa("spoken", *more)
        assert (told.code, told.err) == (0, "")
        assert told.out.count("\n") == lines
        assert len(told.out.splitlines()) == lines


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.binary(max_size=300))
def test_any_bytes_keep_their_number_of_lines(loa: Loa, monkeypatch: pytest.MonkeyPatch, came: bytes) -> None:
    typed(monkeypatch, came)
    told = loa("spoken")
    assert told.code == 0
    assert told.out.count("\n") == came.count(b"\n") + bool(came and not came.endswith(b"\n"))


def test_a_line_without_end_is_refused(loa: Loa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MOST_LINE_BYTES", 1000)
    typed(monkeypatch, b"mot\n" + b"x" * 2000)
    told = loa("spoken")
    assert (told.code, told.out) == (1, "mot\n")
    assert "longer than 1000 bytes" in told.err


def test_no_standard_input_is_an_empty_one(loa: Loa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert loa("spoken") == loa("spoken")
    assert loa("spoken").out == ""


def test_a_person_at_the_keyboard_is_told_that_it_is_their_turn(loa: Loa, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, b"5\n")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    told = loa("spoken")
    assert told.out == "năm\n"
    assert "Ctrl-D" in told.err


# --- speak ---------------------------------------------------------------------------------------------------


def test_a_text_becomes_a_file(loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not studio.voices()[0].available:
        pytest.skip("the offline voice is not installed: apt-get install espeak-ng ffmpeg")
    file = tmp_path / "a.ogg"
    typed(monkeypatch, "Kính mời bà con\nđi họp lúc 7h30.\n".encode())
    facts = json.loads(loa("speak", "-o", file, "--json").out)
    assert file.read_bytes()[:4] == b"OggS"
    assert facts["file"] == str(file)
    assert facts["seconds"] > 1
    assert facts.keys() == {"file", "sha256", "media_type", "seconds", "lufs", "peak_dbtp", "voice"}
    assert str(file) in loa("speak", "a", "-o", file, "--class", "priority").out
    loa("speak", "a", "-o", tmp_path).refuses(1, "cannot be written: this is a folder")
    loa("speak", "a", "-o", tmp_path / "none" / "a.ogg").refuses(1, "cannot be written: there is no such file")
    loa("speak", "a", "-o", "/dev/full").refuses(1, "cannot be written: the disk is full")


def test_what_cannot_be_read_aloud_is_refused(loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.ogg"
    for empty in ("", " \n", "…"):
        loa("speak", empty, "-o", file).refuses(1, "nothing to read")
    loa("speak", "x" * 20_001, "-o", file).refuses(1, "20001 characters")
    typed(monkeypatch, b"\xff")
    loa("speak", "-o", file).refuses(1, "standard input", "not UTF-8")
    typed(monkeypatch, b"x" * 1_000_001)
    loa("speak", "-o", file).refuses(1, "too large")
    monkeypatch.setenv("LOA_VOICE_CHAIN", "nobody")
    loa("speak", "a", "-o", file).refuses(1, "no voice named nobody")
    assert not file.exists()


def test_what_this_machine_lacks_is_a_code_of_its_own(
    loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    loa("speak", "a", "-o", tmp_path / "a.ogg").refuses(3, "apt-get install")
    only = [each for each in studio.voices() if each.name == "espeak"]
    monkeypatch.setattr(studio, "voices", lambda folder: only)
    assert (loa("voices").code, loa("voices", "--json").code) == (3, 3)
    assert "not installed" in loa("voices").out
    monkeypatch.setenv("LOA_LANG", "vi")
    assert "Chưa cài" in loa("voices").out
    for module in (mosquitto, nats):
        monkeypatch.setattr(module, "find", lambda: None)
    loa("broker", "--state-dir", tmp_path, "--engine", "nats").refuses(3, "nats")
    monkeypatch.setenv("LOA_LANG", "en")
    loa("broker", "--state-dir", tmp_path).refuses(3, "This machine has no MQTT broker")
    told = loa("demo", "--once")
    assert told.code == 3
    assert "This machine has no MQTT broker" in told.err


def test_voices_are_listed_for_people_and_for_programs(loa: Loa) -> None:
    rows = json.loads(loa("voices", "--json").out)
    assert [row["voice"] for row in rows] == ["espeak", "gtts", "kokoro"]
    assert loa("voices").out.splitlines()[0].startswith("espeak  ")


def test_a_demo_that_cannot_begin_says_why(loa: Loa, tmp_path: Path) -> None:
    loa("demo", "--once", "--text-file", tmp_path / "none").refuses(1, "cannot be read")
    file = tmp_path / "file"
    file.write_bytes(b"\xff")
    loa("demo", "--once", "--text-file", file).refuses(1, "not UTF-8")
    told = loa("demo", "--once", "--nodes", "1", "--out", file)
    assert told.code in (1, 3)  # 3: no broker here
    assert "Traceback" not in told.err
