"""Asking the station one question over HTTP(S), before this node is known to anybody.

- The answer proves itself by the one-time code (`wire.enrolment`), so nothing here depends on the road: an https
  certificate is not looked at, which a node without a clock could not do anyway.
- One request, no redirect, a bounded answer, waits with ends.
"""

from __future__ import annotations

import ssl
import warnings
from http.client import HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit

import urllib3

from words import Said

CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0
_REDIRECTS = range(300, 400)


class Unanswered(Said):
    """The station cannot be asked, or did not answer."""


class Answered(NamedTuple):
    """What came back."""

    status: int
    body: bytes


def host_of(station: str) -> str:
    """The host in a station's address. Raises Unanswered for what is no http(s) address."""
    try:
        parts = urlsplit(station)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and parts.path in ("", "/"):
            return parts.hostname
    except ValueError:
        pass
    raise Unanswered("node.bad_station", station=station[:200])


def post(station: str, path: str, body: bytes, most_bytes: int) -> Answered:
    """Ask ``station`` (http://HOST:PORT); an answer longer than ``most_bytes`` is none. Raises Unanswered."""
    host_of(station)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    with warnings.catch_warnings(), urllib3.PoolManager(ssl_context=context, retries=False, timeout=timeout) as pool:
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        try:
            headers = {"Content-Type": "application/json"}
            url = station.rstrip("/") + path
            answer = pool.request("POST", url, body=body, headers=headers, redirect=False, preload_content=False)
            if answer.status in _REDIRECTS:
                raise Unanswered(
                    "node.station_elsewhere", station=station, other=answer.headers.get("Location", "?")[:200]
                )
            held = answer.read(most_bytes + 1)
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as wrong:
            raise Unanswered("node.station_unreachable", station=station, why=_plain(wrong)) from wrong
    if len(held) > most_bytes:
        raise Unanswered("node.station_not_understood", station=station)
    return Answered(answer.status, held)


def _plain(wrong: Exception) -> str:
    """What urllib3 says, without the object it names."""
    return str(wrong).rpartition(": ")[2][:200] or type(wrong).__name__
