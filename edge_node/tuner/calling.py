"""Calling a stream up: one HTTP(S) answer, its body still to be read. What is asked is a stranger.

- The address is judged as written, again after each redirect, and by what its name stands for at the very moment of
  connecting: the socket goes to an address that was judged, so a name cannot change its meaning in between.
- No step down from https, no other kind of address, at most `MOST_REDIRECTS`; every wait has an end.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from http.client import HTTPException, HTTPResponse
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from edge_node.meter import Meter
from schedules import addresses

MOST_REDIRECTS = 5
CONNECT_SECONDS, READ_SECONDS, ANSWER_SECONDS = 5.0, 10.0, 20.0
CHUNK_BYTES = 1 << 14
DATA_SPENT = "the data of the day are kept for what matters more"


class NoStream(Exception):
    """Why there is no stream now; the message is for the log and the receipt."""


class Answer:
    """What a server gives: ``url`` after redirects, ``media_type`` in lower case, and the body."""

    def __init__(self, url: str, response: urllib3.BaseHTTPResponse, meter: Meter) -> None:
        self.url, self._response, self._meter = url, response, meter
        self.media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def read(self) -> bytes:
        """The next bytes, as they come; empty at the end. Raises NoStream."""
        try:
            chunk = self._response.read1(CHUNK_BYTES, decode_content=False)
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as wrong:
            raise NoStream(f"the stream broke off: {wrong}"[:200]) from None
        self._meter.count(len(chunk))
        if not self._meter.may_stream():
            raise NoStream(DATA_SPENT)
        return chunk

    def whole(self, most_bytes: int) -> bytes:
        """The whole body. Raises NoStream, also for one that is longer than ``most_bytes`` or takes too long."""
        body, until = bytearray(), time.monotonic() + ANSWER_SECONDS
        while chunk := self.read():
            body += chunk
            if len(body) > most_bytes or time.monotonic() > until:
                raise NoStream(f"more than {most_bytes} bytes or {ANSWER_SECONDS:.0f} s at {self.url[:100]}")
        return bytes(body)

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()


class Caller:
    """Calls streams up, one at a time. ``private``: also on this machine and its own network.

    ``meter``: what counts the bytes, and says when a stream may take no more.
    """

    def __init__(self, private: bool = False, read_seconds: float = READ_SECONDS, meter: Meter | None = None) -> None:
        self._private, self._meter = private, meter or Meter()
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        self._pool = urllib3.PoolManager(num_pools=4, maxsize=1, retries=False, timeout=timeout)
        self._pool.pool_classes_by_scheme = _pools(self, private)
        self._socket: socket.socket | None = None
        self._gone = threading.Event()

    def open(self, url: str) -> Answer:
        """What is at ``url`` now. Raises NoStream."""
        for _ in range(MOST_REDIRECTS + 1):
            response = self._ask(url)
            target = response.get_redirect_location()
            if not target:
                if response.status != 200:
                    response.close()
                    raise NoStream(f"the server answered {response.status}")
                return Answer(url, response, self._meter)
            response.close()
            url = _led(url, target)
        raise NoStream(f"more than {MOST_REDIRECTS} redirects")

    def close(self) -> None:
        """Hang up, from any thread; nothing is asked any more."""
        self._gone.set()
        self.hang_up()
        self._pool.clear()

    def hang_up(self) -> None:
        """Wake whatever waits for the server, from another thread."""
        talking = self._socket
        with contextlib.suppress(OSError, ValueError):  # it has ended by itself
            talking.shutdown(socket.SHUT_RDWR) if talking else None

    def talks(self, talking: socket.socket) -> None:
        """A connection stands."""
        self._socket = talking

    def _ask(self, url: str) -> urllib3.BaseHTTPResponse:
        if not self._meter.may_stream():
            raise NoStream(DATA_SPENT)
        wrong = addresses.why_not(url, self._private)
        if wrong is not None or self._gone.is_set():
            raise NoStream(f"not an address to relay from ({wrong}): {url[:100]}")
        too_long = threading.Timer(ANSWER_SECONDS, self.hang_up)  # a server may drip its very headers
        too_long.daemon = True
        too_long.start()
        headers = {"Accept-Encoding": "identity", "User-Agent": "loa-node"}
        try:
            return self._pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as no:
            raise NoStream(f"{url[:100]}: {no}"[:250]) from None
        finally:
            too_long.cancel()


def _led(url: str, target: str) -> str:
    """Where a redirect leads. Raises NoStream for a step down from https, and for what is no address."""
    try:
        led = urljoin(url, target)
        down = urlsplit(url).scheme == "https" and urlsplit(led).scheme != "https"
    except ValueError as wrong:
        raise NoStream(f"led to what is no address: {wrong}"[:200]) from None
    if down:
        raise NoStream("led from https to something else")
    return led


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


def _pools(caller: Caller, private: bool) -> dict[str, type[HTTPConnectionPool]]:
    """Pools whose connections are judged unless ``private``, and known to ``caller`` while they talk."""

    class Plain(HTTPConnection):
        response_class = _Tolerant

        def _new_conn(self) -> socket.socket:
            return super()._new_conn() if private else _connected(self)

        def connect(self) -> None:
            super().connect()
            caller.talks(self.sock)

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return super()._new_conn() if private else _connected(self)

        def connect(self) -> None:
            super().connect()
            caller.talks(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}


class _Tolerant(HTTPResponse):
    """Takes ``ICY 200 OK``, as old SHOUTcast servers answer, for HTTP/1.0."""

    def _read_status(self) -> tuple[str, int, str]:
        if self.fp.peek(4)[:4] != b"ICY ":
            return super()._read_status()  # type: ignore[misc, no-any-return]
        words = self.fp.readline(1000).decode("latin-1").split()
        status = words[1] if len(words) > 1 and re.fullmatch("[1-5][0-9]{2}", words[1]) else "502"
        return "HTTP/1.0", int(status), ""
