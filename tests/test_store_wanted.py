"""What a store has in mind of what is wanted: whatever was done, by whom ever, it is what a new look would find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import makers_store as made
import pytest
import sqlalchemy as sa
from makers_programmes import TEXT, aired, asking, asset, row, with_items
from makers_store import COMMUNE, HAMLET, NOW, PROVINCE, furnish

from controller.store import Store, tables
from controller.store.rows import Act, AnnouncementState
from schedules.calendars import Recurrence

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
WISHES = ["air", "air", "ask", "withdraw", "end", "edit", "order", "recur", "items", "programme", "rename"]
AREAS = [PROVINCE, COMMUNE, HAMLET, "loa-2"]


@pytest.fixture
def stores(store: Store, database_url: str) -> Iterator[tuple[Store, Store]]:
    """Two processes' stores over one database, furnished."""
    furnish(store)
    other = Store(database_url)
    yield store, other
    other.close()


def fresh_look(store: Store, url: str, minutes: int) -> object:
    """What somebody who opens the database only now would plan."""
    opened = Store(url)
    try:
        return opened.airing.to_plan(NOW + minutes * MINUTE)
    finally:
        opened.close()


def something(store: Store, chance: Random, number: int) -> None:
    """One wish, of any kind."""
    some = f"a{chance.randint(1, max(1, number - 1))}", f"b{chance.randint(1, max(1, number - 1))}"
    told, act = store.announcements.get(some[0]), Act("hoa", "did", some[0], "", NOW)
    what = chance.choice(
        ["air", "air", "ask", "withdraw", "end", "edit", "order", "recur", "items", "programme", "rename"]
    )
    if what == "air":
        start = NOW + timedelta(minutes=chance.randint(-3000, 15 * 1440))
        aired(store, number, asset("abc"[number % 3]), start=start, areas=tuple(chance.sample(AREAS, 2)))
    elif what == "ask":
        asking(store, number, chance.randint(5, 600))
    elif what == "recur":
        rule = Recurrence(chance.choice(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO", "LUNAR:1,15"]))
        aired(store, number, asset("a"), start=NOW - 3 * DAY, recurrence=rule)
    elif what == "withdraw":
        store.bookings.withdraw(some[1], act)
    elif what == "order":
        store.bookings.order(some[1], ("b1",), NOW + timedelta(minutes=number), act)
    elif what == "items" and store.announcements.get("a901") is None:
        with_items(store)
    elif what == "programme":
        text = TEXT.replace("17:00", chance.choice(["17:00", "16:30"]))
        store.programmes.apply(row(text, chance.choice(["2026-11-24", "2026-11-27"])))
    elif told and what == "end":
        store.announcements.end(replace(told, state=AnnouncementState.WITHDRAWN), told.version, act)
    elif told and what in ("edit", "rename"):
        title = "Nhạc hiệu" if what == "rename" else f"Sửa {number}"
        store.announcements.update(replace(told, title=title), told.version, act)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_in_mind_is_what_a_new_look_finds(stores: tuple[Store, Store], database_url: str, seed: int) -> None:
    chance, minutes = Random(seed), 0
    for number in range(1, 26):
        something(chance.choice(stores), chance, number)
        minutes += chance.choice([0, 0, 0, 1, 300, -200])
        stores[0].airing.place(NOW + minutes * MINUTE)
        for each in stores:
            assert each.airing.to_plan(NOW + minutes * MINUTE) == fresh_look(each, database_url, minutes)


def test_what_nobody_touched_is_the_same_object_at_the_next_look(stores: tuple[Store, Store]) -> None:
    store, other = stores
    store.programmes.apply(row())
    with_items(store)
    aired(store, 1, asset("a"), start=NOW + MINUTE)
    aired(store, 2, asset("b"), start=NOW + MINUTE)
    first = {each.id: each for each in store.airing.to_plan(NOW)}
    told = other.announcements.get("a2")
    assert told
    other.announcements.update(replace(told, title="Sửa"), told.version)
    second = {each.id: each for each in store.airing.to_plan(NOW + MINUTE)}
    assert second.keys() == first.keys()
    assert [name for name in second if second[name] is not first[name]] == ["b2"]
    assert second["b2"].title == "Sửa"


def test_a_database_that_was_set_back_is_read_anew(stores: tuple[Store, Store]) -> None:
    store, other = stores
    for number in (1, 2):
        aired(store, number, asset("a"), start=NOW + MINUTE)
    assert len(store.airing.to_plan(NOW)) == 2
    with other.database.writing() as connection:  # as a backup that was made before the second booking
        connection.execute(sa.delete(tables.bookings).where(tables.bookings.c.id == "b2"))
        connection.execute(sa.update(tables.tidings).values(wishes=3))
    assert [each.id for each in store.airing.to_plan(NOW)] == ["b1"]


def test_a_person_who_answers_for_another_area_is_noticed_within_a_minute(stores: tuple[Store, Store]) -> None:
    store, other = stores
    store.programmes.apply(row())
    with_items(store)
    assert len(store.airing.to_plan(NOW)) > 20
    lan = made.user(area="ha-giang")
    with other.database.wishing() as connection:
        connection.execute(sa.update(tables.users).where(tables.users.c.id == lan.id).values(area=lan.area))
    assert store.airing.to_plan(NOW + MINUTE) == []
