"""A man in the middle of plain HTTP audio: a real proxy between a node and its station's shelf, which does as it likes.

At no moment is anything ready to sound but what was sealed; what the man lets through in the end is whole.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from makers_media import MediaServer
from makers_sound import until
from test_cache import MakeCache, make, put, server

from edge_node.cache import Cache
from wire.errors import Reason
from wire.plan import Asset

__all__ = ["make", "server"]  # fixtures
Edit = Callable[[bytes], bytes]  # the whole answer, head and body
SIZE, SEED, ROUNDS = 20_000, 7, 20


class Man:
    """Takes connections on one port, brings them to the shelf, and gives back what ``edits`` make of the answers."""

    def __init__(self, port: int) -> None:
        self._to, self._socket = port, socket.create_server(("127.0.0.1", 0))
        self.edits: list[Edit] = []
        self.done = 0
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._stand, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _stand(self) -> None:
        while True:
            try:
                node, _ = self._socket.accept()
            except OSError:
                return
            with node:
                try:
                    self._between(node)
                except OSError:
                    continue

    def _between(self, node: socket.socket) -> None:
        node.settimeout(5)
        asked = b""
        while b"\r\n\r\n" not in asked:
            piece = node.recv(65536)
            if not piece:
                return
            asked += piece
        with socket.create_connection(("127.0.0.1", self._to), 5) as shelf:
            shelf.sendall(asked)
            answer = b"".join(iter(lambda: shelf.recv(65536), b""))
        edit = self.edits.pop(0) if self.edits else bytes
        node.sendall(edit(answer))
        self.done += 1


@pytest.fixture
def man(server: MediaServer) -> Iterator[Man]:
    man = Man(int(server.url.rsplit(":", 1)[1]))
    yield man
    man.close()


def flipped(chance: random.Random) -> Edit:
    """Some bits of the body, the head untouched."""

    def edit(answer: bytes) -> bytes:
        body = bytearray(answer)
        for _ in range(chance.randint(1, 9)):
            body[chance.randrange(answer.index(b"\r\n\r\n") + 4, len(answer))] ^= 1 << chance.randrange(8)
        return bytes(body)

    return edit


def anywhere(chance: random.Random) -> Edit:
    """Some bytes of head or body."""

    def edit(answer: bytes) -> bytes:
        made = bytearray(answer)
        for _ in range(chance.randint(1, 5)):
            made[chance.randrange(len(made))] = chance.randrange(256)
        return bytes(made)

    return edit


def redirected(to: str) -> Edit:
    return lambda _: f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def replaced(body: bytes, status: str = "200 OK", *lines: str) -> Edit:
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *lines))
    return lambda _: f"{head}\r\n\r\n".encode() + body


def cut(chance: random.Random) -> Edit:
    return lambda answer: answer[: chance.randrange(len(answer))]


def drawn(chance: random.Random, other: bytes) -> Edit:
    """One thing that a man in the middle may do."""
    half = f"Content-Range: bytes {SIZE // 2}-{SIZE - 1}/{SIZE}"
    return chance.choice(
        (
            *(flipped(chance), anywhere(chance), cut(chance), replaced(other), replaced(other[:100]), replaced(b"")),
            *(replaced(other + other), replaced(gzip.compress(other), "200 OK", "Content-Encoding: gzip")),
            *(replaced(other[SIZE // 2 :], "206 Partial", half), replaced(b"", "404 Not Found")),
            *(redirected("/other"), redirected("file:///etc/passwd"), redirected("http://127.0.0.1:1/x")),
            *(redirected("gopher://127.0.0.1/x"), lambda answer: answer * 3, lambda _: b"\0" * 5000),
        )
    )


def true_or_nothing(cache: Cache, asset: Asset) -> bool:
    """Whether it is there; if it is, it is what was sealed."""
    ready = cache.verified(asset)
    if ready is not None:
        assert hashlib.sha256(ready.read_bytes()).hexdigest() == asset.sha256
    return ready is not None


def test_whatever_a_man_in_the_middle_does_nothing_but_the_sealed_audio_is_ever_ready(
    man: Man, server: MediaServer, make: MakeCache, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    other = hashlib.shake_128(b"other").digest(SIZE)
    server.files["/other"] = other
    cache = make()
    for number in range(ROUNDS):
        asset = put(server, f"a{number}", size=SIZE)
        man.edits = [drawn(chance, other) for _ in range(3)]
        cache.want([asset], media_url=man.url)
        until(lambda asset=asset: true_or_nothing(cache, asset))
    counts = cache.counts()
    assert counts[Reason.BAD_HASH] > 3, counts
    assert counts[Reason.NO_AUDIO] > 3, counts
    kept = {file.name for file in (tmp_path / "audio").rglob("*") if file.is_file()}
    assert not any(hashlib.sha256(other).hexdigest() in name for name in kept)


@pytest.mark.parametrize("edit", [flipped(random.Random(1)), redirected("/other"), cut(random.Random(2))])
def test_a_man_who_never_gives_up_costs_the_item_and_nothing_else(
    man: Man, server: MediaServer, make: MakeCache, edit: Edit
) -> None:
    """It is not there, the reason is told, and what he lets pass comes."""
    server.files["/other"] = b"x" * SIZE
    lost, passes = put(server, "lost", size=SIZE), put(server, "passes", size=SIZE)
    man.edits = [edit] * 6
    cache = make()
    cache.want([lost], media_url=man.url)
    until(lambda: man.done >= 4)
    assert not true_or_nothing(cache, lost)
    assert cache.why_not(lost) in (Reason.BAD_HASH, Reason.NO_AUDIO)
    cache.want([passes, lost], media_url=server.url)
    until(lambda: true_or_nothing(cache, passes))
