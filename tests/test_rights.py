"""Rights: what a person may do, where and when, by what they were given; and what they may give on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import rights
from controller.rights import DAY, EVERYWHERE, FIRST, PERMISSIONS, DutyHours, Grant, Permission, Role
from schedules.moments import at_local

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)  # Tuesday, 12:00 in Việt Nam
ZONE = "Asia/Ho_Chi_Minh"
AREAS = (
    "*",
    "lang-son",
    "lang-son:dong-dang",
    "lang-son:dong-dang:thon-1",
    "lang-son:tam-thanh",
    "lang-son-2",
    "cao-bang",
)
NIGHT = DutyHours(tuple(range(7)), "18:00", "06:00", ZONE)


@dataclass(frozen=True)
class Somebody:
    """A person by what they hold."""

    grants: tuple[Grant, ...] = ()
    area: str = "lang-son:dong-dang"
    disabled: bool = False


def grant(role: Role, area: str = EVERYWHERE, **rest: object) -> Grant:
    return Grant(f"g-{role}-{area}", role, area, "u-quan", NOW, **rest)  # type: ignore[arg-type]


moments_near = st.integers(-60 * 24 * 30, 60 * 24 * 30).map(lambda minutes: NOW + timedelta(minutes=minutes))
clocks = st.integers(0, 47).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
duties = st.builds(
    DutyHours,
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    clocks,
    clocks,
    st.just(ZONE),
)
grants = st.builds(
    Grant,
    st.just("g"),
    st.sampled_from(Role),
    st.sampled_from(AREAS),
    st.just("u"),
    st.just(NOW),
    st.none() | moments_near,
    st.none() | moments_near,
    st.none() | duties,
)
people = st.builds(Somebody, st.lists(grants, max_size=4).map(tuple), st.sampled_from(AREAS))
acts, places = st.sampled_from(Permission), st.sampled_from(AREAS)


def test_six_roles_are_sets_and_none_holds_another_but_what_everybody_reads() -> None:
    table = {role.value: {act.value for act in PERMISSIONS[role]} for role in Role}
    assert table == {
        "viewer": {"read"},
        "editor": {"read", "write"},
        "approver": {"read", "write", "approve", "programme"},
        "emergency": {"read", "warn"},
        "operator": {"read", "equip", "release"},
        "administrator": {"read", "places", "policy", "people", "audit", "keys"},
    }
    assert {act for role in Role for act in PERMISSIONS[role]} == set(Permission)
    assert set(Permission) == {act for role in FIRST for act in PERMISSIONS[role]}  # the first person can do everything


@given(people, acts, places, moments_near)
def test_who_has_left_may_nothing(person: Somebody, act: Permission, place: str, now: datetime) -> None:
    assert not rights.may(replace(person, disabled=True), act, place, now)


@given(people, acts, places, moments_near)
def test_a_right_comes_from_one_grant_that_has_the_act_the_area_and_the_moment(
    person: Somebody, act: Permission, place: str, now: datetime
) -> None:
    found = any(rights.may(replace(person, grants=(each,)), act, place, now) for each in person.grants)
    assert rights.may(person, act, place, now) is found


@given(people, grants, acts, places, moments_near)
def test_one_more_grant_takes_nothing_away(
    person: Somebody, more: Grant, act: Permission, place: str, now: datetime
) -> None:
    if rights.may(person, act, place, now):
        assert rights.may(replace(person, grants=(*person.grants, more)), act, place, now)


@given(grants, grants, acts, places, moments_near)
def test_what_one_grant_covers_never_allows_more_than_it(
    wider: Grant, narrower: Grant, act: Permission, place: str, now: datetime
) -> None:
    narrower = replace(narrower, role=wider.role)
    if rights.covers(wider, narrower) and rights.may(Somebody((narrower,)), act, place, now):
        assert rights.may(Somebody((wider,)), act, place, now)


@given(grants, acts, places, moments_near, st.data())
def test_a_right_never_widens_by_shrinking_its_area_or_its_time(
    wide: Grant, act: Permission, place: str, now: datetime, data: st.DataObject
) -> None:
    below = [each for each in AREAS if wide.area in (EVERYWHERE, each) or each.startswith(f"{wide.area}:")]
    later, sooner = data.draw(moments_near), data.draw(moments_near)
    narrow = replace(
        wide,
        area=data.draw(st.sampled_from(below)),
        since=max(later, wide.since or later),
        until=min(sooner, wide.until or sooner),
        hours=wide.hours or data.draw(st.none() | duties),
    )
    assert rights.covers(wide, narrow)
    if rights.may(Somebody((narrow,)), act, place, now):
        assert rights.may(Somebody((wide,)), act, place, now)


@given(people, grants, moments_near, moments_near, places)
def test_nobody_gives_what_reaches_beyond_their_own_say(
    giver: Somebody, gift: Grant, now: datetime, later: datetime, place: str
) -> None:
    if rights.may_give(giver, gift, now):
        assert rights.may(giver, Permission.PEOPLE, gift.area, now)
        counts = later >= now and rights.in_force(gift, later)
        if counts and any(rights.may(Somebody((gift,)), act, place, later) for act in Permission):
            assert rights.may(giver, Permission.PEOPLE, place, later)


@given(people, st.lists(grants, max_size=3), moments_near, moments_near, places)
def test_no_chain_of_gifts_leads_out_of_the_first_say(
    giver: Somebody, chain: list[Grant], now: datetime, later: datetime, place: str
) -> None:
    holder = giver
    for gift in chain:
        if rights.may_give(holder, gift, now):
            holder = Somebody((gift,))
    if later >= now and rights.may(holder, Permission.PEOPLE, place, later):
        assert rights.may(giver, Permission.PEOPLE, place, later)


@given(people, people, moments_near)
def test_who_is_answered_for_has_no_say_beyond_that_of_who_answers(
    one: Somebody, other: Somebody, now: datetime
) -> None:
    if rights.answers_for(one, other, now):
        for each in rights.reach(other, Permission.READ, now):
            assert rights.may(one, Permission.PEOPLE, each, now)


@given(people, acts, moments_near)
def test_the_areas_of_a_reach_hold_no_other_of_them(person: Somebody, act: Permission, now: datetime) -> None:
    found = rights.reach(person, act, now)
    assert all(one == two or not two.startswith(f"{one}:") for one in found for two in found)
    assert EVERYWHERE not in found or found == (EVERYWHERE,)
    for place in AREAS:
        assert rights.may(person, act, place, now) == any(
            each in (EVERYWHERE, place) or place.startswith(f"{each}:") for each in found
        )


def test_a_deputy_s_right_begins_and_ends_to_the_second() -> None:
    since, until = NOW + 7 * DAY, NOW + 21 * DAY
    deputy = Somebody((grant(Role.APPROVER, since=since, until=until),))
    second = timedelta(seconds=1)
    for moment, true in ((since - second, False), (since, True), (until - second, True), (until, False)):
        assert rights.may(deputy, Permission.APPROVE, "lang-son", moment) is true


@pytest.mark.parametrize(
    ("day", "clock", "true"),
    [
        (24, time(17, 59), False),
        (24, time(18), True),
        (24, time(23, 59), True),
        (25, time(0), True),
        (25, time(5, 59), True),
        (25, time(6), False),
        (28, time(3), True),  # Saturday morning belongs to Friday's duty
        (28, time(18), False),
        (30, time(3), False),  # Monday morning to Sunday's
    ],
)
def test_hours_of_duty_go_over_midnight_and_belong_to_the_day_they_begin_on(day: int, clock: time, true: bool) -> None:
    week = DutyHours((0, 1, 2, 3, 4), "18:00", "06:00", ZONE)
    officer = Somebody((grant(Role.EMERGENCY, hours=week),))
    moment = at_local(datetime(2026, 11, day, tzinfo=UTC).date(), clock, ZONE)
    assert rights.may(officer, Permission.WARN, "lang-son", moment) is true


def test_equal_ends_are_a_whole_day() -> None:
    tuesday = DutyHours((1,), "00:00", "00:00", ZONE)
    hours = [NOW + timedelta(hours=each) for each in range(-40, 40)]
    held = [each for each in hours if tuesday.hold(each)]
    assert (held[0], held[-1], len(held)) == (NOW - timedelta(hours=12), NOW + timedelta(hours=11), 24)


def test_an_area_whose_name_begins_alike_is_another() -> None:
    editor = Somebody((grant(Role.EDITOR, "lang-son"),))
    assert rights.may(editor, Permission.WRITE, "lang-son:dong-dang", NOW)
    assert not rights.may(editor, Permission.WRITE, "lang-son-2", NOW)
    assert not rights.may(editor, Permission.WRITE, EVERYWHERE, NOW)


def test_a_deputy_administrator_gives_nothing_that_outlasts_them() -> None:
    end = NOW + 14 * DAY
    deputy = Somebody((grant(Role.ADMINISTRATOR, "lang-son", until=end),))
    assert rights.may_give(deputy, grant(Role.EDITOR, "lang-son:dong-dang", until=end), NOW)
    assert not rights.may_give(deputy, grant(Role.EDITOR, "lang-son:dong-dang"), NOW)
    assert not rights.may_give(deputy, grant(Role.VIEWER, "cao-bang", until=end), NOW)
    assert not rights.may_give(deputy, grant(Role.EDITOR, "lang-son", until=end), end)
    nightly = Somebody((grant(Role.ADMINISTRATOR, hours=NIGHT),))
    midnight = NOW + timedelta(hours=12)
    assert rights.may_give(nightly, grant(Role.EDITOR, hours=NIGHT), midnight)
    assert not rights.may_give(nightly, grant(Role.EDITOR), midnight)


def test_a_deputy_takes_over_nobody_who_governs_longer() -> None:
    deputy = Somebody((grant(Role.ADMINISTRATOR, until=NOW + DAY),), EVERYWHERE)
    lasting = Somebody((grant(Role.ADMINISTRATOR, "lang-son"),))
    assert rights.answers_for(deputy, Somebody((grant(Role.EDITOR),)), NOW)
    assert not rights.answers_for(deputy, lasting, NOW)
    assert not rights.answers_for(
        lasting, Somebody((grant(Role.VIEWER, "lang-son:tam-thanh"), grant(Role.VIEWER))), NOW
    )


@pytest.mark.parametrize(
    ("held", "true"),
    [
        (grant(Role.ADMINISTRATOR), True),
        (grant(Role.ADMINISTRATOR, "lang-son"), False),
        (grant(Role.ADMINISTRATOR, until=NOW + 3650 * DAY), False),
        (grant(Role.ADMINISTRATOR, since=NOW + DAY), False),
        (grant(Role.ADMINISTRATOR, hours=DutyHours(tuple(range(7)), "00:00", "23:30", ZONE)), False),
        (grant(Role.APPROVER), False),
    ],
)
def test_a_station_is_governed_by_who_administers_everything_for_good(held: Grant, true: bool) -> None:
    assert rights.is_governed([Somebody((held,))], NOW) is true
    assert not rights.is_governed([Somebody((held,), disabled=True)], NOW)
