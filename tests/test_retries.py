"""Trying again: longer each time, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from controller.retries import PAUSES, Retries

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)


def test_what_never_failed_may_be_tried() -> None:
    assert Retries().may("a", NOW)


def test_each_pause_is_longer_and_after_the_last_it_is_given_up() -> None:
    assert list(PAUSES) == sorted(set(PAUSES))
    retries, now = Retries(), NOW
    for pause in PAUSES:
        again = retries.failed("a", now)
        assert again == now + pause
        assert not retries.may("a", again - timedelta(microseconds=1))
        assert retries.may("a", again)
        now = again
    assert retries.failed("a", now) is None
    assert retries.may("a", now)
    assert retries.failed("a", now) == now + PAUSES[0]


def test_names_do_not_wait_for_each_other() -> None:
    retries = Retries()
    retries.failed("a", NOW)
    assert retries.may("b", NOW)
    retries.failed("b", NOW)
    retries.forget("a")
    assert retries.may("a", NOW)
    assert not retries.may("b", NOW)
    retries.forget("never failed")


def test_what_came_right_begins_anew() -> None:
    retries = Retries()
    retries.failed("a", NOW)
    retries.failed("a", NOW)
    retries.forget("a")
    assert retries.failed("a", NOW) == NOW + PAUSES[0]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.integers(0, 1000)), max_size=40))
def test_nothing_waits_longer_than_the_last_pause(happened: list[tuple[str, bool, int]]) -> None:
    retries, now = Retries(), NOW
    for name, failed, seconds in happened:
        now += timedelta(seconds=seconds)
        if failed:
            retries.failed(name, now)
        else:
            retries.forget(name)
            assert retries.may(name, now)
    assert all(retries.may(name, now + PAUSES[-1]) for name in "ab")
