"""Makers for the studio's tests: a service that speaks gTTS's protocol, real MP3s, measured recordings."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


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


Answer = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]


@dataclass
class Service:
    """A running service: ``url``, the answers still to give (the last one stays), the texts asked for.

    An answer is (status, body) or (status, body, headers); ``Content-Length`` may be among them, and may be wrong.
    """

    url: str
    answers: list[Answer]
    asked: list[str] = field(default_factory=list)


@contextmanager
def speech_service(*answers: Answer, certificate: Path | None = None) -> Iterator[Service]:
    """A loopback server that speaks the batchexecute protocol, over TLS with a ``certificate`` (PEM, with its key)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            service.asked.append(json.loads(json.loads(form["f.req"][0])[0][0][1])[0])
            status, body, *more = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | (more[0] if more else {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https" if certificate else "http"
    service = Service(f"{scheme}://127.0.0.1:{server.server_port}", list(answers))
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


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    unsigned = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    unsigned = unsigned.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = unsigned.add_extension(address, critical=False).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    target = folder / "certificate.pem"
    target.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return target
