"""Fetching: one sealed audio file over HTTP(S) into its part file. With `tuner.calling` the one door to urllib3.

- Resumes: asks for the bytes it lacks, and starts over when the server gives another range or another version.
- Believes the seal, not the server: never takes more bytes than were sealed, follows no redirect to another kind
  of address, gives up on a body that stalls or drips.
- Checks no hash: the caller does, on what lies on the disk.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import urllib3

from wire.errors import Reason

MOST_REDIRECTS = 5
CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Patience:
    """How long a server may take. A body must bring ``slow_bytes`` in every ``slow_seconds``."""

    connect_seconds: float = 10.0
    read_seconds: float = 20.0
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

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        timeout = urllib3.Timeout(connect=self._patience.connect_seconds, read=self._patience.read_seconds)
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=1, retries=False, timeout=timeout)
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
            full = wrong.errno in (errno.ENOSPC, errno.EDQUOT)
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
        response = self._response
        if response is not None:
            try:
                response.shutdown()  # wakes a read that waits; urllib3 2.3
            except (AttributeError, ValueError, OSError):
                return  # it has ended by itself

    def close(self) -> None:
        """Abort and let go of the connections."""
        self.abort()
        self._pool.clear()

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
        if response.status == 206:
            _check_range(response.headers.get("Content-Range", ""), have)
        else:
            have = 0
        _check_length(response.headers.get("Content-Length", ""), size_bytes - have)
        _remember(version, response.headers.get("ETag", ""))
        self._copy(response, part, have, size_bytes)
        version.unlink(missing_ok=True)

    def _ask(self, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """The answer after redirects, its body still to be read."""
        for _ in range(MOST_REDIRECTS + 1):
            _check_scheme(url, ("http", "https"))
            if self._aborted.is_set():
                raise Aborted
            response = self._pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
            self._response = response
            target = response.get_redirect_location()
            if not target:
                return response
            response.close()
            before, url = url, urljoin(url, target)
            # a sealed https address must not be led down to plain http
            _check_scheme(url, ("http", "https") if urlsplit(before).scheme == "http" else ("https",))
        raise NotFetched(Reason.NO_AUDIO, f"more than {MOST_REDIRECTS} redirects")

    def _copy(self, response: urllib3.BaseHTTPResponse, part: Path, have: int, size_bytes: int) -> None:
        window, window_bytes = time.monotonic(), 0
        with part.open("ab") as file:
            file.truncate(have)
            while have < size_bytes:
                chunk = response.read1(CHUNK_BYTES, decode_content=False)
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


def _check_scheme(url: str, allowed: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in allowed and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        raise NotFetched(Reason.NO_AUDIO, f"not an address to fetch from: {url[:100]}")


def _check_range(content_range: str, have: int) -> None:
    if not content_range.startswith(f"bytes {have}-"):
        raise NotFetched(Reason.NO_AUDIO, f"the server gave another range: {content_range[:60]}", start_over=True)


def _check_length(length: str, wanted: int) -> None:
    if length.isdigit() and int(length) != wanted:
        raise NotFetched(Reason.BAD_HASH, f"{length} bytes offered, {wanted} sealed", start_over=True)


def _remember(version: Path, etag: str) -> None:
    """Keep the version's name for a resume; a weak one says nothing about bytes (RFC 9110, 13.1.5)."""
    if etag.startswith('"') and len(etag) <= 200:
        version.write_text(etag, "latin-1")
    else:
        version.unlink(missing_ok=True)
