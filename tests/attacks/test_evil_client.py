"""An evil client at a real broker: mosquitto without access rules, a node on a real connection, thousands of lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_evil import EvilLink
from makers_wire import eventually
from test_evil_broker import MAY_BE, Besieged

from fleet.broker import EmbeddedBroker
from wire import topics
from wire.errors import Reason
from wire.link import Link, Message, Will
from wire.mqtt import MqttLink

EACH = 180  # of every family: fewer than a broker queues for one client. What is larger than any topic allows, or on
# topics that the node does not listen to, no broker brings to it: `test_link_hostile` meets that without one


class RealBroker:
    """What `Radio` asks of a broker, of a real one."""

    def __init__(self, port: int) -> None:
        self._port = port

    def link(self, client_id: str, will: Will | None = None) -> Link:
        return MqttLink(client_id, "127.0.0.1", self._port, will=will)

    def drop(self, link: Link) -> None:
        link.stop()


class Outside(Besieged):
    """The node's messages come over TCP, the evil ones too; the clock is still turned by hand."""

    def say(self, message: tuple[str, bytes]) -> None:
        eventually(self.desk.connected)
        eventually(lambda: self.desk.publish(*message, retain=True, qos=1))

    def run(self, seconds: float, step: float = 0.1) -> None:
        self.settle()
        super().run(seconds, step)
        self.settle()

    def settle(self) -> None:
        """What was said has come: a word of our own through the same broker says so."""
        eventually(lambda: self.agent._link.connected())
        for _ in range(20):
            self.agent.tick(0.02)
            self.listen()

    def bring_by(self, client: MqttLink, messages: list[Message]) -> Counter[str]:
        """Published by somebody else; what they were refused for, and what was nothing new."""
        before, met = Counter(self.agent.refusals.counts), Counter(self.verdicts)
        for each in messages:
            assert client.publish(each.topic, each.payload, retain=False, qos=1)

        def all_came() -> bool:
            self.agent.tick(0.05)
            refused = Counter(self.agent.refusals.counts) - before
            return refused.total() + (self.verdicts - met)["Duplicate"] >= len(messages)

        eventually(all_came)
        return Counter(self.agent.refusals.counts) - before


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[tuple[Outside, MqttLink]]:
    with EmbeddedBroker(tmp_path / "broker", engine="mosquitto") as broker:
        node = Outside(tmp_path, broker=RealBroker(broker.port))  # type: ignore[arg-type]
        client = MqttLink("evil", "127.0.0.1", broker.port)
        client.start()
        eventually(client.connected)
        yield node, client
        client.stop()
        node.desk.stop()
        node.die()


def test_thousands_of_lies_over_a_real_broker_sound_nothing_and_the_truth_is_on_time(
    outside: tuple[Outside, MqttLink],
) -> None:
    node, client = outside
    assert isinstance(node.network, EvilLink)
    listened, sent = set(node.agent.gate.listens_to()), 0
    for family, make in node.evil.families.items():
        lies = [make() for _ in range(EACH)]
        heard = [each for each in lies if each.topic in listened and len(each.payload) <= topics.MOST_BYTES]
        refused = node.bring_by(client, heard)
        assert {Reason(reason) for reason in refused} <= MAY_BE[family], (family, refused)
        sent += len(heard)
    assert sent > 2000
    assert node.verdicts["Refusal"] + node.verdicts["Duplicate"] >= sent
    node.true_item("true")
    assert [job for job, _, _ in node.heard] == ["true"]
    assert client.connections() == 1
