"""Fetching: one sealed audio file over HTTP(S) into its part file. One of three doors to urllib3.

- Resumes: asks for the bytes it lacks, and starts over when the server gives another range or another version.
- Believes the seal, not the server: never takes more bytes than were sealed, follows no redirect to another kind
  of address, gives up on a head or a body that stalls or drips.
- What is plainly something else (a web page, as a network's sign-in gives for everything; an encoded body; another
  length) is refused before it touches what was fetched so far.
- Checks no hash: the caller does, on what lies on the disk.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from edge_node.meter import Meter
from wire.errors import Reason
from wire.plan import Asset

MOST_REDIRECTS = 5
CHUNK_BYTES = 1 << 16
_TOLD = ("Content-Type", "Content-Encoding")


@dataclass(frozen=True)
class Patience:
    """How long a server may take. A head is there after ``head_seconds``, all of it; a body must bring
    ``slow_bytes`` in every ``slow_seconds``.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 20.0
    head_seconds: float = 40.0
    slow_seconds: float = 60.0
    slow_bytes: int = 30_000


class NotFetched(Exception):
    """Why the audio could not be had; ``start_over`` when what was fetched so far is of no use."""

    def __init__(self, reason: Reason, detail: str, start_over: bool = False) -> None:
        super().__init__(detail)
        self.reason, self.start_over = reason, start_over


class Aborted(Exception):
    """Something else is needed sooner, or the node is stopping; what was fetched stays."""


