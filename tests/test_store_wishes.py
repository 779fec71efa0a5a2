"""The roster, people, announcements, bookings and assets."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from makers_store import (
    COMMUNE,
    GROUP,
    HAMLET,
    NOW,
    SHA,
    announcement,
    asset,
    booking,
    furnish,
    node,
    on_the_air,
    session,
    user,
)

from controller.rights import Role
from controller.roster import Area, AreaKind
from controller.store import Store, StoreError
from controller.store.rows import Act, Announced, AnnouncementState, BookingState, VoiceFault, VoiceState
from schedules.calendars import Recurrence
from schedules.planner import HORIZON
from wire.config import QuietHours, VolumeBand
from wire.plan import BulletinClass

HOUR = timedelta(hours=1)


def key_of(error: pytest.ExceptionInfo[StoreError]) -> str:
    return error.value.key


def test_a_node_comes_back_as_it_was_entered(store: Store) -> None:
    furnish(store)
    full = node(
        "loa-7",
        HAMLET,
        (GROUP,),
        offset_ms=-120,
        quiet=QuietHours("22:00", "04:30"),
        volumes=(VolumeBand("06:00", -6.0),),
    )
    store.roster.add_node(full)
    assert store.roster.node("loa-7") == full
    store.roster.add_node(node("loa-7", COMMUNE))
    assert store.roster.node("loa-7") == node("loa-7", COMMUNE)
    assert [each.id for each in store.roster.nodes()] == ["loa-1", "loa-2", "loa-3", "loa-7"]
    assert store.roster.node("nobody") is None


def test_a_node_in_an_unknown_place_or_with_anothers_key_is_refused(store: Store) -> None:
    furnish(store)
    with pytest.raises(StoreError) as refused:
        store.roster.add_node(node("loa-8", "nowhere"))
    assert key_of(refused) == "store.conflict"
    with pytest.raises(StoreError) as refused:
        store.roster.add_node(node("loa-8", groups=("nowhere",)))
    assert key_of(refused) == "store.conflict"
    assert store.roster.node("loa-8") is None


def test_an_area_entered_again_takes_its_new_name(store: Store) -> None:
    store.roster.add_area(Area(COMMUNE, "Đồng Đăng", AreaKind.COMMUNE))
    store.roster.add_area(Area(COMMUNE, "Phường Đồng Đăng", AreaKind.COMMUNE))
    assert store.roster.areas() == [Area(COMMUNE, "Phường Đồng Đăng", AreaKind.COMMUNE)]
    assert store.roster.area(COMMUNE) == store.roster.areas()[0]


def test_a_session_lasts_until_its_end_or_a_new_password(store: Store) -> None:
    store.people.add(user())
    store.people.open_session(session(), NOW)
    assert store.people.session("h1", NOW) == user()
    assert store.people.session("h1", NOW + HOUR) is None
    assert store.people.session("h2", NOW) is None
    store.people.set_password("u-lan", "hash")
    assert store.people.session("h1", NOW) is None
    found = store.people.by_name("lan")
    assert found is not None
    assert found.password_hash == "hash"
    assert "hash" not in repr(found).replace("password_hash", "")


def test_a_link_lets_in_once_and_not_after_its_end(store: Store) -> None:
    store.people.add(user())
    store.people.add_link("k1", "u-lan", NOW + HOUR)
    store.people.add_link("k2", "u-lan", NOW + HOUR)
    assert store.people.take_link("k1", NOW) == user()
    assert store.people.take_link("k1", NOW) is None
    assert store.people.take_link("k2", NOW + HOUR) is None
    assert store.people.take_link("k3", NOW) is None


def test_a_disabled_person_does_not_come_in(store: Store) -> None:
    store.people.add(user(disabled=True))
    store.people.open_session(session(), NOW)
    store.people.add_link("k1", "u-lan", NOW + HOUR)
    assert store.people.session("h1", NOW) is None
    assert store.people.take_link("k1", NOW) is None


def test_only_one_person_can_be_the_first(store: Store) -> None:
    store.people.add_first(user("quan", Role.ADMINISTRATOR))
    with pytest.raises(StoreError) as refused:
        store.people.add_first(user("thief", Role.ADMINISTRATOR), Act("thief", "came", "", "", NOW))
    assert key_of(refused) == "store.not_first"
    assert store.people.count() == 1
    assert store.acts.recent() == []


def test_the_same_key_books_once_and_answers_the_same(store: Store) -> None:
    furnish(store)
    first = store.announcements.create(announcement(1), booking(1, idempotency_key="k"))
    again = store.announcements.create(announcement(2), booking(2, idempotency_key="k"), Act("lan", "x", "", "", NOW))
    assert first == again == Announced("a1", "b1")
    assert store.announcements.get("a2") is None
    assert store.bookings.add(booking(3, announcement="a1", idempotency_key="k")).id == "b1"
    assert len(store.bookings.list()) == 1
    assert store.acts.recent() == []


def test_an_announcement_comes_back_as_it_was_entered(store: Store) -> None:
    furnish(store)
    rewrites = ({"start": 0, "end": 2, "written": "15", "spoken": "mười lăm"},)
    full = announcement(1, text="Ngày 15/11 – “họp”\n🙂", spoken="Ngày mười lăm", spoken_rewrites=rewrites)
    store.announcements.create(full)
    assert store.announcements.get("a1") == full
    assert store.announcements.list(state=AnnouncementState.DRAFT) == [full]
    assert store.announcements.list(state=AnnouncementState.APPROVED) == []


def test_of_two_who_change_the_same_version_the_second_is_told(store: Store) -> None:
    furnish(store)
    store.announcements.create(announcement(1))
    newer = store.announcements.update(announcement(1, title="Mới"), 1)
    assert newer.version == 2
    with pytest.raises(StoreError) as refused:
        store.announcements.update(announcement(1, title="Cũ"), 1, Act("lan", "edited", "a1", "", NOW), booking(1))
    assert key_of(refused) == "store.stale"
    assert store.announcements.get("a1") == newer
    assert store.bookings.list() == []
    assert store.acts.recent() == []


def test_emergencies_are_voiced_first_and_withdrawn_ones_never(store: Store) -> None:
    furnish(store)
    for number, bulletin_class in enumerate((BulletinClass.ORDINARY, BulletinClass.PRIORITY, BulletinClass.EMERGENCY)):
        store.announcements.create(announcement(number, bulletin_class=bulletin_class))
    store.announcements.create(announcement(9, state=AnnouncementState.WITHDRAWN))
    assert [each.id for each in store.announcements.waiting_for_voice(10)] == ["a2", "a1", "a0"]
    assert [each.id for each in store.announcements.waiting_for_voice(1)] == ["a2"]


def test_the_sound_of_a_text_that_changed_meanwhile_is_not_taken(store: Store) -> None:
    furnish(store)
    store.assets.put(asset())
    old = announcement(1)
    store.announcements.create(old)
    store.announcements.update(announcement(1, text="Chữ khác."), 1)
    assert not store.announcements.set_spoken("a1", old.script_hash, "x", ())
    assert not store.announcements.set_voiced("a1", old.script_hash, SHA)
    assert not store.announcements.set_voice_failed("a1", old.script_hash, VoiceFault("k"))
    held = store.announcements.get("a1")
    assert held is not None
    assert (held.asset, held.voice_state, held.spoken) == (None, VoiceState.WAITING, "")
    assert store.announcements.set_spoken("a1", held.script_hash, "chữ khác", ({"why": "x"},))
    assert store.announcements.set_voiced("a1", held.script_hash, SHA)
    assert store.announcements.waiting_for_voice(10) == []


@pytest.mark.parametrize("state", [AnnouncementState.SUBMITTED, AnnouncementState.APPROVED])
def test_what_was_sent_on_keeps_the_sound_that_was_heard(store: Store, state: AnnouncementState) -> None:
    furnish(store)
    other = "f" * 64
    store.assets.put(asset())
    store.assets.put(asset(other))
    made = announcement(1, state=state)
    store.announcements.create(made)
    assert store.announcements.set_voiced("a1", made.script_hash, SHA)
    assert store.announcements.set_voiced("a1", made.script_hash, SHA), "the same again is no other"
    assert not store.announcements.set_voiced("a1", made.script_hash, other)
    held = store.announcements.get("a1")
    assert held is not None
    assert held.asset == SHA


def test_a_failed_voice_says_why_and_can_be_tried_again(store: Store) -> None:
    furnish(store)
    made = announcement(1)
    store.announcements.create(made)
    fault = VoiceFault("studio.quota", {"voice": "gtts"})
    assert store.announcements.set_voice_failed("a1", made.script_hash, fault)
    held = store.announcements.get("a1")
    assert held is not None
    assert (held.voice_state, held.voice_error) == (VoiceState.FAILED, fault)
    assert store.announcements.waiting_for_voice(10) == []
    store.announcements.voice_again("a1")
    assert [each.voice_error for each in store.announcements.waiting_for_voice(10)] == [None]


def test_only_what_is_approved_voiced_wanted_and_near_is_planned(store: Store) -> None:
    furnish(store)
    on_the_air(store, 1)
    on_the_air(store, 2, start=None)
    on_the_air(store, 3, start=NOW + HORIZON + HOUR)
    on_the_air(store, 4, start=NOW - timedelta(days=3))
    on_the_air(store, 5, state=BookingState.WITHDRAWN)
    on_the_air(store, 6, start=NOW - timedelta(days=1))
    store.announcements.create(announcement(7, state=AnnouncementState.APPROVED), booking(7))
    store.announcements.create(announcement(8, state=AnnouncementState.SUBMITTED, asset=SHA), booking(8))
    planned = store.bookings.to_plan(NOW)
    assert [each.id for each in planned] == ["b6", "b1"]
    assert planned[1].starts == (NOW + HOUR,)
    assert planned[1].areas == (COMMUNE,)
    assert planned[1].late_for == timedelta(minutes=30)
    assert planned[1].asset.url == planned[1].asset.sha256 == SHA


def test_what_comes_again_is_planned_at_its_moments_within_the_window(store: Store) -> None:
    furnish(store)
    daily = Recurrence("FREQ=DAILY", but=("2026-11-26",), until=NOW + timedelta(days=4))
    on_the_air(store, 1, start=NOW - timedelta(days=400), recurrence=daily)
    on_the_air(store, 2, start=NOW + HORIZON + HOUR, recurrence=daily)
    on_the_air(store, 3, start=NOW - timedelta(days=400), recurrence=Recurrence("FREQ=DAILY;COUNT=3"))
    (planned,) = store.bookings.to_plan(NOW)
    assert (planned.id, planned.repeats) == ("b1", True)
    ahead = [start for start in planned.starts if start >= NOW]
    assert ahead == [NOW + timedelta(days=days) for days in (0, 1, 3, 4)]
    kept = store.bookings.get("b1")
    assert kept is not None
    assert kept.recurrence == daily


def test_a_booking_for_now_is_given_its_start_once(store: Store) -> None:
    furnish(store)
    on_the_air(store, 1, start=None)
    store.announcements.create(announcement(2, state=AnnouncementState.APPROVED), booking(2, start=None))
    assert [each.booking.id for each in store.bookings.unplaced()] == ["b1"]
    assert store.bookings.set_start("b1", NOW)
    assert not store.bookings.set_start("b1", NOW + HOUR)
    assert store.bookings.unplaced() == []
    assert [each.starts for each in store.bookings.to_plan(NOW)] == [(NOW,)]


def test_a_withdrawn_booking_is_planned_no_more(store: Store) -> None:
    furnish(store)
    on_the_air(store)
    assert store.bookings.withdraw("b1")
    assert not store.bookings.withdraw("b1")
    assert store.bookings.to_plan(NOW) == []
    assert store.bookings.list(wanted_only=True) == []
    view = store.bookings.view("b1")
    assert view is not None
    assert (view.booking.state, view.title) == (BookingState.WITHDRAWN, "Bản tin 1")


def test_bookings_are_listed_by_start_those_without_one_first(store: Store) -> None:
    furnish(store)
    for number, start in ((1, NOW), (2, NOW + HOUR), (3, None)):
        store.announcements.create(announcement(number), booking(number, start=start))
    assert [each.booking.id for each in store.bookings.list()] == ["b3", "b2", "b1"]
    assert [each.booking.id for each in store.bookings.list(since=NOW, until=NOW + HOUR)] == ["b3", "b1"]


def test_a_moment_of_any_zone_is_kept_as_the_same_moment(store: Store) -> None:
    furnish(store)
    local = datetime(2026, 11, 24, 17, 0, 0, 123456, tzinfo=timezone(timedelta(hours=7)))
    store.announcements.create(announcement(1), booking(1, start=local))
    held = store.bookings.get("b1")
    assert held is not None
    assert held.start == local
    assert held.start.utcoffset() == timedelta()
    with pytest.raises(StoreError) as refused:
        store.bookings.set_start("b1", datetime(2026, 11, 24))  # noqa: DTZ001 - it is what is refused
    assert key_of(refused) == "store.bad_row"


def test_the_same_asset_entered_twice_is_one(store: Store) -> None:
    store.assets.put(asset())
    store.assets.put(asset())
    assert store.assets.get(SHA) == asset()
    assert store.assets.get("0" * 64) is None
