"""Codes and certificates in the store, on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import makers_store as made
import pytest
from makers_store import HAMLET, NOW, batch, receipt

from controller.roster import Node
from controller.store import Store, StoreError
from controller.store.enrolments import AGAIN, MOST_TRIES, EnrolmentRow
from wire.certificates import Certificate
from wire.receipt import Step

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
KEY = "ab" * 64


@pytest.fixture(autouse=True)
def furnished(store: Store) -> None:
    made.furnish(store)


def row(code: str = "KMW", node: str = "loa-9", replaces: bool = False) -> EnrolmentRow:
    return EnrolmentRow(code, node, "Cụm 9", HAMLET, (), replaces, "quan", NOW, NOW + DAY, kept=KEY)


def certificate(serial: str) -> Certificate:
    return Certificate("PEM " + serial, serial, "loa-9", NOW + 100 * DAY)


def admit(store: Store, code: str, key: str, serial: str = "1") -> Node | None:
    return store.enrolments.admit(code, made.signer(key).public.hex, certificate(serial), NOW + MINUTE)


def test_a_code_lets_one_node_in_however_many_ask_at_once(store: Store) -> None:
    store.enrolments.open(row())
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: admit(store, "KMW", f"k{number}", str(number)), range(4)))
    (node,) = filter(None, found)
    assert store.roster.node("loa-9") == node
    used = store.enrolments.get("KMW")
    assert used
    assert (used.public_key, used.used_at) == (node.public_key, NOW + MINUTE)
    held = store.enrolments.certificate("loa-9")
    assert held
    assert used.certificate == f"PEM {held.serial}"


def test_a_name_of_a_code_is_given_once_and_a_newer_code_ends_an_older(store: Store) -> None:
    store.enrolments.open(row())
    with pytest.raises(StoreError, match="contradicts"):
        store.enrolments.open(row(node="loa-8"))
    store.enrolments.open(row("ZZZ"))
    assert [each.code for each in store.enrolments.waiting(NOW)] == ["ZZZ"]
    assert admit(store, "KMW", "k") is None
    store.enrolments.close("ZZZ")
    assert admit(store, "ZZZ", "k") is None
    assert store.roster.node("loa-9") is None


def test_a_key_of_another_node_writes_nothing(store: Store) -> None:
    store.enrolments.open(row())
    with pytest.raises(StoreError, match="contradicts"):
        admit(store, "KMW", "loa-1")
    held = store.enrolments.get("KMW")
    assert held
    assert (held.used_at, held.kept) == (None, KEY)


def test_wrong_tries_are_counted_and_the_last_spoils(store: Store) -> None:
    store.enrolments.open(row())
    assert [store.enrolments.fail("KMW") for _ in range(MOST_TRIES + 1)] == [4, 3, 2, 1, 0, 0]
    assert admit(store, "KMW", "k") is None


def test_what_is_over_is_wiped_by_whatever_comes_next(store: Store) -> None:
    store.enrolments.open(row())
    admit(store, "KMW", "k")
    later = NOW + MINUTE + AGAIN
    store.enrolments.open(EnrolmentRow("ZZZ", "loa-8", "8", HAMLET, (), False, "quan", later, later + DAY, kept=KEY))
    used = store.enrolments.get("KMW")
    assert used
    assert (used.kept, used.certificate) == (None, "PEM 1")
    much = later + 60 * DAY
    store.enrolments.open(EnrolmentRow("YYY", "loa-7", "7", HAMLET, (), False, "quan", much, much + DAY, kept=KEY))
    assert store.enrolments.get("KMW") is None


def test_a_replaced_device_is_revoked_and_its_outcomes_are_no_fork(store: Store) -> None:
    store.enrolments.open(row())
    admit(store, "KMW", "old", "1")
    store.asrun.store_receipts(batch(receipt(1, step=Step.SOUNDED), node="loa-9"), NOW)
    store.enrolments.open(row("ZZZ", replaces=True))
    admit(store, "ZZZ", "new", "2")
    assert [each.serial for each in store.enrolments.revoked(NOW)] == ["1"]
    assert store.enrolments.revoked(NOW + 200 * DAY) == []
    later = batch(receipt(1, step=Step.MISSED, reason="late"), node="loa-9", stream="s2")
    assert store.asrun.store_receipts(later, NOW + 2 * MINUTE) == 1
    assert [each.step for each in store.asrun.outcomes(job="b1")] == [Step.SOUNDED]
    assert store.refusals.all() == []
    again = batch(receipt(2, "b2", Step.SOUNDED), receipt(3, "b2", Step.MISSED), node="loa-9", stream="s2")
    store.asrun.store_receipts(again, NOW + 3 * MINUTE)
    assert [each.reason for each in store.refusals.all()] == ["forked"]
