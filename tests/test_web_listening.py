"""Sentences heard one by one, outlines of recordings, the cost in air time: what is given, to whom, what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_web import Town, composed, opus, settled_town

from controller.studio import Trouble, VoiceError
from controller.studio.remade import Busy
from controller.studio.sampling import Sampler

COMMUNE = "lang-son:dong-dang"
TEXT = "Mời bà con họp lúc 7h30. Xin mang theo sổ!\nCảm ơn bà con."


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def client(town: Town, app: Flask) -> FlaskClient:
    return town.client(app, "van-hoa")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the sampler is asked for, in its place: words and voice."""
    asked: list[tuple[str, str]] = []

    def sample(sampler: Sampler, sentence: str, voice: str = "") -> Path:
        asked.append((sentence, voice))
        return Path(__file__)

    monkeypatch.setattr(Sampler, "sample", sample)
    return asked


def drafted(town: Town, client: FlaskClient, text: str = TEXT) -> tuple[str, list[str]]:
    """The draft of a text, and the addresses of its sentences."""
    page = client.post("/nghe-thu", data=composed(client, text=text)).text
    [draft] = [each.id for each in town.store.announcements.list() if each.text == text]
    return draft, re.findall(r'href="(/nghe-thu/\w+/cau/[^"]+)"', page)


def test_each_sentence_sounds_as_sound(town: Town, client: FlaskClient) -> None:
    draft, addresses = drafted(town, client)
    assert len(addresses) == 3
    heard = client.get(addresses[0], buffered=True)
    assert (heard.status_code, heard.mimetype, heard.data[:4]) == (200, "audio/ogg", b"OggS")
    assert heard.headers["Cache-Control"].startswith("no-cache") is False
    assert "private" in heard.headers["Cache-Control"]
    assert client.get(f"/nghe-thu/{draft}/cau/0", buffered=True).data == heard.data
    part = client.get(addresses[0], buffered=True, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.data) == (206, heard.data[:10])


def test_a_sentence_is_read_as_the_whole_by_the_same_voice(
    town: Town, client: FlaskClient, asked: list[tuple[str, str]]
) -> None:
    draft, addresses = drafted(town, client)
    client.get(addresses[0], buffered=True)
    town.voice(draft)
    for address in addresses:
        client.get(address, buffered=True)
    assert asked == [
        ("Mời bà con họp lúc bảy giờ ba mươi phút.", ""),
        ("Mời bà con họp lúc bảy giờ ba mươi phút.", "espeak"),
        ("Xin mang theo sổ!", "espeak"),
        ("Cảm ơn bà con.", "espeak"),
    ]


@pytest.mark.parametrize(
    "number", ["3", "-1", "1.0", "99999999999999999999", "0x1", "a", "%00", "..%2f0", "1e9", "\u0663", " 0", ""]
)
def test_no_other_sentence_is_read(town: Town, client: FlaskClient, asked: list[tuple[str, str]], number: str) -> None:
    draft, _ = drafted(town, client)
    assert client.get(f"/nghe-thu/{draft}/cau/{number}").status_code in (400, 404)
    assert asked == []


def test_nobody_hears_somebody_else_s_draft(town: Town, app: Flask, asked: list[tuple[str, str]]) -> None:
    draft, addresses = drafted(town, town.client(app, "van-hoa"))
    for other in ("chu-tich", "quan-tri", "tam-thanh"):
        assert town.client(app, other).get(addresses[0]).status_code == 404
        assert town.client(app, other).get(f"/nghe-thu/{draft}/thoi-luong").status_code == 404
    assert asked == []


