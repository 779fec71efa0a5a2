"""Every form, query and path of the window with what nobody honest sends: a sentence, never a crash."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from makers_web import FIRST_TOKEN, Town, composed, form_key, settled_town

from controller.web.guard import MAX_FORM_BYTES
from words import table

HOSTILE = {
    "nul": "a\x00b",
    "controls": "\x01\x07\x1b[31m\x7f",
    "right to left": "\u202etxt.exe",
    "zalgo": "a" + "\u0301" * 500,
    "emoji": "🔊" * 300,
    "long": "x" * 50_000,
    "sql": "' OR 1=1; DROP TABLE bookings; --",
    "like": "%_%\\",
    "format": "{0.__class__} %s %n {{7*7}}",
    "path": "../../../../etc/passwd",
    "lines": "a\r\nSet-Cookie: loa_phien=evil",
    "number": "-99999999999999999999",
    "not a number": "NaN",
    "unassigned": "\U0010ffff\ufffe",
}
ALL = pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
REFUSED = {400, 403, 404, 405, 409, 410, 413, 422, 429, 431}
FIELDS = (
    "text",
    "title",
    "areas",
    "when",
    "day",
    "date",
    "hour",
    "minute",
    "bulletin_class",
    "confirm",
    "draft",
    "key",
)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def refused_in_words(answer) -> bool:  # type: ignore[no-untyped-def]
    """Whether the page says why: beside a field, in a box, or as the one sentence of an error page."""
    said = re.search(r'class="wrong"[^>]*>[^<]{8,}|<h1>Chưa làm được</h1><p>[^<]{8,}', answer.text)
    return answer.status_code in REFUSED and bool(said)


@ALL
def test_every_field_of_the_sending_form(town: Town, app: Flask, hostile: str) -> None:
    client = town.client(app, "chu-tich")
    whole = composed(client)
    sent = 0
    for field in FIELDS:
        for path in ("/soan", "/nghe-thu"):
            answer = client.post(path, data=whole | {field: hostile, "key": f"{sent:032}"} | {field: hostile})
            sent += 1
            assert answer.status_code in (200, 303) or refused_in_words(answer), (field, path, answer.status_code)
            assert "Set-Cookie: loa_phien=evil" not in str(answer.headers)
    for view in town.store.bookings.list():
        assert client.get(f"/lich-phat/{view.booking.id}").status_code == 200
    for page in ("/", "/soan", "/ke-hoach", "/nhat-ky-phat"):
        assert client.get(page).status_code == 200


@ALL
def test_every_query_and_every_path(town: Town, app: Flask, hostile: str) -> None:
    client = town.client(app, "quan-tri")
    for page in ("/ke-hoach", "/cum-loa", "/nhat-ky-phat"):
        answer = client.get(page, query_string={"dia-ban": hostile})
        assert answer.status_code == 200 or refused_in_words(answer), page
    answer = client.get("/nhat-ky-phat", query_string={"lich-phat": hostile})
    assert answer.status_code == 200 or refused_in_words(answer)
    with client.get("/su-kien", query_string={"tu": hostile}) as stream:
        assert stream.status_code in (200, 400)
    for before in ("/lich-phat/", "/cum-loa/", "/nghe-thu/", "/tieng/", "/audio/", "/static/", "/"):
        answer = client.get(before + hostile.replace("%", "%25").replace("\r\n", "%0d%0a"), follow_redirects=True)
        assert refused_in_words(answer), before


@ALL
def test_the_doors(town: Town, app: Flask, hostile: str) -> None:
    client = app.test_client()
    key = form_key(client, "/dang-nhap")
    for field in ("name", "password", "tiep", "csrf_token"):
        typed = {"csrf_token": key, "name": "van-hoa", "password": "sai", "tiep": "/"} | {field: hostile}
        assert refused_in_words(client.post("/dang-nhap", data=typed)), field
    path = "/chao/x"
    for field in ("password", "again", "name"):
        typed = {"csrf_token": key, "name": "a", "password": "một câu dài", "again": "một câu dài"} | {field: hostile}
        assert refused_in_words(client.post(path, data=typed)), field
    for cookie in ("loa_phien", "loa_tieng", "loa_bieu_mau", "loa_quen"):
        answer = client.get("/dang-nhap", headers={"Cookie": f"{cookie}={hostile.encode('unicode_escape').decode()}"})
        assert answer.status_code == 200
    elsewhere = client.get("/tieng/vi", headers={"Referer": hostile.splitlines()[0]})
    assert elsewhere.location == "/"


@ALL
def test_approving_and_taking_back(town: Town, app: Flask, hostile: str) -> None:
    editor, approver = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    booking = town.booked(editor)
    announcement, key = town.announcement_of(booking), form_key(approver)
    answer = approver.post(f"/duyet/{announcement}/tra-lai", data={"csrf_token": key, "reason": hostile})
    assert answer.status_code == 303 or refused_in_words(answer)
    assert editor.get(f"/lich-phat/{booking}").status_code == 200
    taken = approver.post(f"/lich-phat/{booking}/rut", data={"csrf_token": key, "dia-ban": hostile})
    assert taken.status_code == 303 or refused_in_words(taken)
    assert "\n" not in taken.headers.get("Location", "")


def test_a_nul_is_refused_before_it_meets_a_database(tmp_path: Path, database_url: str) -> None:
    town = Town(tmp_path, database_url=database_url)
    town.settle()
    client = town.client(town.app(), "chu-tich")
    asked = [client.get(path) for path in ("/nhat-ky-phat?lich-phat=%00", "/lich-phat/%00", "/cum-loa?dia-ban=a%00b")]
    sent = [
        client.post("/soan", data=composed(client, **{field: "a\0b"})) for field in ("text", "title", "areas", "draft")
    ]
    for answer in (*asked, *sent):
        assert answer.status_code == 400
        assert "không đọc được" in answer.text
    town.store.close()


def test_a_form_that_is_no_form(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    key = form_key(client)
    kinds = {
        "application/json": b'{"text": "a"}',
        "multipart/form-data; boundary=x": b"--x\r\nContent-Disposition: form-data; name=" + b'"a' * 500,
        "multipart/form-data": b"no boundary",
        "application/x-www-form-urlencoded": b"%ff%fe=%00&&&==" * 50,
        "text/plain; charset=utf-7": b"+ADw-script+AD4-",
    }
    for kind, body in kinds.items():
        answer = client.post("/soan", data=body, content_type=kind, headers={"X-CSRFToken": key})
        assert refused_in_words(answer), kind


def test_a_form_with_files_and_thousands_of_parts(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    whole = composed(client)
    filed = client.post("/soan", data=whole | {"text": (io.BytesIO(b"MZ" * 1000), "a.exe")})
    assert refused_in_words(filed)
    body = "".join(f'--x\r\nContent-Disposition: form-data; name="f{number}"\r\n\r\nx\r\n' for number in range(6000))
    parts = client.post("/soan", data=f"{body}--x--\r\n".encode(), content_type="multipart/form-data; boundary=x")
    assert parts.status_code == 413
    assert refused_in_words(parts)


@pytest.mark.parametrize(
    "path", ["/soan", "/nghe-thu", "/dang-nhap", "/chao/x", "/duyet/a/tra-lai", "/lich-phat/b/rut"]
)
def test_every_form_has_a_most_size_and_says_so(town: Town, app: Flask, path: str) -> None:
    client = town.client(app, "chu-tich")
    answer = client.post(path, data={"text": "a" * MAX_FORM_BYTES})
    assert answer.status_code == 413
    assert refused_in_words(answer)


def test_more_areas_than_a_sending_may_name(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    answer = client.post(
        "/soan", data=composed(client, areas=[f"lang-son:dong-dang:{number}" for number in range(3000)])
    )
    assert answer.status_code == 422
    assert "Hãy chọn lại" in answer.text


def test_somebody_else_s_draft_is_not_sent_nor_shown(town: Town, app: Flask) -> None:
    mine, other = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    mine.post("/nghe-thu", data=composed(mine, text="Bản nháp của tôi"))
    draft = town.store.announcements.list()[0]
    booking = town.booked(other, draft=draft.id, text="Nội dung của người khác")
    assert town.announcement_of(booking) != draft.id
    assert other.post(f"/nghe-thu/{draft.id}/lai", data={"csrf_token": form_key(other)}).status_code == 404


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 413, 416, 500])
def test_every_refusal_has_one_sentence_in_both_languages(language: str, code: int) -> None:
    sentence = table(language)[f"web.error_{code}"]
    assert sentence.endswith(".")
    assert 20 < len(sentence) < 160


def test_the_first_link_of_all_refuses_a_name_that_is_none(tmp_path: Path) -> None:
    empty = Town(tmp_path)
    client = empty.app().test_client()
    path = f"/chao/{FIRST_TOKEN}"
    for name in ("", "a b", "x" * 65, "tên", "<b>"):
        typed = {"csrf_token": form_key(client, path), "name": name, "password": "một câu dài", "again": "một câu dài"}
        answer = client.post(path, data=typed)
        assert name == "tên" or refused_in_words(answer), name
    empty.store.close()