class Fetcher:
    """Fetches one file at a time. `abort` may be called from another thread."""

    def __init__(self, patience: Patience | None = None, meter: Meter | None = None) -> None:
        self._patience, self._meter = patience or Patience(), meter or Meter()
        timeout = urllib3.Timeout(connect=self._patience.connect_seconds, read=self._patience.read_seconds)
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=1, retries=False, timeout=timeout)
        self._pool.pool_classes_by_scheme = _pools(self._talks)
        self._socket: socket.socket | None = None
        self._response: urllib3.BaseHTTPResponse | None = None
        self._aborted = threading.Event()

    def fetch(self, url: str, size_bytes: int, part: Path) -> None:
        """Bring ``part`` to exactly ``size_bytes``. Raises NotFetched, Aborted."""
        try:
            have = part.stat().st_size if part.exists() else 0
            if have > size_bytes:
                raise NotFetched(Reason.BAD_HASH, "more bytes on disk than were sealed", start_over=True)
            if have < size_bytes:
                self._take(url, size_bytes, part, have)
        except (urllib3.exceptions.HTTPError, HTTPException, ValueError) as wrong:
            self._end(Reason.NO_AUDIO, f"{type(wrong).__name__}: {wrong}")
        except OSError as wrong:
            full = wrong.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
            self._end(Reason.DISK_FULL if full else Reason.NO_AUDIO, str(wrong))
        finally:
            response, self._response = self._response, None
            if response is not None:
                response.close()

    def rearm(self) -> None:
        """Take back an earlier `abort`: it was meant for another fetch."""
        self._aborted.clear()

    def abort(self) -> None:
        """Make a fetch in progress raise Aborted soon, also one that waits for bytes."""
        self._aborted.set()
        self._hang_up()

    def close(self) -> None:
        """Abort and let go of the connections."""
        self.abort()
        self._pool.clear()

    def _talks(self, talking: socket.socket) -> None:
        """A connection stands."""
        self._socket = talking

    def _hang_up(self) -> None:
        """Wake whatever waits for the server, from another thread."""
        talking = self._socket
        with contextlib.suppress(OSError, ValueError):  # it has ended by itself
            talking.shutdown(socket.SHUT_RDWR) if talking else None

    def _end(self, reason: Reason, detail: str) -> None:
        if self._aborted.is_set():
            raise Aborted from None
        raise NotFetched(reason, detail[:300]) from None

    def _take(self, url: str, size_bytes: int, part: Path, have: int) -> None:
        version = part.with_suffix(".etag")
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if version.exists():
                headers["If-Range"] = version.read_text("latin-1")
        response = self._ask(url, headers)
        if response.status == 416:
            raise NotFetched(Reason.NO_AUDIO, "the server has no such range", start_over=True)
        if response.status not in (200, 206):
            raise NotFetched(Reason.NO_AUDIO, f"the server answered {response.status}")
        _check_kind(response.headers)
        part_of_it = response.status == 206
        if part_of_it:
            span = response.headers.get("Content-Range", "")
            if not span and not response.read1(1, decode_content=False):
                raise NotFetched(Reason.NO_AUDIO, "the answer broke off in its head")
            _check_range(span, have)
        else:
            have = 0
        _check_length(response.headers.get("Content-Length", ""), size_bytes - have, part_of_it)
        _remember(version, response.headers.get("ETag", ""))
        self._copy(response, part, have, size_bytes)
        version.unlink(missing_ok=True)

    def _ask(self, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """The answer after redirects, its body still to be read."""
        for _ in range(MOST_REDIRECTS + 1):
            _check_scheme(url, ("http", "https"))
            if self._aborted.is_set():
                raise Aborted
            response = self._response = self._call(url, headers)
            target = response.get_redirect_location()
            if not target:
                return response
            response.close()
            before, url = url, urljoin(url, target)
            # a sealed https address must not be led down to plain http
            _check_scheme(url, ("http", "https") if urlsplit(before).scheme == "http" else ("https",))
        raise NotFetched(Reason.NO_AUDIO, f"more than {MOST_REDIRECTS} redirects")

    def _call(self, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        too_long = threading.Timer(self._patience.head_seconds, self._hang_up)  # a server may drip its very head
        too_long.daemon = True
        too_long.start()
        try:
            return self._pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
        finally:
            too_long.cancel()

    def _copy(self, response: urllib3.BaseHTTPResponse, part: Path, have: int, size_bytes: int) -> None:
        window, window_bytes = time.monotonic(), 0
        with part.open("ab") as file:
            file.truncate(have)
            while have < size_bytes:
                chunk = response.read1(CHUNK_BYTES, decode_content=False)
                self._meter.count(len(chunk))
                if self._aborted.is_set():
                    raise Aborted
                if not chunk:
                    raise NotFetched(Reason.NO_AUDIO, f"the body ended after {have} of {size_bytes} bytes")
                if have + len(chunk) > size_bytes:
                    raise NotFetched(Reason.BAD_HASH, "the body is longer than was sealed", start_over=True)
                file.write(chunk)
                have += len(chunk)
                window_bytes += len(chunk)
                if time.monotonic() - window > self._patience.slow_seconds:
                    if window_bytes < self._patience.slow_bytes:
                        raise NotFetched(Reason.NO_AUDIO, f"only {window_bytes} bytes in a while")
                    window, window_bytes = time.monotonic(), 0
            file.flush()
            os.fsync(file.fileno())
        if response.read1(1, decode_content=False):
            raise NotFetched(Reason.BAD_HASH, "the body is longer than was sealed", start_over=True)


def address(media_url: str, asset: Asset) -> str:
    """Where the asset is fetched: its own address, or below ``media_url``."""
    return asset.url if "://" in asset.url else f"{media_url.rstrip('/')}/{asset.url.lstrip('/')}"


def one_byte(url: str) -> bool:
    """Whether the server gives a single byte when that is asked for, so that a fetch can be resumed.

    Raises NotFetched when it gives nothing.
    """
    fetcher = Fetcher(Patience(connect_seconds=5.0, read_seconds=5.0))
    try:
        with closing(fetcher._ask(url, {"Range": "bytes=0-0", "Accept-Encoding": "identity"})) as answer:
            if answer.status not in (200, 206):
                raise NotFetched(Reason.NO_AUDIO, f"the server answered {answer.status}")
            return bool(answer.status == 206)
    except (urllib3.exceptions.HTTPError, HTTPException, ValueError, OSError) as wrong:
        raise NotFetched(Reason.NO_AUDIO, f"{type(wrong).__name__}: {wrong}"[:200]) from None
    finally:
        fetcher.close()


def _check_scheme(url: str, allowed: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in allowed and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        raise NotFetched(Reason.NO_AUDIO, f"not an address to fetch from: {url[:100]}")


def _check_kind(headers: Mapping[str, str]) -> None:
    """The audio is sealed as it lies on the server: never a web page, never encoded on the way."""
    kind, coding = (headers.get(name, "").partition(";")[0].strip().lower() for name in _TOLD)
    if kind in ("text/html", "application/xhtml+xml"):
        raise NotFetched(Reason.NO_AUDIO, "a web page instead of audio: does this network ask to sign in?")
    if coding not in ("", "identity"):
        raise NotFetched(Reason.NO_AUDIO, f"encoded as {coding[:40]}, which was not asked for")


def _check_range(content_range: str, have: int) -> None:
    if not content_range.startswith(f"bytes {have}-"):
        raise NotFetched(Reason.NO_AUDIO, f"the server gave another range: {content_range[:60]}", start_over=True)


def _check_length(length: str, wanted: int, part_of_it: bool) -> None:
    """``part_of_it``: a range was given, and it may be shorter; the rest is asked for then."""
    if not length.isdigit() or int(length) == wanted or (part_of_it and int(length) < wanted):
        return
    raise NotFetched(Reason.BAD_HASH, f"{length[:40]} bytes offered, {wanted} sealed", start_over=part_of_it)


def _remember(version: Path, etag: str) -> None:
    """Keep the version's name for a resume; a weak one says nothing about bytes (RFC 9110, 13.1.5)."""
    if etag.startswith('"') and len(etag) <= 200:
        version.write_text(etag, "latin-1")
    else:
        version.unlink(missing_ok=True)


def _pools(talks: Callable[[socket.socket], None]) -> dict[str, type[HTTPConnectionPool]]:
    """Pools whose connections say which socket they talk through, so that another thread can hang up."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            talks(self.sock)

    class Tls(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            talks(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}
