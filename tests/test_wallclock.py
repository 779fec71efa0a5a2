"""The node's clock: what it knows, and what it only knows to be past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from makers_node import T0
from makers_radio import Hand

from edge_node.wallclock import (
    ASK_SECONDS,
    DRIFT,
    SAVE_SECONDS,
    SETTLE_SECONDS,
    System,
    Wallclock,
    is_set_by_battery,
    is_synchronised,
)


class Node:
    """A clock whose system is in our hands."""

    def __init__(self, folder: Path) -> None:
        self.hand = Hand()
        self.path = folder / "clock"
        self.restart()

    def restart(self) -> None:
        """The process begins again; the machine goes on."""
        self.clock = Wallclock(self.path, system=self.hand.system())

    def reboot(self, shows: datetime) -> None:
        """The power was away; the system wakes with that time, and nobody has told it better."""
        self.hand.boot += "x"
        self.hand.moment, self.hand.seconds, self.hand.synchronised = shows, 5.0, False
        self.restart()

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
    node.reboot(datetime(1970, 1, 1, tzinfo=UTC))
    assert not node.clock.known()
    node.clock.learn(T0)
    node.clock.learn(T0 - timedelta(days=1))
    node.hand.turn(30)
    assert node.clock.now() == T0 + timedelta(seconds=30)


def test_the_lower_bound_survives_a_restart(node: Node) -> None:
    node.turn(0)
    node.turn(SAVE_SECONDS)
    node.reboot(datetime(1970, 1, 1, tzinfo=UTC))
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
    node.hand.synchronised = False
    node.restart()
    node.hand.synchronised = True
    assert not node.clock.known()
    node.hand.turn(ASK_SECONDS)
    assert node.clock.known()


def test_a_trusted_clock_is_known_without_asking(tmp_path: Path) -> None:
    assert Wallclock(tmp_path / "clock", trusted=True, system=System(synchronised=lambda: False)).known()


@pytest.mark.parametrize("content", ["", "garbage", "2026-11-24T03:00:00", "\0" * 20, "9999-12-31T23:59:59+00:00"])
def test_a_spoilt_file_is_no_bound(node: Node, content: str) -> None:
    node.path.write_text(content)
    node.restart()
    assert node.clock.known()


def test_a_full_disk_does_not_stop_the_clock(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge_node.disk.write_record", full)
    node.turn(SAVE_SECONDS)
    assert node.clock.known()


def test_the_system_answers_whether_it_is_synchronised() -> None:
    assert is_synchronised() in (True, False)


# -- what was known stays known, and what jumps does not -------------------------------------------------------------

WEEK = timedelta(days=7).total_seconds()


def test_network_time_lost_for_two_weeks_is_no_reason_to_fall_silent(node: Node) -> None:
    node.turn(0)
    node.hand.synchronised = False
    for _ in range(14):
        node.turn(WEEK / 7)
        assert node.clock.known()
    assert node.clock.now() == node.hand.now()


def test_a_restart_of_the_process_in_that_week_forgets_nothing(node: Node) -> None:
    node.turn(0)
    node.hand.synchronised = False
    node.turn(WEEK)
    node.restart()
    assert node.clock.known()
    node.turn(WEEK)
    assert node.clock.now() == node.hand.now()


def test_the_power_away_in_that_week_and_no_battery_means_unknown(node: Node) -> None:
    node.turn(0)
    node.hand.synchronised = False
    node.turn(WEEK)
    node.reboot(node.hand.moment)  # restored from the last shutdown: nobody knows how long that is ago
    node.turn(WEEK)
    assert not node.clock.known()


def test_a_crystal_left_alone_is_believed_until_it_may_be_minutes_wrong(node: Node) -> None:
    node.turn(0)
    node.hand.synchronised = False
    node.turn(300 / DRIFT - 1)
    assert node.clock.known()
    node.turn(2)
    assert not node.clock.known()
    node.hand.synchronised = True
    node.turn(ASK_SECONDS)
    assert node.clock.known()


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(minutes=6), -timedelta(hours=1)])
def test_a_jump_while_it_runs_is_unknown_until_the_system_kept_its_word(node: Node, jump: timedelta) -> None:
    node.turn(0)
    node.hand.moment += jump
    assert not node.clock.known()
    node.turn(SETTLE_SECONDS - 1)
    assert not node.clock.known()
    assert node.clock.now() == node.hand.now() - jump, "until then the time runs on from what was known"
    node.turn(1)
    assert node.clock.known()
    assert node.clock.now() == node.hand.now()


def test_a_jump_that_is_taken_back_leaves_nothing_behind(node: Node) -> None:
    node.turn(0)
    node.hand.moment += timedelta(days=1)
    node.turn(SETTLE_SECONDS - 1)
    node.hand.moment -= timedelta(days=1)
    assert node.clock.known()
    node.hand.moment += timedelta(days=1)
    node.turn(2)
    assert not node.clock.known(), "the doubt begins anew"


def test_a_system_that_hops_about_is_never_believed(node: Node) -> None:
    node.turn(0)
    for hop in (1, 2, -4, 8, -16, 32):
        node.hand.moment += timedelta(hours=hop)
        node.turn(SETTLE_SECONDS - 1)
        assert not node.clock.known()


def test_a_jump_that_nobody_vouches_for_is_never_believed(node: Node) -> None:
    node.turn(0)
    node.hand.synchronised = False
    node.hand.moment += timedelta(days=1)
    node.turn(SETTLE_SECONDS * 10)
    assert not node.clock.known()
    assert node.clock.now() == node.hand.now() - timedelta(days=1)


def test_a_trusted_clock_may_jump_ahead(tmp_path: Path) -> None:
    """A laptop that slept in the middle of a demonstration."""
    hand = Hand()
    clock = Wallclock(tmp_path / "clock", trusted=True, system=hand.system())
    clock.keep()
    hand.moment += timedelta(hours=8)
    assert clock.known()


def test_a_battery_clock_is_believed_when_network_time_had_its_chance(node: Node) -> None:
    node.turn(0)
    node.hand.battery = True
    node.reboot(T0 + timedelta(hours=8))
    assert not node.clock.known()
    node.turn(SETTLE_SECONDS)
    assert node.clock.known()
    assert node.clock.now() == node.hand.now()
    node.turn(WEEK)
    assert node.clock.known()


def test_a_battery_that_was_empty_is_not_believed(node: Node) -> None:
    node.turn(0)
    node.hand.battery = True
    node.reboot(datetime(2000, 1, 1, tzinfo=UTC))
    node.turn(SETTLE_SECONDS * 10)
    assert not node.clock.known()


def test_a_battery_clock_that_nothing_was_ever_compared_with_is_not_believed(node: Node) -> None:
    node.hand.battery = True
    node.reboot(T0)
    node.turn(SETTLE_SECONDS * 10)
    assert not node.clock.known()


def test_the_system_says_whether_a_battery_clock_set_it(tmp_path: Path) -> None:
    assert is_set_by_battery() in (True, False)
    assert not is_set_by_battery(tmp_path)
    for name, said in (("rtc0", "0"), ("rtc1", "1\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "hctosys").write_text(said)
    assert is_set_by_battery(tmp_path)
    (tmp_path / "rtc1" / "hctosys").write_bytes(b"\xff")
    assert not is_set_by_battery(tmp_path)


SPOILT = ("x\n1", f"{T0.isoformat()}\nx", "2026-11-24T03:00:00\n1", "9999-12-31T23:59:59+00:00\n1", "2026-11-24", "")


@pytest.mark.parametrize(
    "more", [*SPOILT, *(f"{T0.isoformat()}\n{number}" for number in ("nan", "inf", "-1e300", "1e9"))]
)
def test_a_spoilt_anchor_is_none(node: Node, more: str) -> None:
    node.path.write_text(f"{T0.isoformat()}\nboot-1\n{more}")
    node.hand.synchronised = False
    node.restart()
    assert not node.clock.known()


def test_an_anchor_of_a_machine_without_a_name_for_its_boot_is_not_kept(node: Node) -> None:
    node.hand.boot = ""
    node.restart()
    node.turn(0)
    node.hand.synchronised = False
    node.restart()
    assert not node.clock.known()
