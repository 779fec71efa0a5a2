"""The documents on disk, on a card that refuses for a while: what it refused is written when it takes it again."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from makers_node import NODE, after, make_config, make_job
from makers_radio import Radio

from edge_node import disk
from edge_node.held import FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS, Held
from edge_node.restart import AGAIN_SECONDS, RESTART_EXIT
from schedules.situation import Phase
from wire.loopback import Loopback
from wire.topics import CONFIG, PLAN, TRUST

A, B = PLAN.topic(area="a"), PLAN.topic(area="b")


class Card:
    """The disk beneath the documents. ``refuses``: whether it takes the writing, or the removing, of a file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refuses: Callable[[Path], bool] = lambda path: False
        self.tried: list[str] = []
        self._write, self._remove = disk.write, disk.remove
        monkeypatch.setattr(disk, "write", self.write)
        monkeypatch.setattr(disk, "remove", self.remove)

    def write(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        self._ask(path)
        self._write(path, data, mode)

    def remove(self, path: Path) -> None:
        self._ask(path)
        self._remove(path)

    def _ask(self, path: Path) -> None:
        self.tried.append(path.stem.replace("~", "/"))
        if self.refuses(path):
            raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    return Card(monkeypatch)


def test_what_the_disk_refused_is_tried_again_later_and_later_until_it_is_written(card: Card, tmp_path: Path) -> None:
    held = Held(tmp_path)
    card.refuses = lambda path: True
    held.keep(A, b"1")
    for second in range(4000):
        held.tend(float(second))
    tries = held.write_failures
    assert 5 < tries < 20
    card.refuses = lambda path: False
    held.tend(4000.0 + MOST_PAUSE_SECONDS)
    assert Held(tmp_path).load() == [(A, b"1")]
    assert held.write_failures == tries
    held.tend(9999.0)
    assert len(card.tried) == tries + 1  # and then it is left alone


def test_a_disk_that_was_well_again_is_tried_soon_when_it_refuses_anew(card: Card, tmp_path: Path) -> None:
    held = Held(tmp_path)
    for second, raw in ((0.0, b"1"), (100_000.0, b"2")):
        card.refuses = lambda path: True
        held.keep(A, raw)
        for tended in range(0, 4000, 100):
            held.tend(second + tended)
        card.refuses = lambda path: False
        held.tend(second + 9000)
        held.tend(second + 9001)
    card.refuses = lambda path: True
    held.keep(A, b"3")
    held.tend(200_000.0)
    card.refuses = lambda path: False
    held.tend(200_000.0 + FIRST_PAUSE_SECONDS)
    assert held.load() == [(A, b"3")]


def test_only_the_newest_of_a_topic_is_written_late_and_trust_comes_first(card: Card, tmp_path: Path) -> None:
    held = Held(tmp_path)
    card.refuses = lambda path: True
    for topic, raw in ((A, b"1"), (CONFIG.topic(node=NODE), b"c"), (A, b"2"), (TRUST.topic(), b"t")):
        held.keep(topic, raw)
    card.refuses = lambda path: False
    card.tried.clear()
    held.settle()
    assert card.tried == [TRUST.topic(), CONFIG.topic(node=NODE), A]
    assert dict(held.load())[A] == b"2"


def test_one_that_was_kept_at_last_is_not_overwritten_by_what_was_refused_before(card: Card, tmp_path: Path) -> None:
    held = Held(tmp_path)
    card.refuses = lambda path: True
    held.keep(A, b"old")
    card.refuses = lambda path: False
    held.keep(A, b"new")
    held.settle()
    assert held.load() == [(A, b"new")]


def test_a_document_that_could_not_be_removed_is_removed_later(card: Card, tmp_path: Path) -> None:
    held = Held(tmp_path)
    held.keep(A, b"1")
    held.keep(B, b"2")
    card.refuses = lambda path: True
    held.drop(A)
    assert len(held.load()) == 2
    card.refuses = lambda path: False
    held.settle()
    assert held.load() == [(B, b"2")]


def test_what_was_dropped_or_put_aside_meanwhile_is_not_written(card: Card, tmp_path: Path) -> None:
    held = Held(tmp_path)
    card.refuses = lambda path: True
    held.keep(A, b"1")
    held.keep(B, b"2")
    held.drop(A)
    held.put_aside(B)
    card.refuses = lambda path: False
    held.settle()
    assert held.load() == []


@pytest.mark.parametrize("ends", ["power cut later", "stopped at once"])
def test_one_refused_write_of_a_plan_brings_no_old_plan_back(ends: str, card: Card, tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    radio.plan(make_job("withdrawn", after(300)))
    radio.start()
    radio.run(5)
    card.refuses = lambda path: "plan" in path.name
    radio.plan(make_job("new", after(240)))
    radio.run(1)
    card.refuses = lambda path: False
    if ends == "stopped at once":
        radio.agent.stop()
    else:
        radio.run(60, step=5)
        assert radio.steps("withdrawn")[-1] == "withdrawn"
        radio.broker.drop(radio.link)  # on the new connection the broker says what the node knows
        radio.run(60, step=5)
        radio.die()
    radio.broker = Loopback()  # no network: nobody says anything again
    radio.new_node()
    radio.agent.start()
    for _ in range(80):
        radio.agent.tick()
        radio.hand.turn(5)
    assert {job for job, _, _ in radio.heard} == {"new"}
    radio.die()


def test_a_walk_that_gives_up_writes_what_is_owed(card: Card, tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    radio.start()
    card.refuses = lambda path: "plan" in path.name
    topic, raw = radio.plan(make_job("new", after(240)))
    radio.run(0)
    card.refuses = lambda path: False
    radio.agent._give_up()
    assert (topic, raw) in Held(tmp_path / "held").load()
    radio.die()


def test_a_plan_that_cannot_be_read_back_withdraws_nothing_until_the_broker_had_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    radio = Radio(tmp_path)
    radio.plan(make_job("b1", after(200)))
    radio.start()
    radio.run(5)
    radio.die()
    broker, radio.broker = radio.broker, Loopback()  # the network is away
    radio.new_node()
    real = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.parent.name == "held" and "plan" in path.name:
            raise OSError(errno.EIO, "Input/output error")
        return real(path)

    with monkeypatch.context() as failing:
        failing.setattr(Path, "read_bytes", read)
        radio.agent.start()
    for _ in range(10):
        radio.agent.tick()
        radio.hand.turn(5)
    assert radio.agent.ledger.records["b1"].phase is Phase.WAITING
    radio.die()
    radio.broker = broker
    radio.new_node()
    radio.start()
    radio.run(200, step=5)
    assert radio.steps("b1") == ["accepted", "started", "sounded"]
    radio.die()


def test_a_restart_that_could_not_be_remembered_is_obeyed_once_it_can(card: Card, tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    radio.start()
    card.refuses = lambda path: path.name == "restart_request"
    radio.configure(make_config(2, restart_request="r1"))
    radio.run(1)
    assert radio.agent.exit_code == 0
    card.refuses = lambda path: False
    radio.run(AGAIN_SECONDS)
    assert radio.agent.exit_code == RESTART_EXIT
    radio.restart()
    radio.configure(make_config(3, restart_request="r1"))
    radio.run(AGAIN_SECONDS, step=1)
    assert radio.agent.exit_code == 0
    radio.die()
