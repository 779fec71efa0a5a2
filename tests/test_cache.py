"""The cache against a real HTTP server, well and badly behaved."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from makers_media import (
    Behaviour,
    MediaServer,
    dripping,
    endless,
    other,
    stalling,
    status,
    truncated,
    without_ranges,
)
from makers_node import T0
from makers_sound import until

from edge_node import troubles
from edge_node.cache import Cache
from edge_node.fetch import Patience
from edge_node.meter import Meter
from wire.errors import Reason
from wire.plan import Asset

SIZE = 200_000
PATIENCE = Patience()  # a server that answers is given its time, however busy the machine is
IMPATIENCE = Patience(connect_seconds=2, read_seconds=2, slow_seconds=0.5, slow_bytes=1000)
MakeCache = Callable[..., Cache]


@pytest.fixture
def server() -> Iterator[MediaServer]:
    server = MediaServer()
    yield server
    server.close()


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeCache]:
    monkeypatch.setattr(troubles, "FIRST_BACK_OFF", 0.05)
    made = []

    def make(**options: object) -> Cache:
        made.append(Cache(tmp_path / "audio", patience=PATIENCE, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for cache in made:
        cache.close()


def put(server: MediaServer, name: str, *behaviours: Behaviour, size: int = SIZE) -> Asset:
    body = hashlib.shake_128(name.encode()).digest(size)
    server.files[f"/{name}"] = body
    server.behaviours[f"/{name}"] = list(behaviours)
    return Asset(hashlib.sha256(body).hexdigest(), size, 1000, "audio/ogg", name)


def fetched(cache: Cache, server: MediaServer, *assets: Asset) -> None:
    cache.want(assets, media_url=server.url)
    until(lambda: all(cache.ready(asset) for asset in assets))


def test_what_is_wanted_is_fetched_checked_and_announced(server: MediaServer, make: MakeCache) -> None:
    asset, woken = put(server, "a"), []
    cache = make(on_ready=lambda: woken.append(1))
    assert cache.ready(asset) is None
    assert cache.why_not(asset) is Reason.NO_AUDIO
    fetched(cache, server, asset)
    path = cache.verified(asset)
    assert path
    assert path.read_bytes() == server.files["/a"]
    until(lambda: woken)
    assert cache.counts() == {}


def test_an_absolute_address_is_used_as_it_is(server: MediaServer, make: MakeCache) -> None:
    asset = put(server, "a")
    absolute = Asset(asset.sha256, asset.size_bytes, 1000, "audio/ogg", f"{server.url}/a")
    cache = make()
    cache.want([absolute], media_url="http://127.0.0.1:1/nowhere")
    until(lambda: cache.ready(absolute))


def test_what_is_needed_sooner_is_fetched_first(server: MediaServer, make: MakeCache) -> None:
    assets = [put(server, name) for name in ("c", "a", "b")]
    fetched(make(), server, *assets)
    assert [path for path, _ in server.asked] == ["/c", "/a", "/b"]


@pytest.mark.parametrize("code", [404, 500, 503, 204])
def test_an_error_answer_is_tried_again(code: int, server: MediaServer, make: MakeCache) -> None:
    asset, cache = put(server, "a", status(code), status(code)), make()
    cache.want([asset], media_url=server.url)
    until(lambda: cache.ready(asset))
    assert cache.counts() == {Reason.NO_AUDIO: 2}


def test_a_truncated_body_is_resumed_where_it_stopped(server: MediaServer, make: MakeCache) -> None:
    asset = put(server, "a", truncated(150_000))
    fetched(make(), server, asset)
    assert server.asked == [("/a", ""), ("/a", "bytes=150000-")]


def test_what_was_fetched_before_a_restart_is_not_fetched_again(server: MediaServer, make: MakeCache) -> None:
    asset, first = put(server, "a", stalling(120_000)), make()
    first.want([asset], media_url=server.url)
    part = Path(first._rack.part(asset))
    until(lambda: part.exists() and part.stat().st_size == 120_000)
    first.close()
    fetched(make(), server, asset)
    assert server.asked[-1] == ("/a", "bytes=120000-")


def test_a_server_without_ranges_is_read_from_the_start(server: MediaServer, make: MakeCache) -> None:
    asset, cache = put(server, "a", truncated(100_000), without_ranges), make()
    fetched(cache, server, asset)
    path = cache.verified(asset)
    assert path
    assert path.stat().st_size == SIZE


def test_a_range_that_cannot_be_had_starts_over(server: MediaServer, make: MakeCache) -> None:
    asset, cache = put(server, "a", truncated(100_000), status(416)), make()
    fetched(cache, server, asset)
    assert [span for _, span in server.asked] == ["", "bytes=100000-", ""]


@pytest.mark.parametrize(
    "behaviour",
    [other(b"x" * SIZE), other(b"x" * (SIZE + 1)), other(b"x" * 10), endless],
    ids=["other bytes", "longer", "shorter", "endless"],
)
def test_bytes_that_were_not_sealed_are_refused_and_start_over(
    behaviour: Behaviour, server: MediaServer, make: MakeCache
) -> None:
    asset, cache = put(server, "a", behaviour), make()
    cache.want([asset], media_url=server.url)
    until(lambda: cache.counts())
    assert cache.counts() == {Reason.BAD_HASH: 1}
    until(lambda: cache.ready(asset))
    assert [span for _, span in server.asked] == ["", ""]


def test_never_more_bytes_than_were_sealed_are_kept(server: MediaServer, make: MakeCache, tmp_path: Path) -> None:
    asset, cache = put(server, "a", *[endless] * 100), make()
    cache.want([asset], media_url=server.url)
    until(lambda: cache.counts().get(Reason.BAD_HASH, 0) >= 2)
    assert cache.why_not(asset) is Reason.BAD_HASH
    cache.close()
    assert sum(path.stat().st_size for path in (tmp_path / "audio").iterdir()) <= SIZE


def test_a_body_that_stalls_or_drips_is_given_up(
    server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("test_cache.PATIENCE", IMPATIENCE)
    asset, cache = put(server, "a", dripping, stalling(1000)), make()
    fetched(cache, server, asset)
    assert cache.counts() == {Reason.NO_AUDIO: 2}


def test_what_is_urgent_does_not_wait_for_a_stalled_body(server: MediaServer, make: MakeCache) -> None:
    slow, urgent, cache = put(server, "slow", *[stalling(1000)] * 100), put(server, "urgent"), make()
    cache.want([slow], media_url=server.url)
    until(lambda: server.asked)
    cache.want([urgent, slow], media_url=server.url)
    until(lambda: cache.ready(urgent), PATIENCE.read_seconds / 2)  # before the patience with the slow body ends
    assert cache.ready(slow) is None


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1/a"])
def test_a_redirect_to_another_kind_of_address_is_refused(target: str, server: MediaServer, make: MakeCache) -> None:
    asset, cache = put(server, "a", status(302, Location=target)), make()
    fetched(cache, server, asset)
    assert cache.counts() == {Reason.NO_AUDIO: 1}


def test_a_redirect_on_the_same_kind_of_address_is_followed_but_not_for_ever(
    server: MediaServer, make: MakeCache
) -> None:
    asset = put(server, "a", status(302, Location="/b"), *[status(302, Location="/a")] * 6)
    server.files["/b"] = server.files["/a"]
    fetched(make(), server, asset)
    assert [path for path, _ in server.asked] == ["/a", "/b"]
    again = put(server, "c", *[status(307, Location="/c")] * 6)
    cache = make()
    fetched(cache, server, again)
    assert cache.counts() == {Reason.NO_AUDIO: 1}


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://[::1", "http://", "ftp://x/y", "http://127.0.0.1:1/a"])
def test_an_address_that_leads_nowhere_is_an_answer_not_an_error(url: str, make: MakeCache) -> None:
    asset, cache = Asset("0" * 64, 10, 1000, "audio/ogg", url), make()
    cache.want([asset])
    until(lambda: cache.counts())
    assert cache.why_not(asset) is Reason.NO_AUDIO


def test_a_file_that_rotted_on_disk_is_not_played_but_fetched_again(server: MediaServer, make: MakeCache) -> None:
    asset, cache = put(server, "a"), make()
    fetched(cache, server, asset)
    path = cache.ready(asset)
    assert path
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"rot")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # a flipped bit leaves no trace in the times
    assert cache.ready(asset)
    assert cache.verified(asset) is None
    assert cache.counts() == {Reason.BAD_HASH: 1}
    until(lambda: cache.verified(asset))


def test_a_file_that_changed_is_not_ready_until_it_was_hashed_again(server: MediaServer, make: MakeCache) -> None:
    asset, cache = put(server, "a"), make()
    fetched(cache, server, asset)
    path = cache.ready(asset)
    assert path
    at = path.stat().st_mtime_ns
    path.write_bytes(b"x" * SIZE)
    os.utime(path, ns=(at + 10**6, at + 10**6))  # a later write; some file systems tell no two of a moment apart
    assert cache.ready(asset) is None
    until(lambda: cache.ready(asset))
    assert path.read_bytes() == server.files["/a"]
    assert cache.counts() == {Reason.BAD_HASH: 1}


def test_files_from_before_are_hashed_before_they_are_ready(server: MediaServer, make: MakeCache) -> None:
    good, bad = put(server, "good"), put(server, "bad")
    cache = make()
    cache._rack.path(good).write_bytes(server.files["/good"])
    cache._rack.path(bad).write_bytes(b"x" * SIZE)
    fetched(cache, server, good, bad)
    assert [path for path, _ in server.asked] == ["/bad"]


def test_what_nobody_wants_makes_room_the_longest_unused_first(server: MediaServer, make: MakeCache) -> None:
    old, middle, standby, new = (put(server, name) for name in ("old", "middle", "standby", "new"))
    cache = make(budget_bytes=3 * SIZE)
    cache.want([old, middle], [standby], server.url)
    until(lambda: all(cache.ready(asset) for asset in (old, middle, standby)))
    os.utime(cache._rack.path(old), (1, 1))
    cache.want([new], [standby], server.url)
    until(lambda: cache.ready(new))
    assert cache.ready(old) is None
    assert cache.ready(middle)
    assert cache.ready(standby)


def test_what_is_wanted_stays_and_the_newcomer_that_is_needed_last_waits(server: MediaServer, make: MakeCache) -> None:
    first, last, standby = put(server, "first"), put(server, "last"), put(server, "standby")
    cache = make(budget_bytes=2 * SIZE)
    cache.want([first], [standby], server.url)
    until(lambda: cache.ready(first) and cache.ready(standby))
    cache.want([first, last], [standby], server.url)
    until(lambda: cache.counts())
    assert cache.why_not(last) is Reason.DISK_FULL
    assert cache.ready(first)
    assert cache.ready(standby)
    cache.set_budget(3 * SIZE)
    until(lambda: cache.ready(last))


def test_an_emergency_takes_the_room_of_what_is_needed_later(server: MediaServer, make: MakeCache) -> None:
    tonight, next_week, urgent = put(server, "tonight"), put(server, "week"), put(server, "urgent")
    cache = make(budget_bytes=2 * SIZE)
    fetched(cache, server, tonight, next_week)
    cache.want([urgent, tonight, next_week], media_url=server.url)
    until(lambda: cache.ready(urgent))
    assert cache.ready(tonight)
    until(lambda: cache.why_not(next_week) is Reason.DISK_FULL)


def test_a_full_disk_is_an_answer_and_passes(
    server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset, cache = put(server, "a"), make()
    with monkeypatch.context() as patch:

        def full(handle: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr("edge_node.fetch.os.fsync", full)
        cache.want([asset], media_url=server.url)
        until(lambda: cache.counts())
        assert cache.why_not(asset) is Reason.DISK_FULL
    until(lambda: cache.ready(asset))


def test_the_disk_keeps_a_reserve_for_the_node_itself(
    server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset, cache = put(server, "a"), make()
    monkeypatch.setattr("edge_node.rack.RESERVE_BYTES", 1 << 60)
    cache.want([asset], media_url=server.url)
    until(lambda: cache.counts())
    assert cache.why_not(asset) is Reason.DISK_FULL
    assert server.asked == []


def test_hurry_ends_the_back_off(server: MediaServer, make: MakeCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubles, "FIRST_BACK_OFF", 600.0)
    monkeypatch.setattr(troubles, "MOST_BACK_OFF", 600.0)
    asset, cache = put(server, "a", status(503)), make()
    cache.want([asset], media_url=server.url)
    until(lambda: cache.counts())
    cache.hurry()
    until(lambda: cache.ready(asset))


def test_closing_ends_a_fetch_that_waits(server: MediaServer, make: MakeCache) -> None:
    asset, cache = put(server, "a", stalling(1000)), make()
    cache.want([asset], media_url=server.url)
    until(lambda: server.asked)
    cache.close()
    cache.close()
    assert cache._thread
    assert not cache._thread.is_alive()
    cache.want([asset, put(server, "b")], media_url=server.url)
    assert server.asked == [("/a", "")]


def test_what_comes_last_is_fetched_after_all_and_gives_way_to_all(server: MediaServer, make: MakeCache) -> None:
    bundle, kept, sound = put(server, "bundle"), put(server, "kept"), put(server, "sound")
    cache = make(budget_bytes=2 * SIZE + 100)
    cache.want([], [kept], server.url, last=[bundle])
    until(lambda: cache.ready(bundle))
    assert [path for path, _ in server.asked] == ["/kept", "/bundle"]
    cache.want([sound], [kept], server.url, last=[bundle])
    until(lambda: cache.ready(sound))
    assert cache.ready(kept)
    until(lambda: cache.why_not(bundle) is Reason.DISK_FULL)
    assert cache.ready(bundle) is None


def test_when_two_weeks_do_not_fit_what_starts_sooner_stays_and_standby_is_never_evicted(
    server: MediaServer, make: MakeCache
) -> None:
    siren = put(server, "siren")
    days = [put(server, f"day{number}") for number in range(6)]
    cache = make(budget_bytes=4 * SIZE)
    cache.want(days[2:], [siren], server.url)
    until(lambda: all(cache.ready(each) for each in (siren, *days[2:5])))
    cache.want(days, [siren], server.url)
    until(lambda: all(cache.ready(each) for each in (siren, *days[:3])))
    assert [cache.ready(each) for each in days[3:]] == [None] * 3
    until(lambda: all(cache.why_not(each) is Reason.DISK_FULL for each in days[3:]))
    assert sorted(path.name for path in cache._rack.folder.iterdir()) == sorted(
        each.sha256 for each in (siren, *days[:3])
    )


def test_what_is_kept_at_all_times_takes_the_room_of_what_is_needed_last(server: MediaServer, make: MakeCache) -> None:
    first, last, standby = (put(server, name) for name in ("first", "last", "standby"))
    cache = make(budget_bytes=2 * SIZE)
    fetched(cache, server, first, last)
    cache.want([first, last], [standby], server.url)
    until(lambda: cache.ready(standby))
    assert cache.ready(first)
    until(lambda: cache.why_not(last) is Reason.DISK_FULL)


def test_the_data_of_a_day_hold_back_what_matters_less(server: MediaServer, make: MakeCache) -> None:
    alarm, today, later = (put(server, name) for name in ("alarm", "today", "later"))
    meter = Meter()
    cache = make(meter=meter)
    meter.count(SIZE)
    ceilings = {today.sha256: 2 * SIZE, later.sha256: 2 * SIZE - 1}
    cache.want([later, today, alarm], (), server.url, ceilings)
    until(lambda: cache.ready(today) and cache.ready(alarm))
    assert cache.why_not(later) is Reason.DATA_BUDGET
    assert meter.reading.day_bytes == 3 * SIZE
    assert [path for path, _ in server.asked] == ["/today", "/alarm"]
    meter.turn(T0, "Asia/Ho_Chi_Minh")  # another day
    cache.want([later, today, alarm], (), server.url, ceilings)
    until(lambda: cache.ready(later))


def test_what_was_of_no_use_was_data_all_the_same(server: MediaServer, make: MakeCache) -> None:
    asset, meter = put(server, "a", truncated(150_000), other(b"x" * SIZE)), Meter()
    fetched(make(meter=meter), server, asset)
    assert meter.reading.day_bytes >= SIZE + 150_000


def test_audio_that_is_on_the_disk_needs_no_data(server: MediaServer, make: MakeCache) -> None:
    asset = put(server, "a")
    first = make()
    fetched(first, server, asset)
    first.close()
    meter = Meter()
    meter.count(10 * SIZE)
    again = make(meter=meter)
    again.want([asset], (), server.url, {asset.sha256: 1})
    until(lambda: again.ready(asset))
