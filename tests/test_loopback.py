"""The in-memory broker's own doors: dropping, restoring, ending, forgetting; and the inbox that both links share."""

from __future__ import annotations

from wire import topics
from wire.errors import Reason
from wire.inbox import MOST_REFUSALS, Inbox
from wire.link import Message, Will
from wire.loopback import Loopback

PLAN = "radio/v1/areas/a/plan"


def test_a_dropped_client_stays_away_until_restored() -> None:
    broker = Loopback()
    node, station = broker.link("node", Will("radio/v1/nodes/node/presence", b"offline")), broker.link("station")
    station.listen([("radio/v1/nodes/+/presence", 1)])
    for link in (node, station):
        link.start()
    broker.drop(node)
    assert [message.payload for message in station.take(0)] == [b"offline"]
    assert node.publish(PLAN, b"", retain=False, qos=1) is False
    node.listen([(PLAN, 1)])
    station.publish(PLAN, b"kept", retain=True, qos=1)
    assert node.take(0) == []
    broker.restore(node)
    assert node.take(0) == [Message(PLAN, b"kept", retained=True)]
    assert node.connections() == 2


def test_forgetting_tells_nobody() -> None:
    broker = Loopback()
    station, late = broker.link("station"), broker.link("late")
    station.start()
    station.publish(PLAN, b"kept", retain=True, qos=1)
    broker.forget()
    late.listen([(PLAN, 1)])
    late.start()
    assert late.take(0) == []
    assert station.connections() == 1


def test_a_broker_that_ends_says_no_wills() -> None:
    broker = Loopback()
    node, station = broker.link("node", Will(PLAN, b"will")), broker.link("station")
    station.listen([(PLAN, 1)])
    for link in (node, station):
        link.start()
    broker.down()
    assert not station.connected()
    node.stop()
    broker.up()
    assert station.take(0) == []
    assert broker.retained == {}


def test_a_second_client_of_a_name_takes_the_place_of_the_first() -> None:
    broker = Loopback()
    first, second = broker.link("node", Will(PLAN, b"will")), broker.link("node")
    first.start()
    second.start()
    assert (first.connected(), second.connected()) == (False, True)
    assert broker.retained == {PLAN: b"will"}


def test_a_full_inbox_says_what_it_refused_and_takes_again_when_emptied() -> None:
    inbox = Inbox(2, 10_000)
    assert [inbox.put(Message(f"t{at}", b"x")) for at in range(3)] == [True, True, False]
    assert [(refusal.reason, refusal.where) for refusal in inbox.refusals()] == [(Reason.INBOX_FULL, "t2")]
    assert len(inbox.take(0)) == 2
    assert inbox.put(Message("t3", b"x"))


def test_a_big_message_fills_the_inbox_alone() -> None:
    inbox = Inbox(100, topics.MOST_BYTES)
    assert not inbox.put(Message("t", b"x" * topics.MOST_BYTES))
    assert inbox.put(Message("t", b"x" * (topics.MOST_BYTES - 1000)))
    assert not inbox.put(Message("t", b"x" * 1000))


def test_refusals_are_bounded_too() -> None:
    inbox = Inbox(1, 10_000)
    for _ in range(MOST_REFUSALS + 100):
        inbox.put(Message("t", b""))
    assert len(inbox.refusals()) == MOST_REFUSALS
    assert inbox.refusals() == []