def test_a_sentence_that_has_changed_since_is_not_read_for_another(
    town: Town, client: FlaskClient, asked: list[tuple[str, str]]
) -> None:
    draft, addresses = drafted(town, client)
    client.post("/nghe-thu", data=composed(client, text="Câu khác hẳn.", draft=draft))
    answer = client.get(addresses[0])
    assert answer.status_code == 409
    assert "Câu này đã đổi" in answer.text
    assert asked == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (Busy("studio.busy"), "Đang tạo giọng đọc cho người khác"),
        (VoiceError(Trouble.REFUSED, "studio.espeak_missing", program="espeak-ng"), "Chưa cài giọng đọc"),
        (VoiceError(Trouble.TEMPORARY, "studio.hung", voice="espeak", seconds="60"), "không trả lời"),
    ],
)
def test_a_voice_that_cannot_is_said_so(
    town: Town, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, wrong: Exception, sentence: str
) -> None:
    def refuse(sampler: Sampler, words: str, voice: str = "") -> Path:
        raise wrong

    _, addresses = drafted(town, client)
    monkeypatch.setattr(Sampler, "sample", refuse)
    page, bare = client.get(addresses[0]), client.get(addresses[0], headers={"X-Live": "1"})
    assert (page.status_code, bare.status_code) == (503, 503)
    assert "<h1>Chưa làm được</h1>" in page.text
    assert sentence in page.text
    assert bare.text.startswith(sentence) or sentence in bare.text
    assert "<" not in bare.text
    assert bare.headers["Retry-After"] == "5"


def test_a_sample_that_was_thinned_out_meanwhile_is_to_be_asked_for_again(
    town: Town, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, addresses = drafted(town, client)
    monkeypatch.setattr(Sampler, "sample", lambda sampler, words, voice="": tmp_path / "gone")
    assert client.get(addresses[0]).status_code == 503


def test_the_outline_of_a_recording_is_given_once_made(town: Town, client: FlaskClient) -> None:
    draft, _ = drafted(town, client)
    asset = town.voice(draft)
    first, again = (client.get(f"/song-am/{asset}", buffered=True) for _ in range(2))
    assert (first.status_code, first.mimetype) == (200, "application/json")
    assert first.json == again.json
    assert abs(first.json["seconds"] - 1.0) < 0.05
    assert len(first.json["peaks"]) == 400
    assert max(first.json["peaks"]) == 100
    assert f'data-outline="/song-am/{asset}"' in client.get(f"/nghe-thu/{draft}").text


@pytest.mark.parametrize("name", ["0" * 64, "0" * 63, "..%2floa.db", "loa.db", "A" * 64, "%00", "0" * 64 + ".json"])
def test_there_is_no_outline_of_anything_else(client: FlaskClient, name: str) -> None:
    assert client.get(f"/song-am/{name}").status_code in (400, 404)


def test_a_file_that_is_no_sound_has_no_outline(town: Town, client: FlaskClient) -> None:
    for number, data in enumerate((b"", b"OggS" + bytes(500), b"#!/bin/sh", opus(0.5)[:200])):
        (town.settings.shelf_dir / f"{number:064}").write_bytes(data)
        answer = client.get(f"/song-am/{number:064}", headers={"X-Live": "1"})
        assert answer.status_code == 503, number
        assert answer.mimetype == "text/plain"


def test_the_cost_is_the_length_times_the_nodes(town: Town, client: FlaskClient) -> None:
    draft, _ = drafted(town, client)
    path = f"/nghe-thu/{draft}/thoi-luong"
    assert client.get(path).text == ""
    town.voice(draft)
    assert client.get(path).text == "Chọn địa bàn để biết tốn bao nhiêu phút phát."
    hamlets = [f"{COMMUNE}:thon-1", f"{COMMUNE}:thon-2"]
    assert client.get(path, query_string={"areas": hamlets}).text == "2 cụm loa × 1 giây = 2 giây phát."
    both = {"areas": [COMMUNE, hamlets[0]]}
    assert client.get(path, query_string=both).text == "6 cụm loa × 1 giây = 6 giây phát."
    elsewhere = {"areas": ["lang-son:tam-thanh", "lang-son", "*", "x\u202e", COMMUNE]}
    assert client.get(path, query_string=elsewhere).text == "6 cụm loa × 1 giây = 6 giây phát."


def test_the_cost_is_shown_without_scripts_too(town: Town, client: FlaskClient) -> None:
    draft, _ = drafted(town, client)
    town.voice(draft)
    page = client.post("/nghe-thu", data=composed(client, text=TEXT, draft=draft)).text
    assert "Dài 1 giây, giọng espeak." in page
    assert "6 cụm loa × 1 giây = 6 giây phát." in page
    booking = town.booked(client, text=TEXT, draft=draft)
    assert "6 cụm loa × 1 giây = 6 giây phát." in client.get(f"/lich-phat/{booking}").text
