"""Precedence: who goes first, and who may interrupt whom."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise, product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import NOW, job, jobs

from schedules import precedence
from schedules.simulation import simulate
from wire.config import NodeConfig, QuietHours
from wire.plan import BulletinClass, Job, Level

LEVELS = list(Level)  # central first
CLASSES = [BulletinClass.EMERGENCY, BulletinClass.PRIORITY, BulletinClass.ORDINARY]


@given(st.lists(jobs, unique_by=lambda each: each.id), st.randoms())
def test_the_order_is_total_and_the_same_whatever_order_jobs_arrive_in(found: list[Job], chance: object) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    ordered = sorted(found, key=precedence.order)
    assert sorted(shuffled, key=precedence.order) == ordered
    assert all(precedence.order(one) < precedence.order(other) for one, other in pairwise(ordered))


@given(jobs)
def test_a_job_never_cuts_into_itself(one: Job) -> None:
    assert not precedence.cuts_in(one, one)


@given(jobs, jobs)
def test_two_jobs_never_cut_into_each_other(one: Job, other: Job) -> None:
    assert not (precedence.cuts_in(one, other) and precedence.cuts_in(other, one))


@given(jobs, jobs, jobs)
def test_cutting_in_goes_down_only(one: Job, two: Job, three: Job) -> None:
    if precedence.cuts_in(one, two) and precedence.cuts_in(two, three):
        assert precedence.cuts_in(one, three)


@given(jobs, jobs)
def test_only_an_emergency_cuts_in_and_what_it_cuts_stands_lower(one: Job, other: Job) -> None:
    if precedence.cuts_in(one, other):
        assert one.bulletin_class is BulletinClass.EMERGENCY
        assert precedence.order(one) < precedence.order(other)


def test_the_decision_table_of_classes_and_levels() -> None:
    for one, other in product(product(CLASSES, LEVELS), repeat=2):
        goes_first = (CLASSES.index(one[0]), LEVELS.index(one[1])) < (CLASSES.index(other[0]), LEVELS.index(other[1]))
        wanting = job("b1", bulletin_class=one[0], level=one[1])
        playing = job("b2", bulletin_class=other[0], level=other[1])
        assert (precedence.rank(wanting) < precedence.rank(playing)) is goes_first
        assert precedence.cuts_in(wanting, playing) is (goes_first and one[0] is BulletinClass.EMERGENCY)


def test_a_drill_never_takes_the_air_from_a_real_alert_of_any_level() -> None:
    for drills, real in product(LEVELS, repeat=2):
        drill = job("b1", bulletin_class=BulletinClass.EMERGENCY, level=drills, drill=True)
        alert = job("b2", bulletin_class=BulletinClass.EMERGENCY, level=real)
        assert precedence.order(alert) < precedence.order(drill)
        assert precedence.cuts_in(alert, drill)
        assert not precedence.cuts_in(drill, alert)


def priority(name: str, **more: Any) -> Job:
    return job(name, bulletin_class=BulletinClass.PRIORITY, **more)


ordered = st.lists(
    st.builds(
        job,
        name=st.sampled_from(["b1", "b2", "b3", "b4:20261124t000000"]),
        bulletin_class=st.sampled_from([BulletinClass.PRIORITY, BulletinClass.PRIORITY, BulletinClass.ORDINARY]),
        level=st.sampled_from(Level),
        start=st.sampled_from([NOW, NOW + timedelta(seconds=30), NOW + timedelta(days=1)]),
        before=st.lists(st.sampled_from(["b1", "b2", "b3", "b4"]), max_size=3, unique=True).map(tuple),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda each: each.id,
)


def test_a_commune_s_order_puts_its_own_priority_item_first() -> None:
    above, own = priority("b1", level=Level.PROVINCE), priority("b2", level=Level.COMMUNE, before=("b1",))
    assert precedence.standing(own, [above, own]) < precedence.standing(above, [above, own])
    never = priority("b3", level=Level.CENTRAL)
    assert precedence.standing(never, [above, own, never]) < precedence.standing(own, [above, own, never])


def test_a_commune_orders_no_emergency_no_drill_behind_the_real_and_nothing_of_another_day() -> None:
    alarm = job("b1", bulletin_class=BulletinClass.EMERGENCY)
    above = priority("b2", level=Level.PROVINCE)
    tomorrow = priority("b3", level=Level.PROVINCE, start=NOW + timedelta(days=1))
    for own in (
        priority("b9", before=("b1",)),
        priority("b9", drill=True, before=("b2",)),
        priority("b9", before=("b3",)),
    ):
        assert precedence.standing(own, [alarm, above, tomorrow, own])[0] == precedence.order(own)


def test_an_item_that_comes_again_is_named_by_its_booking() -> None:
    above = priority("b1:20261124t100000", level=Level.PROVINCE)
    own = priority("b2:20261124t100000", before=("b1",))
    assert precedence.standing(own, [above, own]) < precedence.standing(above, [above, own])


@given(ordered)
def test_whatever_is_ordered_stays_a_total_order(found: list[Job]) -> None:
    keys = sorted(precedence.standing(each, found) for each in found)
    assert all(one < other for one, other in pairwise(keys))


@given(ordered)
def test_whatever_is_ordered_a_day_comes_to_its_end_and_each_job_to_one(found: list[Job]) -> None:
    config = NodeConfig("n", 1, NOW, ("n",), "http://m/", quiet_hours=QuietHours("00:00", "00:00"))
    day = simulate({each.id: each for each in found}, config, NOW - timedelta(minutes=1), NOW + timedelta(days=2))
    assert sorted(each.job.id for each in day.endings) == sorted(each.id for each in found)
