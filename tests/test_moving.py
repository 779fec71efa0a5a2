"""An area moves with all that names it: one transaction, the same bookings, and the target's where both have one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from makers_programmes import row
from makers_store import COMMUNE, GROUP, HAMLET, NOW, OTHER_COMMUNE, Bell, furnish, on_the_air, refused, user

from controller.desk import Desk, Giving, NewUser
from controller.desk.districting import Relocation
from controller.rights import Role
from controller.roster import Area, AreaKind
from controller.store import Store
from controller.store.standby import KeptRow
from controller.store.tables import metadata
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy

BOSS = user("quan", Role.ADMINISTRATOR)
MOVED = f"{OTHER_COMMUNE}:{HAMLET.rsplit(':', 1)[1]}"


@pytest.fixture
def desk(store: Store) -> Desk:
    furnish(store)
    return Desk(store, "Asia/Ho_Chi_Minh", Bell())


def names_anywhere(store: Store, area: str) -> set[str]:
    """The tables in which ``area`` still stands in any column, but for what is issued or history."""
    with store.database.reading() as connection:
        found = set()
        for table in metadata.sorted_tables:
            if table.name in {"plans", "serials", "acts", "configs"}:
                continue
            for line in connection.execute(sa.select(table)).all():
                if any(area in str(value) for value in line):
                    found.add(table.name)
    return found


def test_a_hamlet_moves_with_everything_that_names_it(store: Store, desk: Desk) -> None:
    start = NOW + timedelta(hours=2)
    on_the_air(store, 1, areas=(HAMLET, COMMUNE), start=start)
    (before,) = store.bookings.list()
    store.programmes.apply(replace(row(), area=HAMLET, body=row().body.replace(COMMUNE, HAMLET)))
    store.policies.set(Policy(HAMLET, date(2026, 1, 1), Rulebook()), BOSS.id, NOW)
    desk.add_user(NewUser("mai", Giving(Role.EDITOR, HAMLET)), BOSS, NOW)
    seen = desk.foresee_move(Relocation(HAMLET, OTHER_COMMUNE), BOSS, NOW)
    assert names_anywhere(store, HAMLET) >= {"nodes", "bookings", "areas"}
    done = desk.move_area(Relocation(HAMLET, OTHER_COMMUNE), BOSS, NOW)
    assert done == seen
    assert done.changed["bookings"] == done.changed["programmes"] == done.changed["grants"] == 1
    assert names_anywhere(store, HAMLET) == set()
    (after,) = store.bookings.list()
    assert (after.booking.id, after.booking.start) == (before.booking.id, start)
    assert after.booking.areas == (MOVED, COMMUNE)
    (applied,) = store.programmes.of(MOVED)
    assert applied.programme.area == MOVED
    assert [day for day, _ in store.policies.of(MOVED)] == [date(2026, 1, 1)]
    mai = store.people.by_name("mai")
    assert mai
    assert (mai.area, [grant.area for grant in mai.grants]) == (MOVED, [MOVED])
    assert [link.act.what for link in store.acts.links()][-1] == "moved area"


def test_of_two_programmes_and_places_in_an_inbox_the_targets_stand(store: Store, desk: Desk) -> None:
    on_the_air(store, 1, areas=(COMMUNE, OTHER_COMMUNE), start=NOW + timedelta(hours=2))
    (view,) = store.bookings.list()
    for area in (COMMUNE, OTHER_COMMUNE):
        body = row().body.replace(COMMUNE, area)
        store.programmes.apply(replace(row(), area=area, body=body))
        store.standby.keep(KeptRow(area, view.booking.announcement, BOSS.id, NOW))
    done = desk.move_area(Relocation(COMMUNE, OTHER_COMMUNE, merge=True), BOSS, NOW)
    assert done.dropped == {"programmes": 1, "standby": 1}
    assert names_anywhere(store, COMMUNE) == set()
    assert store.bookings.list()[0].booking.areas == (OTHER_COMMUNE,)
    assert store.roster.area(COMMUNE) is None
    assert {node.home for node in store.roster.nodes()} <= {OTHER_COMMUNE, MOVED}
    assert store.roster.area(MOVED)


def test_two_communes_that_both_have_a_thon_1_become_one(store: Store, desk: Desk) -> None:
    below = "thon-1:xom-1"
    for area, name in ((f"{COMMUNE}:{below}", "Xóm 1"), (MOVED, "Thôn 1"), (f"{COMMUNE}:khu-2", "Thôn 2")):
        store.roster.add_area(Area(area, name, AreaKind.HAMLET))
    store.roster.add_area(Area(COMMUNE, "Xã Đồng Đăng", AreaKind.COMMUNE))
    store.roster.add_area(Area(HAMLET, "Thôn 1", AreaKind.HAMLET))
    store.roster.add_area(Area(f"{OTHER_COMMUNE}:thon-2", "Thôn 2", AreaKind.HAMLET))
    on_the_air(store, 1, areas=(HAMLET, MOVED), start=NOW + timedelta(hours=2))
    wanted = Relocation(COMMUNE, OTHER_COMMUNE, merge=True)
    seen = desk.foresee_move(wanted, BOSS, NOW)
    own, other = f"{MOVED}-dong-dang", f"{OTHER_COMMUNE}:khu-2"
    assert seen.called == {own: "Thôn 1 (Đồng Đăng)", other: "Thôn 2 (Đồng Đăng)"}
    assert desk.move_area(wanted, BOSS, NOW) == seen
    named = {each.id: each.name for each in store.roster.areas()}
    assert named[MOVED] == "Thôn 1"
    assert (named[own], named[f"{own}:xom-1"]) == ("Thôn 1 (Đồng Đăng)", "Xóm 1")
    assert store.bookings.list()[0].booking.areas == (own, MOVED)
    homes = {node.id: node.home for node in store.roster.nodes()}
    assert (homes["loa-1"], homes["loa-2"]) == (own, OTHER_COMMUNE)
    assert own in list(store.acts.links())[-1].act.detail


def test_one_that_moves_alone_is_called_as_somebody_says(store: Store, desk: Desk) -> None:
    store.roster.add_area(Area(MOVED, "Thôn 1", AreaKind.HAMLET))
    store.roster.add_area(Area(f"{MOVED}-dong-dang", "Thôn 1 cũ", AreaKind.HAMLET))
    (again,) = desk.foresee_move(Relocation(HAMLET, OTHER_COMMUNE), BOSS, NOW).called
    assert again == f"{MOVED}-dong-dang-2"
    done = desk.move_area(Relocation(HAMLET, OTHER_COMMUNE, called="Thôn Chợ"), BOSS, NOW)
    assert done.names == {HAMLET: f"{OTHER_COMMUNE}:thon-cho"}
    assert store.roster.area(f"{OTHER_COMMUNE}:thon-cho") == Area(
        f"{OTHER_COMMUNE}:thon-cho", "Thôn Chợ", AreaKind.HAMLET
    )


def test_what_cannot_be_is_refused_by_name_and_changes_nothing(store: Store, desk: Desk) -> None:
    store.roster.add_area(Area(MOVED, "Thôn 1", AreaKind.HAMLET))
    store.roster.add_area(Area("cao-bang", "Tỉnh Cao Bằng", AreaKind.PROVINCE))
    here = replace(BOSS, grants=tuple(replace(each, area="lang-son") for each in BOSS.grants))
    wrong = [
        (COMMUNE, HAMLET, BOSS, "move_into_itself"),
        (HAMLET, COMMUNE, BOSS, "move_there_already"),
        (HAMLET, GROUP, BOSS, "move_into_group"),
        (HAMLET, "nowhere", BOSS, "unknown_area"),
        (HAMLET, "cao-bang", here, "not_your_area"),
        (HAMLET, "cao-bang", user(), "not_allowed"),
    ]
    areas = store.roster.areas()
    named = [(True, "Thôn 9", "move_called"), (False, "thôn  1", "move_clash"), (False, "!!", "bad_name")]
    for merge, called, key in named:
        assert refused(desk.move_area, Relocation(HAMLET, OTHER_COMMUNE, merge, called), BOSS, NOW) == key
    for area, to, who, key in wrong:
        assert refused(desk.move_area, Relocation(area, to), who, NOW) == key
    assert store.roster.areas() == areas


def test_nothing_moves_while_it_sounds(store: Store, desk: Desk) -> None:
    on_the_air(store, 1, areas=(COMMUNE,), start=NOW + timedelta(seconds=90))
    assert refused(desk.move_area, Relocation(HAMLET, OTHER_COMMUNE), BOSS, NOW) == "move_on_air"
    assert desk.move_area(Relocation(HAMLET, OTHER_COMMUNE), BOSS, NOW + timedelta(hours=1)).changed["nodes"] >= 1


def test_nobody_is_called_as_another_was_before_it_moved(store: Store, desk: Desk) -> None:
    """A form that is still open, or a list that somebody keeps, would name the wrong village."""
    store.roster.add_area(Area(f"{COMMUNE}:thon-3", "Thôn 3", AreaKind.HAMLET))
    store.roster.add_area(Area(MOVED, "Thôn 1", AreaKind.HAMLET))
    desk.move_area(Relocation(HAMLET, f"{COMMUNE}:thon-3", merge=True), BOSS, NOW)
    (new,) = desk.foresee_move(Relocation(MOVED, COMMUNE), BOSS, NOW).names.values()
    assert new == f"{HAMLET}-{OTHER_COMMUNE.rpartition(':')[2]}"
    desk.move_area(Relocation(MOVED, COMMUNE), BOSS, NOW)
    assert store.roster.area(HAMLET) is None
    again = Area(HAMLET, "Thôn 1", AreaKind.HAMLET)
    assert refused(desk.add_area, again, BOSS, NOW) == "area_former"
    desk.move_area(Relocation(new, OTHER_COMMUNE, called="Thôn 7"), BOSS, NOW)
    assert refused(desk.add_area, replace(again, id=new), BOSS, NOW) == "area_former"
    top = Relocation(f"{OTHER_COMMUNE}:thon-7", COMMUNE, called=HAMLET.rpartition(":")[2].replace("-", " "))
    assert refused(desk.move_area, top, BOSS, NOW) == "area_former"


def test_one_that_comes_back_is_called_as_it_was_with_all_in_it(store: Store, desk: Desk) -> None:
    inner = f"{HAMLET}:xom-1"
    store.roster.add_area(Area(inner, "Xóm 1", AreaKind.HAMLET))
    desk.move_area(Relocation(HAMLET, OTHER_COMMUNE), BOSS, NOW)
    desk.move_area(Relocation(f"{MOVED}:xom-1", COMMUNE), BOSS, NOW)
    desk.move_area(Relocation(MOVED, COMMUNE), BOSS, NOW)
    assert store.roster.area(HAMLET)
    assert refused(desk.add_area, Area(inner, "Xóm 1", AreaKind.HAMLET), BOSS, NOW) == "area_former"
    assert refused(desk.add_area, Area(MOVED, "Thôn 1", AreaKind.HAMLET), BOSS, NOW) == "area_former"
    desk.move_area(Relocation(f"{COMMUNE}:xom-1", HAMLET), BOSS, NOW)
    assert store.roster.area(inner)
