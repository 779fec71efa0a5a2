"""The metronome: every tick runs, alone, again after a failure, at once after a bell, and never after the end."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime

import pytest

from controller import clock
from controller.clock import Clock, Tick

SOON = 60.0  # the most a test waits for what must come


def test_now_is_aware_and_utc() -> None:
    assert clock.now().tzinfo is UTC


def test_every_tick_runs_at_once_and_again_and_is_told_the_moment() -> None:
    moments: list[datetime] = []
    twice = threading.Event()

    def look(now: datetime) -> None:
        moments.append(now)
        if len(moments) == 2:
            twice.set()

    table = Clock([Tick("look", 0.05, look)])
    table.start()
    assert twice.wait(SOON)
    table.stop()
    assert all(each.tzinfo is UTC for each in moments)
    ended = len(moments)
    table.ring()
    assert len(moments) == ended


def test_the_same_tick_never_runs_twice_at_once_and_another_does_not_wait_for_it() -> None:
    running, most, hold, others = [0], [0], threading.Event(), threading.Event()

    def slow(_: datetime) -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        hold.wait(SOON)
        running[0] -= 1

    count = [0]

    def other(_: datetime) -> None:
        count[0] += 1
        if count[0] == 5:
            others.set()

    table = Clock([Tick("slow", 0.02, slow, on_bell=True), Tick("other", 0.02, other)])
    table.start()
    assert others.wait(SOON)
    table.ring()
    hold.set()
    table.stop()
    assert most == [1]


def test_a_tick_that_fails_is_logged_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    again, count = threading.Event(), [0]

    def fails(_: datetime) -> None:
        count[0] += 1
        if count[0] == 3:
            again.set()
        raise ValueError("spoilt")

    table = Clock([Tick("fails", 0.02, fails)])
    with caplog.at_level(logging.ERROR):
        table.start()
        assert again.wait(SOON)
        table.stop()
    assert "tick=fails failed" in caplog.text
    assert "spoilt" in caplog.text


def test_a_bell_brings_forward_only_what_waits_for_wishes() -> None:
    heard, first, counted, deaf = threading.Event(), threading.Event(), threading.Event(), [0]

    def wishes(_: datetime) -> None:
        heard.set() if first.is_set() else first.set()

    def counts(_: datetime) -> None:
        deaf[0] += 1
        counted.set()

    table = Clock([Tick("wishes", 3600, wishes, on_bell=True), Tick("counts", 3600, counts)])
    table.start()
    assert first.wait(SOON)
    assert counted.wait(SOON)
    table.ring()
    assert heard.wait(SOON)
    table.stop()
    assert deaf == [1]


def test_a_bell_that_rings_while_the_tick_works_is_not_lost() -> None:
    begun, hold, again, runs = threading.Event(), threading.Event(), threading.Event(), [0]

    def works(_: datetime) -> None:
        runs[0] += 1
        begun.set() if runs[0] == 1 else again.set()
        hold.wait(SOON)

    table = Clock([Tick("works", 3600, works, on_bell=True)])
    table.start()
    assert begun.wait(SOON)
    table.ring()
    hold.set()
    assert again.wait(SOON)
    table.stop()


def test_ending_waits_for_the_tick_that_runs_and_twice_is_harmless() -> None:
    begun, ended = threading.Event(), [False]

    def works(_: datetime) -> None:
        begun.set()
        threading.Event().wait(0.2)
        ended[0] = True

    table = Clock([Tick("works", 3600, works)])
    table.start()
    assert begun.wait(SOON)
    table.stop()
    assert ended == [True]
    table.stop()
    Clock([]).ring()
