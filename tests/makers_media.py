"""A real HTTP server for the cache's tests, that can be told to behave badly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler", bytes], None]


class MediaServer:
    """Serves `files` (path -> bytes), with ranges; `behaviours` (path -> list) say how the next answers go wrong."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.files: dict[str, bytes] = {}
        self.behaviours: dict[str, list[Behaviour]] = {}
        self.asked: list[tuple[str, str]] = []  # (path, Range)
        self.release = threading.Event()  # lets go what stalls
        self._http = ThreadingHTTPServer((host, 0), type("Bound", (Handler,), {"media": self}))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://{host}:{self._http.server_port}"

    def close(self) -> None:
        self.release.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class Handler(BaseHTTPRequestHandler):
    media: MediaServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.media.asked.append((self.path, self.headers.get("Range", "")))
        planned = self.media.behaviours.get(self.path, [])
        body = self.media.files.get(self.path, b"")
        try:
            (planned.pop(0) if planned else well)(self, body)
        except OSError:
            return  # the node hung up

    def head(self, status: int, length: int | None, **more: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


def well(handler: Handler, body: bytes) -> None:
    if not body:
        return handler.head(404, 0)
    span = handler.headers.get("Range", "")
    changed = handler.headers.get("If-Range") not in (None, '"v1"')
    if not span or changed:
        handler.head(200, len(body), ETag='"v1"')
        handler.wfile.write(body)
        return None
    since = int(span.removeprefix("bytes=").removesuffix("-"))
    handler.head(206, len(body) - since, ETag='"v1"', Content_Range=f"bytes {since}-{len(body) - 1}/{len(body)}")
    handler.wfile.write(body[since:])
    return None


def status(code: int, **headers: str) -> Behaviour:
    return lambda handler, body: handler.head(code, 0, **headers)


def truncated(at: int) -> Behaviour:
    """Hangs up in the middle of what it promised."""

    def behave(handler: Handler, body: bytes) -> None:
        handler.head(200, len(body), ETag='"v1"')
        handler.wfile.write(body[:at])

    return behave


def other(wrong: bytes) -> Behaviour:
    """Sends other bytes, with their true length."""

    def behave(handler: Handler, body: bytes) -> None:
        handler.head(200, len(wrong))
        handler.wfile.write(wrong)

    return behave


def without_ranges(handler: Handler, body: bytes) -> None:
    handler.head(200, len(body))
    handler.wfile.write(body)


def endless(handler: Handler, body: bytes) -> None:
    """Never stops, and says nothing of its length."""
    handler.head(200, None)
    while not handler.media.release.is_set():
        handler.wfile.write(body)


def stalling(at: int) -> Behaviour:
    """Sends a part, then nothing, the connection open."""

    def behave(handler: Handler, body: bytes) -> None:
        handler.head(200, len(body), ETag='"v1"')
        handler.wfile.write(body[:at])
        handler.wfile.flush()
        handler.media.release.wait(60)

    return behave


def dripping(handler: Handler, body: bytes) -> None:
    """A byte now and then: never silent for long, never done."""
    handler.head(200, len(body))
    for place in range(len(body)):
        handler.wfile.write(body[place : place + 1])
        handler.wfile.flush()
        if handler.media.release.wait(0.05):
            return
