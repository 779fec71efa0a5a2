"""The meter of a node's data: by local day and month, over restarts, with few writes."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from makers_node import ROOT, T0

from edge_node import disk, radio
from edge_node.meter import LEAST_STEP_BYTES, Meter, Reading
from edge_node.settings import Settings

ZONE = "Asia/Ho_Chi_Minh"
NIGHT = datetime(2026, 11, 30, 16, 59, tzinfo=UTC)  # a minute before December, in Viet Nam


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data_used"


def test_a_new_local_day_has_used_nothing_and_a_new_month_neither(path: Path) -> None:
    meter = Meter(path)
    meter.turn(NIGHT - timedelta(days=1), ZONE)
    meter.count(300)
    meter.turn(NIGHT, ZONE)
    meter.count(20)
    assert meter.reading == Reading("2026-11-30", 20, 320)
    meter.turn(NIGHT + timedelta(minutes=2), ZONE)
    assert meter.reading == Reading("2026-12-01", 0, 0)


def test_a_restart_does_not_forget_what_was_used(path: Path) -> None:
    meter = Meter(path)
    meter.turn(T0, ZONE)
    meter.count(500)
    meter.save()
    again = Meter(path)
    again.count(7)  # before the time is known
    again.turn(T0 + timedelta(hours=1), ZONE)
    assert again.reading.day_bytes == 507


@given(some.lists(some.integers(0, 400_000), max_size=60))
def test_a_power_cut_forgets_less_than_a_step_and_writing_is_rare(sizes: list[int]) -> None:
    path = Path(os.devnull)
    written: list[Reading] = []
    meter = Meter(path)
    meter._written = Reading()

    def keep() -> None:
        written.append(meter.reading)
        meter._written = meter.reading

    meter.save = keep  # type: ignore[method-assign]
    for size in sizes:
        meter.turn(T0, ZONE)
        meter.count(size)
    meter.turn(T0, ZONE)
    kept = written[-1].day_bytes if written else 0
    assert sum(sizes) - kept < LEAST_STEP_BYTES
    assert len(written) <= sum(sizes) // LEAST_STEP_BYTES


def test_a_large_budget_costs_few_writes_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meter, writes = Meter(path), []
    monkeypatch.setattr(disk, "write", lambda *_: writes.append(1))
    meter.budget_bytes = 500_000_000
    meter.turn(T0, ZONE)
    for _ in range(500):
        meter.count(1_000_000)
        meter.turn(T0, ZONE)
    assert len(writes) == 50


@pytest.mark.parametrize(
    "found",
    [
        b"",
        b"{",
        b"[]",
        b'{"day":"2026-11-30","day_bytes":-5}',
        b'{"day":"2026-11-30","day_bytes":1e400}',
        b'{"day":"yesterday"}',
        b'{"day_bytes":"9"}',
        b"\xff" * 50,
        b'{"day":"' + b"9" * 5000 + b'"}',
        b"[" * 900,
    ],
)
def test_a_spoilt_file_is_as_good_as_none(found: bytes, path: Path) -> None:
    path.write_bytes(found)
    meter = Meter(path)
    assert meter.reading == Reading()
    meter.turn(T0, ZONE)
    meter.count(5)
    meter.save()
    assert Meter(path).reading.day_bytes == 5


def test_a_disk_that_refuses_stops_nothing(path: Path) -> None:
    path.mkdir()
    meter = Meter(path)
    meter.turn(T0, ZONE)
    meter.count(2 * LEAST_STEP_BYTES)
    meter.turn(T0, ZONE)
    assert meter.reading.day_bytes == 2 * LEAST_STEP_BYTES


def test_a_stream_stops_where_the_audio_of_today_must_still_find_room() -> None:
    meter = Meter()
    assert meter.may_stream()
    meter.budget_bytes = 1000
    meter.count(899)
    assert meter.may_stream()
    meter.count(1)
    assert not meter.may_stream()
    assert meter.allows(None, 10_000)
    assert meter.allows(1000, 100)
    assert not meter.allows(1000, 101)


def test_one_meter_counts_what_the_cache_and_the_relays_of_a_node_take(tmp_path: Path) -> None:
    settings = Settings("loa-01", "lang-son", (ROOT.public.hex,), tmp_path, player="file", clock="trust")
    clock = radio.wallclock(settings)
    agent = radio.make_agent(settings, radio.make_link(settings, clock), clock)
    meter = agent._cache.meter
    assert meter._path == tmp_path / "data_used"
    assert agent._playout._player._tuner.tune("http://127.0.0.1:9/x")._caller._meter is meter  # type: ignore[attr-defined]
    agent.close()
