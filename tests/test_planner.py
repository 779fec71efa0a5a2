"""The planner: bookings in, the same jobs out, whatever order they come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW, asset, booking, bookings

from schedules import moments, planner
from schedules.booking import SKIP_GRACE, Booking
from wire import codec, topics
from wire.names import area_id
from wire.plan import MAX_JOBS, MAX_SPOKEN_CHARS, BulletinClass, Job, Lane, Late, Plan

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HAMLET = "lang-son:dong-dang"


def document(area: str, lane: Lane, jobs: tuple[Job, ...]) -> bytes:
    return codec.write(Plan(area, lane, 1, NOW, NOW + planner.VALIDITY, jobs))


def written(found: list[Booking], now: datetime = NOW) -> dict[planner.AreaLane, bytes]:
    return {key: document(*key, jobs) for key, jobs in planner.plan(found, now).items()}


@given(bookings, st.randoms())
def test_the_order_of_bookings_does_not_matter_to_a_single_byte(found: list[Booking], chance: Random) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert list(written(shuffled).items()) == list(written(found).items())


@given(bookings)
def test_every_plan_is_one_that_a_node_reads_back_equal(found: list[Booking]) -> None:
    for (area, lane), jobs in planner.plan(found, NOW).items():
        assert codec.read(Plan, document(area, lane, jobs), topics.PLAN.most_bytes).jobs == jobs


@given(bookings)
def test_job_names_are_unique_and_valid_on_the_wire(found: list[Booking]) -> None:
    for jobs in planner.plan(found, NOW).values():
        assert len({job.id for job in jobs}) == len(jobs)
        assert all(area_id(job.id) == job.id for job in jobs)


@given(bookings)
def test_a_plan_keeps_the_past_and_stops_at_the_horizon(found: list[Booking]) -> None:
    expected = {
        (area, planner.job_id(each, start))
        for each in found
        for start in each.starts
        for area in each.areas
        if each.deadline(start) >= NOW - 2 * DAY and start <= NOW + 14 * DAY
    }
    assert {(area, job.id) for (area, _), jobs in planner.plan(found, NOW).items() for job in jobs} == expected


@given(bookings)
def test_the_union_of_all_plans_is_every_job_once(found: list[Booking]) -> None:
    merged = planner.merge((NOW, jobs) for jobs in planner.plan(found, NOW).values())
    assert merged == {job.id: job for each in found for job in planner.jobs_of(each, NOW)}


@given(bookings, st.data())
def test_an_edit_in_one_area_leaves_the_other_areas_as_they_were(found: list[Booking], data: st.DataObject) -> None:
    edited = booking("edited", areas=("z",))
    before = written([*found, edited])
    after = written([*found, booking("edited", NOW + 3 * HOUR, areas=("z",), title="Đã sửa")])
    assert before.pop(("z", Lane.PLAN)) != after.pop(("z", Lane.PLAN))
    assert before == after


@given(bookings)
def test_emergencies_and_nothing_else_travel_in_the_urgent_lane(found: list[Booking]) -> None:
    for (_, lane), jobs in planner.plan(found, NOW).items():
        assert all((job.bulletin_class is BulletinClass.EMERGENCY) == (lane is Lane.URGENT) for job in jobs)


def test_the_edges_of_the_window_are_inside_it() -> None:
    late_for = timedelta(minutes=30)
    edges = [NOW - planner.KEPT_PAST - late_for, NOW + planner.HORIZON]
    assert [job.start for job in planner.jobs_of(booking("b1", *edges), NOW)] == edges
    outside = [edges[0] - timedelta(seconds=1), edges[1] + timedelta(seconds=1)]
    assert planner.jobs_of(booking("b1", *outside), NOW) == []


def test_one_airing_has_the_bookings_name_and_several_have_their_starts() -> None:
    assert [job.id for job in planner.jobs_of(booking("b1"), NOW)] == ["b1"]
    twice = booking("b1", NOW + HOUR, NOW + 25 * HOUR)
    assert [job.id for job in planner.jobs_of(twice, NOW)] == ["b1:20261124t040000", "b1:20261125t040000"]


def test_a_repeating_booking_whose_starts_shrink_to_one_does_not_rename_its_job() -> None:
    many = booking("b1", NOW + HOUR, NOW + 25 * HOUR, repeats=True)
    one = booking("b1", NOW + 25 * HOUR, repeats=True)
    assert planner.jobs_of(many, NOW)[1] == planner.jobs_of(one, NOW)[0]


def test_the_same_moment_in_two_zones_is_one_job_in_utc() -> None:
    start = NOW + HOUR
    there = start.astimezone(timezone(timedelta(hours=7)))
    found = planner.jobs_of(booking("b1", start, there), NOW)
    assert [(job.id, job.start) for job in found] == [("b1", start)]
    assert b"04:00:00Z" in codec.write(found[0])
    assert written([booking("b1", there, start + DAY)]) == written([booking("b1", start, start + DAY)])


def test_two_starts_within_one_second_are_two_jobs() -> None:
    found = planner.jobs_of(booking("b1", NOW, NOW + timedelta(milliseconds=1)), NOW)
    assert [job.id for job in found] == ["b1:20261124t030000", "b1:20261124t030000-001000"]
    assert all(area_id(job.id) for job in found)


def test_an_area_named_twice_gets_the_job_once() -> None:
    plans = planner.plan([booking("b1", areas=(HAMLET, HAMLET))], NOW)
    assert [job.id for job in plans[HAMLET, Lane.PLAN]] == ["b1"]


def test_a_job_met_in_two_plans_is_what_the_newest_says() -> None:
    old = planner.jobs_of(booking("b1", title="cũ"), NOW)
    new = planner.jobs_of(booking("b1", title="mới"), NOW)
    for plans in ([(NOW, tuple(old)), (NOW + HOUR, tuple(new))], [(NOW + HOUR, tuple(new)), (NOW, tuple(old))]):
        assert planner.merge(plans)["b1"].title == "mới"


def test_a_job_that_may_not_be_late_has_a_short_grace() -> None:
    job = planner.jobs_of(booking("b1", late=Late.SKIP), NOW)[0]
    assert job.deadline - job.start == SKIP_GRACE


def test_validity_over_25_days() -> None:
    """Shipped elsewhere: a window over 24.8 days overflowed 31 bits of milliseconds."""
    for days in (25, 40, 400):
        kept = booking("b1", NOW + HOUR, late=Late.UNTIL_EXPIRY, late_for=days * DAY)
        for now in (NOW, NOW + (days - 1) * DAY, NOW + (days + 2) * DAY):
            jobs = planner.plan([kept], now)[HAMLET, Lane.PLAN]
            back = codec.read(Plan, document(HAMLET, Lane.PLAN, jobs), topics.PLAN.most_bytes).jobs[0]
            assert back.deadline == NOW + HOUR + days * DAY
        assert planner.plan([kept], NOW + (days + 3) * DAY) == {}


def test_a_device_offline_when_booked_finds_the_job_in_every_later_plan() -> None:
    """Shipped elsewhere: a device that was off at scheduling time never got the programme."""
    ahead = booking("b1", NOW + 10 * DAY)
    for day in range(10):
        assert [job.id for job in planner.plan([ahead], NOW + day * DAY)[HAMLET, Lane.PLAN]] == ["b1"]


@pytest.mark.parametrize("text", ["28/02/2028 23:59", "29/02/2028 05:00", "31/12/2026 23:30", "01/01/2027 00:00"])
def test_leap_days_and_the_years_end_are_days_like_others(text: str) -> None:
    start = moments.read(text, NOW, HANOI)
    assert [job.start for job in planner.jobs_of(booking("b1", start), start - DAY)] == [start]


def test_a_plan_never_holds_more_jobs_than_a_node_reads() -> None:
    starts = [NOW + timedelta(minutes=minute) for minute in range(MAX_JOBS + 100)]
    jobs = planner.plan([booking("b1", *starts)], NOW)[HAMLET, Lane.PLAN]
    assert [job.start for job in jobs] == starts[:MAX_JOBS]


@pytest.mark.parametrize(
    ("bulletin_class", "line"), [(BulletinClass.ORDINARY, topics.PLAN), (BulletinClass.EMERGENCY, topics.URGENT)]
)
def test_a_sealed_plan_fits_its_topic_however_much_is_to_be_spoken(
    bulletin_class: BulletinClass, line: topics.Line
) -> None:
    spoken = "ệ" * MAX_SPOKEN_CHARS
    starts = [NOW + timedelta(minutes=minute) for minute in range(800)]
    much = booking("b1", *starts, spoken=spoken, bulletin_class=bulletin_class)
    ((key, jobs),) = planner.plan([much], NOW).items()
    assert 10 < len(jobs) < len(starts)
    assert [job.start for job in jobs] == starts[: len(jobs)]
    assert len(document(*key, jobs)) * 4 / 3 + 2000 < line.most_bytes


def test_what_did_not_fit_enters_when_the_window_moves_on() -> None:
    starts = [NOW + timedelta(minutes=minute) for minute in range(MAX_JOBS + 100)]
    later = NOW + 4 * DAY
    jobs = planner.plan([booking("b1", *starts, asset=asset("b"))], later)[HAMLET, Lane.PLAN]
    assert jobs[-1].start == starts[-1]
    assert jobs[0].start.tzinfo is UTC


@given(st.lists(st.tuples(bookings, st.sampled_from([0, 1, 60, 86400, -3600, 20 * 86400])), min_size=1, max_size=5))
def test_who_plans_again_and_again_plans_as_for_the_first_time(looks: list[tuple[list[Booking], int]]) -> None:
    again, now, kept = planner.Planner(), NOW, list[Booking]()
    for fresh, seconds in looks:
        now += timedelta(seconds=seconds)
        kept = [*kept[: len(kept) // 2], *(each for each in fresh if each.id not in {old.id for old in kept})]
        assert list(again.plan(kept, now).items()) == list(planner.plan(kept, now).items())


@given(bookings, st.integers(0, 400 * 3600))
def test_what_time_alone_changes_is_worked_out_again_at_that_moment(found: list[Booking], seconds: int) -> None:
    again = planner.Planner()
    again.plan(found, NOW)
    ends = (each.deadline(start) + planner.KEPT_PAST for each in found for start in each.starts)
    moments_ = [NOW + timedelta(seconds=seconds), *ends, *(s - planner.HORIZON for b in found for s in b.starts)]
    for moment in sorted(moments_):
        for now in (moment, moment + timedelta(microseconds=1)):
            assert again.plan(found, now) == planner.plan(found, now)


def test_an_area_whose_bookings_are_the_same_objects_keeps_its_jobs() -> None:
    here, there = booking("b1", areas=("x",)), booking("b2", areas=("y",))
    again = planner.Planner()
    first = again.plan([here, there], NOW)
    edited = booking("b2", areas=("y",), title="Sửa")
    second = again.plan([here, edited], NOW + timedelta(minutes=1))
    assert second["x", Lane.PLAN] is first["x", Lane.PLAN]
    assert second["y", Lane.PLAN][0].title == "Sửa"
