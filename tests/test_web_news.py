"""What pages hear of: every kind of change to the store, and the passing of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers_web import Town, settled_town

from controller.web.live import Hub
from controller.web.news import ANYHOW_SECONDS, NODES_SECONDS, News
from wire.presence import State
from wire.receipt import Step


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


class Ticks:
    """A clock of seconds, turned by hand."""

    def __init__(self) -> None:
        self.at = ANYHOW_SECONDS * 100

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def news(town: Town, ticks: Ticks) -> News:
    return News(town.store, ticks)


def test_nothing_happened_is_no_news(town: Town, news: News) -> None:
    town.report("b1", "dong-dang-1")
    assert news() == news() == news()


def test_a_wish_is_news(town: Town, news: News) -> None:
    before = news()
    town.booked(town.client(town.app(), "chu-tich"))
    assert news() != before


def test_every_outcome_is_news_also_two_at_one_moment(town: Town, news: News) -> None:
    seen = [news()]
    for node in ("dong-dang-1", "dong-dang-2", "dong-dang-3"):
        town.report("b1", node)
        seen.append(news())
    town.now += timedelta(seconds=1)
    town.report("b1", "dong-dang-4", Step.MISSED, "no_audio")
    seen.append(news())
    assert len(set(seen)) == len(seen)


def test_a_node_that_comes_speaks_or_goes_is_news_a_second_later(town: Town, news: News, ticks: Ticks) -> None:
    seen = [news()]
    for state in (State.ONLINE, State.ONLINE, State.OFFLINE):
        town.now += timedelta(seconds=1)
        town.wake("dong-dang-1", state)
        ticks.at += NODES_SECONDS
        seen.append(news())
    assert len(set(seen)) == len(seen)


def test_a_large_station_s_nodes_are_read_less_often(town: Town, ticks: Ticks) -> None:
    read: list[float] = []
    latest = town.store.health.latest

    def slow():  # type: ignore[no-untyped-def]
        read.append(ticks.at)
        ticks.at += 0.3
        return latest()

    town.store.health.latest = slow  # type: ignore[method-assign]
    news = News(town.store, ticks)
    for _ in range(20):
        news()
        ticks.at += 1.0
    assert len(read) == 4  # at the start, and once in six seconds after it


def test_time_alone_is_news_now_and_then(news: News, ticks: Ticks) -> None:
    before = news()
    ticks.at += ANYHOW_SECONDS
    assert news() != before


def test_what_changed_while_a_page_was_on_its_way_is_told_at_once() -> None:
    hub = Hub(lambda: 1)
    early = hub.open(lambda: False, 0)
    assert early is not None
    lines = iter(early)
    assert next(lines).startswith("retry")
    assert next(lines).startswith("event: changed")
    assert hub.version == 1
    late = hub.open(lambda: False, 0)
    assert late is not None
    lines = iter(late)
    next(lines)
    assert next(lines).startswith("event: changed")
    for each in (early, late):
        each.close()
    hub.stop()
