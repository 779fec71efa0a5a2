"""Nodes that live twice: told from restarts, late words and wills by the order in which runs speak."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_wire import NOON, health, presence

from controller.doubles import Double, Doubles
from wire.health import Vitals
from wire.presence import State


def heard(runs: str, seconds: float = 10.0) -> list[Double]:
    """What is found when runs of these letters speak in this order, ``seconds`` apart."""
    doubles = Doubles()
    told = [doubles.hear(health(boot_id=run), NOON + timedelta(seconds=at * seconds)) for at, run in enumerate(runs)]
    return [each for each in told if each]


def test_two_that_speak_by_turns_are_named_with_their_networks() -> None:
    doubles = Doubles()
    for at, (run, network) in enumerate(zip("abab", ("eth0", "wlan0") * 2, strict=True)):
        said = health(boot_id=run, vitals=Vitals(network=network))
        assert doubles.hear(said, NOON + timedelta(seconds=at)) is None
    found = doubles.hear(health(boot_id="a", vitals=Vitals(network="eth0")), NOON + timedelta(seconds=9))
    assert found == Double("loa-01", "a", "b", "eth0", "wlan0")


@given(st.lists(st.integers(1, 5), max_size=40))
def test_restarts_are_never_taken_for_it(counts: list[int]) -> None:
    """Each run speaks some times, and never again."""
    runs = [f"run{at}" for at, count in enumerate(counts) for _ in range(count)]
    doubles, at = Doubles(), NOON
    for run in runs:
        assert doubles.hear(presence(boot_id=run), at) is None
        at += timedelta(seconds=1)


@pytest.mark.parametrize("late", ["aba", "abab", "abcbc", "aabbaabb"])
def test_one_late_word_is_no_sign(late: str) -> None:
    assert heard(late) == []


def test_the_third_return_within_an_hour_is_one() -> None:
    assert len(heard("ababa")) == 1
    assert len(heard("abababab", seconds=10)) == 1  # noted once a minute
    assert len(heard("abababab", seconds=100)) == 4
    assert heard("ababababa", seconds=2000) == []


def test_what_a_will_says_is_no_word_of_a_living_run() -> None:
    doubles, at = Doubles(), NOON
    for run, state in (("a", State.ONLINE), *(("b", State.ONLINE), ("a", State.OFFLINE)) * 9):
        assert doubles.hear(presence(boot_id=run, state=state), at) is None


def test_what_is_remembered_is_bounded() -> None:
    doubles, at = Doubles(), datetime(2026, 1, 1, tzinfo=NOON.tzinfo)
    for number in range(1000):
        doubles.hear(presence(boot_id=f"{number}"), at)
    assert len(doubles._runs["loa-01"].addresses) == 16
