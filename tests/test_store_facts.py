"""What nodes say: receipts, outcomes, presence and health."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from makers_store import (
    COMMUNE,
    GROUP,
    HAMLET,
    NOW,
    OTHER_COMMUNE,
    PROVINCE,
    batch,
    furnish,
    health,
    on_the_air,
    presence,
    receipt,
)

from controller.store import Store
from controller.store.fact_tables import refusals
from wire.presence import State
from wire.receipt import Measured, Receipts, Step

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_receipts_are_acknowledged_up_to_the_first_gap(store: Store) -> None:
    assert store.asrun.store_receipts(batch(receipt(1), receipt(2)), NOW) == 2
    assert store.asrun.store_receipts(batch(receipt(5), receipt(6)), NOW) == 2
    assert store.asrun.store_receipts(batch(receipt(3), receipt(4)), NOW) == 6
    assert store.asrun.upto("loa-1", "s1") == 6
    assert store.asrun.upto("loa-1", "s2") == 0


def test_a_batch_sent_again_is_stored_once_and_acknowledged_again(store: Store) -> None:
    again = batch(receipt(1), receipt(2, step=Step.SOUNDED))
    assert [store.asrun.store_receipts(again, NOW) for _ in range(3)] == [2, 2, 2]
    assert len(store.asrun.receipts("b1", "loa-1")) == 2
    assert len(store.asrun.outcomes()) == 1
    assert store.refusals.all() == []


def test_several_batches_of_one_stream_are_taken_together(store: Store) -> None:
    batches = [batch(receipt(1)), batch(receipt(2)), batch(receipt(1), node="loa-2")]
    assert store.asrun.store_batches(batches, NOW) == [1, 2, 1]


def test_a_new_stream_of_the_same_node_begins_at_one(store: Store) -> None:
    store.asrun.store_receipts(batch(receipt(1), receipt(2)), NOW)
    assert store.asrun.store_receipts(batch(receipt(1), stream="s2"), NOW) == 1


def test_receipts_are_shown_as_the_node_wrote_them_whenever_they_came(store: Store) -> None:
    started, sounded = receipt(2, step=Step.STARTED), receipt(3, step=Step.SOUNDED)
    lost = batch(receipt(1, step=Step.REFUSED), stream="s0")
    for number, said in enumerate((batch(receipt(1)), batch(sounded), batch(started), lost)):
        store.asrun.store_receipts(said, NOW + number * MINUTE)
    steps = [each.step for each in store.asrun.receipts("b1", "loa-1")]
    assert steps == [Step.ACCEPTED, Step.STARTED, Step.SOUNDED, Step.REFUSED]


def test_what_a_lost_store_had_acknowledged_is_not_waited_for(store: Store) -> None:
    store.asrun.store_receipts(batch(receipt(1)), NOW)
    rest = Receipts("loa-1", "s1", (receipt(41), receipt(42)), forgotten=40)
    assert store.asrun.store_receipts(rest, NOW) == 42
    (counted,) = store.refusals.all()
    assert (counted.reason, counted.where) == ("rolled_back", "loa-1/receipts")
    assert "receipts 2 to 40" in counted.detail
    assert store.asrun.store_receipts(rest, NOW) == 42
    assert store.refusals.all()[0].count == 1


def test_the_first_outcome_of_a_job_stands_and_another_is_counted(store: Store) -> None:
    store.asrun.store_receipts(batch(receipt(1, step=Step.SOUNDED)), NOW)
    assert store.asrun.store_receipts(batch(receipt(2, step=Step.MISSED, reason="late")), NOW) == 2
    assert store.asrun.store_receipts(batch(receipt(1, step=Step.SOUNDED), stream="s2"), NOW) == 1
    assert [each.step for each in store.asrun.outcomes(job="b1")] == [Step.SOUNDED]
    (counted,) = store.refusals.all()
    assert (counted.reason, counted.where, counted.count) == ("forked", "loa-1/receipts", 1)


def test_items_of_a_programme_taken_back_unheard_are_not_among_the_newest(store: Store) -> None:
    item = "p0123456789ab-20261125t2200-{}".format
    measured = Measured(NOW, NOW, 0.0, 1000, -18.0, -3.0, "USB Audio")
    ends = [
        receipt(1, item(0), step=Step.WITHDRAWN),
        receipt(2, item(1), step=Step.WITHDRAWN, measured=measured),
        receipt(3, item(2), step=Step.MISSED, reason="late"),
        receipt(4, "b0123456789ab", step=Step.WITHDRAWN),
        receipt(5, item(3), step=Step.WITHDRAWN, detail='"measured":{'),
    ]
    store.asrun.store_receipts(batch(*ends), NOW)
    assert [each.job for each in store.asrun.newest(None, 9)] == ["b0123456789ab", item(1), item(2)]
    assert [each.job for each in store.asrun.newest(None, 1)] == ["b0123456789ab"]
    assert len(store.asrun.outcomes()) == 5


def test_two_outcomes_in_one_batch_are_still_one(store: Store) -> None:
    both = batch(receipt(1, step=Step.SOUNDED), receipt(2, step=Step.INTERRUPTED))
    assert store.asrun.store_receipts(both, NOW) == 2
    assert [each.step for each in store.asrun.outcomes()] == [Step.SOUNDED]
    assert [each.reason for each in store.refusals.all()] == ["forked"]


def test_a_number_that_comes_with_other_content_is_counted_and_changes_nothing(store: Store) -> None:
    store.asrun.store_receipts(batch(receipt(1, detail="true")), NOW)
    assert store.asrun.store_receipts(batch(receipt(1, detail="false")), NOW) == 1
    assert [each.detail for each in store.asrun.receipts("b1", "loa-1")] == ["true"]
    assert [each.reason for each in store.refusals.all()] == ["forked"]


def test_what_was_withdrawn_and_is_accepted_again_has_no_outcome_until_its_next(store: Store) -> None:
    store.asrun.store_receipts(batch(receipt(1), receipt(2, step=Step.WITHDRAWN)), NOW)
    assert [each.step for each in store.asrun.outcomes()] == [Step.WITHDRAWN]
    store.asrun.store_receipts(batch(receipt(3)), NOW)
    assert store.asrun.outcomes() == []
    store.asrun.store_receipts(batch(receipt(4, step=Step.SOUNDED), receipt(5), receipt(6, step=Step.WITHDRAWN)), NOW)
    assert [each.step for each in store.asrun.outcomes()] == [Step.SOUNDED]
    assert [each.reason for each in store.refusals.all()] == ["forked"]


def test_withdrawn_and_accepted_again_in_one_batch_is_no_outcome(store: Store) -> None:
    store.asrun.store_receipts(batch(receipt(1), receipt(2, step=Step.WITHDRAWN), receipt(3)), NOW)
    assert store.asrun.outcomes() == []


def test_an_outcome_is_shown_with_names_and_with_what_was_measured(store: Store) -> None:
    furnish(store)
    on_the_air(store)
    sounded = receipt(1, step=Step.SOUNDED)
    store.asrun.store_receipts(batch(sounded), NOW + HOUR)
    (outcome,) = store.asrun.outcomes()
    assert (outcome.node_name, outcome.title) == ("Cụm loa-1", "Bản tin 1")
    assert (outcome.measured, outcome.planned_start, outcome.received_at) == (sounded.measured, NOW, NOW + HOUR)
    assert store.asrun.last_sounded() == {"loa-1": NOW + HOUR}


def test_outcomes_of_unknown_nodes_and_jobs_are_still_shown(store: Store) -> None:
    store.asrun.store_receipts(batch(receipt(1, job="b9:20261124t030000", step=Step.SOUNDED), node="gone"), NOW)
    assert [(each.node_name, each.title) for each in store.asrun.outcomes()] == [("", "")]


@pytest.mark.parametrize(
    ("area", "nodes"),
    [
        (PROVINCE, ["loa-1", "loa-2", "loa-3"]),
        (COMMUNE, ["loa-1", "loa-2"]),
        (HAMLET, ["loa-1"]),
        (OTHER_COMMUNE, ["loa-3"]),
        (GROUP, ["loa-2"]),
        ("loa-3", ["loa-3"]),
        ("lang_son", []),
    ],
)
def test_outcomes_are_found_by_area(store: Store, area: str, nodes: list[str]) -> None:
    furnish(store)
    for name in ("loa-1", "loa-2", "loa-3"):
        store.asrun.store_receipts(batch(receipt(1, step=Step.SOUNDED), node=name), NOW)
    assert [each.node for each in store.asrun.outcomes(area=area)] == nodes


def test_outcomes_are_found_by_time_and_limited(store: Store) -> None:
    for number in range(1, 4):
        end = receipt(number, job=f"b{number}", step=Step.SOUNDED)
        store.asrun.store_receipts(batch(end), NOW + number * MINUTE)
    assert [each.job for each in store.asrun.outcomes(since=NOW + 2 * MINUTE)] == ["b3", "b2"]
    assert [each.job for each in store.asrun.outcomes(limit=1)] == ["b3"]


def test_a_job_waits_for_the_nodes_it_reaches_until_each_has_told_its_end(store: Store) -> None:
    furnish(store)
    on_the_air(store)
    assert [each.id for each in store.asrun.waited_for("b1")] == ["loa-1", "loa-2"]
    store.asrun.store_receipts(batch(receipt(1), receipt(2, step=Step.SOUNDED)), NOW)
    store.asrun.store_receipts(batch(receipt(1), node="loa-2"), NOW)
    assert [each.id for each in store.asrun.waited_for("b1")] == ["loa-2"]
    assert store.asrun.waited_for("unknown") == []


def test_uptime_is_the_share_of_time_online(store: Store) -> None:
    store.health.take_presence([presence(at=NOW)], NOW)
    store.health.take_presence([presence(state=State.OFFLINE, at=NOW)], NOW + HOUR)
    store.health.take_presence([presence(at=NOW + 2 * HOUR)], NOW + 2 * HOUR)
    assert store.health.uptime("loa-1", NOW, NOW + 4 * HOUR) == pytest.approx(0.75)
    assert store.health.uptime("loa-1", NOW + HOUR, NOW + 2 * HOUR) == 0.0
    assert store.health.uptime("loa-1", NOW + 3 * HOUR, NOW + 4 * HOUR) == 1.0


def test_of_the_time_before_a_node_was_heard_of_nothing_is_claimed(store: Store) -> None:
    assert store.health.uptime("loa-1", NOW, NOW + HOUR) is None
    store.health.take_presence([presence(at=NOW)], NOW)
    assert store.health.uptime("loa-1", NOW - HOUR, NOW) is None
    assert store.health.uptime("loa-1", NOW - HOUR, NOW + HOUR) == 1.0


def test_the_will_of_an_older_connection_does_not_put_a_node_offline(store: Store) -> None:
    store.health.take_presence([presence(at=NOW), presence(at=NOW + MINUTE, boot="boot-2")], NOW + MINUTE)
    will = presence(state=State.OFFLINE, at=NOW)
    assert store.health.take_presence([will], NOW + 2 * MINUTE) == [will]
    known = store.health.condition("loa-1")
    assert known is not None
    assert (known.online, known.boot_id, known.presence_since) == (True, "boot-2", NOW)


def test_presence_told_again_changes_nothing(store: Store) -> None:
    for minute in range(3):
        store.health.take_presence([presence(at=NOW)], NOW + minute * MINUTE)
    (known,) = store.health.latest()
    assert (known.presence_since, known.health) == (NOW, None)


def test_coming_and_going_within_one_batch_is_kept_in_order(store: Store) -> None:
    said = [presence(at=NOW), presence(state=State.OFFLINE, at=NOW), presence(at=NOW + MINUTE)]
    assert store.health.take_presence(said, NOW + MINUTE) == []
    known = store.health.condition("loa-1")
    assert known is not None
    assert known.online
    assert store.health.uptime("loa-1", NOW, NOW + HOUR) == 1.0


def test_only_newer_health_replaces(store: Store) -> None:
    newest, older = health(at=NOW + MINUTE, load_1m=1.0), health(at=NOW, load_1m=9.0)
    assert store.health.take_health([newest], NOW + MINUTE) == []
    assert store.health.take_health([older, newest], NOW + MINUTE) == [older, newest]
    known = store.health.condition("loa-1")
    assert known is not None
    assert (known.health, known.online) == (newest, None)
    assert [hour.count for hour in store.health.hours("loa-1", NOW, NOW + HOUR)] == [1]


def test_health_is_rolled_up_by_the_hour_over_batches(store: Store) -> None:
    degrees = [40.0, None, 60.0, 50.0]
    for minute, celsius in enumerate(degrees):
        store.health.take_health([health(at=NOW + minute * MINUTE, cpu_celsius=celsius)], NOW + minute * MINUTE)
    both = [health(at=NOW + (61 + second) * MINUTE, cpu_celsius=20.0 + second) for second in range(2)]
    store.health.take_health(both, NOW + 61 * MINUTE)
    first, second = store.health.hours("loa-1", NOW, NOW + 2 * HOUR)
    spread = first.cpu_celsius
    assert (first.hour, first.count) == (NOW, 4)
    assert (spread.count, spread.least, spread.most, spread.mean) == (3, 40.0, 60.0, 50.0)
    assert (second.count, second.cpu_celsius.least, second.cpu_celsius.most) == (2, 20.0, 21.0)
    assert first.load_1m.count == 0
    assert first.load_1m.mean is None


def test_more_nodes_than_fit_one_query_are_taken_at_once(store: Store) -> None:
    many = [health(f"loa-{number}") for number in range(1201)]
    assert store.health.take_health(many, NOW) == []
    assert store.health.take_health(many, NOW) == many
    assert len(store.health.latest()) == 1201


def test_what_was_heard_last_of_all_comes_first(store: Store) -> None:
    furnish(store)
    for minute, name in enumerate(("loa-1", "loa-2", "loa-3", "loa-1")):
        store.health.take_health([health(name, NOW + minute * MINUTE)], NOW + minute * MINUTE)
    heard = [(told.node, received) for told, received in store.health.newest(2)]
    assert heard == [("loa-1", NOW + 3 * MINUTE), ("loa-3", NOW + 2 * MINUTE)]
    assert [told.node for told, _ in store.health.newest(9)] == ["loa-1", "loa-3", "loa-2"]


def test_a_database_says_how_much_it_takes_and_grows(store: Store) -> None:
    furnish(store)
    before = store.database.size_bytes()
    assert before > 100_000, "its tables and indexes alone take more"
    rows = [
        {"reason": f"r{number}", "place": "x" * 300, "count": 1, "detail": "y" * 200, "first_at": NOW, "last_at": NOW}
        for number in range(3000)
    ]
    with store.database.writing() as connection:
        connection.execute(sa.insert(refusals), rows)
    assert store.database.size_bytes() - before > 3000 * 400, "as much as was written, at least"
