"""Open pages hold a connection and no worker: many of them on few threads, whoever leaves, and whoever misbehaves."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask import Flask
from makers_web import Town, settled_town

from controller.web import viewers
from controller.web.live import hub_of
from controller.web.server import Server, serve

MANY, WORKERS = 30, 2


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def server(app: Flask) -> Iterator[Server]:
    served = serve(app, "127.0.0.1", 0, threads=WORKERS)
    yield served
    served.stop()


def raw(server: Server, town: Town, version: str = "1.1", more: bytes = b"") -> socket.socket:
    """A viewer whose request is sent."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    lines = f"GET /su-kien HTTP/{version}\r\nHost: x\r\nCookie: loa_phien={town.session('chu-tich')}\r\n\r\n"
    connection.sendall(lines.encode() + more)
    return connection


def until_it_holds(connection: socket.socket, what: bytes) -> bytes:
    heard = b""
    while what not in heard:
        more = connection.recv(4096)
        assert more, heard
        heard += more
    return heard


def until_nobody_is_there(app: Flask, most: int = 0) -> None:
    for _ in range(600):
        if hub_of(app).streams <= most:
            return
        threading.Event().wait(0.1)
    raise AssertionError(hub_of(app).streams)


def test_many_viewers_are_told_and_others_are_answered_meanwhile(town: Town, app: Flask, server: Server) -> None:
    cookie = {"Cookie": f"loa_phien={town.session('chu-tich')}"}
    with ExitStack() as stack:
        connections = [stack.enter_context(raw(server, town)) for _ in range(MANY)]
        for each in connections:
            assert b"Transfer-Encoding: chunked" in until_it_holds(each, b"retry: 3000\n\n\r\n")
        page = stack.enter_context(closing(HTTPConnection("127.0.0.1", server.port, timeout=60)))
        page.request("GET", "/ke-hoach", headers=cookie)
        assert page.getresponse().status == 200
        version = hub_of(app).version
        town.booked(town.client(app, "chu-tich"))
        for connection in connections:
            heard = b""
            while not any(int(each) > version for each in re.findall(rb"data: ([0-9]+)[^\n]*\n\n", heard)):
                heard += until_it_holds(connection, b"\n\n\r\n")
        assert hub_of(app).streams == MANY
        server.stop()
        for each in connections:
            heard = b""
            while more := each.recv(4096):
                heard += more
            assert heard.endswith(b"0\r\n\r\n")  # ended, not torn off
    until_nobody_is_there(app)


def test_an_old_proxy_gets_bare_lines(town: Town, server: Server) -> None:
    with raw(server, town, "1.0") as connection:
        head, _, rest = until_it_holds(connection, b"retry: 3000\n\n").partition(b"\r\n\r\n")
        assert b"chunked" not in head
        town.desk.teach("*", "Nà Pàn", "Nà Pan", town.boss, town.now)
        while not (told := re.fullmatch(rb"retry: 3000\n\n(event: changed\nid: [0-9]+\ndata: [^\n]+\n\n)+", rest)):
            rest += until_it_holds(connection, b"\n\n")
        assert told


@pytest.mark.parametrize("at_once", [True, False])
def test_a_viewer_who_asks_for_more_is_let_go(town: Town, app: Flask, server: Server, at_once: bool) -> None:
    more = b"GET /suc-khoe HTTP/1.1\r\nHost: x\r\n\r\n" * 3
    with raw(server, town, more=more if at_once else b"") as connection:
        if not at_once:
            until_it_holds(connection, b"retry: 3000")
            connection.sendall(more)
        heard = b""
        try:
            while part := connection.recv(4096):
                heard += part
        except ConnectionResetError:
            pass
        assert b'"web"' not in heard
    until_nobody_is_there(app)


def test_who_does_not_read_is_let_go(town: Town, app: Flask, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "MOST_UNREAD_BYTES", -1)
    with raw(server, town) as connection:
        until_it_holds(connection, b"retry: 3000")
        town.desk.teach("*", "Nà Pàn", "Nà Pan", town.boss, town.now)
        until_nobody_is_there(app)


def test_a_head_alone_opens_no_stream(town: Town, app: Flask, server: Server) -> None:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("HEAD", "/su-kien", headers={"Cookie": f"loa_phien={town.session('chu-tich')}"})
        assert connection.getresponse().status == 200
    until_nobody_is_there(app)
