"""Makers for the tests of `http_voice`: a service on the loopback that answers as told, and descriptions of it."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from controller.studio.http_voice import HttpVoice, Patience

SECRET = "s3cr3t-Xyzzy"
MINIMAL = """\
url = "{url}/speak"
[body]
text = "{text}"
[audio]
in = "raw"
format = "mp3"
"""


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]


@dataclass
class Service:
    """A running service: ``url``, ``place`` (host and port), the answers still to give (the last stays), who asked."""

    url: str
    place: str
    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def http_service(*answers: Answer, certificate: Path | None = None) -> Iterator[Service]:
    """A loopback server that gives ``answers`` in order; ``{url}`` in a body is its own."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            service.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            status, sent, *more = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
            sent = sent.replace(b"{url}", service.url.encode())
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(sent))} | (more[0] if more else {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def do_PUT(self) -> None:
            self.answer()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    place = f"127.0.0.1:{server.server_port}"
    service = Service(f"{'https' if certificate else 'http'}://{place}", place, list(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class HandTurnedClock:
    """Waiting takes no time, and is noted."""

    rests: list[float] = field(default_factory=list)

    def rest(self, seconds: float) -> None:
        self.rests.append(seconds)

    def seconds(self) -> float:
        return sum(self.rests)


def describe(folder: Path, text: str, service: Service | None = None, name: str = "thu") -> Path:
    """The description ``text`` as a file; ``{url}`` and ``{place}`` are the service's."""
    path = folder / f"{name}.toml"
    if service:
        text = text.replace("{url}", service.url).replace("{place}", service.place)
    path.write_text(text, "utf-8")
    return path


def make_voice(path: Path, tries: int = 2, clock: HandTurnedClock | None = None, seconds: float = 5.0) -> HttpVoice:
    pauses = tuple(float(n) for n in range(1, tries + 1))
    return HttpVoice(path, Patience(pauses, seconds), clock or HandTurnedClock())
