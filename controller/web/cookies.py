"""Cookies over TLS are called ``__Host-…``: no other site, no other port's page over plain http can plant or read one.

- Whatever a view calls its cookie, over TLS it goes out as ``__Host-NAME`` with ``Secure``, and only such ones come in
  (RFC 6265bis 4.1.3.2). So a view cannot forget it.
- Over plain http names are as the views have them. A browser takes ``__Host-`` there at most from 127.0.0.1 (Chromium
  does), and a page that is opened over a network by its address must work too until the station has a certificate.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "__Host-"


def hosted(app: WSGIApplication) -> WSGIApplication:
    """``app`` whose cookies are bound to this host and to TLS, where it is asked over TLS."""

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["wsgi.url_scheme"] != "https":
            return app(environ, start)
        environ["HTTP_COOKIE"] = came(environ.get("HTTP_COOKIE", ""))

        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start(status, [(name, went(value) if _sets(name) else value) for name, value in headers], *rest)

        return app(environ, begin)

    return answer


def came(header: str) -> str:
    """The cookies of a request that were set over TLS by this host, as the views call them."""
    held = [each.strip() for each in header.split(";")]
    return "; ".join(each.removeprefix(PREFIX) for each in held if each.startswith(PREFIX))


def went(header: str) -> str:
    """A cookie of an answer, bound."""
    attributes = {each.strip().lower() for each in header.split(";")[1:]}
    return f"{PREFIX}{header}" if "secure" in attributes else f"{PREFIX}{header}; Secure"


def _sets(name: str) -> bool:
    return name.lower() == "set-cookie"
