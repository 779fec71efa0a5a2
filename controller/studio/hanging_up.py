"""HTTP connections that hang up: the head of an answer (status and headers) comes within a limit, or not at all.

- A read time-out alone lets a service send one letter now and then for ever; the body's limit is `fetching`.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse


@contextmanager
def session_that_hangs_up(seconds: float) -> Iterator[requests.Session]:
    """A session whose answers begin in full within ``seconds`` of being asked for; else requests.ConnectionError."""
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            adapter = HTTPAdapter()
            adapter.poolmanager.pool_classes_by_scheme = _pools(seconds)
            session.mount(scheme, adapter)
        yield session


def _pools(seconds: float) -> dict[str, Any]:
    class Plain(HTTPConnection):
        def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3 itself
            with _hung_up_after(self, seconds):
                return super().getresponse()

    class Secure(HTTPSConnection):
        def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3 itself
            with _hung_up_after(self, seconds):
                return super().getresponse()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


@contextmanager
def _hung_up_after(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    def hang_up() -> None:
        hung.set()
        if line is not None:
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)  # of TLS too: what is read there ends, and is not raw

    line, hung = connection.sock, threading.Event()
    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if hung.is_set():
        raise TimeoutError("the head of the answer came too slowly")  # what came of it may look whole
