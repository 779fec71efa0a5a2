"""What is uploaded is judged by what it is, and what is handed out has a fixed kind and a harmless name."""

from __future__ import annotations

import io
import math
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from makers_web import Town, form_key, opus, settled_town

from controller.web.downloads import MOST_CHARS, file_name
from controller.web.headers import HEADERS

EVIL = b"<html><body><script>alert(1)</script></body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
TITLES = [
    "../../etc/passwd",
    "..\\..\\windows\\system32",
    "con",
    "NUL.toml",
    "a\x00b",
    "a" * 300,
    "\u202egpj.exe",
    'x"; filename="evil.html',
    "a\r\nSet-Cookie: x=1",
    "Thông báo ❤",
    "",
    ".",
    "-",
]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


def wav(seconds: float = 1.0, note: bytes = b"") -> bytes:
    """A tone, with ``note`` in a chunk of its own before the sound."""
    count = int(16_000 * seconds)
    sound = b"".join(struct.pack("<h", round(4000 * (math.sin(at / 6.1) + math.sin(at / 37.3)))) for at in range(count))
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    odd = note + b" " * (len(note) % 2)
    chunk = b"LIST" + struct.pack("<I", len(odd)) + odd if note else b""
    body = b"WAVE" + form + chunk + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def sent(client: FlaskClient, content: bytes, name: str, kind: str = "audio/mpeg", title: str = "") -> tuple[int, str]:
    """Status of the form with that file, and the page or where it leads."""
    data = {"csrf_token": form_key(client, "/ban-ghi"), "file": (io.BytesIO(content), name, kind), "title": title}
    answer = client.post("/ban-ghi", data=data, content_type="multipart/form-data")
    return answer.status_code, answer.location or answer.text


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (EVIL, "a.mp3", "audio/mpeg"),
        (SVG, "a.wav", "audio/wav"),
        (b"RIFF" + EVIL, "a.wav", "audio/wav"),
        (b"ID3\x03\x00\x00\x00\x00\x00\x00" + EVIL, "a.mp3", "audio/mpeg"),
        (b"OggS" + EVIL, "a.ogg", "audio/ogg"),
        (b"#EXTM3U\nhttp://127.0.0.1/secret\n", "a.mp3", "audio/mpeg"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "a.mp3", "audio/mpeg"),
        (b"%PDF-1.4\n", "a.mp3", "audio/mpeg"),
        (b"\x7fELF" + bytes(500), "a.flac", "audio/flac"),
    ],
)
def test_what_only_claims_to_be_sound_is_refused(town: Town, content: bytes, name: str, kind: str) -> None:
    status, page = sent(town.client(town.app(), "van-hoa"), content, name, kind)
    assert status == 422
    assert "alert(1)" not in page
    assert list((town.folder / "recordings").rglob("*.wav")) == []


def test_sound_is_taken_whatever_it_is_called_and_nothing_of_the_file_itself_is_kept_or_served(town: Town) -> None:
    """A WAV with a page in one of its chunks, called a page, declared a page: sound is all that is left of it."""
    client = town.client(town.app(), "van-hoa")
    status, path = sent(client, wav(note=EVIL), "page.html", "text/html", title="</title><script>alert(1)</script>")
    assert status == 303, path
    kept = [each for each in (town.folder / "recordings").rglob("*") if each.is_file()]
    assert kept
    assert not any(b"script" in each.read_bytes() for each in kept)
    assert [each.name for each in kept if not re.fullmatch(r"[0-9a-f]{64}(\.\w+)?", each.name)] == []
    assert "<script>alert" not in client.get(path).text


def test_audio_is_served_as_sound_and_as_nothing_else_even_if_it_were_a_page(town: Town) -> None:
    for name, content in {"1" * 64: EVIL, "2" * 64: SVG, "3" * 64: opus()}.items():
        (town.settings.shelf_dir / name).write_bytes(content)
        answer = town.app().test_client().get(f"/audio/{name}?x=.html", headers={"Accept": "text/html"}, buffered=True)
        assert answer.headers["Content-Type"] == "audio/ogg"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "content", [EVIL, SVG, b"\x89PNG\r\n\x1a\n\x00", b"\xff\xfe<\x00", b"MZ\x90\x00", b"a = 1\x00"]
)
def test_a_programme_s_file_is_read_as_toml_or_refused(town: Town, content: bytes) -> None:
    client = town.client(town.app(), "quan-tri")
    path = "/khung-chuong-trinh/lang-son:dong-dang/van-ban"
    key = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert key
    data = {"csrf_token": key[1], "file": (io.BytesIO(content), "khung.toml", "application/toml")}
    answer = client.post(path, data=data, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert 'onload="alert' not in answer.text


# --- names of files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", TITLES)
def test_no_title_leads_to_a_path_a_device_or_a_header(title: str) -> None:
    harmless(file_name((title,), "toml"))
    assert file_name((title,), "toml") == file_name((title,), "toml")


@given(parts=st.lists(st.text(max_size=200), max_size=4))
def test_no_text_at_all_does(parts: list[str]) -> None:
    harmless(file_name(tuple(parts), "toml"))


def harmless(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*\.toml", name), name
    assert len(name) <= MOST_CHARS
    assert not re.match(r"(con|prn|aux|nul|com\d|lpt\d)\.", name, re.IGNORECASE)


def test_a_hostile_title_or_file_name_changes_nothing_of_what_lies_where_and_of_what_a_page_answers(town: Town) -> None:
    client = town.client(town.app(), "quan-tri")
    before = {path.relative_to(town.folder).parts[0] for path in town.folder.rglob("*")}
    for title in ("../../etc/passwd", "a" * 300, '\u202egpj.exe"; filename="con'):
        status, path = sent(client, wav(), f"{title}.wav", title=title)
        if len(title) > 200:  # longer than a title may be
            assert status == 422
            continue
        assert status == 303, title
        page = client.get(path)
        assert page.status_code == 200
        assert {name: page.headers[name] for name in HEADERS} == HEADERS
    after = {path.relative_to(town.folder).parts[0] for path in town.folder.rglob("*")}
    assert after - before <= {"recordings", "outlines", "samples", "loa.db-wal", "loa.db-shm"}
    assert not (town.folder.parent / "etc").exists()


def test_every_file_that_is_handed_out_goes_through_that_one_door() -> None:
    rooms = Path(__file__).parent.parent / "controller" / "web"
    named = [
        path.name for path in rooms.rglob("*.py") if re.search("Content-Disposition|download_name", path.read_text())
    ]
    assert named == ["downloads.py"]
