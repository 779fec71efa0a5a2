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

from controller.web.guard import HEADERS
from controller.web.live import Hub, hub_of
from controller.web.server import serve
from controller.web.signin import own_path
from words import Said

PEOPLE = (None, "van-hoa", "chu-tich", "quan-tri")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.mark.parametrize(
    ("method", "path", "answers"),
    [
        ("GET", "/", (302, 200, 200, 200)),
        ("GET", "/ke-hoach", (302, 200, 200, 200)),
        ("GET", "/cum-loa", (302, 200, 200, 200)),
        ("GET", "/cum-loa/dong-dang-1", (302, 200, 200, 200)),
        ("GET", "/nhat-ky-phat", (302, 200, 200, 200)),
        ("GET", "/duyet", (302, 403, 200, 200)),
        ("GET", "/nhat-ky", (302, 403, 403, 200)),
        ("GET", "/su-kien", (401, 200, 200, 200)),
        ("GET", "/lich-phat/b000000000000", (302, 404, 404, 404)),
        ("GET", "/nghe-thu/a000000000000", (302, 404, 404, 404)),
        ("GET", "/suc-khoe", (200, 200, 200, 200)),
        ("GET", "/dang-nhap", (200, 302, 302, 302)),
        ("POST", "/", (302, 422, 422, 422)),
        ("POST", "/xem-truoc", (302, 200, 200, 200)),
        ("POST", "/nghe-thu", (302, 422, 422, 422)),
        ("POST", "/nghe-thu/a000000000000/lai", (302, 404, 404, 404)),
        ("GET", "/nghe-thu/a000000000000/cau/0", (302, 404, 404, 404)),
        ("GET", "/nghe-thu/a000000000000/thoi-luong", (302, 404, 404, 404)),
        ("GET", "/song-am/" + "0" * 64, (302, 404, 404, 404)),
        ("POST", "/nghe-thu/day", (302, 422, 422, 422)),
        ("POST", "/nghe-thu/sua", (302, 422, 422, 422)),
        ("GET", "/tu-dien", (302, 200, 200, 200)),
        ("GET", "/tu-dien/nghe", (302, 404, 404, 404)),
        ("POST", "/tu-dien", (302, 422, 422, 422)),
        ("POST", "/tu-dien/bo", (302, 422, 422, 422)),
        ("POST", "/lich-phat/b000000000000/rut", (302, 404, 404, 404)),
        ("POST", "/lich-phat/b000000000000/bo-ngay", (302, 404, 404, 404)),
        ("POST", "/duyet/a000000000000/dong-y", (302, 403, 422, 422)),
        ("POST", "/duyet/a000000000000/tra-lai", (302, 403, 422, 422)),
        ("GET", "/soan/a000000000000", (302, 404, 404, 404)),
        ("POST", "/soan/a000000000000/sua", (302, 404, 404, 404)),
        ("POST", "/soan/a000000000000/bo", (302, 404, 404, 404)),
        ("GET", "/ban-ghi", (302, 200, 200, 200)),
        ("POST", "/ban-ghi", (302, 422, 422, 422)),
        ("POST", "/ban-ghi/tep", (302, 422, 422, 422)),
        ("GET", "/ban-ghi/tep/b000000000000", (302, 404, 404, 404)),
        ("POST", "/ban-ghi/tep/b000000000000", (302, 404, 404, 404)),
        ("POST", "/ban-ghi/tep/b000000000000/xong", (302, 422, 422, 422)),
        ("GET", "/hop-tin", (302, 200, 200, 200)),
        ("POST", "/hop-tin/thu-tu", (302, 422, 422, 422)),
        ("GET", "/hop-tin/a000000000000/b000000000000/xep", (302, 303, 303, 303)),
        ("POST", "/hop-tin/a000000000000/b000000000000/xep", (302, 422, 422, 422)),
        ("POST", "/hop-tin/a000000000000/b000000000000/khong", (302, 422, 422, 422)),
        ("GET", "/cum-loa/dong-dang-1/nhung-ngay-toi", (302, 200, 200, 200)),
        ("GET", "/cum-loa/dong-dang-1/nhung-ngay-toi.json", (302, 200, 200, 200)),
        ("GET", "/dia-ban/lang-son:dong-dang/nhung-ngay-toi", (302, 200, 200, 200)),
        ("GET", "/dia-ban/lang-son:dong-dang/nhung-ngay-toi.json", (302, 200, 200, 200)),
        ("GET", "/khung-chuong-trinh", (302, 302, 302, 302)),
        ("GET", "/khung-chuong-trinh/lang-son:dong-dang", (302, 200, 200, 200)),
        ("GET", "/khung-chuong-trinh/lang-son:dong-dang/khung.toml", (302, 404, 404, 404)),
        ("GET", "/khung-chuong-trinh/lang-son:dong-dang/quy-che.toml", (302, 404, 404, 404)),
        ("GET", "/khung-chuong-trinh/lang-son:dong-dang/sua", (302, 403, 200, 200)),
        ("POST", "/khung-chuong-trinh/lang-son:dong-dang/sua", (302, 403, 200, 200)),
        ("GET", "/khung-chuong-trinh/lang-son:dong-dang/van-ban", (302, 403, 200, 200)),
        ("POST", "/khung-chuong-trinh/lang-son:dong-dang/van-ban", (302, 403, 422, 422)),
        ("GET", "/khung-chuong-trinh/lang-son:dong-dang/quy-che", (302, 403, 403, 200)),
        ("POST", "/khung-chuong-trinh/lang-son:dong-dang/quy-che", (302, 403, 403, 422)),
        ("DELETE", "/", (405, 405, 405, 405)),
        ("POST", "/ke-hoach", (405, 405, 405, 405)),
        ("GET", "/khong-co-trang-nay", (404, 404, 404, 404)),
    ],
)
def test_each_role_gets_what_it_may(town: Town, app: Flask, method: str, path: str, answers: tuple[int, ...]) -> None:
    got = []
    for who in PEOPLE:
        client = town.client(app, who)
        data = {"csrf_token": form_key(client, "/" if who else "/dang-nhap")} if method != "GET" else None
        got.append(client.open(path, method=method, data=data).status_code)
    assert tuple(got) == answers


