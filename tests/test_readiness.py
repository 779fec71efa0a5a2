"""On which loudspeakers the audio of what is to come lies, by the nodes' receipts and their health."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as some
from makers_store import (
    COMMUNE,
    HAMLET,
    NOW,
    PROVINCE,
    SHA,
    batch,
    furnish,
    health,
    node,
    on_the_air,
    presence,
    receipt,
)

from controller import readiness
from controller.readiness import Item, Missing, judge
from controller.store import Store
from controller.store.facts import Condition, Fetched
from controller.store.rows import Act
from wire import codec
from wire.health import MOST_LACKING, Health, Held, Lacking
from wire.presence import State
from wire.receipt import Receipt, Step
from wire.topics import HEALTH

MINUTE = timedelta(minutes=1)
OTHER = "c" * 64
ITEM = Item("b1", SHA, (COMMUNE,), NOW + timedelta(days=1))


def reported(lacking: tuple[Lacking, ...] | None = (), at: datetime = NOW, since: datetime | None = None) -> Health:
    return msgspec.structs.replace(health(at=at), lacking=lacking, lacking_from=since)


def fetched(number: int, job: str = "b1", asset: str = SHA, at: datetime = NOW) -> Receipt:
    return receipt(number, job, Step.FETCHED, asset=asset, at=at)


def online(said: Health | None) -> Condition:
    return Condition("loa-1", True, NOW - MINUTE, health=said)


TOLD = Fetched(SHA, NOW)
AWAY = Condition("loa-1", False, NOW - MINUTE, health=reported())


@pytest.mark.parametrize(
    ("told", "condition", "why"),
    [
        (TOLD, online(reported()), None),
        (TOLD, AWAY, None),  # what it has it sounds, also alone
        (TOLD, None, None),
        (None, None, "never"),
        (None, AWAY, "offline"),
        (None, online(None), "untold"),
        (None, online(reported(None)), "old"),
        (None, online(reported()), "untold"),
        (None, online(reported((Lacking("b1"),))), "coming"),
        (None, online(reported((Lacking("b1", "data_budget"), Lacking("b2")))), "data_budget"),
        (Fetched(OTHER, NOW + MINUTE), online(reported((Lacking("b1", "disk_full"),))), "disk_full"),  # edited since
        (TOLD, online(reported((Lacking("b1"),), NOW - MINUTE)), None),  # it came after that health
        (TOLD, online(reported((Lacking("b1", "disk_full"),), NOW + MINUTE)), "disk_full"),  # evicted since
        (TOLD, online(reported((), NOW + MINUTE, ITEM.start)), "untold"),  # the list was cut before it
        (TOLD, online(reported((), NOW + MINUTE, ITEM.start + MINUTE)), None),
    ],
)
def test_of_a_receipt_and_a_health_the_later_one_counts(
    told: Fetched | None, condition: Condition | None, why: str | None
) -> None:
    found = judge(ITEM, node(), told, condition)
    assert (found.why if found else None) == why
    if why == "offline":
        assert found == Missing(node(), "offline", NOW - MINUTE)


STEPS = some.sampled_from(["comes", "evicted", "health", "health", "silent"])


@given(some.lists(STEPS, max_size=30))
def test_after_a_health_the_station_never_contradicts_the_node(steps: list[str]) -> None:
    """A node whose audio comes and goes: what the station shows is what the node said last, whichever way."""
    has, told, said, at = False, None, None, NOW
    for step in steps:
        at += MINUTE
        if step == "comes":
            has = True
            told = told or Fetched(SHA, at)  # only once
        elif step == "evicted":
            has = False
        elif step == "health":
            said = reported(() if has else (Lacking("b1", "disk_full"),), at)
            assert (judge(ITEM, node(), told, online(said)) is None) is has
        elif step == "silent" and said and told and told.at > said.at and has:
            assert judge(ITEM, node(), told, online(said)) is None


def test_the_last_audio_that_a_node_told_counts(store: Store) -> None:
    store.asrun.store_receipts(batch(receipt(1), fetched(2), fetched(3, "b2"), fetched(4, asset=OTHER)), NOW)
    store.asrun.store_receipts(batch(fetched(1), node="loa-2"), NOW)
    found = store.asrun.fetched(["b1", "b2", "b3"])
    assert {job: {name: each.asset for name, each in by_node.items()} for job, by_node in found.items()} == {
        "b1": {"loa-1": OTHER, "loa-2": SHA},
        "b2": {"loa-1": SHA},
    }
    assert store.asrun.outcomes() == []
    assert store.asrun.stored() == 5
    assert store.asrun.fetched([]) == {}


def test_a_survey_counts_each_jobs_own_nodes(store: Store) -> None:
    furnish(store)
    store.asrun.store_receipts(batch(fetched(1)), NOW)
    store.health.take_presence([presence("loa-1"), presence("loa-2", State.OFFLINE)], NOW)
    store.health.take_health([msgspec.structs.replace(reported(), node="loa-1")], NOW)
    items = [
        ITEM,
        Item("b2", SHA, (HAMLET,), NOW),
        Item("b3", SHA, ("nowhere",), NOW),
        Item("b1x", SHA, (PROVINCE,), NOW),
    ]
    found = readiness.survey(store, items)
    assert {job: (each.ready, each.expected) for job, each in found.items()} == {
        "b1": (1, 2),
        "b2": (0, 1),
        "b3": (0, 0),
        "b1x": (0, 3),
    }
    assert [(each.node.id, each.why, each.since) for each in found["b1"].missing] == [("loa-2", "offline", NOW)]
    assert [(each.node.id, each.why) for each in found["b1x"].missing] == [
        ("loa-1", "untold"),
        ("loa-2", "offline"),
        ("loa-3", "never"),
    ]
    assert readiness.survey(store, []) == {}


def test_nobody_waits_for_a_revoked_node(store: Store) -> None:
    furnish(store)
    on_the_air(store)
    assert [each.id for each in store.asrun.waited_for("b1")] == ["loa-1", "loa-2"]
    store.enrolments.revoke("loa-2", NOW, Act("quan", "revoked", "loa-2", "", NOW))
    assert [each.id for each in store.asrun.waited_for("b1")] == ["loa-1"]
    found = readiness.survey(store, [ITEM])["b1"]
    assert (found.expected, [each.node.id for each in found.missing]) == (1, ["loa-1"])


def test_a_survey_has_an_end_and_the_first_are_counted(store: Store) -> None:
    furnish(store)
    items = [Item(f"b{number}", SHA, (PROVINCE,), NOW) for number in range(10)]
    assert list(readiness.survey(store, items, most_pairs=9)) == ["b0", "b1", "b2"]
    assert list(readiness.survey(store, items, most_pairs=1)) == ["b0"]


def test_what_very_many_are_to_sound_is_as_the_station_counted_it_and_never_of_another_audio_place_or_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(store)
    store.health.take_presence([presence("loa-1"), presence("loa-2", State.OFFLINE)], NOW)
    store.asrun.store_receipts(batch(fetched(1, "wide")), NOW)
    wide, narrow = Item("wide", SHA, (COMMUNE, PROVINCE), NOW + MINUTE), Item("narrow", SHA, (HAMLET,), NOW)
    exact = readiness.survey(store, [wide, narrow])
    monkeypatch.setattr(readiness, "WIDE", 2)
    assert readiness.survey(store, [wide, narrow]) == {"narrow": exact["narrow"]}  # nobody counted yet
    counted = readiness.count(store, [narrow, wide], NOW)
    assert [each.job for each in counted] == ["wide"]
    store.tallies.set_arrivals(counted)
    told = readiness.survey(store, [wide, narrow])
    assert told == exact
    assert (told["wide"].ready, told["wide"].expected, told["wide"].lacking) == (1, 3, 2)
    assert readiness.survey(store, [replace(wide, areas=(PROVINCE, COMMUNE))])["wide"] == exact["wide"]
    for other in (replace(wide, asset=OTHER), replace(wide, areas=(PROVINCE,)), replace(wide, start=NOW)):
        assert readiness.survey(store, [other]) == {}
    monkeypatch.setattr(readiness, "FIRST", 1)
    store.tallies.set_arrivals(readiness.count(store, [wide], NOW))
    told = readiness.survey(store, [wide])
    assert ([each.node.id for each in told["wide"].missing], told["wide"].lacking) == (["loa-2"], 2)
    store.tallies.set_arrivals([])
    assert readiness.survey(store, [wide]) == {}


def test_what_a_survey_reads_does_not_grow_with_the_log(store: Store) -> None:
    """The rows of a job are found by an index: the plan of the query says so on both databases."""
    furnish(store)
    long = [receipt(number, f"old{number}", Step.FETCHED, asset=SHA) for number in range(1, 2001)]
    for first in range(0, 2000, 200):
        store.asrun.store_receipts(batch(*long[first : first + 200]), NOW)
    database = store.asrun._database
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(sa.text("ANALYZE receipts"))
        query = (
            "SELECT job, node, body FROM receipts WHERE job IN ('b1', 'b2') AND step = 'fetched' ORDER BY at, number"
        )
        told = " ".join(str(row) for row in connection.execute(sa.text(explain + query)))
    assert "receipts_by_job" in told
    assert "SCAN receipts" not in told
    assert "Seq Scan" not in told


@pytest.mark.parametrize(
    "odd",
    [
        {"lacking": [{"job": f"b{number}"} for number in range(31)]},
        {"lacking": [{"job": "b1", "reason": "x" * 41}]},
        {"lacking": [{"job": "../etc"}]},
        {"lacking": [{"job": "b" * 5000}]},
        {"lacking": "b1"},
        {"lacking_from": "tomorrow"},
        {"lacking_from": "2026-11-24T03:00:00"},
        {"data_used_day_bytes": "much"},
    ],
)
def test_a_health_that_claims_odd_things_is_malformed(odd: dict[str, object]) -> None:
    said = json.loads(codec.write(health())) | odd
    with pytest.raises(codec.Malformed):
        codec.read(Health, json.dumps(said).encode(), HEALTH.most_bytes)


def test_the_fullest_health_fits_its_topic_and_one_of_before_is_read() -> None:
    lacking = tuple(Lacking("x" * 190, "r" * 40) for _ in range(MOST_LACKING))
    held = tuple(Held("a" * 40, 10**6, 10**6) for _ in range(40))
    full = msgspec.structs.replace(reported(lacking, since=NOW), held=held)
    assert len(codec.write(full)) < HEALTH.most_bytes
    before = {key: value for key, value in json.loads(codec.write(health())).items() if "lacking" not in key}
    assert codec.read(Health, json.dumps(before).encode(), HEALTH.most_bytes).lacking is None
