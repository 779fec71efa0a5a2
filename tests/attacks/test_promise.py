"""The promise: a stolen password, node, broker or network is no voice. Each is tried with all that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import makers_store as made
import msgspec
import pytest
from makers_evil import Evil, EvilLink
from makers_node import (
    COMMUNE,
    NODE,
    T0,
    ack_topic,
    after,
    config_message,
    make_config,
    make_emergency,
    make_grant,
    make_job,
    make_plan,
    make_trust,
    plan_message,
    sealed,
)
from makers_radio import Radio
from makers_station import Radio as Station
from makers_station import furnished
from makers_web import Town

from controller.desk import Desk, DeskError
from controller.desk.wishes import Wish
from controller.store import Store
from wire import topics
from wire.link import Message
from wire.plan import BulletinClass, Lane
from wire.receipt import Ack, Receipts, Step


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    town.settle()
    yield town
    town.store.close()


def test_a_stolen_password_of_an_editor_is_no_voice(town: Town) -> None:
    """What an editor sends waits for somebody else's ear; elsewhere, and as an emergency, it is not even taken."""
    client = town.client(town.app(), "van-hoa")
    booking = town.booked(client)
    row = town.store.announcements.get(town.announcement_of(booking))
    assert row
    assert row.state == "submitted"
    assert town.store.airing.to_plan(town.now) == []
    desk = Desk(town.store, "Asia/Ho_Chi_Minh", lambda: None)
    for area in ("lang-son", "lang-son:tam-thanh", "*"):
        with pytest.raises(DeskError):
            desk.announce(_wish(area), town.editor, town.now)
    assert town.store.airing.to_plan(town.now) == []


def _wish(area: str) -> Wish:
    return Wish("Bà con chú ý.", (area,), bulletin_class=BulletinClass.EMERGENCY)


def test_a_stolen_node_is_no_voice_for_other_nodes(tmp_path: Path) -> None:
    """Its key seals whatever it likes, on every topic, in its own name and in the station's."""
    radio = Radio(tmp_path)
    radio.start()
    thief = radio.agent.signer  # even this node's own
    lies = [plan_message(make_plan(make_job("evil", after(1)), area=area, serial=9), thief) for area in (COMMUNE, NODE)]
    lies += [plan_message(make_plan(make_emergency("evil", after(1)), lane=Lane.URGENT, serial=9), thief)]
    lies += [config_message(make_config(9), thief)]
    lies += [(topics.TRUST.topic(), sealed("trust", make_trust(make_grant(thief), serial=9), thief))]
    lies += [(ack_topic(), sealed("acks", Ack(NODE, "s", 9, T0), thief))]
    for lie in lies:
        radio.say(lie)
    radio.run(20, step=1)
    assert radio.heard == []
    assert radio.agent.refusals.counts == {"unknown_key": len(lies)}


def test_a_stolen_node_tells_the_station_of_itself_alone(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/loa.db")
    store.migrate()
    station: Station = furnished(store, tmp_path)
    thief = made.signer("loa-2")
    said = Receipts("loa-1", "s1", (made.receipt(1, step=Step.SOUNDED),))
    station.broker.publish(made.sealed(said, by=thief))
    own = msgspec.structs.replace(said, node="loa-2")
    station.broker.publish(made.sealed(own, topic_of="loa-1"))
    station.broker.publish(Message(topics.PLAN.topic(area=made.COMMUNE), sealed("plan", make_plan(make_job()), thief)))
    station.station.hear(made.NOW)
    assert store.asrun.outcomes() == []
    refused = {(each.reason, each.where) for each in store.refusals.all()}
    assert refused == {("unknown_key", "loa-1/receipts")}
    store.close()


@pytest.mark.parametrize("restarts", [False, True])
def test_a_stolen_broker_is_no_voice(tmp_path: Path, restarts: bool) -> None:
    """`test_evil_broker` says it a hundred thousand times; here it keeps its lies for who comes anew."""
    radio = Radio(tmp_path)
    radio.plan(make_job("true", after(40)))
    evil = Evil(3, radio.hand.now())
    radio.agent._link = EvilLink(radio.link)  # type: ignore[assignment]
    if restarts:
        radio.restart()
    else:
        radio.start()
    for family in ("forged", "spliced", "truncated", "deeply nested", "any bytes"):  # what needs no key of the station
        for _ in range(50):
            lie = evil.families[family]()
            if lie.payload not in evil.true.values() and lie.topic not in radio.broker.retained:
                radio.broker.publish(Message(lie.topic, lie.payload, retained=True))
            radio.broker.publish(Message(lie.topic, lie.payload))
    radio.run(60, step=1)
    assert [job for job, _, _ in radio.heard] == ["true"]


def test_a_stolen_network_is_no_voice(tmp_path: Path) -> None:
    """Every message that passes, altered by one bit on its way, and then not at all."""
    radio = Radio(tmp_path)
    radio.start()
    topic, raw = plan_message(make_plan(make_job("evil", after(1)), serial=5))
    for at in range(0, len(raw), 3):
        radio.say((topic, raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]))
    radio.run(20, step=1)
    assert radio.heard == []
    radio.say((topic, b""))
    radio.plan(make_job("true", radio.hand.now()))
    radio.run(20, step=1)
    assert [job for job, _, _ in radio.heard] == ["true"]
