"""The cache's thread against what nobody foresaw: it goes on, or another takes its place."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from makers_media import MediaServer, status
from makers_sound import until
from test_cache import SIZE, MakeCache, fetched, make, put, server

from edge_node.cache import Cache
from edge_node.rack import Rack
from wire.errors import Reason

__all__ = ["make", "server"]


def once_in_the_thread(real: Callable[..., Any], wrong: Exception) -> Callable[..., Any]:
    """As ``real``, but that it raises ``wrong`` the first time that the cache's thread asks."""
    left = [wrong]

    def asked(*args: object, **more: object) -> object:
        if left and threading.current_thread().name == "cache":
            raise left.pop()
        return real(*args, **more)

    return asked


def test_an_unforeseen_exception_around_one_asset_is_logged_and_the_asset_tried_again(
    server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asset, cache = put(server, "a"), make()
    monkeypatch.setattr(Rack, "is_true", once_in_the_thread(Rack.is_true, RuntimeError("nobody foresaw it")))
    fetched(cache, server, asset)
    assert cache.counts() == {Reason.NO_AUDIO: 1}
    assert "Traceback" in caplog.text


def test_an_unforeseen_exception_while_it_looks_what_is_next_does_not_end_it(
    server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asset, cache = put(server, "a"), make()
    monkeypatch.setattr(cache.meter, "allows", once_in_the_thread(cache.meter.allows, RuntimeError("nor this")))
    cache.want([asset], media_url=server.url, ceilings={asset.sha256: 10**9})
    until(lambda: cache.ready(asset))
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("whose", ["cache", "MainThread"])
def test_a_card_that_fails_while_it_is_asked_for_a_file_ends_nothing(
    whose: str, server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset, cache, real, failed = put(server, "a"), make(), os.stat, list[Any]()

    def stat(path: Any, *args: Any, **more: Any) -> os.stat_result:
        mine = threading.current_thread().name == whose and str(path).endswith(asset.sha256)
        if mine and len(failed) < 3:
            failed.append(path)
            raise OSError(errno.EIO, "Input/output error")
        return real(path, *args, **more)

    monkeypatch.setattr(os, "stat", stat)
    cache.want([asset], media_url=server.url, ceilings={asset.sha256: 10**9})
    assert cache.why_not(asset) is Reason.NO_AUDIO or cache.ready(asset)
    until(lambda: cache.ready(asset))
    assert failed


class Guarded(dict[str, Any]):
    """Lets nobody change it who does not hold the cache's lock."""

    def __init__(self, cache: Cache) -> None:
        super().__init__(cache._true)
        self._cache = cache

    def pop(self, *args: Any) -> Any:
        assert self._cache._wake._is_owned()  # type: ignore[attr-defined]
        return super().pop(*args)


def test_what_is_known_to_be_true_is_changed_by_one_thread_at_a_time(server: MediaServer, make: MakeCache) -> None:
    one, two, cache = put(server, "a"), put(server, "b"), make()
    fetched(cache, server, one, two)
    cache._true = Guarded(cache)
    for asset, look in ((one, cache.ready), (two, cache.verified)):
        Path(cache._rack.path(asset)).unlink()
        assert look(asset) is None
    fetched(cache, server, one, two)


def test_one_who_looks_while_room_is_made_ends_nothing(
    server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, later, soon = (put(server, name) for name in ("a", "b", "c"))
    cache = make(budget_bytes=2 * SIZE)
    fetched(cache, server, late, later)
    finish, looks = Rack.finish, []

    def looked_at(rack: Rack, asset: Any) -> None:
        finish(rack, asset)
        looks.append(threading.Thread(target=lambda: [cache.ready(each) for each in (late, later)]))
        looks[-1].start()

    monkeypatch.setattr(Rack, "finish", looked_at)
    cache.want([soon, late, later], media_url=server.url)
    until(lambda: cache.ready(soon))
    for each in looks:
        each.join()
    until(lambda: cache.why_not(later) is Reason.DISK_FULL)


def test_a_thread_that_ended_is_replaced_with_the_next_wish_also_when_it_is_the_same(
    server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset, cache = put(server, "a"), make()
    with monkeypatch.context() as ended:
        ended.setattr(cache, "_work", lambda: None)
        cache.want([asset], media_url=server.url)
        until(lambda: cache._thread and not cache._thread.is_alive())
    fetched(cache, server, asset)


def test_a_machine_without_a_thread_to_give_is_asked_again_with_the_next_wish(
    server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset, cache = put(server, "a", status(503)), make()

    def none(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as poor:
        poor.setattr(threading.Thread, "start", none)
        cache.want([asset], media_url=server.url)
    fetched(cache, server, asset)
