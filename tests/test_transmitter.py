"""The transmitter: what is sealed, numbered, kept and published, as nodes' own gates see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import makers_store as made
import pytest
from makers_station import Admitted, Radio, furnished, online

from controller.configs import wanted_config
from controller.settings import Settings
from controller.store import Store
from schedules import planner
from wire import topics
from wire.config import QuietHours
from wire.health import Health, Held, Vitals
from wire.link import Message
from wire.plan import BulletinClass, Lane
from wire.receipt import Ack

NOW = made.NOW
PLAN, URGENT = topics.PLAN.topic(area=made.COMMUNE), topics.URGENT.topic(area=made.COMMUNE)


def issued(radio: Radio) -> list[datetime]:
    """When each plan that is held was issued."""
    return [each.issued_at for each in radio.store.plans.current()]


@pytest.fixture
def radio(store: Store, tmp_path: Path) -> Radio:
    return furnished(store, tmp_path)


def test_a_node_that_comes_anew_holds_trust_config_and_the_jobs_of_its_areas(radio: Radio) -> None:
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    gate = radio.gate("loa-1")
    assert gate.trust
    assert gate.config
    assert gate.config.media_url == radio.settings.audio_url
    assert gate.config.quiet_hours == QuietHours("21:00", "05:00")
    assert set(radio.jobs("loa-1")) == set(radio.jobs("loa-2")) == {"b1"}
    assert radio.jobs("loa-3") == {}


def test_the_same_state_publishes_nothing_again(radio: Radio) -> None:
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    published = len(radio.link.published)
    for seconds in (1, 61, 122):
        radio.station.plan(NOW + timedelta(seconds=seconds))
    assert len(radio.link.published) == published
    assert issued(radio) == [NOW]


def test_a_plan_half_spent_is_issued_anew_and_one_whose_jobs_are_gone_once_empty(radio: Radio) -> None:
    made.on_the_air(radio.store, start=NOW + timedelta(days=10))
    radio.station.plan(NOW)
    later = NOW + planner.VALIDITY / 2 + timedelta(seconds=1)
    radio.station.plan(later)
    assert issued(radio) == [later]
    assert radio.store.bookings.withdraw("b1")
    radio.station.plan(later + timedelta(seconds=1))
    radio.station.plan(later + timedelta(days=10))  # empty plans are not issued again
    assert issued(radio) == [later + timedelta(seconds=1)]
    assert radio.jobs(now=later) == {}
    assert PLAN in radio.broker.retained


def test_an_empty_plan_that_has_run_out_leaves_a_bare_topic_and_its_numbers_taken(radio: Radio) -> None:
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    radio.store.bookings.withdraw("b1")
    radio.station.plan(NOW + timedelta(seconds=1))
    last = radio.store.plans.current()[0].serial
    gone = NOW + planner.VALIDITY + timedelta(minutes=2)
    radio.station.plan(gone)
    assert radio.store.plans.current() == []
    assert PLAN not in radio.broker.retained
    made.on_the_air(radio.store, 2, start=gone + timedelta(hours=1))
    radio.station.plan(gone + timedelta(minutes=2))
    assert issued(radio) == [gone + timedelta(minutes=2)]
    assert radio.store.plans.current()[0].serial > last


def test_emergencies_go_out_first_and_in_their_own_lane(radio: Radio) -> None:
    made.on_the_air(radio.store, 1)
    made.on_the_air(radio.store, 2, bulletin_class=BulletinClass.EMERGENCY, areas=(made.OTHER_COMMUNE,))
    radio.link.published.clear()
    radio.station.plan(NOW)
    assert radio.link.published == [topics.URGENT.topic(area=made.OTHER_COMMUNE), PLAN]


def test_after_a_new_connection_everything_is_published_trust_and_emergencies_first(radio: Radio) -> None:
    made.on_the_air(radio.store, 1)
    made.on_the_air(radio.store, 2, bulletin_class=BulletinClass.EMERGENCY)
    radio.station.plan(NOW)
    before = dict(radio.broker.retained)
    radio.broker.down()
    radio.broker.forget()
    radio.broker.up()
    radio.link.published.clear()
    radio.station.plan(NOW + timedelta(seconds=1))
    assert {topic: raw for topic, raw in radio.broker.retained.items() if "presence" not in topic} == before
    assert radio.link.published[:2] == [topics.TRUST.topic(), URGENT]


def test_what_was_issued_while_the_broker_was_down_goes_out_when_it_is_back(radio: Radio) -> None:
    radio.broker.down()
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    assert PLAN not in radio.broker.retained
    radio.broker.up()
    radio.station.plan(NOW + timedelta(seconds=1))
    assert set(radio.jobs()) == {"b1"}


def test_a_broker_that_takes_little_at_a_time_gets_the_rest_later_and_only_the_newest(radio: Radio) -> None:
    radio.link.takes = 0
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    made.on_the_air(radio.store, 2, areas=(made.OTHER_COMMUNE,))
    made.on_the_air(radio.store, 3)
    radio.station.plan(NOW + timedelta(seconds=1))
    radio.link.published.clear()
    for seconds in (2, 3, 4):
        radio.link.takes = 1
        radio.station.plan(NOW + timedelta(seconds=seconds))
    assert sorted(radio.link.published) == sorted([PLAN, topics.PLAN.topic(area=made.OTHER_COMMUNE)])
    assert set(radio.jobs()) == {"b1", "b3"}


def test_a_station_that_begins_again_goes_on_counting(radio: Radio) -> None:
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    again = radio.restarted()
    again.station.start(NOW)
    again.station.plan(NOW)
    assert issued(again) == [NOW]
    first = again.store.plans.current()[0].serial
    made.on_the_air(again.store, 2)
    again.station.plan(NOW + timedelta(seconds=1))
    assert again.store.plans.current()[0].serial == first + 1


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """Another, empty store."""
    store = Store(f"sqlite:///{tmp_path}/other.db")
    store.migrate()
    yield store
    store.close()


def test_a_station_restored_from_a_backup_is_obeyed_though_nodes_hold_newer_plans(
    radio: Radio, other: Store, tmp_path: Path
) -> None:
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    lost = furnished(other, tmp_path / "lost", broker=radio.broker)  # what the station was after the backup was made
    made.on_the_air(other, 2)
    hour = NOW + timedelta(hours=1)
    lost.station.plan(hour)
    gate = radio.gate("loa-1", hour)
    assert set(gate.jobs(hour)) == {"b2"}
    lost.station.stop()

    later = NOW + timedelta(hours=2)
    restored = radio.restarted()
    restored.station.start(later)
    restored.station.plan(later)
    assert gate.admit(PLAN, radio.broker.retained[PLAN], later).reason == "rolled_back"  # type: ignore[union-attr]
    online(restored, gate, "loa-1", later)
    restored.station.hear(later)
    restored.station.sweep(later)
    restored.station.plan(later + timedelta(seconds=1))
    assert isinstance(gate.admit(PLAN, radio.broker.retained[PLAN], later + timedelta(seconds=1)), Admitted)
    assert set(gate.jobs(later)) == {"b1"}
    count = len(restored.link.published)
    restored.station.sweep(later + timedelta(seconds=5))  # once is enough
    restored.station.plan(later + timedelta(seconds=6))
    assert len(restored.link.published) == count


def test_a_plan_that_a_restored_station_never_heard_of_is_taken_back(
    radio: Radio, other: Store, tmp_path: Path
) -> None:
    lost = furnished(other, tmp_path / "lost", broker=radio.broker)
    made.on_the_air(other, 2)
    hour = NOW + timedelta(hours=1)
    lost.station.plan(hour)
    gate = radio.gate("loa-1", hour)
    restored = radio.restarted()
    restored.station.start(hour)
    online(restored, gate, "loa-1", hour + timedelta(minutes=1))
    restored.station.hear(hour + timedelta(minutes=1))
    restored.station.sweep(hour + timedelta(minutes=1))
    restored.station.plan(hour + timedelta(minutes=1))
    gate.admit(PLAN, radio.broker.retained[PLAN], hour + timedelta(minutes=1))
    assert gate.jobs(hour) == {}


def test_a_node_that_claims_a_serial_from_the_future_moves_nothing(radio: Radio) -> None:
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    later = NOW + timedelta(minutes=1)
    liar = Health("loa-1", later, "boot-1", "0.1.0", Vitals(), held=(Held(made.COMMUNE, 2**40, 2**40),))
    radio.broker.publish(made.said(made.presence("loa-1", at=later)))
    radio.broker.publish(made.said(liar))
    radio.station.hear(later)
    radio.station.sweep(later)
    radio.station.plan(later)
    assert issued(radio) == [NOW]


def test_a_new_station_key_seals_everything_anew(radio: Radio) -> None:
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    first = radio.store.plans.current()[0].serial
    config = max(each.serial for each in radio.store.plans.configs())
    radio.signer = made.signer("another station")
    again = radio.restarted()
    again.station.start(NOW)
    again.station.plan(NOW)
    assert again.store.plans.current()[0].serial == first + 1
    assert {each.serial for each in again.store.plans.configs()} == {config + 1}


def test_only_an_online_node_that_lacks_something_is_sent_it_again_and_not_too_often(radio: Radio) -> None:
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    full, bare = radio.gate("loa-1"), Radio(radio.store, radio.folder).gate("loa-2")
    later = NOW + timedelta(minutes=2)
    online(radio, full, "loa-1", later)
    radio.station.hear(later)
    radio.link.published.clear()
    assert radio.station.sweep(later) == 0
    online(radio, bare, "loa-2", later)
    radio.station.hear(later)
    assert radio.station.sweep(later) == 3
    expected = {topics.TRUST.topic(), topics.CONFIG.topic(node="loa-2"), PLAN}
    assert set(radio.link.published) == expected
    assert radio.station.sweep(later + timedelta(seconds=10)) == 0  # it has not spoken since
    still = later + timedelta(minutes=1)
    online(radio, bare, "loa-2", still)
    radio.station.hear(still)
    assert radio.station.sweep(still) == 3


def test_a_forgetful_broker_is_filled_again_for_a_node_that_came_late(radio: Radio) -> None:
    made.on_the_air(radio.store)
    radio.station.plan(NOW)
    radio.broker.forget()  # and nobody is told
    later = NOW + timedelta(minutes=2)
    online(radio, radio.gate("loa-1"), "loa-1", later)
    radio.station.hear(later)
    radio.station.sweep(later)
    assert set(radio.jobs("loa-1", later)) == {"b1"}


def test_an_acknowledgement_is_sealed_for_its_node(radio: Radio) -> None:
    radio.transmitter.acknowledge([Ack("loa-1", "s1", 7, NOW)])
    topic = topics.ACKS.topic(node="loa-1")
    gate = radio.gate("loa-1")
    verdict = gate.admit(topic, radio.broker.retained[topic], NOW)
    assert getattr(verdict, "document", None) == Ack("loa-1", "s1", 7, NOW)


def test_a_config_says_what_the_roster_says(radio: Radio) -> None:
    node = made.node("loa-1", quiet=QuietHours("22:00", "04:00"), maintenance=True, offset_ms=120)
    before = radio.store.plans.configs()[0].serial
    radio.store.roster.add_node(node)
    radio.station.enrol(NOW + timedelta(seconds=1))
    config = radio.gate("loa-1", NOW + timedelta(seconds=1)).config
    assert config
    assert (config.serial, config.maintenance, config.offset_ms) == (before + 1, True, 120)
    assert config.quiet_hours == QuietHours("22:00", "04:00")
    assert config.data_budget_bytes_per_day == 0


@pytest.mark.parametrize(("own", "told"), [(None, 70), (0, 0), (5, 5)])
def test_a_node_has_the_stations_data_budget_or_its_own(own: int | None, told: int) -> None:
    node = made.node(data_budget_bytes_per_day=own)
    config = wanted_config(node, Settings(data_budget_bytes_per_day=70), {}, NOW.date())
    assert config.data_budget_bytes_per_day == told


def test_nothing_is_published_under_a_number_that_the_store_did_not_keep(
    radio: Radio, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.on_the_air(radio.store)

    def fails(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(radio.store.plans, "issue", fails)
    with pytest.raises(OSError, match="no room"):
        radio.station.plan(NOW)
    assert PLAN not in radio.broker.retained
    monkeypatch.undo()
    radio.station.plan(NOW)
    assert set(radio.jobs()) == {"b1"}


def test_both_lanes_of_an_area_are_numbered_apart(radio: Radio) -> None:
    made.on_the_air(radio.store, 1)
    made.on_the_air(radio.store, 2, bulletin_class=BulletinClass.EMERGENCY)
    radio.station.plan(NOW)
    lanes = {each.lane: each.serial for each in radio.store.plans.current()}
    assert lanes[Lane.PLAN] == lanes[Lane.URGENT] == int(NOW.timestamp())
    assert Message(PLAN, radio.broker.retained[PLAN]).payload != radio.broker.retained[URGENT]
