"""Floods, drips and giants: what a session, an address and a connection may take; the real server where it counts."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
from flask import Flask
from makers_tls import SecureTown, plain, secure, served
from makers_web import NOON, PASSWORD, Town, form_key, settled_town

from controller.web import connections, guesses, limits
from controller.web.connections import Crowd, late
from controller.web.headers import HEADERS, HSTS
from controller.web.limits import DEAR, Limit
from controller.web.server import MAX_HEAD_BYTES, Server, serve
from controller.web.throttle import MOST_KEYS, Throttle
from wire import enrolment
from wire.names import asset_id


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def server(app: Flask) -> Iterator[Server]:
    made = serve(app, "127.0.0.1", 0)
    yield made
    made.stop()


# --- how often -----------------------------------------------------------------------------------------------


def test_a_session_that_asks_without_end_is_told_to_wait_and_its_neighbours_are_not(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANYTHING", Limit(5, 1_000))
    busy, neighbour = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    assert [busy.get("/ke-hoach").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    refused = busy.get("/ke-hoach")
    assert int(refused.headers["Retry-After"]) == 180  # a fifth of a quarter of an hour
    assert "quá nhiều yêu cầu" in refused.text
    assert {name: refused.headers[name] for name in HEADERS} == HEADERS
    assert neighbour.get("/ke-hoach").status_code == 200
    town.now += timedelta(seconds=181)
    assert busy.get("/ke-hoach").status_code == 200


def test_a_stranger_s_many_forged_sessions_count_as_one_stranger(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STRANGER", 5)
    client = app.test_client()
    got = [client.get("/ke-hoach", headers={"Cookie": f"loa_phien={number:032d}"}).status_code for number in range(7)]
    assert got == [302] * 5 + [429] * 2
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    assert client.get("/ke-hoach", environ_overrides=elsewhere).status_code == 302
    assert town.client(app, "van-hoa").get("/ke-hoach").status_code == 200  # signed in, from the same address


def test_a_flood_from_the_next_room_keeps_nobody_out_who_was_in_before(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STRANGER", 8)
    monkeypatch.setattr(guesses, "PASSKEYS_BY_ADDRESS", 3)
    officer, stranger = app.test_client(), app.test_client()
    words = {"name": "chu-tich", "password": PASSWORD}
    assert officer.post("/dang-nhap", data={"csrf_token": form_key(officer, "/dang-nhap")} | words).status_code == 302
    assert officer.post("/dang-xuat", data={"csrf_token": form_key(officer, "/tai-khoan")}).status_code == 302
    key = form_key(stranger, "/dang-nhap")
    asked = [stranger.post("/dang-nhap/khoa", data={"csrf_token": key}).status_code for _ in range(20)]
    assert set(asked[-10:]) == {429}
    key = form_key(officer, "/dang-nhap")
    assert officer.post("/dang-nhap/khoa", data={"csrf_token": key}).status_code == 422  # heard: it is no passkey
    assert officer.post("/dang-nhap", data={"csrf_token": key} | words).status_code == 302


def test_what_is_dear_has_its_own_limit_by_session_and_by_address(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = {rule.endpoint: rule for rule in app.url_map.iter_rules()}
    for endpoint in DEAR:
        monkeypatch.setitem(limits.DEAR, endpoint, Limit(2, 3))
        path, post = re.sub("<[^>]+>", "0", rules[endpoint].rule), "POST" in (rules[endpoint].methods or ())

        def refused(who: str, path: str = path, post: bool = post) -> list[bool]:
            client = town.client(app, who)
            data = {"csrf_token": form_key(client)} if post else None
            return [client.open(path, method="POST" if post else "GET", data=data).status_code == 429 for _ in range(3)]

        assert refused("quan-tri") == [False, False, True], endpoint
        assert refused("chu-tich") == [False, True, True], endpoint  # the third from this address was the last


def test_nodes_behind_one_address_fetch_and_enrol_whatever_people_there_do(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STRANGER", 1)
    client = app.test_client()
    assert [client.get("/ke-hoach").status_code for _ in range(2)] == [302, 429]
    assert client.post("/ghi-danh").status_code == 400
    monkeypatch.setattr(limits, "ANYTHING", Limit(1, 1))
    assert client.post("/ghi-danh").status_code == 429
    assert {client.get("/audio/" + "0" * 64).status_code for _ in range(5)} == {404}
    assert {client.get("/suc-khoe").status_code for _ in range(5)} == {200}


def test_a_hundred_thousand_addresses_take_no_more_memory_than_ten_thousand() -> None:
    throttle, now = Throttle(), NOON
    # whoever is in the act is not forgotten for them
    for _ in range(5):
        throttle.take({"guesser": 5}, now)
    sizes = []
    for number in range(100_000):
        address = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64"
        throttle.take({f"address {address}": 60_000}, now)
        if number % 20_000 == 19_999:
            sizes.append(psutil.Process().memory_info().rss)
    assert len(throttle) <= MOST_KEYS
    assert sizes[-1] - sizes[0] < 8_000_000, sizes  # 80,000 keys more would be some 20 MB
    assert throttle.take({"guesser": 5}, now) > timedelta(0)


# --- how long, how many, how large ---------------------------------------------------------------------------


def test_a_request_has_time_for_its_size_and_no_more() -> None:
    assert not late(19, False, 0)
    assert late(21, False, 0)
    assert not late(59, True, 0)
    assert late(61, True, 0)
    assert not late(500, True, 1024 * 1024)  # a piece of an upload over 17 kbit/s
    assert late(600, True, 1024 * 1024)


def test_one_address_holds_a_part_of_the_places_and_all_hold_no_more_than_there_are() -> None:
    crowd = Crowd(most=10, most_by_address=4)
    assert [crowd.enter("192.0.2.1") for _ in range(6)] == [True] * 4 + [False] * 2
    assert [crowd.enter(f"2001:db8::{each}") for each in range(5)] == [True] * 4 + [False]  # one network of 64 bits
    assert [crowd.enter("127.0.0.1") for _ in range(3)] == [True, True, False]
    for _ in range(4):
        crowd.leave("192.0.2.1")
    assert [crowd.enter("127.0.0.1") for _ in range(5)] == [True] * 4 + [False]  # a proxy speaks for many
    assert len(crowd) == 10


def test_nodes_that_are_answered_count_apart_and_leave_room_for_all_others() -> None:
    crowd = Crowd(most=20, most_by_address=3, most_answered=10)
    carrier = "192.0.2.1"
    for _ in range(10):
        assert crowd.enter(carrier)
        assert crowd.answer(carrier)
    assert [crowd.enter(carrier) for _ in range(4)] == [True] * 3 + [False]
    assert not crowd.answer(carrier)  # nor does it count apart above its part
    assert [crowd.enter("192.0.2.2") for _ in range(4)] == [True] * 3 + [False]
    assert [crowd.rest(carrier) for _ in range(10)] == [False] * 10  # three wait there already
    for _ in range(10):
        crowd.leave(carrier)
    assert not crowd.enter(carrier)
    crowd.leave(carrier)
    assert crowd.enter(carrier)


def test_nodes_that_had_their_answer_leave_half_of_the_places_to_those_who_come_next() -> None:
    crowd, carrier = Crowd(most=900, most_by_address=200), "192.0.2.1"
    stayed = 0
    for _ in range(400):  # one after another; each stays where it may
        assert crowd.enter(carrier)
        assert crowd.answer(carrier)
        if crowd.rest(carrier):
            stayed += 1
        else:
            crowd.leave(carrier)
    assert stayed == 100


def test_a_province_of_nodes_behind_one_address_is_served_while_another_address_attacks(
    server: Server, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_here", lambda address: False)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 600.0)  # however long the others take, those who drip stay
    name = hashlib.sha256(b"sound").hexdigest()
    place = town.settings.shelf_dir / asset_id(name)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"sound" * 20_000)
    asked = f"GET /audio/{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    with ExitStack() as stack:

        def comes(address: str, says: bytes) -> socket.socket:
            where = ("127.0.0.1", server.port)
            made = stack.enter_context(socket.create_connection(where, 60, source_address=(address, 0)))
            made.sendall(says)
            return made

        evil = [comes("127.0.0.3", b"GET / HTTP/1.1\r\nX: ") for _ in range(300)]
        nodes = [comes("127.0.0.2", asked) for _ in range(400)]
        answers = [whole(each, 100_000) for each in nodes]
        assert [each[:12] for each in answers] == [b"HTTP/1.1 200"] * 400
        turned_away = 0
        for each in evil:
            each.settimeout(0.01)
            try:
                turned_away += each.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionResetError:
                turned_away += 1
        assert turned_away == 300 - connections.MOST_BY_ADDRESS


def whole(connection: socket.socket, body_bytes: int) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got or len(got.partition(b"\r\n\r\n")[2]) < body_bytes:
        more = connection.recv(65536)
        if not more:
            break
        got += more
    return got


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"POST / HTTP/1.1\r\nContent-Length: 900\r\n\r\n"]
)
def test_who_drips_holds_up_nobody_and_is_ended(server: Server, monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    with ExitStack() as stack:
        dripping = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60)) for _ in range(100)
        ]
        for each in dripping:
            each.sendall(begun)
        answer = got(plain(server), "/suc-khoe")
        assert answer[0] == 200
        with monkeypatch.context() as patched:
            patched.setattr(connections, "HEAD_SECONDS", 0.5)
            patched.setattr(connections, "BODY_SECONDS", 0.5)
            for each in dripping:
                ended_while_dripping(each, drip=bool(begun))
    assert got(plain(server), "/suc-khoe")[0] == 200


def ended_while_dripping(connection: socket.socket, drip: bool) -> None:
    """The server closes it, although a byte comes again and again."""
    connection.settimeout(0.2)
    for _ in range(100):
        try:
            if drip:
                connection.send(b"x")
            if connection.recv(1) == b"":
                return
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return
    pytest.fail("it was never ended")


def test_more_than_all_places_are_turned_away_and_come_in_when_others_leave(server: Server) -> None:
    server.listeners[0].crowd = Crowd(most=3)
    held = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(3)]
    with pytest.raises(OSError, match=r"reset|without response|Broken pipe"):
        got(plain(server), "/suc-khoe")
    held.pop().close()
    for _ in range(100):
        try:
            assert got(plain(server), "/suc-khoe")[0] == 200
            break
        except OSError:
            continue
    else:
        pytest.fail("nobody was let in again")
    for each in held:
        each.close()


def got(connection: HTTPConnection, path: str) -> tuple[int, bytes]:
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def raw(server: Server, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what is answered to these bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n", 413, "quá lớn"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", 431, "quá dài"),
        (b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\n\r\n", 431, "quá dài"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "không đọc được"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "không đọc được"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "Chưa làm được"),
        (b"\x00\xff\r\n\r\n", 400, "không đọc được"),
    ],
)
def test_what_the_server_itself_refuses_is_said_in_the_house_s_words_with_all_headers(
    server: Server, sent: bytes, status: int, told: str
) -> None:
    code, headers, page = raw(server, sent)
    assert (code, told in page.decode(), b"waitress" in page) == (status, True, False), page
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert headers["Cache-Control"] == "no-store"


def test_a_node_that_sends_a_giant_is_answered_as_it_reads(server: Server) -> None:
    code, headers, body = raw(server, b"POST /ghi-danh HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
    assert (code, headers["Content-Type"]) == (413, "application/json")
    assert json.loads(body)["reason"] == enrolment.No.TOO_BIG


def test_over_tls_too(tmp_path: Path) -> None:
    with served(tmp_path) as (town, server):
        connection = secure(server, town)
        connection.putrequest("POST", "/soan")
        connection.putheader("Content-Length", "3000000")
        connection.endheaders()
        with closing(connection):
            answer = connection.getresponse()
            assert answer.status == 413
            answer.read()
        assert answer.headers[HSTS[0]] == HSTS[1]
        drips_under_tls_hold_up_nobody(town, server)


def drips_under_tls_hold_up_nobody(town: SecureTown, server: Server) -> None:
    """Some who begin a handshake and go silent, some who drip inside of it."""
    with ExitStack() as stack:
        for _ in range(30):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            half.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        inside = []
        for _ in range(10):
            each = stack.enter_context(closing(secure(server, town)))
            each.connect()
            each.sock.sendall(b"GET / HTTP/1.1\r\nX: ")
            inside.append(each)
        assert got(secure(server, town), "/suc-khoe")[0] == 200
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(connections, "HEAD_SECONDS", 0.5)
            for each in inside:
                each.sock.settimeout(20)
                assert each.sock.recv(1) == b""


# --- headers, everywhere -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "who"), [("http", None), ("https", "quan-tri")])
def test_every_route_answers_with_every_header_whatever_it_answers(
    town: Town, app: Flask, scheme: str, who: str | None
) -> None:
    client = app.test_client()
    if who:
        name = "loa_phien" if scheme == "http" else "__Host-loa_phien"
        client.set_cookie(name, town.session(who), domain="localhost", secure=scheme == "https")
    statuses = set()
    for rule in app.url_map.iter_rules():
        for method in ("GET", "POST", "PUT"):
            path = re.sub("<[^>]+>", "0", rule.rule)
            if path == "/su-kien":
                continue  # a stream that does not end
            answer = client.open(path, method=method, base_url=f"{scheme}://localhost", buffered=True)
            statuses.add(answer.status_code)
            wanted = HEADERS | (
                {"Permissions-Policy": answer.headers["Permissions-Policy"]} if path == "/ban-ghi" else {}
            )
            assert {name: answer.headers.get(name) for name in HEADERS} == wanted, (method, path)
            assert (HSTS[0] in answer.headers) == (scheme == "https"), (method, path)
    assert {200, 400, 404, 405} <= statuses if who else {302, 400, 405} <= statuses


def test_who_reloads_the_page_after_a_form_is_led_to_where_the_form_is(town: Town, app: Flask) -> None:
    client = town.client(app, "quan-tri")
    for path, back in {
        "/nghe-thu": "/",
        "/tu-dien/bo": "/tu-dien",
        "/cum-loa/dong-dang-1/thay": "/cum-loa/dong-dang-1",
        "/tai-khoan/mat-khau": "/tai-khoan",
        "/dang-xuat": "/",
        "/duyet/a000000000000/dong-y": "/duyet",
    }.items():
        answer = client.get(path)
        assert (answer.status_code, answer.location) == (303, back), path
        assert client.get(back).status_code == 200
    for path, method in (("/ghi-danh", "GET"), ("/nghe-thu", "PUT"), ("/ke-hoach", "POST"), ("/", "DELETE")):
        data = {"csrf_token": form_key(client)} if method != "GET" else None
        assert client.open(path, method=method, data=data).status_code == 405, path
