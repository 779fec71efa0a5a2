"""The cache against HTTP servers and networks that lie, drip or babble: a reason, no harm, and in the end audio."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from makers_media import Behaviour, Handler, MediaServer, endless, status, truncated
from makers_sound import until
from test_cache import PATIENCE, SIZE, MakeCache, fetched, make, put, server

from edge_node import fetch
from edge_node.cache import Cache
from edge_node.fetch import Patience
from wire.errors import Reason
from wire.plan import Asset

__all__ = ["make", "server"]  # fixtures
HALF = SIZE // 2
SIGN_IN = b"<html><title>Xin moi dang nhap WiFi</title></html>" * 100


def answers(code: int, body: bytes, length: str | None = None, **headers: str) -> Behaviour:
    """One answer, to the letter."""

    def behave(handler: Handler, _: bytes) -> None:
        headers["Content_Length"] = str(len(body)) if length is None else length
        handler.head(code, None, **{name: value for name, value in headers.items() if value})
        handler.wfile.write(body)

    return behave


def raw(*lines: bytes) -> Behaviour:
    """No HTTP at all, or nearly."""

    def behave(handler: Handler, _: bytes) -> None:
        for line in lines:
            handler.wfile.write(line)

    return behave


def gives(code: int, make_body: Callable[[bytes], bytes], **headers: str) -> Behaviour:
    """An answer whose body is made of the true one."""
    return lambda handler, body: answers(code, make_body(body), **headers)(handler, body)


# what comes when the second half is asked for -> what it counts as; after it the first half is still there
HARMLESS: dict[str, tuple[Behaviour, Reason]] = {
    "the sign-in page of a network": (answers(200, SIGN_IN, Content_Type="text/html; charset=utf-8"), Reason.NO_AUDIO),
    "one without a length": (answers(200, SIGN_IN, "", Content_Type="text/HTML"), Reason.NO_AUDIO),
    "one led to": (status(302, Location="/sign-in"), Reason.NO_AUDIO),
    "network authentication required": (answers(511, SIGN_IN, Content_Type="text/html"), Reason.NO_AUDIO),
    "something short, called audio": (answers(200, b"busy", Content_Type="audio/ogg"), Reason.BAD_HASH),
    "something long": (answers(200, b"x", str(1 << 60)), Reason.BAD_HASH),
    "gzip": (gives(200, gzip.compress, Content_Encoding="gzip"), Reason.NO_AUDIO),
    "a bomb": (answers(206, gzip.compress(bytes(9_000_000)), Content_Encoding="gzip"), Reason.NO_AUDIO),
    "going round in circles": (status(301, Location="/a"), Reason.NO_AUDIO),
    "gibberish": (raw(b"\x00\xff" * 500), Reason.NO_AUDIO),
    "nothing": (raw(), Reason.NO_AUDIO),
    "half a head": (raw(b"HTTP/1.1 206 Partial\r\nContent-Ra"), Reason.NO_AUDIO),
    "a head without end": (raw(b"HTTP/1.1 200 OK\r\n", *[b"X-%d: x\r\n" % at for at in range(500)]), Reason.NO_AUDIO),
    "a line without end": (raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), Reason.NO_AUDIO),
    "only a part of the range": (
        gives(206, lambda body: body[HALF : HALF + 5000], Content_Range=f"bytes {HALF}-{HALF + 4999}/{SIZE}"),
        Reason.NO_AUDIO,
    ),
}


@pytest.mark.parametrize("lie", HARMLESS)
def test_what_is_not_the_audio_costs_nothing_of_what_was_fetched(
    lie: str, server: MediaServer, make: MakeCache
) -> None:
    behaviour, reason = HARMLESS[lie]
    server.behaviours["/sign-in"] = [answers(200, SIGN_IN, Content_Type="text/html")]
    times = 7 if lie == "going round in circles" else 1
    asset, cache = put(server, "a", truncated(HALF), *[behaviour] * times), make()
    fetched(cache, server, asset)
    assert cache.verified(asset)
    expected = {Reason.NO_AUDIO: 1}  # the first half
    expected[reason] = expected.get(reason, 0) + 1
    assert cache.counts() == expected
    resumed = HALF + 5000 if lie == "only a part of the range" else HALF
    assert server.asked[-1] == ("/a", f"bytes={resumed}-")


# what comes when the second half is asked for, and cannot be told from the audio, or spoils it: from the beginning then
SPOILING: dict[str, tuple[Behaviour, Reason]] = {
    "another range": (
        gives(206, lambda body: body[:HALF], Content_Range=f"bytes 0-{HALF - 1}/{SIZE}"),
        Reason.NO_AUDIO,
    ),
    "a range that is not said": (gives(206, lambda body: body[HALF:]), Reason.NO_AUDIO),
    "a longer range": (
        gives(206, lambda body: body[HALF:] + b"x", Content_Range=f"bytes {HALF}-{SIZE}/{SIZE + 1}"),
        Reason.BAD_HASH,
    ),
    "other bytes of the right length": (
        gives(206, lambda _: b"x" * HALF, Content_Range=f"bytes {HALF}-{SIZE - 1}/{SIZE}"),
        Reason.BAD_HASH,
    ),
    "bytes without end": (endless, Reason.BAD_HASH),
}


@pytest.mark.parametrize("lie", SPOILING)
def test_what_spoils_the_audio_is_noticed_and_fetched_anew(lie: str, server: MediaServer, make: MakeCache) -> None:
    behaviour, reason = SPOILING[lie]
    asset, cache = put(server, "a", truncated(HALF), behaviour), make()
    fetched(cache, server, asset)
    assert cache.verified(asset)
    expected = {Reason.NO_AUDIO: 1}
    expected[reason] = expected.get(reason, 0) + 1
    assert cache.counts() == expected
    assert server.asked[-1] == ("/a", "")


def dripping_head(handler: Handler, _: bytes) -> None:
    """Never silent for as long as a read may take, and never done with its head."""
    for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
        handler.wfile.write(bytes([letter]))
        handler.wfile.flush()
        if handler.media.release.wait(0.1):
            return


def test_a_head_that_drips_is_given_up(server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("test_cache.PATIENCE", Patience(2, 2, head_seconds=0.7))
    asset, cache = put(server, "a", dripping_head), make()
    fetched(cache, server, asset)
    assert cache.counts() == {Reason.NO_AUDIO: 1}


def test_what_is_urgent_does_not_wait_for_a_head_that_drips(server: MediaServer, make: MakeCache) -> None:
    slow, urgent, cache = put(server, "slow", *[dripping_head] * 100), put(server, "urgent"), make()
    cache.want([slow], media_url=server.url)
    until(lambda: server.asked)
    cache.want([urgent, slow], media_url=server.url)
    until(lambda: cache.ready(urgent), PATIENCE.head_seconds / 2)


def test_closing_ends_a_head_that_drips(server: MediaServer, make: MakeCache) -> None:
    cache: Cache = make()
    cache.want([put(server, "slow", dripping_head)], media_url=server.url)
    until(lambda: server.asked)
    cache.close()
    assert cache._thread
    assert not cache._thread.is_alive(), "well before the server is done"


def test_a_server_on_which_nothing_is_true_is_asked_ever_less_and_costs_no_disk(
    server: MediaServer, make: MakeCache, tmp_path: Path
) -> None:
    lies = [behaviour for behaviour, _ in (*HARMLESS.values(), *SPOILING.values())]
    asset: Asset = put(server, "a", *lies)
    other = put(server, "b")
    cache = make()
    cache.want([asset, other], media_url=server.url)
    until(lambda: cache.ready(other))
    until(lambda: sum(cache.counts().values()) >= 4)
    cache.close()  # it comes and goes in its folder
    kept = sum(path.stat().st_size for path in (tmp_path / "audio").iterdir())
    assert kept <= 2 * SIZE + 1000
    assert fetch.MOST_REDIRECTS < 10
