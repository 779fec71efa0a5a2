"""Wishes: what stands, what is refused, and what is written of it."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from makers_store import COMMUNE, GROUP, HAMLET, NOW, OTHER_COMMUNE, SHA, Bell, asset, furnish, refused, user

from controller.desk import Desk, Draft, OwnApproval, Placing, Wish
from controller.rights import Role
from controller.store import Store
from controller.store.rows import AnnouncementState, BookingState, VoiceState
from schedules.booking import WhenCut
from schedules.calendars import Recurrence
from wire.plan import AfterCut, BulletinClass, Late

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NIGHT = NOW + timedelta(hours=12)  # 22:00 in Việt Nam
EDITOR, APPROVER, ADMINISTRATOR = user(), user("hoa", Role.APPROVER), user("quan", Role.ADMINISTRATOR)


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def desk(store: Store, bell: Bell) -> Desk:
    furnish(store)
    return Desk(store, "Asia/Ho_Chi_Minh", bell)


def wish(**changes: Any) -> Wish:
    return Wish(**{"text": "Mời bà con đi họp.", "areas": (COMMUNE,), "start": NOW + HOUR, **changes})


def test_an_approvers_wish_is_approved_at_once_and_the_audit_says_so(store: Store, desk: Desk, bell: Bell) -> None:
    made = desk.announce(wish(), APPROVER, NOW)
    held = store.announcements.get(made.announcement_id)
    assert held is not None
    assert (held.state, held.approver, held.title) == (AnnouncementState.APPROVED, "u-hoa", "Mời bà con đi họp.")
    booking = store.bookings.get(str(made.booking_id))
    assert booking is not None
    assert (booking.start, booking.areas, booking.late) == (NOW + HOUR, (COMMUNE,), Late.PLAY_LATE)
    assert [(act.who, act.what, act.subject) for act in store.acts.recent()] == [("hoa", "approved", held.id)]
    assert bell.rings == 1


def test_an_editors_wish_waits_for_an_approver(store: Store, desk: Desk) -> None:
    made = desk.announce(wish(), EDITOR, NOW)
    held = store.announcements.get(made.announcement_id)
    assert held is not None
    assert held.state is AnnouncementState.SUBMITTED
    assert refused(desk.approve, held.id, EDITOR, NOW) == "not_allowed"
    approved = desk.approve(held.id, APPROVER, NOW)
    assert (approved.state, approved.approver) == (AnnouncementState.APPROVED, "u-hoa")
    assert refused(desk.approve, held.id, APPROVER, NOW) == "wrong_state"


def test_an_emergency_may_sound_at_night_begins_again_and_waits_long(store: Store, desk: Desk) -> None:
    made = desk.announce(wish(start=NIGHT, bulletin_class=BulletinClass.EMERGENCY), APPROVER, NOW)
    booking = store.bookings.get(str(made.booking_id))
    assert booking is not None
    assert (booking.late, booking.after_cut) == (Late.UNTIL_EXPIRY, AfterCut.RESTART)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"text": " \n\t\u0000 "}, "empty_text"),
        ({"text": "a" * 20_001}, "text_too_long"),
        ({"areas": ()}, "no_area"),
        ({"areas": ("nowhere",)}, "unknown_area"),
        ({"areas": (COMMUNE, "Đồng Đăng")}, "unknown_area"),
        ({"areas": tuple(f"a{number}" for number in range(501))}, "too_many_areas"),
        ({"start": NOW - timedelta(seconds=61)}, "past_time"),
        ({"start": NOW + timedelta(days=367)}, "too_far"),
        ({"start": NIGHT}, "quiet_hours"),
        ({"start": NIGHT, "bulletin_class": BulletinClass.PRIORITY}, "quiet_hours"),
        ({"title": "a" * 201}, "bad_title"),
        ({"title": "hai\ndòng"}, "bad_title"),
    ],
)
def test_a_wish_that_cannot_stand_is_refused_and_nothing_is_written(
    store: Store, desk: Desk, bell: Bell, changes: dict[str, Any], key: str
) -> None:
    assert refused(desk.announce, wish(**changes), APPROVER, NOW) == key
    assert store.announcements.list() == []
    assert store.acts.recent() == []
    assert bell.rings == 0


@pytest.mark.parametrize(
    ("start", "fits"),
    [
        (datetime.fromisoformat("2026-11-24T20:59:50+07:00"), True),
        (datetime.fromisoformat("2026-11-24T21:00:00+07:00"), False),
        (datetime.fromisoformat("2026-11-25T04:59:59+07:00"), False),
        (datetime.fromisoformat("2026-11-25T05:00:00+07:00"), True),
        (NOW - timedelta(seconds=60), True),
        (NOW + timedelta(days=366), True),
    ],
)
def test_the_edges_of_quiet_hours_past_and_future(desk: Desk, start: datetime, fits: bool) -> None:
    if fits:
        assert desk.announce(wish(start=start), APPROVER, NOW).booking_id
    else:
        assert refused(desk.announce, wish(start=start), APPROVER, NOW) == "quiet_hours"


def test_now_at_night_is_for_emergencies_only(desk: Desk) -> None:
    assert refused(desk.announce, wish(start=None), APPROVER, NIGHT) == "quiet_hours"
    assert desk.announce(wish(start=None, bulletin_class=BulletinClass.EMERGENCY), APPROVER, NIGHT).booking_id


def test_the_longest_text_is_taken_whole_and_control_characters_are_not(store: Store, desk: Desk) -> None:
    made = desk.announce(wish(text="a" * 19_999 + "b"), APPROVER, NOW)
    other = desk.announce(wish(text="Một\r\nhai\x00\x07 \ud800ba"), APPROVER, NOW)
    held = [store.announcements.get(each.announcement_id) for each in (made, other)]
    assert [each.text for each in held if each] == ["a" * 19_999 + "b", "Một\nhai ba"]
    assert held[0] is not None
    assert len(held[0].title) == 80


def test_the_same_key_is_the_same_wish_of_the_same_person(store: Store, desk: Desk) -> None:
    keyed = wish(idempotency_key="form-1")
    first = desk.announce(keyed, EDITOR, NOW)
    assert desk.announce(keyed, EDITOR, NOW + 2 * HOUR) == first
    assert desk.announce(keyed, APPROVER, NOW) != first
    assert len(store.bookings.list()) == 2


def test_nobody_speaks_for_an_area_that_is_not_theirs(store: Store, desk: Desk) -> None:
    here = user("mai", Role.APPROVER, COMMUNE)
    store.people.add(here)
    for area in (COMMUNE, HAMLET, "loa-1", "loa-2"):
        assert desk.announce(wish(areas=(area,)), here, NOW).booking_id
    for area in ("lang-son", OTHER_COMMUNE, "loa-3", GROUP):
        assert refused(desk.announce, wish(areas=(area,)), here, NOW) == "not_your_area"
    theirs = desk.announce(wish(areas=(OTHER_COMMUNE,)), EDITOR, NOW)
    assert refused(desk.approve, theirs.announcement_id, here, NOW) == "not_your_area"
    assert refused(desk.withdraw, theirs.booking_id, here, NOW) == "not_your_area"


def test_a_disabled_person_may_do_nothing(desk: Desk) -> None:
    assert refused(desk.announce, wish(), user(disabled=True), NOW) == "not_allowed"


def test_a_draft_is_kept_changed_and_submitted(store: Store, desk: Desk) -> None:
    made = desk.announce(Wish("Nháp.", draft=True), EDITOR, NOW)
    assert made.booking_id is None
    saved = desk.edit(made.announcement_id, 1, Draft("Bản mới.", "Họp"), EDITOR, NOW)
    assert (saved.text, saved.title, saved.version) == ("Bản mới.", "Họp", 2)
    placing = Placing((COMMUNE,), None, "k")
    sent = desk.submit(made.announcement_id, placing, EDITOR, NOW)
    assert desk.submit(made.announcement_id, placing, EDITOR, NOW) == sent
    assert refused(desk.edit, made.announcement_id, 3, Draft("x"), EDITOR, NOW) == "wrong_state"
    (view,) = store.bookings.list()
    assert (view.booking.id, view.booking.start, view.title) == (sent.booking_id, None, "Họp")
    assert view.announcement_state is AnnouncementState.SUBMITTED


def test_of_two_who_edit_the_same_version_the_second_is_told(store: Store, desk: Desk) -> None:
    made = desk.announce(Wish("Nháp.", draft=True), EDITOR, NOW)
    desk.edit(made.announcement_id, 1, Draft("Của tôi."), EDITOR, NOW)
    assert refused(desk.edit, made.announcement_id, 1, Draft("Của người khác."), APPROVER, NOW) == "stale"
    held = store.announcements.get(made.announcement_id)
    assert held is not None
    assert held.text == "Của tôi."


def test_sound_is_kept_while_the_text_stays_and_dropped_when_it_changes(store: Store, desk: Desk) -> None:
    made = desk.announce(Wish("Nháp.", draft=True), EDITOR, NOW)
    held = store.announcements.get(made.announcement_id)
    assert held is not None
    store.assets.put(asset())
    store.announcements.set_voiced(held.id, held.script_hash, SHA)
    titled = desk.edit(held.id, 1, Draft("Nháp.", "Tên"), EDITOR, NOW)
    assert (titled.asset, titled.voice_state) == (SHA, VoiceState.DONE)
    changed = desk.edit(held.id, 2, Draft("Khác.", "Tên"), EDITOR, NOW)
    assert (changed.asset, changed.voice_state) == (None, VoiceState.WAITING)


def test_what_is_returned_loses_its_bookings_and_can_be_sent_again(store: Store, desk: Desk) -> None:
    made = desk.announce(wish(), EDITOR, NOW)
    assert refused(desk.return_, made.announcement_id, "  ", APPROVER, NOW) == "no_reason"
    assert refused(desk.return_, made.announcement_id, "sai giờ", EDITOR, NOW) == "not_allowed"
    returned = desk.return_(made.announcement_id, "sai giờ", APPROVER, NOW)
    assert (returned.state, returned.reason) == (AnnouncementState.RETURNED, "sai giờ")
    again = desk.submit(made.announcement_id, Placing((HAMLET,), NOW + 2 * HOUR), EDITOR, NOW)
    desk.approve(made.announcement_id, APPROVER, NOW)
    wanted = [view.booking.id for view in store.bookings.list(wanted_only=True)]
    assert wanted == [again.booking_id]


def test_a_yes_of_a_moment_ago_is_undone_and_given_again(store: Store, desk: Desk) -> None:
    made = desk.announce(wish(), EDITOR, NOW)
    desk.approve(made.announcement_id, APPROVER, NOW)
    assert refused(desk.undo_approval, made.announcement_id, EDITOR, NOW + 5 * SECOND) == "not_allowed"
    assert refused(desk.undo_approval, made.announcement_id, APPROVER, NOW + 16 * SECOND) == "too_late_to_undo"
    waits = desk.undo_approval(made.announcement_id, APPROVER, NOW + 9 * SECOND)
    assert (waits.state, waits.approver) == (AnnouncementState.SUBMITTED, None)
    assert store.acts.recent(1)[0].what == "took back approval"
    assert refused(desk.undo_approval, made.announcement_id, APPROVER, NOW + 10 * SECOND) == "too_late_to_undo"
    again = desk.approve(made.announcement_id, APPROVER, NOW + 11 * SECOND)
    assert (again.state, again.approver) == (AnnouncementState.APPROVED, APPROVER.id)
    assert [view.booking.id for view in store.bookings.list(wanted_only=True)] == [made.booking_id]


def test_what_may_sound_already_is_stopped_and_not_undone(desk: Desk) -> None:
    for start in (None, NOW + 30 * SECOND):
        made = desk.announce(wish(start=start), EDITOR, NOW)
        desk.approve(made.announcement_id, APPROVER, NOW)
        assert refused(desk.undo_approval, made.announcement_id, APPROVER, NOW + SECOND) == "too_late_to_undo"


def test_what_is_past_can_no_longer_be_approved(desk: Desk) -> None:
    made = desk.announce(wish(), EDITOR, NOW)
    assert refused(desk.approve, made.announcement_id, APPROVER, NOW + 2 * HOUR) == "too_late"
    at_once = desk.announce(wish(start=None), EDITOR, NOW)
    assert refused(desk.approve, at_once.announcement_id, APPROVER, NIGHT) == "quiet_hours"


def test_a_booking_is_withdrawn_by_its_maker_or_an_approver(store: Store, desk: Desk) -> None:
    made = desk.announce(wish(), APPROVER, NOW)
    assert refused(desk.withdraw, made.booking_id, EDITOR, NOW) == "not_allowed"
    assert refused(desk.withdraw, "b-none", APPROVER, NOW) == "unknown_booking"
    desk.withdraw(str(made.booking_id), ADMINISTRATOR, NOW)
    desk.withdraw(str(made.booking_id), ADMINISTRATOR, NOW)
    booking = store.bookings.get(str(made.booking_id))
    assert booking is not None
    assert booking.state is BookingState.WITHDRAWN


def test_what_comes_again_is_held_against_the_quiet_hours_and_must_come_at_all(store: Store, desk: Desk) -> None:
    weekly = Recurrence("FREQ=WEEKLY;BYDAY=MO,WE")
    made = desk.announce(wish(start=NOW + HOUR, recurrence=weekly), APPROVER, NOW)
    kept = store.bookings.get(str(made.booking_id))
    assert kept is not None
    assert kept.recurrence == weekly

    def why(recurrence: Recurrence, start: datetime | None = NOW + HOUR, **more: Any) -> str:
        return refused(desk.announce, wish(start=start, recurrence=recurrence, **more), APPROVER, NOW)

    assert why(weekly, None) == "recurring_now"
    assert why(weekly, bulletin_class=BulletinClass.EMERGENCY) == "recurring_emergency"
    assert why(weekly, NIGHT) == "quiet_hours"
    assert why(Recurrence("FREQ=DAILY;BYHOUR=10,22")) == "quiet_hours"
    assert why(Recurrence("FREQ=DAILY", until=NOW)) == "never_comes"
    assert why(Recurrence("FREQ=DAILY", but=("2026-11-24",) * 401)) == "too_many_exceptions"
    assert why(Recurrence("FREQ=MINUTELY")) == "schedules.rule_too_often"
    assert why(Recurrence("RUBBISH")) == "schedules.bad_rule"
    assert why(Recurrence("FREQ=DAILY", but=("2026-02-30",))) == "schedules.bad_exception"
    assert why(Recurrence("FREQ=DAILY", zone="Moon/Base")) == "schedules.bad_zone"


def test_what_comes_again_may_be_approved_after_its_first_time_while_it_still_comes(desk: Desk) -> None:
    made = desk.announce(wish(start=NOW + HOUR, recurrence=Recurrence("FREQ=DAILY;COUNT=3")), EDITOR, NOW)
    late = desk.announce(wish(start=NOW + HOUR, recurrence=Recurrence("FREQ=DAILY;COUNT=3")), EDITOR, NOW)
    desk.approve(made.announcement_id, APPROVER, NOW + 2 * HOUR)
    assert refused(desk.approve, late.announcement_id, APPROVER, NOW + 24 * 5 * HOUR) == "never_comes"


def test_an_announcement_is_withdrawn_with_all_its_bookings(store: Store, desk: Desk) -> None:
    made = desk.announce(wish(), EDITOR, NOW)
    desk.withdraw_announcement(made.announcement_id, EDITOR, NOW)
    assert desk.withdraw_announcement(made.announcement_id, EDITOR, NOW).state is AnnouncementState.WITHDRAWN
    assert store.bookings.list(wanted_only=True) == []
    assert refused(desk.withdraw_announcement, "a-none", APPROVER, NOW) == "unknown_announcement"


def test_every_sentence_of_the_desk_is_used() -> None:
    root = Path(__file__).parent.parent
    code = "".join(path.read_text("utf-8") for path in (root / "controller/desk").glob("*.py"))
    keys = tomllib.loads((root / "words/vi/desk.toml").read_text("utf-8"))
    assert [key for key in keys if f'"desk.{key}"' not in code] == []


@pytest.mark.parametrize(
    ("own", "bulletin_class", "approved"),
    [
        (OwnApproval.ALWAYS, BulletinClass.EMERGENCY, True),
        (OwnApproval.ORDINARY, BulletinClass.PRIORITY, True),
        (OwnApproval.ORDINARY, BulletinClass.EMERGENCY, False),
        (OwnApproval.NEVER, BulletinClass.ORDINARY, False),
    ],
)
def test_whether_one_person_is_enough_is_the_station_s_rule(
    store: Store, bell: Bell, own: OwnApproval, bulletin_class: BulletinClass, approved: bool
) -> None:
    furnish(store)
    desk = Desk(store, "Asia/Ho_Chi_Minh", bell, own_approval=own)
    made = desk.announce(wish(bulletin_class=bulletin_class), APPROVER, NOW)
    held = store.announcements.get(made.announcement_id)
    assert held is not None
    assert (held.state is AnnouncementState.APPROVED) is approved
    if not approved:
        assert refused(desk.approve, held.id, APPROVER, NOW) == "own_announcement"
        assert desk.approve(held.id, ADMINISTRATOR, NOW).approver == ADMINISTRATOR.id


@pytest.mark.parametrize("wanted", list(WhenCut))
def test_what_becomes_of_it_when_an_emergency_cuts_in_is_kept_and_planned(
    wanted: WhenCut, store: Store, desk: Desk
) -> None:
    made = desk.announce(wish(after_cut=wanted), APPROVER, NOW)
    row = store.bookings.get(str(made.booking_id))
    assert row is not None
    assert row.after_cut is wanted
    after_cut, duck = row.after_cut.on_wire
    assert duck is (wanted is WhenCut.DUCK)
    assert after_cut.value == ("resume" if duck else wanted.value)


def test_an_emergency_begins_again_whatever_is_asked(store: Store, desk: Desk) -> None:
    alarm = wish(bulletin_class=BulletinClass.EMERGENCY, after_cut=WhenCut.DUCK)
    assert refused(desk.announce, alarm, APPROVER, NOW) == "emergency_restarts"
    assert store.announcements.list(10) == []
