"""The node's clock: what it knows, and what it only knows to be past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from makers_node import T0
from makers_radio import Hand

from edge_node.wallclock import ASK_SECONDS, SAVE_SECONDS, SETTLE_SECONDS, Wallclock, is_synchronised


class Node:
    """A clock whose system is in our hands."""

    def __init__(self, folder: Path) -> None:
        self.hand, self.synchronised = Hand(), True
        self.path = folder / "clock"
        self.restart()

    def restart(self) -> None:
        self.clock = Wallclock(
            self.path,
            reading=self.hand.now,
            synchronised=lambda: self.synchronised,
            monotonic=self.hand.monotonic,
        )

    def turn(self, seconds: float) -> None:
        self.hand.turn(seconds)
        self.clock.keep()


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_synchronised_clock_is_known(node: Node) -> None:
    assert node.clock.known()
    assert node.clock.now() == T0


def test_a_clock_that_follows_nobody_is_unknown_and_runs_on_from_what_was_sealed(node: Node) -> None:
    node.synchronised = False
    node.hand.moment = datetime(1970, 1, 1, tzinfo=UTC)
    node.restart()
    assert not node.clock.known()
    node.clock.learn(T0)
    node.clock.learn(T0 - timedelta(days=1))
    node.hand.turn(30)
    assert node.clock.now() == T0 + timedelta(seconds=30)


def test_the_lower_bound_survives_a_restart(node: Node) -> None:
    node.turn(0)
    node.turn(SAVE_SECONDS)
    node.synchronised = False
    node.hand.moment = datetime(1970, 1, 1, tzinfo=UTC)
    node.restart()
    assert node.clock.now() == T0 + timedelta(seconds=SAVE_SECONDS)


def test_a_jump_back_below_the_bound_is_unknown_until_the_system_kept_its_word(node: Node) -> None:
    node.turn(0)
    node.hand.moment -= timedelta(hours=12)
    assert not node.clock.known()
    assert node.clock.now() >= T0
    node.turn(SETTLE_SECONDS - 1)
    assert not node.clock.known()
    node.turn(1)
    assert node.clock.known()
    assert node.clock.now() == node.hand.now()


def test_what_a_station_sealed_is_never_in_the_future_however_sure_the_system_is(node: Node) -> None:
    node.clock.learn(T0 + timedelta(days=1))
    node.clock.known()
    node.turn(SETTLE_SECONDS * 2)
    assert not node.clock.known()
    assert node.clock.now() >= T0 + timedelta(days=1)


def test_a_stations_clock_a_little_ahead_of_ours_does_no_harm(node: Node) -> None:
    node.clock.learn(T0 + timedelta(seconds=30))
    assert node.clock.known()
    assert node.clock.now() == T0


def test_the_system_is_asked_again_after_a_while(node: Node) -> None:
    node.synchronised = False
    node.restart()
    node.synchronised = True
    assert not node.clock.known()
    node.hand.turn(ASK_SECONDS)
    assert node.clock.known()


def test_a_trusted_clock_is_known_without_asking(tmp_path: Path) -> None:
    assert Wallclock(tmp_path / "clock", trusted=True, synchronised=lambda: False).known()


@pytest.mark.parametrize("content", ["", "garbage", "2026-11-24T03:00:00", "\0" * 20])
def test_a_spoilt_file_is_no_bound(node: Node, content: str) -> None:
    node.path.write_text(content)
    node.restart()
    assert node.clock.known()


def test_a_full_disk_does_not_stop_the_clock(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge_node.disk.write", full)
    node.turn(SAVE_SECONDS)
    assert node.clock.known()


def test_the_system_answers_whether_it_is_synchronised() -> None:
    assert is_synchronised() in (True, False)
