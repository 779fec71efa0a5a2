"""Areas, nodes and people at the desk: who is entered, who comes in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from makers_store import COMMUNE, GROUP, HAMLET, NOW, Bell, furnish, refused, signer, user

from controller.desk import Desk, Enrolment, Giving, NewUser
from controller.rights import FIRST, Role
from controller.roster import Area, AreaKind
from controller.store import Store

HOUR = timedelta(hours=1)
EDITOR, APPROVER, ADMINISTRATOR = user(), user("hoa", Role.APPROVER), user("quan", Role.ADMINISTRATOR)
GOOD = "mật khẩu dài"


@pytest.fixture
def desk(store: Store) -> Desk:
    furnish(store)
    return Desk(store, "Asia/Ho_Chi_Minh", Bell())


def test_areas_and_nodes_are_entered_by_an_administrator(store: Store, desk: Desk) -> None:
    area = Area(f"{COMMUNE}:thon-2", "Thôn  2", AreaKind.HAMLET)
    assert desk.add_area(area, ADMINISTRATOR, NOW).name == "Thôn 2"
    wanted = Enrolment("loa-4", "Cụm 4", area.id, signer("loa-4").public.hex.upper(), (GROUP,))
    desk.enrol(wanted, ADMINISTRATOR, NOW)
    entered = store.roster.node("loa-4")
    assert entered is not None
    assert (entered.home, entered.groups, entered.public_key) == (area.id, (GROUP,), signer("loa-4").public.hex)
    assert refused(desk.enrol, wanted, APPROVER, NOW) == "not_allowed"
    assert refused(desk.add_area, area, APPROVER, NOW) == "not_allowed"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"node": "Loa 4"}, "bad_name"),
        ({"node": "lang-son"}, "name_taken"),
        ({"name": " "}, "bad_name"),
        ({"home": "nowhere"}, "unknown_area"),
        ({"home": GROUP}, "unknown_area"),
        ({"groups": ("nowhere",)}, "unknown_area"),
        ({"public_key": "abc"}, "bad_key"),
        ({"public_key": signer("loa-1").public.hex}, "bad_key"),
    ],
)
def test_a_node_that_cannot_be_is_not_enrolled(store: Store, desk: Desk, changes: dict[str, Any], key: str) -> None:
    right = {"node": "loa-4", "name": "Cụm 4", "home": HAMLET, "public_key": signer("loa-4").public.hex}
    assert refused(desk.enrol, Enrolment(**{**right, **changes}), ADMINISTRATOR, NOW) == key
    assert len(store.roster.nodes()) == 3


@pytest.mark.parametrize(
    ("name", "key"), [("Lạng Sơn", "bad_name"), ("nowhere:thon-1", "unknown_area"), ("loa-1", "name_taken")]
)
def test_an_area_that_cannot_be_is_not_entered(desk: Desk, name: str, key: str) -> None:
    assert refused(desk.add_area, Area(name, "x", AreaKind.HAMLET), ADMINISTRATOR, NOW) == key


def test_an_administrator_of_a_commune_stays_within_it(store: Store, desk: Desk) -> None:
    here = user("mai", Role.ADMINISTRATOR, COMMUNE)
    taken = Enrolment("loa-3", "Của tôi", HAMLET, signer("x").public.hex)
    assert refused(desk.enrol, taken, here, NOW) == "not_your_area"
    assert refused(desk.add_area, Area("cao-bang", "x", AreaKind.PROVINCE), here, NOW) == "not_your_area"
    assert refused(desk.add_user, NewUser("ban", Giving(Role.ADMINISTRATOR, "*")), here, NOW) == "not_your_area"
    assert refused(desk.invite, "u-quan", here, NOW) == "not_your_person"


def test_the_first_administrator_is_entered_once(store: Store) -> None:
    desk = Desk(store, "Asia/Ho_Chi_Minh", Bell())
    first = desk.open_house("quan", GOOD, NOW)
    assert ([each.role for each in first.grants], first.area) == (list(FIRST), "*")
    assert refused(desk.open_house, "thief", GOOD, NOW) == "not_empty"
    assert desk.sign_in("quan", GOOD, NOW).user.name == "quan"


def test_signing_in_and_out(store: Store, desk: Desk) -> None:
    desk.add_user(NewUser("mai", Giving(Role.EDITOR, COMMUNE), "Mai", GOOD), ADMINISTRATOR, NOW)
    entry = desk.sign_in("mai", GOOD, NOW)
    found = desk.signed_in(entry.token, NOW + 11 * HOUR)
    assert found is not None
    assert found.name == "mai"
    assert desk.signed_in(entry.token, NOW + 12 * HOUR) is None
    assert desk.signed_in("another", NOW) is None
    desk.sign_out(entry.token, NOW)
    noted = [(act.who, act.what, act.detail) for act in store.acts.recent(2)]
    assert noted == [("mai", "signed out", ""), ("mai", "signed in", "password")]
    desk.sign_out(entry.token, NOW)  # nobody signs out twice
    assert [act.what for act in store.acts.recent(2)] == ["signed out", "signed in"]
    assert desk.signed_in(entry.token, NOW) is None
    held = store.people.by_name("mai")
    assert held is not None
    assert held.password_hash.startswith("$argon2id$")
    assert GOOD not in repr(held)
    assert entry.token not in repr(entry)


@pytest.mark.parametrize(("name", "password"), [("mai", "wrong"), ("nobody", GOOD), ("lan", ""), ("' OR 1=1 --", GOOD)])
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(desk: Desk, name: str, password: str) -> None:
    desk.add_user(NewUser("mai", Giving(Role.EDITOR, COMMUNE), password=GOOD), ADMINISTRATOR, NOW)
    assert refused(desk.sign_in, name, password, NOW) == "wrong_password"


def test_an_invitation_lets_in_once_and_only_in_its_time(store: Store, desk: Desk) -> None:
    mai = desk.add_user(NewUser("mai", Giving(Role.EDITOR, COMMUNE)), ADMINISTRATOR, NOW)
    assert refused(desk.sign_in, "mai", "", NOW) == "wrong_password"
    token = desk.invite(mai.id, ADMINISTRATOR, NOW)
    assert refused(desk.accept, token, "ngắn", NOW) == "weak_password"
    entry = desk.accept(token, GOOD, NOW)
    assert desk.signed_in(entry.token, NOW) is not None
    assert refused(desk.accept, token, GOOD, NOW) == "bad_link"
    late = desk.invite(mai.id, ADMINISTRATOR, NOW)
    assert refused(desk.accept, late, GOOD, NOW + 48 * HOUR) == "bad_link"
    assert desk.sign_in("mai", GOOD, NOW).user == store.people.by_name("mai")


def test_a_new_password_ends_every_session(desk: Desk) -> None:
    mai = desk.add_user(NewUser("mai", Giving(Role.EDITOR, COMMUNE), password=GOOD), ADMINISTRATOR, NOW)
    old = desk.sign_in("mai", GOOD, NOW)
    assert refused(desk.change_password, mai, "wrong", "mật khẩu mới", NOW) == "wrong_password"
    new = desk.change_password(mai, GOOD, "mật khẩu mới", NOW)
    assert desk.signed_in(old.token, NOW) is None
    assert desk.signed_in(new.token, NOW) is not None
    assert refused(desk.sign_in, "mai", GOOD, NOW) == "wrong_password"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"name": "hai từ"}, "bad_name"),
        ({"name": "lan"}, "name_taken"),
        ({"area": "nowhere"}, "unknown_area"),
        ({"password": "ngắn"}, "weak_password"),
    ],
)
def test_a_person_who_cannot_be_is_not_entered(desk: Desk, changes: dict[str, Any], key: str) -> None:
    right = {"name": "mai", "area": COMMUNE, "password": GOOD}
    wished = {**right, **changes}
    giving = Giving(Role.EDITOR, wished.pop("area"))
    assert refused(desk.add_user, NewUser(giving=giving, **wished), ADMINISTRATOR, NOW) == key


def test_only_an_administrator_enters_people(desk: Desk) -> None:
    assert refused(desk.add_user, NewUser("mai", Giving(Role.EDITOR, COMMUNE)), APPROVER, NOW) == "not_allowed"
    assert refused(desk.invite, "u-lan", APPROVER, NOW) == "not_allowed"
    assert refused(desk.invite, "u-none", ADMINISTRATOR, NOW) == "unknown_user"


def test_a_data_budget_is_set_for_a_node_or_for_all_that_hang_in_a_place(store: Store, desk: Desk) -> None:
    def budgets() -> dict[str, int | None]:
        return {each.id: each.data_budget_bytes_per_day for each in store.roster.nodes()}

    assert [each.id for each in desk.set_data_budget(COMMUNE, 50_000_000, ADMINISTRATOR, NOW)] == ["loa-1", "loa-2"]
    assert budgets() == {"loa-1": 50_000_000, "loa-2": 50_000_000, "loa-3": None}
    desk.set_data_budget("loa-1", 0, ADMINISTRATOR, NOW)
    desk.set_data_budget(GROUP, None, ADMINISTRATOR, NOW)
    assert budgets() == {"loa-1": 0, "loa-2": None, "loa-3": None}
    act = store.acts.about(GROUP)[0]
    assert (act.what, act.detail) == ("set data budget", "-, nodes=1")
    again = Enrolment("loa-1", "Cụm 1", HAMLET, signer("loa-1").public.hex, ())
    assert desk.enrol(again, ADMINISTRATOR, NOW).data_budget_bytes_per_day == 0


def test_a_data_budget_that_cannot_be_is_refused(store: Store, desk: Desk) -> None:
    elsewhere = user("xa", Role.ADMINISTRATOR, area="lang-son:na-sam")
    for place, budget, who, key in (
        ("nowhere", 1, ADMINISTRATOR, "unknown_area"),
        ("x" * 5000, 1, ADMINISTRATOR, "unknown_area"),
        ("loa-1", -1, ADMINISTRATOR, "bad_data_budget"),
        ("loa-1", 10**30, ADMINISTRATOR, "bad_data_budget"),
        ("loa-1", 1, APPROVER, "not_allowed"),
        ("loa-1", 1, elsewhere, "not_your_area"),
        ("lang-son", 1, elsewhere, "not_your_area"),
    ):
        assert refused(desk.set_data_budget, place, budget, who, NOW) == key
    assert {each.data_budget_bytes_per_day for each in store.roster.nodes()} == {None}
