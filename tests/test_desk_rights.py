"""Rights at the desk: given, ended, running out while a session lives; and somebody always governs."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from makers_store import COMMUNE, HAMLET, NOW, OTHER_COMMUNE, PROVINCE, Bell, furnish, held, refused, user

from controller.desk import Desk, DeskError, Draft, Giving, NewUser, OwnApproval, Wish
from controller.rights import EVERYWHERE, FIRST, Role
from controller.roster import Area, AreaKind
from controller.store import Store
from controller.store.migrations.versions import m0013_grants
from controller.store.rows import AnnouncementState, User
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.plan import BulletinClass

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GOOD = "mật khẩu dài"
BOSS = user("quan", Role.ADMINISTRATOR)


@pytest.fixture
def desk(store: Store) -> Desk:
    furnish(store)
    return Desk(store, "Asia/Ho_Chi_Minh", Bell())


def alone(name: str, role: Role, area: str = COMMUNE) -> User:
    """Somebody with that one role and no other."""
    one = held(f"u-{name}", Role.VIEWER, area)[0]
    return user(name, area=area, grants=(type(one)(**{**vars(one), "role": role}),))


def now_of(store: Store, name: str) -> User:
    found = store.people.by_name(name)
    assert found is not None
    return found


def wish(kind: BulletinClass = BulletinClass.ORDINARY, *areas: str) -> Wish:
    return Wish("Họp thôn.", areas or (COMMUNE,), NOW + 4 * HOUR, bulletin_class=kind)


def state(store: Store, desk: Desk, who: User, asked: Wish) -> str:
    held_ = store.announcements.get(desk.announce(asked, who, NOW).announcement_id)
    assert held_ is not None
    return held_.state.value


def test_each_role_alone_writes_and_lets_on_the_air_what_is_its_own(store: Store, desk: Desk) -> None:
    ordinary, emergency = wish(), wish(BulletinClass.EMERGENCY)
    found: dict[str, tuple[str, str]] = {}
    for role in Role:
        who = alone(f"x-{role.value}", role)
        store.people.add(who)
        tried = []
        for asked in (ordinary, emergency):
            try:
                tried.append(state(store, desk, who, asked))
            except DeskError as wrong:
                tried.append(wrong.key)
        found[role.value] = (tried[0], tried[1])
    no = "desk.not_allowed"
    assert found == {
        "viewer": (no, no),
        "editor": ("submitted", "submitted"),
        "approver": ("approved", "submitted"),
        "emergency": (no, "approved"),
        "operator": (no, no),
        "administrator": (no, no),
    }


def test_an_emergency_is_approved_and_taken_back_by_who_may_order_one(store: Store, desk: Desk) -> None:
    approver, officer = alone("duyet", Role.APPROVER), alone("truc", Role.EMERGENCY)
    for each in (approver, officer):
        store.people.add(each)
    made = desk.announce(wish(BulletinClass.EMERGENCY), approver, NOW)
    assert refused(desk.approve, made.announcement_id, approver, NOW) == "not_allowed"
    assert desk.approve(made.announcement_id, officer, NOW).state is AnnouncementState.APPROVED
    other = desk.announce(wish(), approver, NOW)
    assert refused(desk.withdraw, other.booking_id, officer, NOW) == "not_allowed"
    second = alone("duyet-2", Role.APPROVER)
    assert refused(desk.withdraw, made.booking_id, second, NOW) == "not_allowed"
    assert made.booking_id is not None
    desk.withdraw(made.booking_id, officer, NOW)


def test_an_emergency_officer_cannot_turn_an_emergency_into_something_else(store: Store, desk: Desk) -> None:
    officer = alone("truc", Role.EMERGENCY)
    store.people.add(officer)
    draft = Wish("Lũ về.", bulletin_class=BulletinClass.EMERGENCY, draft=True)
    made = desk.announce(draft, officer, NOW)
    assert refused(desk.edit, made.announcement_id, 1, Draft("Lũ về, đi ngay."), officer, NOW) == "not_allowed"
    assert refused(desk.announce, Wish("Bán hàng.", draft=True), officer, NOW) == "not_allowed"


def test_where_one_may_approve_in_one_place_only_the_whole_waits(store: Store, desk: Desk) -> None:
    both = user("hai", area=COMMUNE, grants=alone("hai", Role.APPROVER).grants + held("e", Role.EDITOR, OTHER_COMMUNE))
    store.people.add(both)
    assert state(store, desk, both, wish(BulletinClass.ORDINARY, COMMUNE)) == "approved"
    assert state(store, desk, both, wish(BulletinClass.ORDINARY, COMMUNE, OTHER_COMMUNE)) == "submitted"
    waiting = store.announcements.list(state=AnnouncementState.SUBMITTED)[0]
    assert refused(desk.approve, waiting.id, both, NOW) == "not_your_area"
    assert refused(desk.announce, wish(BulletinClass.ORDINARY, PROVINCE), both, NOW) == "not_your_area"


def test_operators_and_administrators_do_what_is_theirs_and_no_more(store: Store, desk: Desk) -> None:
    operator, boss = alone("may", Role.OPERATOR), alone("xa", Role.ADMINISTRATOR)
    desk.set_data_budget("loa-1", 0, operator, NOW)
    assert refused(desk.set_data_budget, "loa-1", 0, boss, NOW) == "not_allowed"
    assert refused(desk.set_data_budget, "loa-3", 0, operator, NOW) == "not_your_area"
    hamlet = Area(f"{COMMUNE}:thon-9", "Thôn 9", AreaKind.HAMLET)
    assert desk.add_area(hamlet, boss, NOW) == hamlet
    assert refused(desk.add_area, hamlet, operator, NOW) == "not_allowed"
    policy = Policy(COMMUNE, NOW.date(), Rulebook())
    assert refused(desk.set_policy, policy, operator, NOW) == "not_allowed"
    assert refused(desk.teach, COMMUNE, "Nà Pàn", "Nà Pan", boss, NOW) == "not_allowed"
    assert refused(desk.add_user, NewUser("ai", Giving(Role.VIEWER, COMMUNE)), operator, NOW) == "not_allowed"


def test_a_right_that_ends_is_gone_with_the_second_and_the_session_lives_on(store: Store, desk: Desk) -> None:
    desk.add_user(NewUser("mai", Giving(Role.VIEWER, COMMUNE), password=GOOD), BOSS, NOW)
    desk.give("mai", Giving(Role.EDITOR, COMMUNE, until=NOW + HOUR), BOSS, NOW)
    token = desk.sign_in("mai", GOOD, NOW).token
    last, after = NOW + HOUR - timedelta(seconds=1), NOW + HOUR
    mai = desk.signed_in(token, last)
    assert mai is not None
    desk.announce(Wish("Nháp", draft=True), mai, last)
    assert refused(desk.announce, Wish("Nháp", draft=True), mai, after) == "not_allowed"
    assert desk.signed_in(token, after) is not None


def test_a_right_that_is_taken_is_gone_at_once_and_stays_written_down(store: Store, desk: Desk) -> None:
    desk.add_user(NewUser("mai", Giving(Role.EDITOR, COMMUNE), password=GOOD), BOSS, NOW)
    token = desk.sign_in("mai", GOOD, NOW).token
    (grant,) = now_of(store, "mai").grants
    assert desk.take("mai", grant.id, BOSS, NOW + HOUR).until == NOW + HOUR
    mai = desk.signed_in(token, NOW + HOUR)
    assert mai is not None
    assert refused(desk.announce, Wish("Nháp", draft=True), mai, NOW + HOUR) == "not_allowed"
    desk.take("mai", grant.id, BOSS, NOW + DAY)
    assert [each.until for each in now_of(store, "mai").grants] == [NOW + HOUR]
    done = [(act.what, act.detail) for act in store.acts.about("mai") if act.what != "refused for want of right"]
    assert done[0] == ("took a right", f"editor of {COMMUNE}")


def test_a_right_is_given_and_read_back_whole(store: Store, desk: Desk) -> None:
    desk.add_user(NewUser("mai", Giving(Role.EDITOR, COMMUNE)), BOSS, NOW)
    wanted = Giving(Role.EMERGENCY, HAMLET, NOW + DAY, NOW + 9 * DAY, ((4, 0, 4), "18:00", "06:00"))
    given = desk.give("mai", wanted, BOSS, NOW)
    assert now_of(store, "mai").grants[1] == given
    assert given.hours is not None
    assert (given.hours.days, given.hours.zone, given.given_by) == ((0, 4), "Asia/Ho_Chi_Minh", BOSS.id)
    told = f"emergency of {HAMLET} since=2026-11-25T03:00:00+00:00 until=2026-12-03T03:00:00+00:00"
    assert store.acts.about("mai")[0].detail == f"{told} hours=18:00-06:00 days=0,4"


@pytest.mark.parametrize(
    ("giving", "key"),
    [
        (Giving(Role.EDITOR, "nowhere"), "unknown_area"),
        (Giving(Role.EDITOR, "x" * 5000), "unknown_area"),
        (Giving(Role.EDITOR, OTHER_COMMUNE), "not_your_area"),
        (Giving(Role.EDITOR, EVERYWHERE), "not_your_area"),
        (Giving(Role.EDITOR, COMMUNE, until=NOW), "ends_before_it_begins"),
        (Giving(Role.EDITOR, COMMUNE, NOW + DAY, NOW + DAY), "ends_before_it_begins"),
        (Giving(Role.EDITOR, COMMUNE, until=NOW + 5000 * DAY), "grant_too_far"),
        (Giving(Role.EDITOR, COMMUNE, hours=((), "18:00", "06:00")), "bad_duty_days"),
        (Giving(Role.EDITOR, COMMUNE, hours=((7,), "18:00", "06:00")), "bad_duty_days"),
        (Giving(Role.EDITOR, COMMUNE, hours=((1,), "6 giờ", "x" * 900)), "schedules.bad_clock"),
        (Giving(Role.VIEWER, COMMUNE), "has_grant"),
        (Giving(Role.VIEWER, HAMLET, until=NOW + DAY), "has_grant"),
    ],
)
def test_a_right_that_cannot_be_is_not_given(store: Store, desk: Desk, giving: Giving, key: str) -> None:
    here = alone("xa", Role.ADMINISTRATOR)
    desk.add_user(NewUser("mai", Giving(Role.VIEWER, COMMUNE)), here, NOW)
    assert refused(desk.give, "mai", giving, here, NOW) == key
    assert len(now_of(store, "mai").grants) == 1


def test_rights_of_one_person_are_limited(store: Store, desk: Desk) -> None:
    desk.add_user(NewUser("mai", Giving(Role.VIEWER, COMMUNE)), BOSS, NOW)
    for number in range(19):
        desk.give("mai", Giving(Role.EDITOR, COMMUNE, until=NOW + (number + 1) * DAY), BOSS, NOW)
    assert refused(desk.give, "mai", Giving(Role.OPERATOR, COMMUNE), BOSS, NOW) == "too_many_grants"
    desk.give("mai", Giving(Role.OPERATOR, COMMUNE), BOSS, NOW + 2 * DAY)


def test_an_administrator_of_a_place_has_no_say_over_who_reaches_beyond_it(store: Store, desk: Desk) -> None:
    here = alone("xa", Role.ADMINISTRATOR)
    desk.add_user(NewUser("mai", Giving(Role.EDITOR, COMMUNE)), here, NOW)
    mai = now_of(store, "mai")
    assert desk.invite(mai.id, here, NOW)
    beyond = desk.give("mai", Giving(Role.EDITOR, OTHER_COMMUNE), BOSS, NOW)
    assert refused(desk.invite, mai.id, here, NOW) == "not_your_person"
    assert refused(desk.dismiss, "mai", here, NOW) == "not_your_person"
    assert refused(desk.take, "mai", beyond.id, here, NOW) == "not_your_area"
    assert refused(desk.take, "mai", "g0", here, NOW) == "unknown_grant"
    assert refused(desk.give, "quan", Giving(Role.VIEWER, OTHER_COMMUNE), here, NOW) == "not_your_area"
    desk.take("mai", mai.grants[0].id, here, NOW)
    assert [each.name for each in desk.staff(here, NOW)] == ["mai"]
    elsewhere = alone("khac", Role.ADMINISTRATOR, "cao-bang")
    assert desk.staff(elsewhere, NOW) == []


def test_a_deputy_administrator_neither_stays_nor_unseats(store: Store, desk: Desk) -> None:
    desk.add_user(NewUser("pho", Giving(Role.ADMINISTRATOR, EVERYWHERE, until=NOW + DAY)), BOSS, NOW)
    deputy = now_of(store, "pho")
    assert refused(desk.give, "pho", Giving(Role.ADMINISTRATOR, EVERYWHERE), deputy, NOW) == "beyond_your_time"
    assert refused(desk.invite, BOSS.id, deputy, NOW) == "not_your_person"
    first = next(each for each in now_of(store, "quan").grants if each.role is Role.ADMINISTRATOR)
    assert refused(desk.take, "quan", first.id, deputy, NOW) == "beyond_your_time"
    assert refused(desk.dismiss, "quan", deputy, NOW) == "not_your_person"


def test_the_last_who_governs_for_good_neither_leaves_nor_loses_that_right(store: Store, desk: Desk) -> None:
    first = next(each for each in now_of(store, "quan").grants if each.role is Role.ADMINISTRATOR)
    desk.add_user(NewUser("pho", Giving(Role.ADMINISTRATOR, EVERYWHERE, until=NOW + 900 * DAY)), BOSS, NOW)
    desk.add_user(NewUser("tinh", Giving(Role.ADMINISTRATOR, PROVINCE)), BOSS, NOW)
    assert refused(desk.dismiss, "quan", BOSS, NOW) == "last_administrator"
    assert refused(desk.take, "quan", first.id, BOSS, NOW) == "last_administrator"
    assert set(now_of(store, "quan").grants) == set(BOSS.grants)
    desk.add_user(NewUser("hai", Giving(Role.ADMINISTRATOR, EVERYWHERE)), BOSS, NOW)
    desk.take("quan", first.id, BOSS, NOW)
    assert refused(desk.dismiss, "hai", now_of(store, "hai"), NOW) == "last_administrator"


def test_two_who_dismiss_each_other_at_once_do_not_both_succeed(store: Store, desk: Desk) -> None:
    desk.add_user(NewUser("hai", Giving(Role.ADMINISTRATOR, EVERYWHERE)), BOSS, NOW)
    other, answers, ready = now_of(store, "hai"), [], threading.Barrier(2)

    def dismiss(name: str, who: User) -> None:
        ready.wait()
        try:
            desk.dismiss(name, who, NOW)
            answers.append("left")
        except DeskError as wrong:
            answers.append(wrong.key)

    both = [threading.Thread(target=dismiss, args=each) for each in (("hai", BOSS), ("quan", other))]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(answers) == ["desk.last_administrator", "left"]


def test_who_returns_holds_what_they_held_and_nothing_more(store: Store, desk: Desk) -> None:
    desk.add_user(NewUser("mai", Giving(Role.EDITOR, COMMUNE, until=NOW + DAY), password=GOOD), BOSS, NOW)
    desk.dismiss("mai", BOSS, NOW)
    gone = now_of(store, "mai")
    assert refused(desk.announce, Wish("Nháp", draft=True), gone, NOW) == "not_allowed"
    back = desk.readmit("mai", BOSS, NOW)
    assert back.grants == gone.grants
    assert refused(desk.sign_in, "mai", GOOD, NOW) == "wrong_password"


def test_the_own_approval_s_rule_holds_beside_the_rights(store: Store) -> None:
    furnish(store)
    desk = Desk(store, "Asia/Ho_Chi_Minh", Bell(), own_approval=OwnApproval.ORDINARY)
    who = now_of(store, "hoa")
    assert state(store, desk, who, wish()) == "approved"
    assert state(store, desk, who, wish(BulletinClass.EMERGENCY)) == "submitted"


def test_people_of_before_keep_what_they_could_do(store: Store) -> None:
    when = datetime(2026, 1, 2, tzinfo=NOW.tzinfo)
    with store.database.changing_shape() as connection:
        connection.execute(sa.text("DROP TABLE grants"))
        connection.execute(sa.text("ALTER TABLE users ADD COLUMN role TEXT"))
        table = sa.Table("users", sa.MetaData(), autoload_with=connection)
        for role, area in (("editor", COMMUNE), ("approver", PROVINCE), ("administrator", EVERYWHERE)):
            row = {"id": f"u-{role}", "name": role, "role": role, "area": area, "full_name": "", "password_hash": "x"}
            at = when if not store.database.is_sqlite else when.replace(tzinfo=None)
            connection.execute(sa.insert(table).values(**row, created_at=at, disabled=False))
        with Operations.context(MigrationContext.configure(connection)):
            m0013_grants.upgrade()
    found = {each.name: {(grant.role, grant.area) for grant in each.grants} for each in store.people.all()}
    assert found == {
        "editor": {(Role.EDITOR, COMMUNE)},
        "approver": {(Role.APPROVER, PROVINCE), (Role.EMERGENCY, PROVINCE)},
        "administrator": {(role, EVERYWHERE) for role in FIRST},
    }
    (grant,) = now_of(store, "editor").grants
    assert (grant.given_at, grant.since, grant.until, grant.hours) == (when, None, None, None)
    assert store.people.get("u-editor") is not None
