"""What is held back at planning: exactly what nobody who hears it would sound; and nothing else sounds otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from makers_node import make_config
from makers_schedules import HANOI, NOW, asset, job
from test_rulebook import limits_

from schedules import planner
from schedules.holding import Holding, Listener, held_back, judged
from schedules.planner import AreaLane
from schedules.rulebook import Rulebook
from schedules.simulation import Stretch, simulate
from wire.config import Limits, NodeConfig, QuietHours
from wire.errors import Reason
from wire.plan import BulletinClass, Job, Lane

COMMUNE, HAMLET, OTHER = "x", "x:a", "x:b"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TODAY = date(2026, 11, 24)
NEVER_QUIET = QuietHours("00:00", "00:00")
NIGHT = NOW.replace(hour=20, minute=15)  # 03:15 in Lạng Sơn


def listener(*areas: str, **more: object) -> Listener:
    facts: dict[str, object] = {"zone": HANOI, "quiet": QuietHours()} | more
    return Listener(frozenset(areas), **facts)  # type: ignore[arg-type]


def rules(limits: Limits, since: date = TODAY) -> tuple[tuple[tuple[date, Rulebook], ...], ...]:
    return (((since, Rulebook(limits)),),)


def minutes(*numbers: int) -> list[Job]:
    return [job(f"b{number}", start=NOW + number * MINUTE) for number in numbers]


def test_what_is_quiet_for_everybody_is_held_back_and_an_emergency_is_not() -> None:
    night, alarm = job("b1", start=NIGHT), job("e1", start=NIGHT, bulletin_class=BulletinClass.EMERGENCY)
    plans = {(COMMUNE, Lane.PLAN): (night, job("b2")), (COMMUNE, Lane.URGENT): (alarm,)}
    held = held_back(plans, [listener(COMMUNE), listener(COMMUNE, HAMLET)])
    assert held == {COMMUNE: {"b1": Reason.QUIET_HOURS}}
    left = Holding().left(plans, {COMMUNE: {"b1"}})
    assert left == {(COMMUNE, Lane.PLAN): (job("b2"),), (COMMUNE, Lane.URGENT): (alarm,)}


def test_where_one_loudspeaker_would_sound_it_stays_and_the_others_refuse_it_themselves() -> None:
    plans = {(COMMUNE, Lane.PLAN): (job("b1", start=NIGHT),)}
    awake = listener(COMMUNE, OTHER, own_quiet=NEVER_QUIET)
    assert held_back(plans, [listener(COMMUNE), awake]) == {}
    assert held_back(plans, [listener(COMMUNE), listener(OTHER)]) == {COMMUNE: {"b1": Reason.QUIET_HOURS}}


def test_a_day_that_is_full_holds_back_what_comes_later_that_day_by_the_rules_of_that_day() -> None:
    two_minutes = Limits(day_minutes=(2,) * 7)
    today = minutes(0, 10, 20)
    tomorrow = [replace_start(each, DAY) for each in today]
    plans = {(COMMUNE, Lane.PLAN): (*today, *tomorrow)}
    found = held_back(plans, [listener(COMMUNE, rules=rules(two_minutes))])
    assert found == {COMMUNE: {"b20": Reason.DAY_MINUTES, "b20+": Reason.DAY_MINUTES}}
    from_tomorrow = listener(COMMUNE, rules=rules(two_minutes, TODAY + DAY))
    assert held_back(plans, [from_tomorrow]) == {COMMUNE: {"b20+": Reason.DAY_MINUTES}}


def replace_start(each: Job, by: timedelta) -> Job:
    return job(each.id + "+", start=each.start + by)


def test_what_a_province_says_counts_in_the_day_of_a_commune() -> None:
    one_minute = Limits(day_minutes=(1,) * 7)
    plans = {(COMMUNE, Lane.PLAN): (job("b1", start=NOW),), (HAMLET, Lane.PLAN): (job("b2", start=NOW + 5 * MINUTE),)}
    assert held_back(plans, [listener(COMMUNE, HAMLET, rules=rules(one_minute))]) == {
        HAMLET: {"b2": Reason.DAY_MINUTES}
    }
    assert held_back(plans, [listener(HAMLET, rules=rules(one_minute))]) == {}


some_jobs = st.lists(
    st.builds(
        job,
        name=st.from_regex(r"b[0-9]{2}", fullmatch=True),
        start=st.integers(0, 3 * 96).map(lambda quarter: NOW + quarter * 15 * MINUTE),
        bulletin_class=st.sampled_from([BulletinClass.ORDINARY, BulletinClass.PRIORITY]),
        asset=st.integers(1, 20).map(lambda minutes: asset("a", 60 * minutes)),
    ),
    max_size=8,
    unique_by=lambda each: each.id,
)
some_listeners = st.lists(
    st.builds(
        Listener,
        areas=st.sets(st.sampled_from([COMMUNE, HAMLET, OTHER]), min_size=1).map(frozenset),
        zone=st.just(HANOI),
        quiet=st.sampled_from([QuietHours(), NEVER_QUIET]),
        rules=st.sampled_from([(), None]) | st.just(None),
        own_quiet=st.none() | st.just(QuietHours("12:00", "14:00")),
    ),
    min_size=1,
    max_size=3,
)


@given(some_jobs, some_jobs, some_listeners, limits_)
def test_every_loudspeaker_sounds_the_same_with_and_without_the_planners_guard(
    here: list[Job], there: list[Job], hearing: list[Listener], limits: Limits
) -> None:
    hearing = [replace(each, rules=rules(limits, TODAY - DAY) if each.rules is None else ()) for each in hearing]
    plans: dict[AreaLane, tuple[Job, ...]] = {
        (COMMUNE, Lane.PLAN): tuple(here),
        (HAMLET, Lane.PLAN): tuple(job_ for job_ in there if job_.id not in {each.id for each in here}),
    }
    held = held_back(plans, hearing)
    left = Holding().left(plans, {area: set(each) for area, each in held.items()})
    for each in hearing:
        assert sounds(left, each) == sounds(plans, each)
        refused = judged(planner.of_areas(plans, each.areas, NOW), each)
        for area in each.areas & held.keys():
            assert set(held[area]) <= set(refused)


def sounds(plans: dict[AreaLane, tuple[Job, ...]], hearing: Listener) -> tuple[Stretch, ...]:
    """What a node that hangs there sounds in four days."""
    jobs = {each.id: each for each in planner.of_areas(plans, hearing.areas, NOW)}
    return simulate(jobs, config_of(hearing), NOW - DAY, NOW + 4 * DAY).stretches


def config_of(hearing: Listener) -> NodeConfig:
    rulebook = hearing.rulebook(TODAY) or Rulebook()
    quiet = hearing.own_quiet or rulebook.quiet or hearing.quiet
    return make_config(quiet_hours=quiet, zone=HANOI, limits=rulebook.limits)


@given(st.lists(st.tuples(some_jobs, some_listeners), min_size=1, max_size=4))
def test_who_judges_again_and_again_judges_as_for_the_first_time(looks: list[tuple[list[Job], list[Listener]]]) -> None:
    again = Holding()
    for found, some in looks:
        hearing = [replace(each, rules=each.rules or ()) for each in some]
        plans = {(COMMUNE, Lane.PLAN): tuple(found)}
        held = again.held_back(plans, hearing)
        assert held == held_back(plans, hearing)
        gone = {area: set(each) for area, each in held.items()}
        assert again.left(plans, gone) == Holding().left(plans, gone)
        assert again.left(plans, gone)[COMMUNE, Lane.PLAN] is again.left(plans, gone)[COMMUNE, Lane.PLAN]
