"""The contract of a link, over every broker there is: in memory, mosquitto, NATS."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from makers_air import Air, LoopbackAir, RealAir
from makers_wire import eventually

from fleet.broker import EmbeddedBroker
from wire import topics
from wire.errors import Reason
from wire.link import Link, Message, Will

PLAN = "radio/v1/areas/lang-son/plan"
PRESENCE = "radio/v1/nodes/loa-01/presence"


@pytest.fixture(params=["loopback", "mosquitto", "nats"])
def air(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Air]:
    if request.param == "loopback":
        made: Air = LoopbackAir()
    else:
        broker = EmbeddedBroker(tmp_path, engine=request.param)
        broker.start()
        made = RealAir(broker)
    yield made
    made.close()


@pytest.fixture
def joined(air: Air) -> Iterator[Joined]:
    joined = Joined(air)
    yield joined
    for link in joined.links:
        link.stop()


class Joined:
    """Links that are connected, and stopped at the end."""

    def __init__(self, air: Air) -> None:
        self.air, self.links = air, list[Link]()

    def __call__(self, client_id: str, *filters: str, will: Will | None = None) -> Link:
        link = self.air.link(client_id, will)
        self.links.append(link)
        link.listen([(wanted, 1) for wanted in filters])
        link.start()
        eventually(link.connected)
        return link


def receive(link: Link, count: int = 1) -> list[Message]:
    got: list[Message] = []

    def enough() -> bool:
        got.extend(link.take(0.2))
        return len(got) >= count

    eventually(enough)
    return got


def settled(link: Link, other: Link) -> list[Message]:
    """All that ``link`` gets until a mark that ``other`` publishes now arrives: nothing more is on its way."""
    got: list[Message] = []
    link.listen([*[(PLAN, 1), (PRESENCE, 1)], ("radio/v1/mark", 1)])

    def marked() -> bool:
        other.publish("radio/v1/mark", b"mark", retain=False, qos=1)
        got.extend(link.take(0.2))
        return any(message.topic == "radio/v1/mark" for message in got)

    eventually(marked)
    return [message for message in got if message.topic != "radio/v1/mark"]


def test_what_is_published_arrives_as_it_was(joined: Joined) -> None:
    node = joined("node", "radio/v1/areas/+/plan")
    station = joined("station")
    payload = bytes(range(256)) * 1000

    def arrived() -> bool:  # the first may be sent before the broker knows who listens
        assert station.publish(PLAN, payload, retain=False, qos=1)
        return any(message == Message(PLAN, payload) for message in node.take(0.5))

    eventually(arrived)


def test_a_late_joiner_gets_what_is_retained_and_is_told_so(joined: Joined) -> None:
    station = joined("station", PLAN)
    station.publish(PLAN, b"kept", retain=True, qos=1)
    receive(station)
    assert receive(joined("node", "radio/v1/areas/#"))[-1] == Message(PLAN, b"kept", retained=True)


def test_an_empty_retained_message_erases(joined: Joined) -> None:
    station = joined("station", PLAN)
    station.publish(PLAN, b"kept", retain=True, qos=1)
    receive(station)
    station.publish(PLAN, b"", retain=True, qos=1)
    receive(station)
    assert [message for message in settled(joined("node", PLAN), station) if message.payload] == []


def test_the_will_is_said_when_a_client_is_killed_and_is_kept(joined: Joined, air: Air) -> None:
    watching = joined("station", PRESENCE)
    air.say_a_will(PRESENCE)
    assert receive(watching)[-1].payload == b"offline"
    assert receive(joined("late", PRESENCE))[-1] == Message(PRESENCE, b"offline", retained=True)


def test_a_clean_stop_says_no_will(joined: Joined) -> None:
    watching = joined("station", PRESENCE)
    leaving = joined("node", will=Will(PRESENCE, b"offline"))
    leaving.publish(PRESENCE, b"goodbye", retain=True, qos=1)
    leaving.stop()
    leaving.stop()
    assert not leaving.connected()
    assert [message.payload for message in settled(watching, joined("other"))] == [b"goodbye"]


def test_a_link_that_begins_before_its_broker_connects_later(joined: Joined, air: Air) -> None:
    joined("first")
    air.down()
    early = air.link("early")
    joined.links.append(early)
    early.start()
    assert not early.connected()
    air.up()
    eventually(early.connected)
    assert early.connections() == 1


def test_nothing_is_queued_while_the_broker_is_down(joined: Joined, air: Air) -> None:
    node, station = joined("node", PLAN), joined("station")
    air.down()
    eventually(lambda: not station.connected())
    assert station.publish(PLAN, b"an old alarm", retain=False, qos=1) is False
    air.up()
    eventually(lambda: node.connections() == 2 and station.connections() == 2)
    eventually(lambda: node.connected() and station.connected())
    assert settled(node, station) == []


def test_subscriptions_outlive_a_restart_of_the_broker(joined: Joined, air: Air) -> None:
    node, station = joined("node", PLAN), joined("station")
    air.down()
    eventually(lambda: not node.connected() and not station.connected())
    air.up()
    eventually(lambda: node.connected() and station.connected())
    assert (node.connections(), station.connections()) == (2, 2)
    station.publish(PLAN, b"after", retain=True, qos=1)
    assert receive(node)[-1].payload == b"after"


def test_a_wiped_broker_is_filled_again_by_whoever_knows(joined: Joined, air: Air) -> None:
    node, station = joined("node", PLAN), joined("station")
    station.publish(PLAN, b"truth", retain=True, qos=1)
    receive(node)
    air.wipe()
    eventually(lambda: station.connections() == 2 and station.connected())
    station.publish(PLAN, b"truth", retain=True, qos=1)
    assert receive(node)[-1].payload == b"truth"
    assert receive(joined("late", PLAN))[-1] == Message(PLAN, b"truth", retained=True)


def await_retained(joined: Joined, topic: str, payload: bytes) -> None:
    """Wait until the broker hands out what was published: NATS keeps it a moment after it was taken."""
    looks = count()
    eventually(lambda: payload in [each.payload for each in joined(f"look-{next(looks)}", topic).take(1.0)])


def test_listening_to_less_and_to_more(joined: Joined) -> None:
    node, station = joined("node", PLAN), joined("station")
    mark = "radio/v1/areas/thon-9/plan"
    for topic in (PLAN, mark):
        station.publish(topic, b"1", retain=True, qos=1)
        await_retained(joined, topic, b"1")
    receive(node)
    node.listen([(PRESENCE, 1), (mark, 1)])
    assert receive(node)[-1].topic == mark  # from here on the broker knows what is listened to
    station.publish(PRESENCE, b"here", retain=True, qos=1)
    assert receive(node)[-1].payload == b"here"
    station.publish(PLAN, b"2", retain=True, qos=1)
    await_retained(joined, PLAN, b"2")
    node.listen([(PRESENCE, 1), (PLAN, 1)])
    eventually(lambda: b"2" in [message.payload for message in node.take(0.5)])  # perhaps after the one retained


def test_hundreds_of_filters_are_all_heard(joined: Joined) -> None:
    wanted = [f"radio/v1/areas/thon-{at}/plan" for at in range(250)]
    station = joined("station", wanted[-1])
    for topic in wanted:
        station.publish(topic, topic.encode(), retain=True, qos=1)
    receive(station)
    node = joined("node", *wanted)
    heard: set[str] = set()
    eventually(lambda: heard.update(message.topic for message in node.take(0.5)) or heard == set(wanted))


def test_a_message_larger_than_any_topic_allows_is_not_sent(joined: Joined) -> None:
    station = joined("station")
    assert station.publish(PLAN, b"x" * (topics.MOST_BYTES + 1), retain=False, qos=1) is False
    assert [refusal.reason for refusal in station.refusals()] == [Reason.TOO_BIG]
    assert station.refusals() == []
    assert station.connected()


def test_the_largest_plan_there_may_be_arrives(joined: Joined) -> None:
    largest = b"x" * topics.MOST_BYTES
    node, station = joined("node", PLAN), joined("station")
    station.publish(PLAN, largest, retain=True, qos=1)
    assert receive(node)[-1].payload == largest


def test_garbage_on_a_topic_of_garbage_arrives_as_it_is_and_harms_nothing(joined: Joined) -> None:
    node, station = joined("node", "#"), joined("station")
    eventually(lambda: station.publish("rác/🗑", b"\x00\xff{" * 9, retain=False, qos=0) and node.take(0.5))
    assert topics.recognise("rác/🗑") is None
    assert node.connected()


def test_a_waiting_take_returns_when_woken_and_when_the_connection_goes(joined: Joined, air: Air) -> None:
    node = joined("node")
    node.take(0)
    waiting = threading.Thread(target=node.take, args=(150.0,))
    waiting.start()
    node.wake()
    waiting.join(60)
    assert not waiting.is_alive()
    waiting = threading.Thread(target=node.take, args=(150.0,))
    waiting.start()
    air.down()
    waiting.join(60)
    assert not waiting.is_alive()
    air.up()
