"""Calling a stream up: one HTTP(S) answer, its body still to be read. What is asked is a stranger.

- The address is judged as written, again after each redirect, and by what its name stands for at the very moment of
  connecting: the socket goes to an address that was judged, so a name cannot change its meaning in between.
- No step down from https, no other kind of address, at most `MOST_REDIRECTS`; every wait has an end.
"""

from __future__ import annotations

import socket
import threading
from http.client import HTTPException
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from schedules import addresses

MOST_REDIRECTS = 5
CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0
CHUNK_BYTES = 1 << 14


class NoStream(Exception):
    """Why there is no stream now; the message is for the log and the receipt."""


class Answer:
    """What a server gives: ``url`` after redirects, ``media_type`` in lower case, and the body."""

    def __init__(self, url: str, response: urllib3.BaseHTTPResponse) -> None:
        self.url, self._response = url, response
        self.media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def read(self) -> bytes:
        """The next bytes, as they come; empty at the end. Raises NoStream."""
        try:
            return self._response.read1(CHUNK_BYTES, decode_content=False)
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as wrong:
            raise NoStream(f"the stream broke off: {wrong}"[:200]) from None

    def whole(self, most_bytes: int) -> bytes:
        """The whole body. Raises NoStream, also for one that is longer than ``most_bytes``."""
        body = bytearray()
        while chunk := self.read():
            body += chunk
            if len(body) > most_bytes:
                raise NoStream(f"more than {most_bytes} bytes at {self.url[:100]}")
        return bytes(body)

    def hang_up(self) -> None:
        """Wake a read that waits, from another thread."""
        try:
            self._response.shutdown()  # urllib3 2.3
        except (AttributeError, ValueError, OSError, RuntimeError):
            return  # it has ended by itself

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()


class Caller:
    """Calls streams up, one at a time. ``private``: also on this machine and its own network."""

    def __init__(self, private: bool = False, read_seconds: float = READ_SECONDS) -> None:
        self._private = private
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        self._pool = urllib3.PoolManager(num_pools=4, maxsize=1, retries=False, timeout=timeout)
        if not private:
            self._pool.pool_classes_by_scheme = {"http": _PublicPool, "https": _PublicTlsPool}
        self._answer: Answer | None = None
        self._gone = threading.Event()

    def open(self, url: str) -> Answer:
        """What is at ``url`` now. Raises NoStream."""
        for _ in range(MOST_REDIRECTS + 1):
            response = self._ask(url)
            target = response.get_redirect_location()
            if not target:
                self._answer = Answer(url, response)
                if response.status != 200:
                    self._answer.close()
                    raise NoStream(f"the server answered {response.status}")
                return self._answer
            response.close()
            before, url = url, urljoin(url, target)
            if urlsplit(before).scheme == "https" and urlsplit(url).scheme != "https":
                raise NoStream("led from https to something else")
        raise NoStream(f"more than {MOST_REDIRECTS} redirects")

    def close(self) -> None:
        """Hang up, from any thread; nothing is asked any more."""
        self._gone.set()
        if self._answer:
            self._answer.hang_up()
        self._pool.clear()

    def _ask(self, url: str) -> urllib3.BaseHTTPResponse:
        wrong = addresses.why_not(url, self._private)
        if wrong is not None or self._gone.is_set():
            raise NoStream(f"not an address to relay from ({wrong}): {url[:100]}")
        headers = {"Accept-Encoding": "identity", "User-Agent": "loa-node"}
        try:
            return self._pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as no:
            raise NoStream(f"{url[:100]}: {no}"[:250]) from None


def _connected(connection: HTTPConnection) -> socket.socket:
    """A socket to what the connection's name stands for, if all of it is public. Raises NoStream."""
    try:
        found = socket.getaddrinfo(connection.host.strip("[]"), connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as wrong:
        raise NoStream(f"{connection.host[:100]}: {wrong}") from None
    numbers = [str(each[4][0]) for each in found]
    if not numbers or not all(map(addresses.is_public, numbers)):
        raise NoStream(f"{connection.host[:100]} is not on the public Internet")
    try:
        return create_connection((numbers[0], connection.port), connection.timeout)
    except OSError as wrong:
        raise NoStream(f"{connection.host[:100]}: {wrong}") from None


class _Public(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _PublicTls(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _Public


class _PublicTlsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTls
