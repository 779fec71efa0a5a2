"""What the web still answers without TLS once it has a certificate: what nodes need, and how to trust the certificate.

- Everything else is led to https (308, reads only); a form that was sent plainly is refused: others may have read it.
- Nodes need no https: what they fetch is sealed or proved, and a node without a clock could not judge a certificate.
- The page about the authority's certificate is open to everybody: whoever must install it cannot trust https yet.
"""

from __future__ import annotations

import hashlib
import ssl

from flask import Blueprint, Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.urls import iri_to_uri

from controller.settings import Settings
from controller.web.downloads import handed_out
from controller.web.language import WebError
from controller.web.window import window

ROOMS = frozenset({"audio", "admission", "alive", "plain", "language", "static"})
MOST_BYTES = 16_384

pages = Blueprint("plain", __name__)


def lead_to_https() -> ResponseReturnValue | None:
    """Nothing else is said over plain http."""
    settings = window().settings
    if request.is_secure or not settings.web_secure or (request.endpoint or "").partition(".")[0] in ROOMS:
        return None
    if request.method not in ("GET", "HEAD"):
        raise WebError("web.error_plain")
    path = request.full_path if request.query_string else request.path
    return redirect(iri_to_uri(secure_address(settings, request.host) + path), 308)


@pages.get("/chung-chi")
def about() -> ResponseReturnValue:
    """How to install the authority's certificate, and by what to know it."""
    settings = window().settings
    view = {"fingerprint": fingerprint(authority(settings)), "secure": secure_address(settings, request.host)}
    return render_template("certificate.html", **view)


@pages.get("/chung-chi.crt")
def authority_file() -> Response:
    """The certificate itself (DER), as telephones and Windows take it."""
    return handed_out(authority(window().settings), ("loa",), "crt", "application/x-x509-ca-cert")


def authority(settings: Settings) -> bytes:
    """The authority's certificate (DER); 404 where nobody has to install one."""
    if not settings.web_names or settings.web_certificate:
        abort(404)
    try:
        with (settings.web_dir / "ca.pem").open("rb") as file:
            return ssl.PEM_cert_to_DER_cert(file.read(MOST_BYTES).decode("ascii"))
    except (OSError, ValueError):
        abort(404)


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate, as every system shows it: pairs of hex digits."""
    return hashlib.sha256(der).digest().hex(":").upper()


def secure_address(settings: Settings, asked: str) -> str:
    """``https://HOST`` for who asked ``asked`` (a Host header): the same host where the certificate names it."""
    host, port = _parts(asked)
    if settings.web_names and host not in {each.lower() for each in settings.web_names}:
        host = settings.web_names[0]
    port = settings.web_tls_port or port or settings.web_port
    shown = f"[{host}]" if ":" in host else host
    return f"https://{shown}" if port == 443 else f"https://{shown}:{port}"


def _parts(host: str) -> tuple[str, int]:
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdecimal() or host.endswith("]"):
        name, port = host, "80"
    return name.strip("[]").lower(), int(port[:5] or 0)
