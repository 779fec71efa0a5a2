"""Single days taken back: one coming of what comes again is left out, the others stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from makers_store import COMMUNE, NOW, OTHER_COMMUNE, SHA, Bell, asset, furnish, refused, user

from controller.desk import Desk, Wish
from controller.rights import Role
from controller.store import Store, StoreError
from controller.store.rows import Act, BookingRow
from schedules import moments, planner
from schedules.calendars import Recurrence

ZONE = "Asia/Ho_Chi_Minh"
EDITOR, APPROVER = user(), user("hoa", Role.APPROVER)
DAY = date(2026, 11, 26)


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def desk(store: Store, bell: Bell) -> Desk:
    furnish(store)
    return Desk(store, ZONE, bell)


def daily(store: Store, desk: Desk, **changes: Any) -> BookingRow:
    """Every day at five in the afternoon, approved and voiced."""
    start = moments.read("24/11/2026 17:00", NOW, ZONE)
    wish = Wish("Khẩu hiệu.", (COMMUNE,), start, recurrence=Recurrence("FREQ=DAILY", ZONE), **changes)
    made = desk.announce(wish, APPROVER, NOW)
    held = store.announcements.get(made.announcement_id)
    assert held is not None
    store.assets.put(asset())
    assert store.announcements.set_voiced(held.id, held.script_hash, SHA)
    return row(store, str(made.booking_id))


def row(store: Store, booking: str) -> BookingRow:
    found = store.bookings.get(booking)
    assert found is not None
    return found


def test_a_day_that_is_left_out_leaves_the_plan_and_the_audit_says_who(store: Store, desk: Desk, bell: Bell) -> None:
    booking, rings = daily(store, desk), bell.rings
    planned = {job.id for job in planner.plan(store.bookings.to_plan(NOW), NOW)[COMMUNE, "plan"]}
    desk.leave_out(booking.id, DAY, 0, APPROVER, NOW)
    left = {job.id for job in planner.plan(store.bookings.to_plan(NOW), NOW)[COMMUNE, "plan"]}
    assert planned - left == {f"{booking.id}:20261126t100000"}
    assert bell.rings == rings + 1
    act = store.acts.recent()[0]
    assert (act.who, act.what, act.detail) == ("hoa", "left out a day", f"booking={booking.id} day=2026-11-26")
    recurrence = row(store, booking.id).recurrence
    assert recurrence == Recurrence("FREQ=DAILY", ZONE, ("2026-11-26",))


def test_leaving_a_day_out_twice_is_leaving_it_out_once(store: Store, desk: Desk) -> None:
    booking = daily(store, desk)
    desk.leave_out(booking.id, DAY, 0, APPROVER, NOW)
    acts = len(store.acts.recent())
    desk.leave_out(booking.id, DAY, 0, APPROVER, NOW)
    assert len(store.acts.recent()) == acts


def test_who_saw_another_list_of_days_is_told_to_look_again(store: Store, desk: Desk) -> None:
    booking = daily(store, desk)
    desk.leave_out(booking.id, DAY, 0, APPROVER, NOW)
    assert refused(desk.leave_out, booking.id, DAY + timedelta(days=1), 0, APPROVER, NOW) == "stale"
    desk.leave_out(booking.id, DAY + timedelta(days=1), 1, APPROVER, NOW)


def test_two_who_leave_out_days_at_once_do_not_overwrite_each_other(store: Store, desk: Desk) -> None:
    booking = daily(store, desk)
    held = booking.recurrence
    assert held is not None
    act = Act("hoa", "left out a day", booking.announcement, "", NOW)
    first, second = (replace(booking, recurrence=replace(held, but=(day,))) for day in ("2026-11-26", "2026-11-27"))
    store.bookings.repeat_otherwise(first, held, act)
    with pytest.raises(StoreError) as late:
        store.bookings.repeat_otherwise(second, held, act)
    assert late.value.key == "store.stale"
    assert row(store, booking.id).recurrence == first.recurrence


def test_only_its_author_or_an_approver_of_the_place_leaves_a_day_out(store: Store, desk: Desk) -> None:
    booking = daily(store, desk)
    assert refused(desk.leave_out, booking.id, DAY, 0, EDITOR, NOW) == "not_allowed"
    elsewhere = user("nam", Role.APPROVER, OTHER_COMMUNE)
    assert refused(desk.leave_out, booking.id, DAY, 0, elsewhere, NOW) == "not_your_area"
    assert refused(desk.leave_out, "b-none", DAY, 0, APPROVER, NOW) == "unknown_booking"


def test_a_day_on_which_it_does_not_come_cannot_be_left_out(store: Store, desk: Desk) -> None:
    booking = daily(store, desk)
    for day in (date(2026, 11, 23), date(2030, 1, 1), date.min, date.max):
        assert refused(desk.leave_out, booking.id, day, 0, APPROVER, NOW) == "no_coming"
    once = desk.announce(Wish("Một lần.", (COMMUNE,), NOW + timedelta(hours=1)), APPROVER, NOW)
    assert refused(desk.leave_out, str(once.booking_id), DAY, 0, APPROVER, NOW) == "not_repeating"
    desk.withdraw(booking.id, APPROVER, NOW)
    assert refused(desk.leave_out, booking.id, DAY, 0, APPROVER, NOW) == "not_repeating"
    assert desk.comings(row(store, booking.id), NOW) == []


def test_the_last_day_is_withdrawn_with_the_whole_and_days_left_out_have_an_end(store: Store, desk: Desk) -> None:
    start = moments.read("24/11/2026 17:00", NOW, ZONE)
    once = Wish("Hai ngày.", (COMMUNE,), start, recurrence=Recurrence("DATES:20261126", ZONE))
    made = desk.announce(once, APPROVER, NOW)
    assert refused(desk.leave_out, str(made.booking_id), DAY, 0, APPROVER, NOW) == "last_coming"
    past = tuple((date(2024, 1, 1) + timedelta(days=number)).isoformat() for number in range(400))
    many = Wish("Nhiều ngày.", (COMMUNE,), start, recurrence=Recurrence("FREQ=DAILY", ZONE, past))
    full = desk.announce(many, APPROVER, NOW)
    assert refused(desk.leave_out, str(full.booking_id), DAY, 400, APPROVER, NOW) == "too_many_exceptions"
