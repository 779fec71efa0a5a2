"""What has changed, and where: on both databases, by whoever watches a store that others write."""

from __future__ import annotations

from datetime import timedelta

import pytest
from makers_store import COMMUNE, GROUP, HAMLET, NOW, OTHER_COMMUNE, booking, furnish, on_the_air

from controller.roster import Area, AreaKind
from controller.store import Store
from controller.store.rows import Session
from controller.store.tables import standby
from controller.store.traces import STANDING, Numbers, Told
from controller.store.unheard import Ailment, UnheardRow
from wire.presence import Presence, State
from wire.receipt import Measured, Receipt, Receipts, Step


def grown(before: Numbers, after: Numbers) -> set[str]:
    """The tables whose numbers differ."""
    return {name for name, number in after.tables.items() if number != before.tables.get(name, 0)}


@pytest.fixture
def town(store: Store) -> Store:
    furnish(store)
    return store


def test_a_wish_lets_the_numbers_of_its_tables_grow_and_no_others(town: Store) -> None:
    before = town.traces.numbers()
    on_the_air(town)
    after = town.traces.numbers()
    assert grown(before, after) >= {"announcements", "bookings"}
    assert "users" not in grown(before, after)
    assert after.wishes > before.wishes
    assert town.traces.numbers() == after


def test_many_statements_of_one_transaction_are_counted_once(town: Store) -> None:
    for number in (1, 2, 3):
        on_the_air(town, number)
    before = town.traces.numbers()
    town.bookings.agree([row for number in (1, 2, 3) for row in town.bookings.of(f"a{number}")])
    assert town.traces.numbers().tables["bookings"] == before.tables["bookings"] + 1


def test_what_is_rolled_back_has_not_been_written(town: Store) -> None:
    before = town.traces.numbers()
    row = {"area": COMMUNE, "announcement": "a1", "kept_by": "x", "kept_at": NOW}

    def broken_off() -> None:
        with town.database.wishing() as connection:
            connection.execute(standby.insert(), row)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert town.traces.numbers() == before


def test_what_listeners_say_is_counted_though_it_is_no_wish(town: Store) -> None:
    before, waiting = town.traces.numbers(), town.traces.standing("unheard")
    row = UnheardRow("x1", COMMUNE, None, Ailment.SILENT, "Không nghe gì", NOW)
    assert town.unheard.tell(row, NOW - timedelta(days=1), 9)
    after = town.traces.numbers()
    assert grown(before, after) == {"unheard"}
    assert after.wishes == before.wishes
    assert {row[0] for row in waiting ^ town.traces.standing("unheard")} == {COMMUNE}


def test_what_loudspeakers_tell_is_counted_once_a_batch_and_sessions_are_not(town: Store) -> None:
    before = town.traces.numbers()
    batches = [Receipts("loa-1", "s1", (heard(1, "b1"), heard(2, "b2"))), Receipts("loa-2", "s1", (heard(1, "b1"),))]
    town.asrun.store_batches(batches, NOW)
    after = town.traces.numbers()
    assert grown(before, after) == {"receipts", "outcomes"}
    assert after.of("receipts", "outcomes") == tuple(each + 1 for each in before.of("receipts", "outcomes"))
    town.health.take_presence([Presence("loa-1", State.ONLINE, "b", NOW, "0.1.0")], NOW)
    assert grown(after, town.traces.numbers()) == {"presence"}
    told = town.traces.numbers()
    town.people.open_session(Session("x" * 64, "u-lan", NOW, NOW + timedelta(hours=1), "", NOW, None), NOW)
    assert town.traces.numbers() == told


def test_the_numbers_know_when_the_roster_was_written(town: Store) -> None:
    before = town.traces.numbers()
    town.roster.add_area(Area("lang-son:moi", "Xã mới", AreaKind.COMMUNE))
    assert town.traces.numbers().roster == before.roster + 1
    assert before.of("acts", "never written") == (0, 0)


def test_what_was_touched_tells_all_of_its_places(town: Store) -> None:
    on_the_air(town, 1)
    seen = town.traces.numbers().wishes
    on_the_air(town, 2, areas=(OTHER_COMMUNE,))
    town.bookings.add(booking(12, announcement="a1", areas=(HAMLET, GROUP), slot="Thông báo"))
    found = town.traces.touched(seen, 10)
    assert found is not None
    by_areas = {each.areas: each for each in found}
    assert set(by_areas) == {frozenset({OTHER_COMMUNE}), frozenset({COMMUNE, HAMLET, GROUP})}
    moved = by_areas[frozenset({COMMUNE, HAMLET, GROUP})]
    assert moved.slotted == {HAMLET, GROUP}
    assert moved.names == {"a1", "Bản tin 1"}
    assert moved.author == "u-lan"
    assert town.traces.touched(seen, 1) is None
    assert town.traces.touched(town.traces.numbers().wishes, 10) == []


def heard(number: int, job: str, step: Step = Step.SOUNDED) -> Receipt:
    measured = (
        Measured(NOW, NOW + timedelta(seconds=1), 1.0, 1000, -18.0, -3.0, "USB") if step is Step.SOUNDED else None
    )
    return Receipt(number, job, step, NOW, NOW, measured=measured)


def test_what_nodes_tell_is_found_by_job(town: Store) -> None:
    on_the_air(town, 1, areas=(COMMUNE,))
    before = town.traces.nodes()
    steps = (heard(1, "b1:x", Step.STARTED), heard(2, "b1:x"), heard(3, "p7", Step.FETCHED))
    town.asrun.store_receipts(Receipts("loa-1", "s1", steps), NOW)
    ((received, told),) = town.traces.outcomes(None, 10)
    assert (received, told) == (NOW, Told("b1:x", "loa-1", "b1"))
    assert town.traces.outcomes(NOW + timedelta(seconds=1), 10) == []
    assert before.streams == {}
    assert town.traces.nodes().streams == {("loa-1", "s1"): 3}
    spans = [("loa-1", "s1", 0, 3)]
    assert {each.job for each in town.traces.steps(spans)} == {"b1:x", "p7"}
    assert {each.job for each in town.traces.steps([("loa-1", "s1", 1, 3)])} == {"p7"}  # outcomes are told apart
    ((areas, _),) = town.traces.booked(["b1", "p7"]).values()
    assert areas == {COMMUNE}


def test_small_tables_are_read_with_the_area_first(town: Store) -> None:
    assert {name: town.traces.standing(name) for name in STANDING} == dict.fromkeys(STANDING, frozenset())
