"""The window against people who mean harm, and against accidents: every refusal is a named answer and the web lives."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask import Flask
from makers_web import PASSWORD, Town, composed, form_key, send, settled_town

from controller.web import assets
from controller.web.doors import COOKIE_SECONDS
from controller.web.headers import HEADERS
from controller.web.hub import Hub
from controller.web.live import hub_of
from controller.web.server import serve
from controller.web.signin import own_path
from words import Said


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def test_nothing_is_changed_without_the_form_s_key(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    for path in (
        "/soan",
        "/nghe-thu",
        "/nghe-thu/day",
        "/nghe-thu/sua",
        "/tu-dien",
        "/tu-dien/bo",
        "/dang-xuat",
        "/dang-nhap",
        "/chao/x",
        "/dang-nhap/buoc-hai",
        "/dang-nhap/khoa",
        "/khoa/hoi",
        "/tai-khoan/ma",
        "/tai-khoan/khoa",
        "/duyet/a/dong-y",
        "/lich-phat/b/rut",
    ):
        for key in ("", "forged"):
            answer = client.post(path, data=composed(client) | {"csrf_token": key})
            assert answer.status_code == 400, path
            assert "Biểu mẫu này đã cũ" in answer.text
    assert town.store.announcements.list() == []


def test_the_key_of_one_browser_is_no_key_in_another(town: Town, app: Flask) -> None:
    stolen = form_key(town.client(app, "chu-tich"))
    other = town.client(app, "chu-tich")
    other.get("/")
    assert other.post("/soan", data=composed(other) | {"csrf_token": stolen}).status_code == 400


@pytest.mark.parametrize("token", ["x" * 43, "a", "x" * 5000, "' OR 1=1 --", "\u00e9" * 40])
def test_a_forged_session_is_nobody(app: Flask, token: str) -> None:
    answer = app.test_client().get("/", headers={"Cookie": f"loa_phien={token}"})
    assert answer.location.startswith("/dang-nhap")


def test_a_session_ends_when_its_person_leaves_and_after_half_a_day(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    token = client.get_cookie("loa_phien")
    assert token is not None
    client.post("/dang-xuat", data={"csrf_token": form_key(client)})
    client.set_cookie("loa_phien", token.value)
    assert client.get("/").status_code == 302
    client.set_cookie("loa_phien", town.session("chu-tich"))
    assert client.get("/").status_code == 200
    town.now = town.now.replace(day=25)
    assert client.get("/").status_code == 302


def test_the_session_s_cookie_is_out_of_reach_of_scripts_and_other_sites(town: Town, app: Flask) -> None:
    client = app.test_client()
    typed = {"csrf_token": form_key(client, "/dang-nhap"), "name": "van-hoa", "password": PASSWORD}
    cookies = client.post("/dang-nhap", data=typed).headers.getlist("Set-Cookie")
    [cookie] = [each for each in cookies if each.startswith("loa_phien=") and f"Max-Age={COOKIE_SECONDS}" in each]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert len(cookie.split(";")[0]) > 43
    assert hashlib.sha256(cookie.split(";")[0][10:].encode()).hexdigest() not in client.get("/").text


@pytest.mark.parametrize(
    "wanted", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "/a\nb", "evil", ""]
)
def test_signing_in_never_leads_to_another_site(wanted: str) -> None:
    assert own_path(wanted) == "/"


def test_every_answer_carries_the_guard_s_headers(town: Town, app: Flask) -> None:
    client = town.client(app, "quan-tri")
    paths = ("/", "/khong-co", "/audio/" + "0" * 64, "/suc-khoe", assets.address("look.css"), "/dang-nhap", "/nhat-ky")
    for path in paths:
        answer = client.get(path, buffered=True)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
    assert client.get("/").headers["Cache-Control"] == "no-store"


def test_pages_hold_no_inline_script_and_no_style_attribute(town: Town, app: Flask) -> None:
    client = town.client(app, "quan-tri")
    booking = town.booked(client)
    client.post("/nghe-thu", data=composed(client))
    town.desk.teach("*", "Nà Pàn", "Nà Pan", town.boss, town.now)
    part = f"/nghe-thu/{town.store.announcements.list()[0].id}"
    paths = ("/", "/duyet", "/ke-hoach", "/cum-loa", "/nhat-ky-phat", "/nhat-ky", "/tu-dien", "/tai-khoan", part)
    for path in (*paths, f"/lich-phat/{booking}"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]+src=)|\sstyle=|\son[a-z]+=|javascript:|https?://", page), path


def test_what_was_typed_is_shown_as_text_never_as_markup(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    evil = '</textarea><script>alert(1)</script>"><img src=x onerror=alert(1)>'
    booking = town.booked(client, text=evil, title=evil[:150])
    answers = [send(client, text=evil, title=evil, areas=[], key=evil)]
    answers += [
        client.get(path) for path in ("/ke-hoach", f"/lich-phat/{booking}", "/nhat-ky", f"/ke-hoach?dia-ban={evil}")
    ]
    answers.append(client.post("/nghe-thu", data=composed(client, text=evil)))
    for answer in answers:
        assert "<script>" not in answer.text
        assert "<img" not in answer.text


def test_a_form_of_five_megabytes_is_refused(town: Town, app: Flask) -> None:
    answer = town.client(app, "chu-tich").post("/soan", data={"text": "a" * 5_000_000})
    assert answer.status_code == 413
    assert "quá lớn" in answer.text


def test_one_person_s_areas_are_closed_to_another(town: Town, app: Flask) -> None:
    mine, stranger = town.client(app, "van-hoa"), town.client(app, "tam-thanh")
    booking = town.booked(mine)
    mine.post("/nghe-thu", data=composed(mine, text="Nháp"))
    draft = next(each for each in town.store.announcements.list() if each.text == "Nháp")
    key = {"csrf_token": form_key(stranger)}
    for path in (f"/lich-phat/{booking}", "/cum-loa/dong-dang-1", f"/nghe-thu/{draft.id}"):
        assert stranger.get(path).status_code == 404, path
    assert stranger.get("/nhat-ky-phat?dia-ban=lang-son:dong-dang").status_code == 404
    assert stranger.post(f"/lich-phat/{booking}/rut", data=key).status_code == 404
    town.report(booking, "dong-dang-1")
    for path in ("/ke-hoach", "/ke-hoach?dia-ban=lang-son:dong-dang", "/nhat-ky-phat", "/cum-loa"):
        assert booking not in stranger.get(path).text
        assert "Đồng Đăng 1" not in stranger.get(path).text
    row = town.store.bookings.get(booking)
    assert row is not None
    assert row.state == "wanted"


def test_an_editor_cannot_take_back_what_another_sent(town: Town, app: Flask) -> None:
    booking = town.booked(town.client(app, "chu-tich"))
    editor = town.client(app, "van-hoa")
    assert "Rút lại" not in editor.get(f"/lich-phat/{booking}").text
    answer = editor.post(f"/lich-phat/{booking}/rut", data={"csrf_token": form_key(editor)})
    assert answer.status_code == 409
    assert "không có quyền" in answer.text


def test_a_store_that_is_gone_is_said_plainly(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    town.store.close()
    for database in town.folder.glob("loa.db*"):
        database.unlink()
    (town.folder / "loa.db").write_bytes(b"this is not a database" * 100)
    answer = client.get("/")
    assert answer.status_code in (409, 500)
    assert "<h1>" in answer.text
    assert app.test_client().get("/suc-khoe").status_code == 503


def test_a_port_in_use_is_one_sentence(town: Town, app: Flask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Said) as wrong:
            serve(app, "127.0.0.1", port)
    assert wrong.value.key == "web.port_in_use"
    assert str(port) in wrong.value.say("vi")
    with pytest.raises(Said) as wrong:
        serve(app, "256.0.0.1", 0)
    assert wrong.value.key == "web.bad_host"


def test_streams_are_capped_tell_of_changes_and_never_hold_up_the_end(town: Town, app: Flask) -> None:
    hub_of(app).most_streams = 2
    server = serve(app, "127.0.0.1", 0)
    cookie = {"Cookie": f"loa_phien={town.session('chu-tich')}"}
    streams = [HTTPConnection("127.0.0.1", server.port, timeout=60) for _ in range(3)]
    try:
        answers = []
        for stream in streams:
            stream.request("GET", "/su-kien", headers=cookie)
            answers.append(stream.getresponse())
        assert [answer.status for answer in answers] == [200, 200, 503]
        town.booked(town.client(app, "chu-tich"))
        for answer in answers[:2]:
            lines = iter(answer.readline, b"")
            assert any(line == b"event: changed\n" for line in lines)
        ending = threading.Thread(target=server.stop)
        ending.start()
        for answer in answers[:2]:
            answer.read()  # ends because the server ends it
        ending.join(60)
        assert not ending.is_alive()
    finally:
        server.stop()
        for stream in streams:
            stream.close()
    assert hub_of(app).open(lambda: False) is None


def test_a_stream_whose_viewer_left_gives_its_place_back(town: Town, app: Flask) -> None:
    hub_of(app).most_streams = 1
    server = serve(app, "127.0.0.1", 0)
    cookie = {"Cookie": f"loa_phien={town.session('chu-tich')}"}
    try:
        first = HTTPConnection("127.0.0.1", server.port, timeout=60)
        first.request("GET", "/su-kien", headers=cookie)
        answer = first.getresponse()
        assert answer.status == 200
        answer.close()
        first.close()
        for _ in range(600):
            again = HTTPConnection("127.0.0.1", server.port, timeout=60)
            again.request("GET", "/su-kien", headers=cookie)
            status = again.getresponse().status
            again.close()
            if status == 200:
                break
            threading.Event().wait(0.1)
        assert status == 200
    finally:
        server.stop()


def test_a_watch_that_fails_once_goes_on() -> None:
    asked = threading.Semaphore(0)
    counts = iter([1, RuntimeError("away"), 2])

    def changed() -> int:
        asked.release()
        each = next(counts, 3)
        if isinstance(each, Exception):
            raise each
        return each

    hub = Hub(changed)
    stream = hub.open(lambda: False)
    assert stream is not None
    for _ in range(4):
        assert asked.acquire(timeout=60)
    stream.close()
    hub.stop()


def test_the_server_refuses_a_giant_before_a_view_sees_it(town: Town, app: Flask) -> None:
    server = serve(app, "127.0.0.1", 0)
    try:
        giant = HTTPConnection("127.0.0.1", server.port, timeout=60)
        giant.putrequest("POST", "/dang-nhap")
        giant.putheader("Content-Length", str(5_000_000_000))
        giant.endheaders()
        assert giant.getresponse().status == 413
        giant.close()
    finally:
        server.stop()


def test_of_two_tabs_opened_at_once_in_a_fresh_browser_either_may_send(town: Town, app: Flask) -> None:
    first, second = form_key(app.test_client(), "/dang-nhap"), app.test_client()
    own = form_key(second, "/dang-nhap")  # its cookie is the one that the browser keeps
    here = {"Origin": "http://localhost"}
    typed = {"name": "chu-tich", "password": "không phải"}

    def sent(key: str, **headers: str) -> int:
        answer = second.post("/dang-nhap", data=typed | {"csrf_token": key}, headers=headers)
        return int(answer.status_code)

    assert [sent(own), sent(first, **here)] == [422, 422]  # a wrong password, not a wrong form
    for elsewhere in ("https://localhost", "http://localhost:81", "http://evil.test", "null", "http://localhost.evil"):
        assert sent(first, Origin=elsewhere) == 400, elsewhere
    assert sent(first) == 400
    assert sent(first[:-1] + ("A" if first[-1] != "A" else "B"), **here) == 400
    assert sent("", **here) == 400
