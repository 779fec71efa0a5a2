"""Policies at the desk: who sets them, what they forbid, and the ways out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from makers_programmes import TEXT, row, with_items
from makers_store import COMMUNE, HAMLET, NOW, OTHER_COMMUNE, PROVINCE, furnish, node, refused, user

from controller.desk import Desk, DeskError, Wish
from controller.rights import Role
from controller.store import Store
from controller.store.policies import estimate
from schedules import moments
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.config import Limits, QuietHours
from wire.plan import BulletinClass, Level

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
    (done,) = [act for act in store.acts.recent() if act.what != "refused for want of right"]
    assert (done.what, done.subject) == ("set policy", COMMUNE)
    assert done.detail == "since=2026-01-01 sessions=1 gap_minutes=10 weekend=as_usual"
    assert store.policies.standing(HAMLET, date(2026, 1, 2)) == ONE
    assert store.policies.standing(HAMLET, date(2025, 12, 31)) is None


LENIENT = Policy(COMMUNE, date(2026, 1, 1), Rulebook(quiet=QuietHours("22:00", "04:30")))
STRICT = Policy(COMMUNE, date(2026, 1, 1), Rulebook(quiet=QuietHours("19:00", "06:00")))
EARLY = moments.read("2026-11-25 04:45", NOW, "Asia/Ho_Chi_Minh")
NIGHT = moments.read("2026-11-25 03:15", NOW, "Asia/Ho_Chi_Minh")


def test_a_commune_that_may_sound_earlier_is_not_held_to_the_stations_hours(desk: Desk) -> None:
    early = Wish("Chợ phiên.", (COMMUNE,), EARLY)
    assert refused(desk.announce, early, APPROVER, NOW) == "quiet_hours"
    desk.set_policy(LENIENT, ADMINISTRATOR, NOW)
    assert desk.announce(early, APPROVER, NOW).booking_id
    assert refused(desk.announce, replace(early, start=NIGHT), APPROVER, NOW) == "policy"
    assert refused(desk.announce, replace(early, areas=(OTHER_COMMUNE,)), APPROVER, NOW) == "quiet_hours"
    assert refused(desk.announce, replace(early, areas=(COMMUNE, OTHER_COMMUNE)), APPROVER, NOW) == "quiet_hours"


def test_loudspeakers_with_hours_of_their_own_are_asked_when_all_have_them(store: Store, desk: Desk) -> None:
    store.roster.add_node(node("loa-1", quiet=QuietHours("12:00", "14:00")))
    alone = Wish("Thử loa.", ("loa-1",), NIGHT)
    assert desk.announce(alone, APPROVER, NOW).booking_id
    noon = moments.read("2026-11-25 13:00", NOW, "Asia/Ho_Chi_Minh")
    assert refused(desk.announce, replace(alone, start=noon), APPROVER, NOW) == "quiet_hours"
    assert desk.announce(replace(alone, start=noon, areas=(COMMUNE,)), APPROVER, NOW).booking_id


def test_what_a_commune_places_from_above_keeps_its_policy_too(store: Store, desk: Desk) -> None:
    store.people.add(user("tinh", Role.APPROVER, PROVINCE))
    desk.set_policy(STRICT, ADMINISTRATOR, NOW)
    sent = desk.announce(
        Wish("Tỉnh báo.", (COMMUNE,), level=Level.PROVINCE), user("tinh", Role.APPROVER, PROVINCE), NOW
    )
    evening = moments.read("2026-11-24 19:30", NOW, "Asia/Ho_Chi_Minh")
    assert refused(desk.place, sent.announcement_id, COMMUNE, evening, APPROVER, NOW) == "policy"
    assert desk.place(sent.announcement_id, COMMUNE, NOW + HOUR, APPROVER, NOW).start == NOW + HOUR


def test_what_stands_in_the_slots_of_a_programme_counts(store: Store, desk: Desk) -> None:
    store.programmes.apply(row())
    with_items(store)
    desk.set_policy(replace(ONE, rules=Rulebook(Limits(gap_minutes=1, sessions=(1,) * 7))), ADMINISTRATOR, NOW)
    wish = Wish("Mời bà con đi họp.", (COMMUNE,), NOW + HOUR)
    assert refused(desk.announce, wish, APPROVER, NOW) == "policy", "the opening at 17:00 is a session already"


def test_a_programme_keeps_the_quiet_hours_of_its_areas_policy(desk: Desk) -> None:
    early = TEXT.replace("17:00", "04:40")
    assert refused(desk.apply_programme, early, None, APPROVER, NOW) == "programme_quiet"
    desk.set_policy(LENIENT, ADMINISTRATOR, NOW)
    assert desk.apply_programme(early, None, APPROVER, NOW).area == COMMUNE
    desk.set_policy(STRICT, ADMINISTRATOR, NOW)
    assert refused(desk.apply_programme, TEXT.replace("17:00", "18:50"), None, APPROVER, NOW) == "programme_quiet"


TOKYO = TEXT.replace("Asia/Ho_Chi_Minh", "Asia/Tokyo").replace('start = "18:00"', 'start = "19:00"')


def test_a_programme_on_the_clock_of_another_zone_is_held_against_the_stations(desk: Desk) -> None:
    evening, dawn = TOKYO.replace("17:00", "22:30"), TOKYO.replace("17:00", "06:30")
    assert desk.apply_programme(evening, None, APPROVER, NOW).area == COMMUNE, "20:30 where it sounds"
    assert refused(desk.apply_programme, dawn, None, APPROVER, NOW) == "programme_quiet", "04:30 where it sounds"


def test_a_programme_keeps_a_policy_that_begins_after_it_and_a_slot_that_comes_late_the_hours_of_its_clock(
    desk: Desk,
) -> None:
    evening = TEXT.replace("17:00", "18:50")
    rare = TEXT.replace('start = "17:00"', 'start = "22:00"\nfrom = 2027-06-01')
    assert refused(desk.apply_programme, rare, None, APPROVER, NOW) == "programme_quiet"
    desk.set_policy(replace(STRICT, since=date(2027, 1, 4)), ADMINISTRATOR, NOW)
    assert desk.apply_programme(evening, date(2026, 11, 24), APPROVER, NOW).since == "2026-11-24"
    assert refused(desk.apply_programme, evening, date(2026, 12, 1), APPROVER, NOW) == "programme_quiet"


LATE = moments.read("2026-11-24 20:58", NOW, "Asia/Ho_Chi_Minh")
FIVE_MINUTES = "Thông báo. " * 273


def test_what_would_run_into_the_stations_quiet_hours_is_refused_with_ways_out_that_fit(desk: Desk) -> None:
    wish = Wish(FIVE_MINUTES, (COMMUNE,), LATE)
    with pytest.raises(DeskError) as told:
        desk.announce(wish, APPROVER, NOW)
    assert told.value.key == "desk.reaches_quiet"
    assert "chạm vào giờ yên tĩnh (21:00 đến 05:00). Có thể: chuyển sang 20:50 24/11" in told.value.say("vi")
    assert refused(desk.announce, replace(wish, bulletin_class=BulletinClass.PRIORITY), APPROVER, NOW) == (
        "reaches_quiet"
    )
    assert refused(desk.foresee, wish, APPROVER, NOW) == "reaches_quiet"
    assert refused(desk.announce, replace(wish, start=None), APPROVER, LATE) == "reaches_quiet"
    assert desk.announce(replace(wish, start=LATE - timedelta(minutes=8)), APPROVER, NOW).booking_id
    assert desk.announce(replace(wish, bulletin_class=BulletinClass.EMERGENCY), APPROVER, NOW).booking_id


def test_a_policy_without_quiet_hours_leaves_the_stations_in_force(desk: Desk) -> None:
    desk.set_policy(ONE, ADMINISTRATOR, NOW)
    wish = Wish(FIVE_MINUTES, (COMMUNE,), LATE)
    assert refused(desk.announce, wish, APPROVER, NOW) == "reaches_quiet"
    desk.set_policy(LENIENT, ADMINISTRATOR, NOW)
    assert refused(desk.announce, replace(wish, areas=(COMMUNE, OTHER_COMMUNE)), APPROVER, NOW) == "reaches_quiet"
    assert desk.announce(wish, APPROVER, NOW).booking_id, "its policy is quiet from 22:00 on"


def test_a_text_without_a_voice_is_taken_to_last_a_second_for_ten_characters() -> None:
    assert estimate("a" * 3195, 1) == timedelta(seconds=319.5), "espeak took 325 s for about as much"
    assert estimate("a" * 100, 2) == timedelta(seconds=20)


def test_what_waits_in_inboxes_is_not_refused_for_one_communes_policy(desk: Desk) -> None:
    desk.set_policy(STRICT, ADMINISTRATOR, NOW)
    evening = moments.read("2026-11-24 19:30", NOW, "Asia/Ho_Chi_Minh")
    wish = Wish("Tỉnh báo.", (COMMUNE, OTHER_COMMUNE), evening, level=Level.PROVINCE)
    desk.foresee(wish, APPROVER, NOW)
    sent = desk.announce(wish, user(), NOW).announcement_id
    desk.approve(sent, APPROVER, NOW)
    assert refused(desk.place, sent, COMMUNE, evening, APPROVER, NOW) == "policy"
    assert desk.place(sent, OTHER_COMMUNE, evening, APPROVER, NOW).start == evening
