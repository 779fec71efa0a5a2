"""The roster in memory is always the database's: whoever wrote, however, and in whatever process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from controller.roster import Area, AreaKind, Node, areas_of, nodes_under, reached
from controller.store import Store, StoreError, tables
from controller.store.rows import Act
from tests.makers_store import NOW, furnish, node

Write = Callable[[Store], object]
WRITES: dict[str, Write] = {
    "a node": lambda store: store.roster.add_node(node("loa-9")),
    "a node anew": lambda store: store.roster.add_node(replace(node("loa-1"), name="Cụm đầu xóm")),
    "an area": lambda store: store.roster.add_area(Area("lang-son:xa-9", "Xã Chín", AreaKind.COMMUNE)),
    "a budget": lambda store: store.roster.set_data_budget(["loa-1"], 5, Act("u1", "budget", "loa-1", "", NOW)),
    "a revocation": lambda store: store.enrolments.revoke("loa-1", NOW, Act("u1", "revoked", "loa-1", "", NOW)),
    "a statement of anybody": lambda store: _run(store, sa.update(tables.nodes).values(maintenance=True)),
    "a group left": lambda store: _run(store, sa.delete(tables.node_groups)),
}


def _run(store: Store, statement: sa.UpdateBase) -> None:
    with store.database.writing() as connection:
        connection.execute(statement)


def _read_anew(url: str) -> tuple[list[Area], list[Node], dict[str, int]]:
    fresh = Store(url)
    try:
        return fresh.roster.areas(), fresh.roster.nodes(), fresh.roster.hanging()
    finally:
        fresh.close()


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_another_process_writes_is_read(store: Store, database_url: str, write: Write) -> None:
    furnish(store)
    store.roster.add_area(Area("nhom-le", "Nhóm lẻ", AreaKind.GROUP))
    store.roster.add_node(replace(node("loa-1"), groups=("nhom-le",)))
    before = _read_anew(database_url)
    assert (store.roster.areas(), store.roster.nodes(), store.roster.hanging()) == before
    other = Store(database_url)
    write(other)
    other.close()
    after = _read_anew(database_url)
    assert after != before
    assert (store.roster.areas(), store.roster.nodes(), store.roster.hanging()) == after
    assert store.roster.all_names() == {each.id: each.name for each in (*after[1], *after[0])}
    assert [store.roster.node(each.id) for each in after[1]] == after[1]
    assert [store.roster.area(each.id) for each in after[0]] == after[0]
    places = [each.id for each in (*after[0], *after[1])]
    for wanted in ([], ["nobody"], *([each] for each in places), places[:2], places[1:], places[::-1]):
        assert store.roster.under(wanted) == nodes_under(after[1], wanted)
        assert store.roster.reached(wanted) == reached(after[1], wanted)
    for area in places:
        assert store.roster.listening().get(area, 0) == len(nodes_under(after[1], [area]))
    assert store.roster.count() == len(after[1])


def test_nothing_is_read_again_while_nothing_was_written(store: Store) -> None:
    furnish(store)
    (first, *_), areas = store.roster.nodes(), store.roster.areas()
    assert store.roster.nodes()[0] is first
    store.roster.add_node(node("loa-9"))
    assert store.roster.nodes()[0] is first, "a row that stayed as it was is the same object"
    assert all(one is other for one, other in zip(store.roster.areas(), areas, strict=True))


def test_a_write_that_fails_leaves_what_is_held(store: Store) -> None:
    furnish(store)
    before = store.roster.nodes()
    with pytest.raises(StoreError):
        store.roster.add_node(replace(node("loa-9"), home="nowhere"))
    assert store.roster.nodes() == before


def test_what_is_given_out_may_be_changed_by_who_has_it(store: Store) -> None:
    furnish(store)
    before = store.roster.nodes()
    store.roster.nodes().clear()
    store.roster.areas().clear()
    assert store.roster.nodes() == before
    with pytest.raises(TypeError):
        store.roster.all_names()["loa-1"] = "x"  # type: ignore[index]


@pytest.mark.parametrize("most", [0, 1, 10_000])
def test_who_listens_is_the_same_however_much_of_it_is_held(
    store: Store, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("controller.store.muster.MOST_HELD", most)
    furnish(store)
    store.enrolments.revoke("loa-1", NOW, Act("u1", "revoked", "loa-1", "", NOW))
    nodes = store.roster.nodes()
    asked = [[each.id] for each in store.roster.areas()]
    for wanted in [*asked, [], ["nowhere"], [name for some in asked for name in some]] * 2:
        under = nodes_under(nodes, wanted)
        assert store.roster.under(wanted) == under
        assert store.roster.reached(wanted) == [each for each in under if each.revoked_at is None]
        assert store.roster.listeners(wanted) == {each.id for each in under}


def test_threads_see_what_was_committed_before_they_asked(store: Store) -> None:
    furnish(store)
    count = len(store.roster.nodes())

    def look(number: int) -> bool:
        if number % 5 == 0:
            store.roster.add_node(node(f"loa-t{number:03}"))
            return f"loa-t{number:03}" in {each.id for each in store.roster.nodes()}
        return len(store.roster.nodes()) >= count

    with ThreadPoolExecutor(4) as many:
        assert all(many.map(look, range(40)))
    assert len(store.roster.nodes()) == count + 8


def test_a_node_listens_to_itself_its_home_all_above_and_its_groups_each_once() -> None:
    one = replace(node("loa-1"), home="lang-son:xa-1:thon-1", groups=("lang-son", "nhom-le"))
    assert areas_of(one) == ("loa-1", "lang-son:xa-1:thon-1", "lang-son:xa-1", "lang-son", "nhom-le")
    assert areas_of(replace(one, groups=())) == areas_of(one)[:-1]
