"""Two stations with one key: a copy of the station that somebody started, over the same broker.

What is tried: it is told at both; what both plan sounds once; whatever one plans and the other does not know ends in
one signed outcome, and never sounds twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import makers_radio
import makers_store as made
import pytest
from makers_evil import EVIL
from makers_node import after, make_job
from makers_station import STATION, Radio, furnished, online
from makers_web import Town

from controller.namesake import MOST_SUSPECTED, Namesake
from controller.store import Store
from edge_node.gate import Gate
from wire import codec, seal, topics
from wire.link import Link, Message
from wire.loopback import Loopback
from wire.plan import Lane, Plan
from wire.receipt import OUTCOMES

NOW = made.NOW
PLAN = topics.PLAN.topic(area=made.COMMUNE)


class ByAnotherName:
    """The same broker, for a copy that calls itself otherwise: else the broker would let only one of them speak."""

    def __init__(self, broker: Loopback) -> None:
        self._broker = broker

    def link(self, name: str) -> Link:
        return self._broker.link(f"{name}-copy")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[list[Store]]:
    both = [Store(f"sqlite:///{tmp_path}/{name}.db") for name in ("own", "copy")]
    for store in both:
        store.migrate()
    yield both
    for store in both:
        store.close()


@pytest.fixture
def two(stores: list[Store], tmp_path: Path) -> tuple[Radio, Radio]:
    """A station and its copy: the same key, people and nodes, and one booking that both know."""
    own = furnished(stores[0], tmp_path / "own")
    copy = furnished(stores[1], tmp_path / "copy", broker=ByAnotherName(own.broker))
    for radio in (own, copy):
        made.on_the_air(radio.store, 1)
        radio.station.plan(NOW)
    return own, copy


def takes(gate: Gate, radio: Radio, at: Any) -> None:
    gate.admit(PLAN, radio.broker.retained[PLAN], at)


def told(radio: Radio) -> list[str]:
    return [each.where for each in radio.store.refusals.all() if each.reason == "forked"]


def test_each_of_two_stations_with_one_key_tells_of_the_other_under_one_alarm(
    two: tuple[Radio, Radio], caplog: pytest.LogCaptureFixture
) -> None:
    own, copy = two
    gate = own.gate("loa-1")
    at = NOW
    for number in range(2, 6):
        for radio, other in ((copy, own), (own, copy)):
            at += timedelta(seconds=60)
            made.on_the_air(radio.store, 10 * number + (radio is own))
            radio.station.plan(at)
            takes(gate, radio, at)
            at += timedelta(seconds=30)
            online(own, gate, "loa-1", at)
            for each in (own, copy):
                each.station.hear(at)
                each.station.sweep(at)
                each.station.hear(at)
            other.station.plan(at + timedelta(seconds=1))
            takes(gate, other, at + timedelta(seconds=1))
    assert told(own) == told(copy) == ["station/plan"]
    assert "under our own seal" in caplog.text
    assert logging.ERROR not in {record.levelno for record in caplog.records}


def test_what_both_know_is_one_job_whoever_spoke_last(two: tuple[Radio, Radio]) -> None:
    own, copy = two
    gate = own.gate("loa-1")
    for seconds, radio in ((60, copy), (120, own), (180, copy)):
        made.on_the_air(radio.store, seconds)
        at = NOW + timedelta(seconds=seconds)
        radio.station.plan(at)
        takes(gate, radio, at)
        assert [job for job in gate.jobs(at) if job == "b1"] == ["b1"]


def test_a_node_between_the_two_sounds_nothing_twice_and_ends_every_job(tmp_path: Path) -> None:
    """They overtake each other every twenty seconds; each leaves out what only the other knows."""
    node = makers_radio.Radio(tmp_path)
    node.start()
    shared, of_one, of_other = (make_job(name, after(95), late_for=600) for name in ("b1", "one", "other"))
    for _ in range(8):
        node.plan(shared, of_one)
        node.run(20, step=1)
        node.plan(shared, of_other)
        node.run(20, step=1)
    node.plan()
    node.run(60, step=1)
    heard_whole = [job for job, _, until in node.heard if until == 10_000]
    assert heard_whole.count("b1") == 1
    assert max(Counter(heard_whole).values()) == 1
    for job in ("b1", "one", "other"):
        steps = node.steps(job)
        assert steps.count("sounded") <= 1
        assert steps[-1] in {step.value for step in OUTCOMES}
    assert node.steps("b1")[-1] == "sounded"


def test_the_list_of_nodes_says_it_for_a_day(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.settle()
    client = town.client(town.app(), "quan-tri")
    alarm = "Có đài thứ hai dùng khóa của đài này"
    assert alarm not in client.get("/cum-loa").text
    for _ in range(1000):
        town.store.refusals.count("forked", "station/plan", "serial 9", town.now)
    assert client.get("/cum-loa").text.count(alarm) == 1
    town.now += timedelta(days=1, seconds=1)
    assert alarm not in town.client(town.app(), "quan-tri").get("/cum-loa").text
    town.store.close()


def test_after_a_backup_was_put_back_nobody_is_accused(stores: list[Store], tmp_path: Path) -> None:
    """The station that issued more is this one, as it was: older than the run that has the backup."""
    lost = furnished(stores[1], tmp_path / "lost")
    made.on_the_air(lost.store, 2)
    hour = NOW + timedelta(hours=1)
    lost.station.plan(hour)
    gate = lost.gate("loa-1", hour)
    lost.station.stop()
    later = hour + timedelta(hours=1)
    restored = furnished(stores[0], tmp_path / "own", broker=lost.broker).restarted()
    restored.station.start(later)
    for seconds in (30, 90, 150):
        at = later + timedelta(seconds=seconds)
        online(restored, gate, "loa-1", at)
        restored.station.hear(at)
        restored.station.sweep(at)
        restored.station.hear(at)
        restored.station.plan(at)
        takes(gate, restored, at)
    assert gate.jobs(later) == {}
    assert told(restored) == []


def test_a_forger_accuses_nobody() -> None:
    """What is not under our seal, altered, too old or no document is no namesake's."""
    later = NOW + timedelta(minutes=5)
    plan = Plan(made.COMMUNE, Lane.PLAN, 2**40, later, later + timedelta(days=1))
    namesake = Namesake(STATION.public)
    namesake.begin(NOW)
    true = seal.seal("plan", codec.write(plan), STATION)
    assert [each.where for each in namesake.overhear([Message(PLAN, true)], {})] == ["station/plan"]
    lies = [seal.seal("plan", codec.write(plan), EVIL), true[:-9], b"[" * 9999, b"", true.replace(b"plan", b"nalp", 1)]
    old = Plan(made.COMMUNE, Lane.PLAN, 2**40, NOW - timedelta(seconds=1), later)
    lies += [seal.seal("plan", codec.write(old), STATION), seal.seal("config", codec.write(plan), STATION)]
    assert namesake.overhear([Message(PLAN, lie) for lie in lies], {}) == []
    assert namesake.overhear([Message("$SYS/x", true), Message(topics.TRUST.topic(), true)], {}) == []
    assert namesake.overhear([Message(PLAN, true)], {PLAN: 2**40}) == []


def test_a_liar_among_nodes_makes_the_station_listen_to_few_topics() -> None:
    namesake = Namesake(STATION.public)
    namesake.suspect(topics.PLAN.topic(area=f"a{number}") for number in range(1000))
    assert len(namesake.filters()) == MOST_SUSPECTED
