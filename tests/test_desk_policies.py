"""Policies at the desk: who sets them, what they forbid, and the ways out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from makers_store import COMMUNE, HAMLET, NOW, OTHER_COMMUNE, furnish, refused, user

from controller.desk import Desk, DeskError, Wish
from controller.store import Store
from controller.store.rows import Role
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.config import Limits
from wire.plan import BulletinClass

HOUR = timedelta(hours=1)
APPROVER, ADMINISTRATOR = user("hoa", Role.APPROVER), user("quan", Role.ADMINISTRATOR)
ONE = Policy(COMMUNE, date(2026, 1, 1), Rulebook(Limits(sessions=(1,) * 7)))


@pytest.fixture
def desk(store: Store) -> Desk:
    furnish(store)
    return Desk(store, "Asia/Ho_Chi_Minh", lambda: None)


def test_what_a_policy_forbids_is_said_with_the_commune_the_day_and_three_ways_out(store: Store, desk: Desk) -> None:
    desk.set_policy(ONE, ADMINISTRATOR, NOW)
    wish = Wish("Mời bà con đi họp.", (HAMLET,), NOW + HOUR)
    desk.announce(wish, APPROVER, NOW)
    with pytest.raises(DeskError) as told:
        desk.announce(replace(wish, start=NOW + 4 * HOUR), APPROVER, NOW)
    sentence = told.value.say("vi")
    assert (told.value.key, sentence.count(";")) == ("desk.policy", 2)
    assert "24/11/2026" in sentence
    assert len(store.bookings.list()) == 1
    desk.announce(replace(wish, start=NOW + 4 * HOUR, bulletin_class=BulletinClass.EMERGENCY), APPROVER, NOW)
    desk.announce(replace(wish, start=NOW + 4 * HOUR, areas=(OTHER_COMMUNE,)), APPROVER, NOW)


def test_an_administrator_sets_the_policy_of_their_own_area_and_the_audit_says_so(store: Store, desk: Desk) -> None:
    assert refused(desk.set_policy, ONE, APPROVER, NOW) == "not_allowed"
    elsewhere = user("nam", Role.ADMINISTRATOR, OTHER_COMMUNE)
    assert refused(desk.set_policy, ONE, elsewhere, NOW) == "not_your_area"
    desk.set_policy(ONE, ADMINISTRATOR, NOW)
    assert store.policies.in_force(HAMLET, date(2026, 1, 1)) == ONE.rules
    assert store.policies.in_force(HAMLET, date(2025, 12, 31)) is None
    assert store.policies.of(COMMUNE) == [(ONE.since, ONE.rules)]
    assert [(act.what, act.subject) for act in store.acts.recent()] == [("set policy", COMMUNE)]
