"""What is issued, kept by name, written of acts and counted of refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest
from makers_store import (
    COMMUNE,
    NOW,
)

from controller.store import Store, StoreError
from controller.store.facts import Document
from controller.store.rows import Act
from schedules.planner import VALIDITY
from wire.errors import Reason, Refusal
from wire.plan import Lane

HOUR = timedelta(hours=1)
SECOND = int(NOW.timestamp())  # serials are at least the second at which they are taken


def key_of(error: pytest.ExceptionInfo[StoreError]) -> str:
    return error.value.key


def make(serial: int) -> bytes:
    return b"plan %d" % serial


def test_a_serial_never_comes_again_even_when_the_plan_was_dropped(store: Store) -> None:
    first = store.plans.issue(COMMUNE, Lane.PLAN, "d1", make, NOW)
    assert first is not None
    assert first.serial == SECOND
    assert (first.envelope, first.valid_until) == (make(SECOND), NOW + VALIDITY)
    store.plans.drop(COMMUNE, Lane.PLAN)
    assert store.plans.current() == []
    second = store.plans.issue(COMMUNE, Lane.PLAN, "d1", make, NOW)
    assert second is not None
    assert second.serial == SECOND + 1
    urgent = store.plans.issue(COMMUNE, Lane.URGENT, "d1", make, NOW)
    assert urgent is not None
    assert urgent.serial == SECOND
    assert store.plans.current() == [second, urgent]


def test_an_unchanged_plan_is_issued_again_only_when_its_time_runs_out(store: Store) -> None:
    store.plans.issue(COMMUNE, Lane.PLAN, "d1", make, NOW)
    assert store.plans.issue(COMMUNE, Lane.PLAN, "d1", make, NOW + HOUR) is None
    later = store.plans.issue(COMMUNE, Lane.PLAN, "d1", make, NOW + VALIDITY / 2)
    assert later is not None
    assert later.serial == SECOND + VALIDITY.total_seconds() / 2


def test_serials_grow_also_when_the_clock_goes_back(store: Store) -> None:
    for hours, digest in ((1, "d1"), (0, "d2"), (-5, "d3")):
        store.plans.issue(COMMUNE, Lane.PLAN, digest, make, NOW + hours * HOUR)
    held = store.plans.of(COMMUNE, Lane.PLAN)
    assert held is not None
    assert held.serial == SECOND + 3600 + 2


def test_a_plan_that_cannot_be_sealed_takes_no_serial(store: Store) -> None:
    def fail(_serial: int) -> bytes:
        raise RuntimeError("no key")

    with pytest.raises(RuntimeError):
        store.plans.issue(COMMUNE, Lane.PLAN, "d1", fail, NOW)
    issued = store.plans.issue(COMMUNE, Lane.PLAN, "d1", make, NOW)
    assert issued is not None
    assert issued.serial == SECOND


def test_a_config_is_issued_when_it_differs(store: Store) -> None:
    assert store.plans.issue_config("loa-1", "d1", make, NOW)
    assert store.plans.issue_config("loa-1", "d1", make, NOW) is None
    assert store.plans.issue_config("loa-1", "d2", make, NOW)
    assert [(each.node, each.serial) for each in store.plans.configs()] == [("loa-1", SECOND + 1)]


def test_an_older_document_does_not_replace_a_newer_one(store: Store) -> None:
    store.documents.put(Document("trust", 2, b"two", NOW))
    with pytest.raises(StoreError) as refused:
        store.documents.put(Document("trust", 1, b"one", NOW))
    assert key_of(refused) == "store.older_document"
    store.documents.put(Document("trust", 2, b"again", NOW))
    assert store.documents.get("trust") == Document("trust", 2, b"again", NOW)
    assert store.documents.get("other") is None


def test_the_audit_log_shows_the_newest_first(store: Store) -> None:
    for number in range(3):
        store.acts.add(Act("lan", "did", str(number), "", NOW))
    assert [each.subject for each in store.acts.recent(2)] == ["2", "1"]


def test_refusals_are_counted_by_reason_and_place(store: Store) -> None:
    hostile = Refusal(Reason.MALFORMED, "topics", "nul \0 and half \ud800 of a character")
    store.refusals.count_all([hostile, hostile, Refusal(Reason.TOO_BIG, "loa-1/health", "big")], NOW)
    store.refusals.count("malformed", "topics", "newest", NOW + HOUR)
    counted = store.refusals.all()
    assert [(each.reason, each.where, each.count) for each in counted] == [
        ("malformed", "topics", 3),
        ("too_big", "loa-1/health", 1),
    ]
    assert (counted[0].detail, counted[0].first_at, counted[0].last_at) == ("newest", NOW, NOW + HOUR)