def test_the_matrix_of_roles_knows_every_route(app: Flask) -> None:
    marks = test_each_role_gets_what_it_may.pytestmark[0].args[1]
    tried = {
        (method, re.sub(r"/[ab]0{12}|/dong-dang-1|/lang-son:dong-dang|/0{64}|/0$", "/x", path))
        for method, path, _ in marks
    }
    elsewhere = {"/static/x", "/audio/x", "/audio/x.opus", "/chao/x", "/tieng/x", "/dang-nhap", "/dang-xuat"}
    routes = {
        (method, re.sub(r"<[^>]+>", "x", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(method, path) for method, path in routes if path not in elsewhere} <= tried


def test_nothing_is_changed_without_the_form_s_key(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    for path in (
        "/",
        "/nghe-thu",
        "/nghe-thu/day",
        "/nghe-thu/sua",
        "/tu-dien",
        "/tu-dien/bo",
        "/dang-xuat",
        "/dang-nhap",
        "/chao/x",
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
    assert other.post("/", data=composed(other) | {"csrf_token": stolen}).status_code == 400


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
    [cookie] = [each for each in cookies if each.startswith("loa_phien=") and "Max-Age=43200" in each]
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
    paths = ("/", "/khong-co", "/audio/" + "0" * 64, "/suc-khoe", "/static/look.css", "/dang-nhap", "/nhat-ky")
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
    paths = ("/", "/duyet", "/ke-hoach", "/cum-loa", "/nhat-ky-phat", "/nhat-ky", "/tu-dien", part)
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
    answer = town.client(app, "chu-tich").post("/", data={"text": "a" * 5_000_000})
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
    streams = [HTTPConnection("127.0.0.1", server.port, timeout=20) for _ in range(3)]
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
        ending.join(20)
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
        first = HTTPConnection("127.0.0.1", server.port, timeout=20)
        first.request("GET", "/su-kien", headers=cookie)
        answer = first.getresponse()
        assert answer.status == 200
        answer.close()
        first.close()
        for _ in range(200):
            again = HTTPConnection("127.0.0.1", server.port, timeout=20)
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
        assert asked.acquire(timeout=20)
    stream.close()
    hub.stop()


def test_the_server_refuses_a_giant_before_a_view_sees_it(town: Town, app: Flask) -> None:
    server = serve(app, "127.0.0.1", 0)
    try:
        giant = HTTPConnection("127.0.0.1", server.port, timeout=20)
        giant.putrequest("POST", "/dang-nhap")
        giant.putheader("Content-Length", str(5_000_000_000))
        giant.endheaders()
        assert giant.getresponse().status == 413
        giant.close()
    finally:
        server.stop()
