"""What a node writes to its card, by a clock turned by hand: bounded in blocks, with and without items."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers_lazy_disk import CARD_BLOCK_BYTES, SYNCED, mounted, why_not

from bench.wear import DAY, ITEM_MS, ITEMS, MOST_IDLE_MEGABYTES, MOST_MEGABYTES, Day
from edge_node.disk import SYNC_SECONDS
from edge_node.wallclock import SAVE_SECONDS

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")


@pytest.fixture(scope="module")
def mount(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with mounted(tmp_path_factory.mktemp("lazy")) as (mount, _):
        yield mount


def blocks_in(home: Path, items: int, lasts: timedelta) -> int:
    home.mkdir()
    day = Day(home, items)
    day.settle()
    before = int(os.getxattr(home, SYNCED))
    day.run(lasts)
    after = int(os.getxattr(home, SYNCED))
    day.agent.stop()
    return after - before


def test_on_an_idle_day_only_the_time_is_written(mount: Path) -> None:
    lasts = timedelta(hours=6)
    blocks = blocks_in(mount / "idle", 0, lasts)
    assert lasts.total_seconds() / SAVE_SECONDS - 1 <= blocks <= lasts.total_seconds() / SAVE_SECONDS + 1
    assert blocks * CARD_BLOCK_BYTES * (DAY / lasts) <= MOST_IDLE_MEGABYTES * 1e6


def test_a_day_with_items_stays_far_below_what_wears_out_a_card(mount: Path) -> None:
    lasts = DAY / ITEMS
    blocks = blocks_in(mount / "items", ITEMS, lasts)
    assert blocks > ITEM_MS / 1000 / SYNC_SECONDS, "it has sounded, and its place was written down"
    assert blocks * CARD_BLOCK_BYTES * ITEMS <= MOST_MEGABYTES * 1e6
