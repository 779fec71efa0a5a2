"""Makers for the studio's tests: a service that speaks gTTS's protocol, real MP3s, measured recordings."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs


def make_mp3(folder: Path, seconds: float) -> bytes:
    """A real MP3 of a tone."""
    target = folder / "tone.mp3"
    source = f"sine=frequency=300:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-ar", "24000", "-b:a", "32k", str(target)]
    subprocess.run(command, check=True)
    return target.read_bytes()


def sound_answer(mp3: bytes) -> bytes:
    """The body in which the service hands over sound."""
    inner = json.dumps([base64.b64encode(mp3).decode("ascii")], separators=(",", ":"))
    return b")]}'\n\n" + json.dumps([["wrb.fr", "jQ1olc", inner]], separators=(",", ":")).encode()


@dataclass
class Service:
    """A running service: ``url``, the answers still to give (status, body; the last one stays), the texts asked for."""

    url: str
    answers: list[tuple[int, bytes]]
    asked: list[str] = field(default_factory=list)


@contextmanager
def speech_service(*answers: tuple[int, bytes]) -> Iterator[Service]:
    """A loopback server that speaks the batchexecute protocol."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            service.asked.append(json.loads(json.loads(form["f.req"][0])[0][0][1])[0])
            status, body = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = Service(f"http://127.0.0.1:{server.server_port}", list(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_program(folder: Path, script: str) -> str:
    """A program on disk that does ``script`` (sh)."""
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)
