"""Precedence: who goes first, and who may interrupt whom."""

from __future__ import annotations

from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import job, jobs

from schedules import precedence
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
