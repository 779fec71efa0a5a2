"""Programmes in the store, and what of them goes on the air, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import makers_store as made
import pytest
from makers_programmes import TEXT, aired, asking, asset, row, with_items
from makers_store import COMMUNE, HAMLET, NOW, furnish

from controller.store import Store, StoreError
from controller.store.programmes import edition_of, standings_of
from controller.store.rows import Act
from schedules import moments, planner
from schedules.placing import Note
from schedules.relays import Source

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
HANOI = "Asia/Ho_Chi_Minh"
FIVE = moments.read("24/11/2026 17:00", NOW, HANOI)


@pytest.fixture
def furnished(store: Store) -> Store:
    furnish(store)
    store.programmes.apply(row())
    return store


def starts(store: Store, *numbers: int) -> list[datetime | None]:
    found = [store.bookings.get(f"b{number}") for number in numbers]
    return [each.start for each in found if each]


def test_a_programme_holds_from_its_day_on_and_what_was_in_force_is_kept(store: Store) -> None:
    furnish(store)
    later = TEXT.replace("17:00", "16:00")
    for text, since in ((TEXT, "2026-11-24"), (later, "2026-12-01")):
        store.programmes.apply(row(text, since), Act("hoa", "applied", COMMUNE, since, NOW))
    assert [each.since for each in store.programmes.of(COMMUNE)] == ["2026-12-01", "2026-11-24"]
    change = moments.read("2026-12-01 00:00", NOW, HANOI)
    for moment, text in ((NOW, TEXT), (change - MINUTE, TEXT), (change, later), (change + 90 * DAY, later)):
        held = store.programmes.in_force(COMMUNE, moment)
        assert held is not None
        assert held.body == text
    assert store.programmes.in_force(COMMUNE, NOW - MINUTE) is None
    assert store.programmes.of(HAMLET) == []
    first, second = store.programmes.standings()[COMMUNE]
    assert (first.since, first.until, second.since, second.until) == (NOW, change, change, None)
    assert [act.what for act in store.acts.recent()] == ["applied", "applied"]


def test_a_programme_applied_again_for_the_same_day_replaces_the_first(furnished: Store) -> None:
    furnished.programmes.apply(row(TEXT.replace("Đài xã", "Mới"), at=NOW + MINUTE))
    (held,) = furnished.programmes.of(COMMUNE)
    assert (held.programme.title, held.begins) == ("Mới", NOW + MINUTE)


def test_what_asked_for_a_slot_is_given_its_start_once_and_keeps_it(furnished: Store) -> None:
    asking(furnished, 1)
    asking(furnished, 2)
    before = furnished.changed()
    assert furnished.airing.place(NOW) == 2
    assert starts(furnished, 1, 2) == [FIVE, FIVE + 61 * timedelta(seconds=1)]
    assert furnished.changed() == before + 1
    assert furnished.airing.place(NOW + MINUTE) == 0
    assert furnished.changed() == before + 1
    assert furnished.airing.place(FIVE + MINUTE) == furnished.airing.place(FIVE + DAY / 2) == 0


def test_what_is_withdrawn_makes_room_and_what_is_no_longer_possible_loses_its_start(furnished: Store) -> None:
    asking(furnished, 1)
    asking(furnished, 2)
    furnished.airing.place(NOW)
    furnished.bookings.withdraw("b1")
    furnished.airing.place(NOW)
    assert starts(furnished, 2) == [FIVE]
    furnished.programmes.apply(row(TEXT.replace("ban-tin-xa", "khac"), at=NOW + MINUTE))
    furnished.airing.place(NOW + MINUTE)
    held = furnished.bookings.get("b2")
    assert held is not None
    assert (held.start, held.slot_note) == (None, Note.NO_SLOT)


def test_a_booking_says_why_it_comes_later(furnished: Store) -> None:
    for number in (1, 2):
        asking(furnished, number, 600)
    asking(furnished, 3, 1200)
    furnished.airing.place(NOW)
    notes = [held.slot_note for number in (1, 2, 3) if (held := furnished.bookings.get(f"b{number}"))]
    assert notes == [None, Note.LATER, Note.TOO_LONG]
    assert starts(furnished, 1, 2, 3) == [FIVE, FIVE + DAY, None]


def test_what_is_not_approved_or_voiced_or_wanted_now_is_left_alone(furnished: Store) -> None:
    furnished.announcements.create(made.announcement(1), made.booking(1, start=None, slot="ban-tin-xa"))
    aired(furnished, 2, asset("a"), start=None)
    assert furnished.airing.place(NOW) == 0
    assert [view.booking.id for view in furnished.bookings.unplaced()] == ["b2"]


def test_fixed_items_are_planned_with_what_stands_between_them(furnished: Store) -> None:
    with_items(furnished)
    asking(furnished, 1)
    furnished.airing.place(NOW)
    plans = planner.plan(furnished.airing.to_plan(NOW), NOW)
    jobs = planner.of_areas(plans, (COMMUNE,), NOW)
    assert [job.title for job in jobs[:4]] == ["Nhạc hiệu", "Bản tin 1", "Lời chào", "Nhạc hiệu"]
    assert [job.start - FIVE for job in jobs[:3]] == [timedelta(seconds=each) for each in (0, 11, 72)]
    assert len(jobs) == 2 * 14 + 1
    assert planner.of_areas(plans, (HAMLET,), NOW) == []


def test_an_areas_item_is_its_nearest_announcement_of_that_name(furnished: Store) -> None:
    furnished.people.add(made.user("near", area=COMMUNE))
    furnished.people.add(made.user("far", area=made.OTHER_COMMUNE))
    assert furnished.airing.silent(COMMUNE, ["Nhạc hiệu", "Lời chào"], NOW) == ["Nhạc hiệu", "Lời chào"]
    with_items(furnished)
    assert furnished.airing.silent(COMMUNE, ["Lời chào", "a901", "?"], NOW) == ["?"]
    for number, letter, author in ((903, "f", "u-near"), (904, "c", "u-far")):
        furnished.assets.put(asset(letter))
        told = made.announcement(number, title="Nhạc hiệu", author=author, state="approved")
        furnished.announcements.create(told)
        furnished.announcements.set_voiced(told.id, told.script_hash, letter * 64)
    soundings = furnished.airing.week(COMMUNE, NOW, NOW + DAY, NOW)
    assert [each.asset.sha256[0] for each in soundings if each.asset] == ["f", "e"]


def test_a_relay_of_a_known_source_is_planned_with_what_stands_in_for_it(furnished: Store, database_url: str) -> None:
    assert furnished.airing.unknown_sources(row().programme) == ["VOV1"]
    knowing = Store(database_url, [Source("vov1", "https://vov.example/1", "Đài Tiếng nói", "Lời chào")])
    assert knowing.airing.unknown_sources(row().programme) == []
    for fallback in (None, "e" * 64):
        plans = planner.plan(knowing.airing.to_plan(NOW), NOW)
        relayed = [job for job in planner.of_areas(plans, (COMMUNE,), NOW) if job.relay]
        assert len(relayed) == 14
        assert relayed[0].relay
        assert (relayed[0].title, relayed[0].relay.duration_ms) == ("Đài Tiếng nói", 30 * 60_000 - 1000)
        assert (relayed[0].relay.fallback.sha256 if relayed[0].relay.fallback else None) == fallback
        with_items(furnished) if fallback is None else None
    knowing.close()


def test_a_week_shows_relays_too(furnished: Store) -> None:
    assert [each.item.source for each in furnished.airing.week(COMMUNE, NOW, NOW + DAY, NOW) if each.item.source] == [
        "VOV1"
    ]
    assert furnished.airing.week(HAMLET, NOW, NOW + DAY, NOW) == []


def test_a_programme_made_from_an_older_edition_is_not_kept(store: Store) -> None:
    furnish(store)
    first = edition_of(store.programmes.of(COMMUNE))
    store.programmes.apply(row(), None, first)
    wishes, acts = store.changed(), len(store.acts.recent())
    later = row(TEXT.replace("17:00", "16:00"), "2026-12-01")
    with pytest.raises(StoreError) as refusal:
        store.programmes.apply(later, Act("hoa", "applied", COMMUNE, "", NOW), first)
    assert refusal.value.key == "store.programme_changed"
    assert (store.changed(), len(store.acts.recent()), len(store.programmes.of(COMMUNE))) == (wishes, acts, 1)
    store.programmes.apply(later, None, edition_of(store.programmes.of(COMMUNE)))
    store.programmes.apply(row())  # who names no edition knows of none: the command line
    assert len(store.programmes.of(COMMUNE)) == 2


def test_of_many_who_apply_the_same_edition_at_once_one_is_kept(store: Store) -> None:
    furnish(store)
    edition = edition_of(store.programmes.of(COMMUNE))
    texts = [TEXT.replace('"Đài xã"', f'"Của {number}"') for number in range(8)]

    def attempt(text: str) -> bool:
        try:
            store.programmes.apply(row(text), None, edition)
        except StoreError as wrong:
            return wrong.key != "store.programme_changed"
        return True

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(attempt, texts)) == 1


def test_no_programmes_hold_at_no_time() -> None:
    assert standings_of([]) == []


def test_what_comes_again_in_a_slot_is_planned_at_each_of_its_times(furnished: Store) -> None:
    slot = TEXT.replace("minutes = 15\n", 'minutes = 15\nfill = "repeat"\n', 1)
    furnished.programmes.apply(row(slot))
    asking(furnished, 1, 60)
    asking(furnished, 2, 100)
    furnished.airing.place(NOW)
    jobs = planner.of_areas(planner.plan(furnished.airing.to_plan(NOW), NOW), (COMMUNE,), NOW)
    every = timedelta(seconds=162)
    mine = [(job.title, job.start - FIVE) for job in jobs if job.start < FIVE + DAY]
    assert [start for title, start in mine if title == "Bản tin 1"] == [n * every for n in range(6)]
    assert len({job.id for job in jobs}) == len(jobs)
    plans = planner.plan(furnished.airing.to_plan(NOW), NOW)
    assert all(len({job.id for job in each}) == len(each) for each in plans.values())
