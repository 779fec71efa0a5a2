"""The access rules that the table of topics gives, kept by a real mosquitto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_wire import eventually

from fleet.broker import EmbeddedBroker
from fleet.wanted import Access
from wire import topics
from wire.mqtt import MqttLink


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    rules = topics.access_rules("station", [("loa-01", ["lang-son:a"]), ("loa-02", ["lang-son:b"])])
    access = Access(rules, {"station": "p-station", "loa-01": "p-01", "loa-02": "p-02"})
    with EmbeddedBroker(tmp_path, access=access) as broker:
        yield broker


def listens(link: MqttLink) -> bool:
    """Whether the broker has said that it passes on what the link asked for: what is not kept is said once."""
    asked = link._subscriptions
    return link.connected() and bool(asked._asked) and asked.unanswered_since() is None


@pytest.fixture
def users(guarded: EmbeddedBroker) -> Iterator[dict[str, MqttLink]]:
    passwords = {"station": "p-station", "loa-01": "p-01", "loa-02": "p-02"}
    links = {
        name: MqttLink(name, guarded.host, guarded.port, username=name, password=password)
        for name, password in passwords.items()
    }
    for link in links.values():
        link.listen([("radio/v1/#", 1)])
        link.start()
    eventually(lambda: all(listens(link) for link in links.values()))
    yield links
    for link in links.values():
        link.stop()


def heard(link: MqttLink, last: str) -> set[str]:
    """The topics that ``link`` hears, up to and with the topic ``last``."""
    got: set[str] = set()
    eventually(lambda: got.update(message.topic for message in link.take(0.2)) or last in got)
    return got


def test_a_node_hears_its_own_and_its_areas_and_nothing_else(users: dict[str, MqttLink]) -> None:
    for node, area in (("loa-02", "lang-son:b"), ("loa-01", "lang-son:a")):
        for line, names in ((each, {"node": node}) for each in (topics.CONFIG, topics.ACKS, topics.CERTIFICATE)):
            users["station"].publish(line.topic(**names), b"x", retain=True, qos=1)
        for line in (topics.PLAN, topics.URGENT):
            users["station"].publish(line.topic(area=area), b"x", retain=True, qos=1)
        users["station"].publish(topics.LIVE.topic(area=area, session="b1"), b"x", retain=False, qos=1)
    users["station"].publish(topics.HEALTH.topic(node="loa-02"), b"x", retain=True, qos=1)
    users["station"].publish(topics.TRUST.topic(), b"x", retain=True, qos=1)
    assert heard(users["loa-01"], topics.TRUST.topic()) == {
        *topics.of_node("loa-01", ["lang-son:a"]),
        topics.LIVE.topic(area="lang-son:a", session="b1"),
    } - {topics.PLAN.topic(area="loa-01"), topics.URGENT.topic(area="loa-01")}


def test_a_node_may_speak_for_itself_alone(users: dict[str, MqttLink]) -> None:
    own = {line.topic(node="loa-01") for line in (topics.PRESENCE, topics.HEALTH, topics.RECEIPTS, topics.RENEWAL)}
    forbidden = [
        topics.PLAN.topic(area="lang-son:a"),
        topics.URGENT.topic(area="lang-son:a"),
        topics.PLAN.topic(area="loa-01"),
        topics.CONFIG.topic(node="loa-01"),
        topics.CONFIG.topic(node="loa-02"),
        topics.ACKS.topic(node="loa-01"),
        topics.CERTIFICATE.topic(node="loa-01"),
        topics.TRUST.topic(),
        topics.PRESENCE.topic(node="loa-02"),
        topics.RECEIPTS.topic(node="loa-02"),
        "radio/v1/anything",
    ]
    for topic in [*forbidden, *sorted(own - {topics.RECEIPTS.topic(node="loa-01")})]:
        users["loa-01"].publish(topic, b"x", retain=True, qos=1)
    users["loa-01"].publish(topics.RECEIPTS.topic(node="loa-01"), b"x", retain=False, qos=1)
    assert heard(users["station"], topics.RECEIPTS.topic(node="loa-01")) == own


def test_a_stranger_and_a_wrong_password_stay_outside(guarded: EmbeddedBroker, users: dict[str, MqttLink]) -> None:
    outside = [
        MqttLink("stranger", guarded.host, guarded.port),
        MqttLink("loa-01x", guarded.host, guarded.port, username="loa-01", password="guess"),
    ]
    for link in outside:
        link.start()
    eventually(lambda: all(link._attempt >= 2 for link in outside))
    assert [link.connections() for link in outside] == [0, 0]
    assert users["loa-01"].connections() == 1
    for link in outside:
        link.stop()


def test_a_node_cannot_throw_another_off_by_taking_its_client_id(
    guarded: EmbeddedBroker, users: dict[str, MqttLink]
) -> None:
    thief = MqttLink("loa-02", guarded.host, guarded.port, username="loa-01", password="p-01")
    thief.start()
    eventually(thief.connected)
    thief.stop()
    assert users["loa-02"].connections() == 1
    assert users["loa-02"].connected()
