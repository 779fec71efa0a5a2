"""What pages hear of: every kind of change to the store, and the passing of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers_web import Town, settled_town

from controller.desk import Giving
from controller.rights import Role
from controller.store.tables import metadata
from controller.web.concerns import ANYTHING, TABLES, Change, Interest, Kind, kinds_of, own_areas, places_of
from controller.web.hub import Hub
from controller.web.news import NODES_SECONDS, News
from wire.presence import State
from wire.receipt import Step


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


class Ticks:
    """A clock of seconds, turned by hand."""

    def __init__(self) -> None:
        self.at = 1500.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def news(town: Town, ticks: Ticks) -> News:
    made = News(town.store, ticks)
    assert made() == [ANYTHING]
    assert made() == []
    return made


def kinds(changes: list[Change]) -> set[Kind]:
    """Of what kinds there is news."""
    assert all(each.kinds is not None for each in changes), changes
    return {kind for each in changes for kind in each.kinds or ()}


def only(changes: list[Change], kind: Kind) -> Change:
    """The one change of that kind."""
    (found,) = (each for each in changes if each.kinds == {kind})
    return found


def test_a_wish_is_news_where_it_is_to_sound(town: Town, news: News) -> None:
    town.booked(town.client(town.app(), "chu-tich"))
    told = news()
    assert kinds(told) == {Kind.AIR, Kind.ACTS}
    wished = only(told, Kind.AIR)
    assert wished.areas == {"lang-son:dong-dang"}
    assert wished.people == {town.approver.id}
    assert not wished.urgent
    assert not wished.sudden
    assert news() == []


def test_an_emergency_is_urgent_news(town: Town, news: News) -> None:
    client = town.client(town.app(), "chu-tich")
    town.booked(client, bulletin_class="emergency", confirm="Xã Đồng Đăng", when="now", title="Lũ quét")
    told = only(news(), Kind.AIR)
    assert told.urgent
    assert told.sudden


def test_rights_that_change_are_news_of_everything(town: Town, news: News) -> None:
    town.desk.give("van-hoa", Giving(Role.APPROVER, "lang-son:dong-dang"), town.boss, town.now)
    assert ANYTHING in news()


def test_audio_that_came_to_a_node_is_news_at_its_home(town: Town, news: News, ticks: Ticks) -> None:
    town.report("p1", "dong-dang-1", Step.FETCHED, asset="a" * 64)
    ticks.at += 2 * NODES_SECONDS
    assert news() == [Change(frozenset({Kind.HEARD}), frozenset({"lang-son:dong-dang:thon-1"}))]


def test_what_was_heard_is_news_wherever_its_booking_sounds(town: Town, news: News, ticks: Ticks) -> None:
    booking = town.booked(town.client(town.app(), "quan-tri"), areas=["lang-son"], when="at")
    news()
    town.report(booking, "dong-dang-1")
    (heard,) = news()
    assert heard.areas == {"lang-son", "lang-son:dong-dang:thon-1"}
    ticks.at += 2 * NODES_SECONDS
    assert news() == []  # the receipt of an outcome is no other news


def test_every_outcome_is_news_once_also_two_at_one_moment(town: Town, news: News) -> None:
    for node in ("dong-dang-1", "dong-dang-2", "dong-dang-3"):
        town.report("b1", node)
        assert kinds(news()) == {Kind.HEARD}
        assert news() == []
    town.now += timedelta(seconds=1)
    town.report("b1", "dong-dang-4", Step.MISSED, "no_audio")
    assert kinds(news()) == {Kind.HEARD}


def test_more_outcomes_than_are_read_are_news_everywhere(
    town: Town, news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.web.news.MOST_OUTCOMES", 2)
    for node in ("dong-dang-1", "dong-dang-2"):
        town.report("b1", node)
    assert news() == [Change(frozenset({Kind.HEARD}), None, urgent=True)]


def test_a_node_that_comes_speaks_or_goes_is_news_a_second_later(town: Town, news: News, ticks: Ticks) -> None:
    home = frozenset({"lang-son:dong-dang:thon-1"})
    for state, told in (
        (State.ONLINE, {Kind.THERE, Kind.HEALTH}),
        (State.ONLINE, {Kind.HEALTH}),
        (State.OFFLINE, {Kind.THERE, Kind.HEALTH}),
    ):
        town.now += timedelta(seconds=1)
        town.wake("dong-dang-1", state)
        assert news() == []
        ticks.at += NODES_SECONDS
        found = news()
        assert kinds(found) == told
        assert {each.areas for each in found} == {home}


def test_a_large_station_s_nodes_are_read_less_often(town: Town, ticks: Ticks) -> None:
    read: list[float] = []
    nodes = town.store.traces.nodes

    def slow():  # type: ignore[no-untyped-def]
        read.append(ticks.at)
        ticks.at += 0.3
        return nodes()

    town.store.traces.nodes = slow  # type: ignore[method-assign]
    news = News(town.store, ticks)
    for _ in range(20):
        town.now += timedelta(seconds=1)
        town.wake("dong-dang-1", State.ONLINE)
        news()
        ticks.at += 1.0
    assert len(read) == 4  # at the start, and once in six seconds after it
    for _ in range(20):
        news()
        ticks.at += 1.0
    assert len(read) == 5  # what was told last, and nothing while no node tells anything


def test_after_a_look_that_failed_anything_may_be_new(town: Town, news: News, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(town.store.traces, "outcomes", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            news()
    assert news() == [ANYTHING]
    assert news() == []


def test_every_table_that_is_counted_is_of_some_kind_or_of_all() -> None:
    rights = {"users", "grants", "areas", "nodes", "node_groups", "area_heirs"}
    told_otherwise = {"tidings", "written", "receipts", "streams", "outcomes", "sounded"}
    told_otherwise |= {"presence", "spells", "health"}
    by_time = {"health_hours", "doubles", "refusals", "alarm_counts", "alarm_watch"}
    by_time |= {"aired_days", "aired_jobs", "aired_upto"}
    assert set(metadata.tables) - rights - told_otherwise - by_time == set(TABLES)


@pytest.mark.parametrize(
    ("own", "changed", "met"),
    [
        ({"a:b"}, {"a:b"}, True),
        ({"a:b"}, {"a"}, True),
        ({"a"}, {"a:b:c"}, True),
        ({"a:b"}, {"a:bc"}, False),
        ({"a:b"}, {"a:c", "d"}, False),
        ({"*"}, {"d"}, True),
        ({"a:b"}, None, True),
    ],
)
def test_areas_meet_when_one_lies_in_the_other(own: set[str], changed: set[str] | None, met: bool) -> None:
    interest = Interest(frozenset({Kind.AIR}), frozenset(own), "u1")
    areas = frozenset(changed) if changed else None
    assert interest.is_met_by(Change(frozenset({Kind.AIR, Kind.ACTS}), areas)) is met
    assert interest.is_met_by(Change(None, areas)) is met
    elsewhere = Interest(None, frozenset({"x"}), "u2", frozenset(own))
    assert elsewhere.is_met_by(Change(frozenset({Kind.ACTS}), areas)) is met
    assert interest.is_met_by(Change(frozenset({Kind.AIR}), areas, frozenset({"u1"})))
    assert not interest.is_met_by(Change(frozenset({Kind.HEARD}), areas, frozenset({"u1"})))


def test_a_page_names_its_kinds_or_shows_everything() -> None:
    assert kinds_of("air,heard") == {Kind.AIR, Kind.HEARD}
    assert kinds_of("") is None
    assert kinds_of("air,khac") is None
    assert places_of("a:b d") == {"a:b", "d"}
    assert places_of("a " * 10_000) == {"*"}
    assert own_areas(["a:b", "a", "a:b:c", "d"]) == {"a", "d"}


def test_what_changed_while_a_page_was_on_its_way_is_told_at_once() -> None:
    looks = iter([[ANYTHING]])
    hub = Hub(lambda: next(looks, []))
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
