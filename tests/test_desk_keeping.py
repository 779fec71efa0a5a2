"""Prepared announcements at the desk: kept ready for an area, and booked once more as they were approved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import makers_store as made
import pytest
from makers_store import COMMUNE, HAMLET, NOW, OTHER_COMMUNE, PROVINCE, SHA, Bell, furnish, refused, user

from controller.desk import Desk, Draft, OwnApproval, Placing, Wish
from controller.desk.keeping import MOST_KEPT
from controller.rights import Role
from controller.store import Store
from controller.store.rows import AnnouncementState
from wire.plan import BulletinClass, Level

HOUR = timedelta(hours=1)
NIGHT = NOW + timedelta(hours=12)  # 22:00 in Việt Nam
EDITOR, APPROVER = user(), user("hoa", Role.APPROVER)
HERE = user("hoa", Role.APPROVER, COMMUNE)


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def desk(store: Store, bell: Bell) -> Desk:
    furnish(store)
    made.on_the_air(store)
    return Desk(store, "Asia/Ho_Chi_Minh", bell)


def placing(**changes: Any) -> Placing:
    return Placing(**{"areas": (COMMUNE,), "start": NOW + 5 * HOUR, **changes})


def test_what_is_approved_is_booked_again_with_the_sound_that_was_approved(
    store: Store, desk: Desk, bell: Bell
) -> None:
    once = desk.again("a1", placing(), APPROVER, NOW)
    booking = store.bookings.get(str(once.booking_id))
    assert booking
    assert (booking.announcement, booking.start, booking.areas) == ("a1", NOW + 5 * HOUR, (COMMUNE,))
    planned = {each.id: each for each in store.bookings.to_plan(NOW)}
    asset = planned[booking.id].asset
    assert asset
    assert asset.sha256 == SHA
    (act,) = store.acts.recent()
    assert (act.who, act.what, act.subject, act.detail) == (
        "hoa",
        "booked again",
        "a1",
        f"booking={booking.id} asset={SHA}",
    )
    assert bell.rings == 1


def test_the_same_key_books_it_once(store: Store, desk: Desk) -> None:
    first = desk.again("a1", placing(idempotency_key="k"), APPROVER, NOW)
    assert desk.again("a1", placing(idempotency_key="k", start=NOW + 6 * HOUR), APPROVER, NOW) == first
    assert len(store.bookings.of("a1")) == 2


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"start": NIGHT}, "quiet_hours"),
        ({"start": NOW - HOUR}, "past_time"),
        ({"areas": ()}, "no_area"),
        ({"areas": ("nowhere",)}, "unknown_area"),
        ({"start": None, "slot": "không có"}, "no_programme"),
    ],
)
def test_booking_again_keeps_the_rules_of_any_booking(desk: Desk, changes: dict[str, Any], key: str) -> None:
    assert refused(desk.again, "a1", placing(**changes), APPROVER, NOW) == key


def test_only_an_approver_of_the_place_books_again_what_is_approved_and_voiced(store: Store, desk: Desk) -> None:
    assert refused(desk.again, "a1", placing(), EDITOR, NOW) == "not_allowed"
    assert refused(desk.again, "a1", placing(areas=(OTHER_COMMUNE,)), HERE, NOW) == "not_your_area"
    assert refused(desk.again, "none", placing(), APPROVER, NOW) == "unknown_announcement"
    unvoiced = desk.announce(Wish("Sắp họp.", (COMMUNE,), NOW + HOUR), APPROVER, NOW)
    assert refused(desk.again, unvoiced.announcement_id, placing(), APPROVER, NOW) == "not_voiced"
    desk.withdraw_announcement("a1", APPROVER, NOW)
    assert refused(desk.again, "a1", placing(), APPROVER, NOW) == "wrong_state"


def test_what_communes_place_themselves_is_not_booked_again_from_above(store: Store, desk: Desk) -> None:
    store.assets.put(made.asset())
    held = made.announcement(2, state=AnnouncementState.APPROVED, level=Level.PROVINCE)
    store.announcements.create(held, made.booking(2))
    store.announcements.set_voiced("a2", held.script_hash, SHA)
    assert refused(desk.again, "a2", placing(areas=(PROVINCE,)), APPROVER, NOW) == "again_offered"


def test_a_prepared_emergency_is_released_at_night_by_one_person(store: Store, desk: Desk) -> None:
    store.assets.put(made.asset())
    facts = {"state": AnnouncementState.APPROVED, "bulletin_class": BulletinClass.EMERGENCY}
    held = made.announcement(2, **facts)
    store.announcements.create(held, None)
    store.announcements.set_voiced("a2", held.script_hash, SHA)
    released = desk.again("a2", placing(start=None), APPROVER, NIGHT)
    booking = store.bookings.get(str(released.booking_id))
    assert booking
    assert (booking.start, booking.bulletin_class) == (None, BulletinClass.EMERGENCY)


def test_what_is_prepared_sounds_nowhere_and_needs_whom_any_announcement_needs(store: Store, bell: Bell) -> None:
    furnish(store)
    desk = Desk(store, "Asia/Ho_Chi_Minh", bell, own_approval=OwnApproval.ORDINARY)
    draft = Draft("Lũ về.", bulletin_class=BulletinClass.EMERGENCY)
    held = desk.prepare(draft, APPROVER, NOW)
    assert (held.state, store.bookings.of(held.id)) == (AnnouncementState.SUBMITTED, [])
    assert refused(desk.keep_ready, held.id, COMMUNE, APPROVER, NOW) == "wrong_state"
    assert refused(desk.approve, held.id, APPROVER, NOW) == "own_announcement"
    other = user("quan", Role.ADMINISTRATOR)
    assert desk.approve(held.id, other, NOW).state is AnnouncementState.APPROVED
    assert desk.prepare(Draft("Họp."), APPROVER, NOW).state is AnnouncementState.APPROVED
    assert refused(desk.prepare, Draft(" "), APPROVER, NOW) == "empty_text"
    assert store.acts.recent()[-1].what == "prepared"
    assert [each.text for each in store.announcements.waiting_for_voice(9)] == ["Lũ về.", "Họp."]
    assert store.bookings.to_plan(NOW) == []


def test_an_announcement_is_kept_and_dropped_once_and_the_audit_says_so(store: Store, desk: Desk, bell: Bell) -> None:
    for _ in range(2):
        desk.keep_ready("a1", HAMLET, APPROVER, NOW)
    (kept,) = desk.kept_ready(EDITOR, NOW)
    assert (kept.area, kept.announcement, kept.title) == (HAMLET, "a1", "Bản tin 1")
    assert kept.asset
    for _ in range(2):
        desk.keep_no_longer("a1", HAMLET, APPROVER, NOW + HOUR)
    assert desk.kept_ready(EDITOR, NOW) == []
    assert [(act.what, act.detail) for act in store.acts.recent()] == [
        ("kept no longer", f"area={HAMLET}"),
        ("kept ready", f"area={HAMLET} asset={SHA}"),
    ]
    assert bell.rings == 2


def test_who_keeps_speaks_for_the_area_and_may_approve(desk: Desk) -> None:
    assert refused(desk.keep_ready, "a1", COMMUNE, EDITOR, NOW) == "not_allowed"
    assert refused(desk.keep_ready, "a1", OTHER_COMMUNE, HERE, NOW) == "not_your_area"
    assert refused(desk.keep_ready, "a1", "nowhere", APPROVER, NOW) == "unknown_area"
    assert refused(desk.keep_ready, "none", COMMUNE, APPROVER, NOW) == "unknown_announcement"
    assert refused(desk.keep_no_longer, "a1", OTHER_COMMUNE, HERE, NOW) == "not_your_area"
    assert refused(desk.keep_no_longer, "a1", COMMUNE, EDITOR, NOW) == "not_allowed"


def test_a_person_sees_what_is_kept_in_their_place_and_above_it(desk: Desk) -> None:
    for area in (PROVINCE, HAMLET, OTHER_COMMUNE, "loa-1"):
        desk.keep_ready("a1", area, APPROVER, NOW)
    assert [each.area for each in desk.kept_ready(user("x", area=COMMUNE), NOW)] == [PROVINCE, HAMLET, "loa-1"]


def test_no_node_is_asked_to_keep_more_than_its_config_holds(store: Store, desk: Desk) -> None:
    for number in range(2, MOST_KEPT + 3):
        made.on_the_air(store, number)
    for number in range(2, MOST_KEPT + 1):
        desk.keep_ready(f"a{number}", PROVINCE if number % 2 else COMMUNE, APPROVER, NOW)
    desk.keep_ready("a1", HAMLET, APPROVER, NOW)
    assert refused(desk.keep_ready, f"a{MOST_KEPT + 1}", HAMLET, APPROVER, NOW) == "too_many_kept"
    assert refused(desk.keep_ready, f"a{MOST_KEPT + 1}", PROVINCE, APPROVER, NOW) == "too_many_kept"
    desk.keep_ready(f"a{MOST_KEPT + 1}", OTHER_COMMUNE, APPROVER, NOW)
    desk.withdraw_announcement("a1", APPROVER, NOW)
    desk.keep_ready(f"a{MOST_KEPT + 2}", HAMLET, APPROVER, NOW)
