"""Whose turn it is: some pages are told at once, the next when one is answered, emergencies before all others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from controller.web import streams
from controller.web.concerns import ANYTHING, Change, Interest, Kind
from controller.web.hub import Hub
from controller.web.streams import Stream
from controller.web.turns import (
    COMING_SECONDS,
    FIRST_GUESS_SECONDS,
    MOST_AT_ONCE,
    MOST_SAVED_SECONDS,
    PATIENT_SHARE,
    Turns,
)

AIR = frozenset({Kind.AIR})


@dataclass
class Clock:
    """Turned by hand."""

    at: float = 100.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Viewer:
    """An open page that writes down what it is told, and asks for itself when the test says so."""

    name: str
    told: list[str]
    lines: list[str] = field(default_factory=list)
    ended: bool = False

    def send(self, text: str) -> bool:
        self.lines.append(text)
        if text.startswith("event: changed"):
            self.told.append(self.name)
        return True

    def end(self) -> None:
        self.ended = True


class Town:
    """A hub whose news the test makes, and its open pages."""

    def __init__(self) -> None:
        self.news: list[Change] = []
        self.told: list[str] = []
        self.hub = Hub(self._look)
        self.hub.turns = Turns(Clock())  # none that was told is given up
        self.looks = 0

    def _look(self) -> list[Change]:
        found, self.news = self.news, []
        self.looks += 1
        return found

    def open(self, name: str, interest: Interest) -> Stream:
        stream = self.hub.open(lambda: False, self.hub.version, interest)
        assert stream is not None
        self.hub.keep(stream, Viewer(name, self.told))
        return stream

    def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(3000):
            if holds():
                return
            threading.Event().wait(0.02)
        raise AssertionError(self.told)

    def looked_again(self) -> None:
        before = self.looks
        self.until(lambda: self.looks > before + 1)


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town()
    yield made
    made.hub.stop()


def test_some_are_told_at_once_and_the_next_as_soon_as_one_is_answered(town: Town) -> None:
    for number in range(3 * MOST_AT_ONCE):
        town.open(f"{number}", Interest(AIR, frozenset({"a"})))
    town.news = [Change(AIR, frozenset({"a"}))]
    town.until(lambda: len(town.told) == MOST_AT_ONCE)
    town.looked_again()
    assert len(town.told) == MOST_AT_ONCE
    for number in range(1, 2 * MOST_AT_ONCE + 1):
        town.hub.turns.begin()
        town.hub.answered(0.001)
        town.until(lambda: len(town.told) == MOST_AT_ONCE + number)  # noqa: B023
    town.looked_again()
    assert sorted(town.told, key=int) == [f"{number}" for number in range(3 * MOST_AT_ONCE)]  # each once


def test_an_emergency_s_pages_go_before_those_that_wait(town: Town) -> None:
    for number in range(MOST_AT_ONCE + 2):
        town.open(f"calm {number}", Interest(AIR, frozenset({"a"})))
    town.open("flood", Interest(AIR, frozenset({"b"})))
    town.news = [Change(AIR, frozenset({"a"}))]
    town.until(lambda: len(town.told) == MOST_AT_ONCE)
    town.news = [Change(AIR, frozenset({"b"}), urgent=True)]
    town.looked_again()
    town.hub.turns.begin()
    town.hub.answered(0.001)
    town.until(lambda: len(town.told) == MOST_AT_ONCE + 1)
    assert town.told[-1] == "flood"


def test_that_an_emergency_was_touched_is_said_at_once_whosever_turn_it_is(town: Town) -> None:
    flooded = [town.open(f"flood {number}", Interest(AIR, frozenset({"b"}))) for number in range(3 * MOST_AT_ONCE)]
    dry = town.open("dry", Interest(AIR, frozenset({"a"})))

    def lines(stream: Stream) -> list[str]:
        viewer = town.hub._kept[stream]
        assert isinstance(viewer, Viewer)
        return viewer.lines

    town.news = [Change(AIR, frozenset({"b"}), urgent=True, sudden=True)]
    town.until(lambda: all(any(line.startswith("event: urgent") for line in lines(each)) for each in flooded))
    town.looked_again()
    assert len(town.told) == MOST_AT_ONCE  # their pages come one after the other, as always
    assert [sum(line.startswith("event: urgent") for line in lines(each)) for each in flooded] == [1] * len(flooded)
    assert not any(line.startswith("event:") for line in lines(dry))


def test_a_stream_that_holds_a_worker_says_it_too() -> None:
    hub = Hub(list)
    stream = hub.open(lambda: False, 0, Interest(AIR, frozenset({"a"})))
    assert stream is not None
    stream.hear(Change(AIR, frozenset({"a"}), urgent=True, sudden=True))
    spoken = iter(stream)
    assert next(spoken).startswith("retry:")
    assert next(spoken) == "event: urgent\ndata: now\n\n"
    assert next(spoken).startswith("event: changed")
    hub.stop()


def test_only_whom_it_concerns_is_told(town: Town) -> None:
    town.open("a", Interest(AIR, frozenset({"a"})))
    town.open("b", Interest(AIR, frozenset({"b"})))
    town.open("heard", Interest(frozenset({Kind.HEARD}), frozenset({"a"})))
    town.open("author", Interest(AIR, frozenset({"c"}), "u1"))
    moved = town.open("moved", Interest(AIR, frozenset({"c"}), "u2"))
    town.hub.know("u2", frozenset({"a"}))
    assert moved.interest.areas == {"a"}
    town.news = [Change(AIR, frozenset({"a:x"}), frozenset({"u1"}))]
    town.until(lambda: len(town.told) == MOST_AT_ONCE)
    town.hub.turns.begin()
    town.hub.answered(0.001)
    town.until(lambda: len(town.told) == 3)
    town.looked_again()
    assert sorted(town.told) == ["a", "author", "moved"]


def test_a_page_on_its_way_hears_what_it_missed_if_it_concerns_it(town: Town) -> None:
    town.open("first", Interest(AIR, frozenset({"a"})))
    town.news = [Change(AIR, frozenset({"a"})), Change(AIR, frozenset({"b"}))]
    town.until(lambda: town.told == ["first"])
    for seen, area, name in ((0, "a", "before"), (1, "a", "between"), (1, "b", "older"), (2, "b", "newest")):
        stream = town.hub.open(lambda: False, seen, Interest(AIR, frozenset({area})))
        assert stream is not None
        assert (stream.waits_since is not None) is (name in ("before", "older")), name
    for strange in (-5, 7):  # of another run, or older than what is remembered
        stream = town.hub.open(lambda: False, strange, Interest(AIR, frozenset({"z"})))
        assert stream is not None
        assert stream.waits_since is not None


def test_what_may_wait_is_told_when_there_is_time_for_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PATIENT_SECONDS", 0.0)
    health = frozenset({Kind.HEALTH})
    town.open("health", Interest(health, frozenset({"a"})))
    town.open("air", Interest(AIR, frozenset({"a"})))
    town.news = [Change(health, frozenset({"a"}))]
    town.until(lambda: town.told == ["health"])
    monkeypatch.setattr(streams, "ANYHOW_SECONDS", 0.0)
    town.open("time", Interest(frozenset({Kind.TIME}), frozenset({"z"})))
    town.until(lambda: "time" in town.told)
    town.looked_again()
    assert "air" not in town.told


def test_the_first_page_of_all_is_not_told_of_what_was_before_it(town: Town) -> None:
    town.news = [ANYTHING]
    town.hub.begin()
    town.hub.begin()
    assert (town.looks, town.hub.version) == (1, 1)
    town.open("a", Interest(AIR, frozenset({"a"})))
    town.looked_again()
    assert town.told == []


def test_a_look_that_fails_ends_nothing(town: Town) -> None:
    town.open("a", Interest(AIR, frozenset({"a"})))
    look, failed = town.hub._look_for, list[int]()

    def fail() -> list[Change]:
        failed.append(1)
        raise OSError

    town.hub._look_for = fail
    town.until(lambda: len(failed) > 1)
    town.hub._look_for = look
    town.news = [ANYTHING]
    town.until(lambda: town.told == ["a"])


def test_turns_are_counted_and_who_does_not_come_is_given_up() -> None:
    clock = Clock()
    turns = Turns(clock)
    assert turns.room() == MOST_AT_ONCE
    for _ in range(MOST_AT_ONCE):
        turns.told()
    assert turns.room() == 0
    turns.begin()
    assert turns.room() == 0  # it is being answered
    clock.at += COMING_SECONDS
    assert turns.room() == MOST_AT_ONCE - 1
    turns.end(0.1)
    assert turns.room() == MOST_AT_ONCE
    for _ in range(2 * MOST_AT_ONCE):
        turns.begin()  # pages that look without being told
    assert turns.room() == 0


def test_what_may_wait_gets_its_share_and_no_more() -> None:
    clock = Clock()
    turns = Turns(clock)
    told = 0
    while turns.can_afford():
        turns.told(patiently=True)
        told += 1
    assert told == pytest.approx(MOST_SAVED_SECONDS / FIRST_GUESS_SECONDS, abs=1)
    for _ in range(100):
        turns.begin()
        turns.end(0.5)  # pages cost more than was thought
    told, seconds = 0, 1000
    for _ in range(seconds):
        clock.at += 1.0
        while turns.can_afford():
            turns.told(patiently=True)
            told += 1
    assert told == pytest.approx(PATIENT_SHARE * seconds / 0.5, rel=0.02)


def data_of(line: str) -> str:
    return next(each.removeprefix("data: ") for each in line.splitlines() if each.startswith("data: "))


def test_a_page_is_told_of_which_kinds_it_is(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(streams, "monotonic", clock)
    shows = frozenset({Kind.AIR, Kind.ALARMS, Kind.TIME})
    stream = Stream(town.hub, lambda: False, Interest(shows, frozenset({"a"}), "u1"))
    stream.hear(Change(AIR, frozenset({"a"})))
    stream.hear(Change(frozenset({Kind.HEALTH}), frozenset({"a"})))  # of no concern here
    stream.hear(Change(frozenset({Kind.ALARMS}), frozenset({"a:b"})))
    assert data_of(stream.news(7)) == "7 air,alarms"
    clock.at += streams.ANYHOW_SECONDS / 2
    stream.hear(Change(AIR, None))
    assert data_of(stream.news(8)) == "8 air"
    clock.at += streams.ANYHOW_SECONDS / 2  # often told of one thing, it still hears that time has passed
    stream.hear(Change(AIR, None))
    assert data_of(stream.news(9)) == "9 air,time"
    assert data_of(stream.news(9)) == "9 time"
    stream.hear(Change(AIR, None))
    stream.hear(ANYTHING)
    assert data_of(stream.news(10)) == "10"
    stream.hear(Change(AIR, None))
    assert data_of(stream.news(11)) == "11 air"
