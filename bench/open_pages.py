"""Open pages of the console, as `live.js` makes them: a stream, and at each event the page again, or its bar.

- Real sockets; each page is asked for on a connection of its own.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

WIDE = 7  # every fiftieth bulletin from this one on is the whole province's
BAR = "/so-viec"
_PART = re.compile(r'id="([^"]*)" data-live(?: data-live-of="([^"]*)")?(?: data-live-in="([^"]*)")?[ >]')


@dataclass(eq=False)
class Console:
    """One open page of a user, and when it heard and showed what happened last; ``commune``: None for the province."""

    port: int
    token: str
    page: str
    commune: int | None
    communes: int
    asked: float = 0.0
    said: float = 0.0  # that there is an emergency
    heard: float = 0.0
    shown: float = 0.0
    stream: str = ""
    kinds: frozenset[str] = frozenset()  # that the page shows beside its bar
    spent: list[float] = field(default_factory=list)  # seconds of its requests

    def is_concerned(self, bulletin: int) -> bool:
        """Whether a bulletin sounds where this page is read."""
        return self.commune in (None, bulletin % self.communes) or bulletin % 50 == WIDE


async def opened(console: Console) -> None:
    """Ask for its page, and learn from it what it listens for."""
    page = await _page(console, console.page, "")
    console.stream, console.kinds = _stream_of(page), _kinds_of(page)


async def listen(console: Console) -> None:
    """As `live.js`: at each event the page again; while it is on its way the next event waits."""
    reader, writer = await asyncio.open_connection("127.0.0.1", console.port)
    writer.write(_request(console.stream, console.token))
    fresh = asyncio.Queue[frozenset[str]]()
    shower = asyncio.create_task(_show(console, fresh))
    event = b""
    try:
        while line := await reader.readline():
            if line.startswith(b"event: "):
                event = line.strip()
            elif line.startswith(b"data: ") and event == b"event: urgent":
                console.said = max(console.said, time.monotonic())
            elif line.startswith(b"data: "):
                if console.heard < console.asked:
                    console.heard = time.monotonic()
                fresh.put_nowait(_told_kinds(line))
    finally:
        shower.cancel()
        writer.close()


async def _show(console: Console, fresh: asyncio.Queue[frozenset[str]]) -> None:
    while True:
        told = [await fresh.get()]
        while not fresh.empty():
            told.append(fresh.get_nowait())
        is_whole = any(not kinds or kinds & console.kinds for kinds in told)
        began = time.monotonic()
        await _page(console, console.page if is_whole else BAR)
        if console.shown < console.asked <= began:
            console.shown = time.monotonic()


async def _page(console: Console, path: str, more: str = "X-Live: page\r\n") -> str:
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", console.port)
    writer.write(_request(path, console.token, f"Connection: close\r\n{more}"))
    answer = await reader.read(-1)
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer[:200].decode("latin-1"))
    console.spent.append(time.monotonic() - began)
    return answer.decode()


def _stream_of(page: str) -> str:
    """As `live.js` asks for it."""
    parts = _PART.findall(page)
    asked = {"tu": page.partition('data-seen="')[2].partition('"')[0]}
    if all(of for _, of, _ in parts):
        asked["ve"] = ",".join(dict.fromkeys(kind for _, of, _ in parts for kind in of.split()))
    asked["noi"] = " ".join(where if of else "*" for _, of, where in parts).strip()
    return "/su-kien?" + urlencode(asked)


def _kinds_of(page: str) -> frozenset[str]:
    """What the page shows beside what waits in its bar."""
    return frozenset(kind for name, of, _ in _PART.findall(page) if not name.endswith("-count") for kind in of.split())


def _told_kinds(line: bytes) -> frozenset[str]:
    """Of which kinds an event is; none: of any."""
    _, _, named = line.decode().strip().removeprefix("data: ").partition(" ")
    return frozenset(named.split(",")) if named else frozenset()


def _request(path: str, token: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nCookie: loa_phien={token}\r\n{more}\r\n".encode()
