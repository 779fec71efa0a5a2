"""The node's decision: cases a person can check, then everything that can happen at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers_node import T0, after, make_asset, make_config, make_emergency, make_job
from makers_world import World, happen, run

from schedules import standing_in
from schedules.docket import Docket, Situation
from schedules.due import Accept, Cut, End, OnAir, Phase, Record, Start, due, fresh, next_look
from wire.config import QuietHours
from wire.errors import Reason
from wire.plan import AfterCut, BulletinClass, Job, Level, Relay
from wire.receipt import Step

NEVER_QUIET = QuietHours("00:00", "00:00")


def situation(*jobs: Job, now: datetime = T0, **changed: object) -> Situation:
    known = {job.id: job for job in jobs}
    base = Situation(Docket(known, {job.id: fresh(job) for job in jobs}), None, make_config(), now)
    return but(base, **changed)


def but(s: Situation, **changed: Any) -> Situation:
    """``s`` with other jobs, records, or anything else."""
    jobs, records = changed.pop("jobs", s.jobs), changed.pop("records", s.records)
    return replace(s, docket=Docket(jobs, records), **changed)


def with_record(s: Situation, job_id: str, **changed: object) -> Situation:
    records = dict(s.records)
    records[job_id] = msgspec.structs.replace(records[job_id], **changed)
    return but(s, records=records)


def test_a_new_job_is_accepted_and_started_in_one_go() -> None:
    job = make_emergency()
    assert due(situation(job, records={})) == [Accept(job), Start(job, T0, 0)]


def test_a_job_is_handed_over_two_seconds_before_its_second() -> None:
    job = make_job()
    assert due(situation(job, now=after(-2.1))) == []
    assert due(situation(job, now=after(-2))) == [Start(job, T0, 0)]


def test_a_late_joiner_sounds_until_the_deadline_and_not_after() -> None:
    job = make_job()
    assert due(situation(job, now=job.deadline)) == [Start(job, job.deadline, 0)]
    late = job.deadline + timedelta(milliseconds=1)
    assert due(situation(job, now=late)) == [End("b1", Step.MISSED, Reason.LATE)]


def test_missing_audio_is_named_in_the_outcome() -> None:
    s = situation(make_job(), now=after(3600), unready={"b1": Reason.BAD_HASH})
    assert due(s) == [End("b1", Step.MISSED, Reason.BAD_HASH)]


def test_a_job_that_is_met_when_it_is_over_is_late_whatever_else_it_lacks() -> None:
    job, other = make_job(), make_job("b2", after(3590))
    s = situation(job, now=after(3600), records={}, unready={"b1": Reason.NO_AUDIO})
    assert due(s) == [Accept(job), End("b1", Step.MISSED, Reason.LATE)]
    s = situation(job, other, now=after(3600), records={"b2": fresh(other)}, on_air=OnAir(other, sounding=True))
    assert due(s) == [Accept(job), End("b1", Step.MISSED, Reason.LATE)]


def test_an_emergency_cuts_in_and_the_item_is_paused() -> None:
    item, alarm = make_job(start=after(-5)), make_emergency()
    s = situation(item, alarm, on_air=OnAir(item, sounding=True))
    assert due(s) == [Cut("b1", Step.PAUSED, Reason.OUTRANKED), Start(alarm, T0, 0)]


def test_the_loudspeaker_is_not_taken_before_the_emergencys_second() -> None:
    item, alarm = make_job(start=after(-5)), make_emergency(start=after(1.5))
    s = situation(item, alarm, on_air=OnAir(item, sounding=True))
    assert due(s) == []
    assert next_look(s) == after(1.2)
    assert [type(act) for act in due(but(s, now=after(1.2)))] == [Cut, Start]


def test_an_item_to_be_dropped_ends_as_preempted() -> None:
    item, alarm = make_job(start=after(-5), after_cut=AfterCut.DROP), make_emergency()
    s = situation(item, alarm, on_air=OnAir(item, sounding=True))
    assert due(s)[0] == Cut("b1", Step.PREEMPTED, Reason.OUTRANKED)


def test_a_priority_item_goes_ahead_of_a_primed_one_and_does_not_cut_a_sounding_one() -> None:
    item, news = make_job(), make_job("p1", bulletin_class=BulletinClass.PRIORITY)
    assert due(situation(item, news, on_air=OnAir(item, sounding=True))) == []
    assert due(situation(item, news, on_air=OnAir(item, sounding=False)))[0] == Cut("b1", None)


def test_a_paused_item_goes_on_where_it_stopped_and_a_restarting_one_at_the_beginning() -> None:
    item = make_job()
    s = with_record(situation(item, now=after(60)), "b1", phase=Phase.PAUSED, position_ms=4000)
    assert due(s) == [Start(item, after(60), 4000)]
    again = make_job(after_cut=AfterCut.RESTART)
    s = with_record(situation(again, now=after(60)), "b1", phase=Phase.PAUSED, position_ms=4000)
    assert due(s) == [Start(again, after(60), 0)]


def test_a_crash_resumes_until_the_last_moment_then_ends_as_interrupted() -> None:
    item = make_job()
    s = with_record(
        situation(item, now=item.deadline + timedelta(seconds=4)), "b1", phase=Phase.ON_AIR, position_ms=4000
    )
    assert due(s) == [Start(item, s.now, 4000)]
    late = but(s, now=s.now + timedelta(milliseconds=1))
    assert due(late) == [End("b1", Step.INTERRUPTED, Reason.LATE)]


def test_an_emergency_starts_over_after_a_crash_and_its_expiry_does_not_move() -> None:
    alarm = make_emergency(late_for=60)
    s = with_record(situation(alarm, now=after(30)), "e1", phase=Phase.ON_AIR, position_ms=4000)
    assert due(s) == [Start(alarm, after(30), 0)]
    assert due(but(s, now=after(60.001))) == [End("e1", Step.INTERRUPTED, Reason.LATE)]


@pytest.mark.parametrize("phase", [Phase.ON_AIR, Phase.PAUSED])
def test_a_crash_or_cut_in_the_last_moment_of_a_job_counts_as_sounded(phase: Phase) -> None:
    s = with_record(situation(make_job(), now=after(60)), "b1", phase=phase, position_ms=9800)
    assert due(s) == [End("b1", Step.SOUNDED)]


def test_a_withdrawn_job_is_cut_and_the_next_begins_at_once() -> None:
    gone, waiting = make_job(start=after(-5)), make_job("b2", start=after(-1))
    s = situation(gone, waiting, on_air=OnAir(gone, sounding=True))
    assert due(but(s, jobs={"b2": waiting})) == [Cut("b1", Step.WITHDRAWN), Start(waiting, T0, 0)]


def test_a_job_that_left_the_plan_long_after_its_deadline_was_missed_not_withdrawn() -> None:
    s = situation(make_job(), now=after(3 * 86400), jobs={})
    assert due(s) == [End("b1", Step.MISSED, Reason.LATE)]
    assert due(but(s, now=T0)) == [End("b1", Step.WITHDRAWN)]


def test_an_edit_reaches_a_primed_job_but_not_a_sounding_one() -> None:
    old, new = make_job(), make_job(asset=make_asset("new"))
    s = situation(new, records={"b1": fresh(old)}, on_air=OnAir(old, sounding=False))
    assert due(s) == [Accept(new), Cut("b1", None), Start(new, T0, 0)]
    assert due(but(s, on_air=OnAir(old, sounding=True))) == []


def test_a_position_in_other_audio_is_worth_nothing() -> None:
    new = make_job(asset=make_asset("new"))
    record = Record("b1", Phase.PAUSED, T0, new.deadline, make_asset("old").sha256, 4000)
    assert due(situation(new, records={"b1": record})) == [Start(new, T0, 0)]


def test_quiet_hours_refuse_the_start_and_cut_what_runs_into_them() -> None:
    nine = T0 + timedelta(hours=11)  # 21:00 in Viet Nam
    assert due(situation(make_job(start=nine), now=nine)) == [End("b1", Step.REFUSED, Reason.QUIET_HOURS)]
    running = make_job(start=nine - timedelta(seconds=5))
    s = situation(running, now=nine - timedelta(seconds=1), on_air=OnAir(running, sounding=True))
    assert next_look(s) == nine
    assert due(but(s, now=nine)) == [Cut("b1", Step.PREEMPTED, Reason.QUIET_HOURS)]
    assert due(situation(make_emergency(start=nine), now=nine))[0] == Start(make_emergency(start=nine), nine, 0)


def test_a_negative_offset_does_not_refuse_the_five_oclock_programme() -> None:
    five = T0 + timedelta(hours=19)  # 05:00 in Viet Nam
    job = make_job(start=five)
    s = situation(job, now=five - timedelta(seconds=2), config=make_config(offset_ms=-500))
    assert due(s) == [Start(job, five, 0)]


def test_maintenance_silences_everything_but_an_emergency() -> None:
    quiet = make_config(maintenance=True)
    item, alarm = make_job(), make_emergency()
    assert due(situation(item, config=quiet)) == [End("b1", Step.REFUSED, Reason.MAINTENANCE)]
    assert due(situation(item, config=quiet, now=after(-1))) == []
    assert due(situation(alarm, config=quiet)) == [Start(alarm, T0, 0)]
    assert due(situation(item, config=quiet, on_air=OnAir(item, sounding=True)))[0] == Cut(
        "b1", Step.PREEMPTED, Reason.MAINTENANCE
    )


def test_with_the_time_unknown_only_an_emergency_begins_and_nothing_else_ends_for_being_late() -> None:
    item, alarm = make_job(), make_emergency(start=after(7000))
    s = situation(item, alarm, now=after(7200), clock_known=False)
    assert due(s) == [Start(alarm, s.now, 0)]
    expired = but(s, now=alarm.deadline + timedelta(seconds=1))
    assert due(expired) == [End("e1", Step.MISSED, Reason.LATE)]


def test_a_clock_that_jumps_back_takes_the_primed_job_back() -> None:
    item = make_job()
    s = situation(item, now=after(-3600), on_air=OnAir(item, sounding=False))
    assert due(s) == [Cut("b1", None)]


def test_a_central_emergency_cuts_into_a_communes_and_not_the_other_way_round() -> None:
    commune, central = make_emergency("e1"), make_emergency("e2", level=Level.CENTRAL)
    assert due(situation(commune, central, on_air=OnAir(central, sounding=True))) == []
    assert due(situation(commune, central, on_air=OnAir(commune, sounding=True)))[0] == Cut(
        "e1", Step.PAUSED, Reason.OUTRANKED
    )


# -- everything that can happen, tick by tick --------------------------------------------------------------


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    emergency = draw(st.integers(0, 3)) == 0
    make = make_emergency if emergency else make_job
    changed: dict[str, object] = {
        "after_cut": draw(st.sampled_from(AfterCut)),
        "duck": draw(st.booleans()),
        "level": draw(st.sampled_from(Level)),
        "late_for": draw(st.sampled_from([0, 5, 30, 300])),
        "asset": make_asset(draw(st.sampled_from("abc")), draw(st.sampled_from([1, 500, 7000, 60_000]))),
    }
    if not emergency:
        changed["bulletin_class"] = draw(st.sampled_from([BulletinClass.ORDINARY, BulletinClass.PRIORITY]))
    elif draw(st.booleans()):
        changed |= {"spoken": draw(st.sampled_from(["Lũ về.", "Bão về."]))}
        changed |= {} if draw(st.booleans()) else {"asset": None}
    name = f"b{draw(st.integers(0, 5))}"
    start = EDGE + timedelta(seconds=draw(st.sampled_from([-90, -30, -5, -1, 0, 1, 2, 20, 40])))
    if draw(st.integers(0, 3)) == 0:
        relay = Relay("https://radio.example/live", draw(st.sampled_from([1, 500, 7000, 60_000, 200_000])))
        changed |= {"asset": None, "relay": relay}
    return make(name, start, **changed)


EDGE = T0 + timedelta(hours=11)  # around 21:00, where quiet hours begin
_events = st.one_of(
    st.tuples(st.just("plan"), jobs()),
    st.tuples(st.just("plan"), jobs()),
    st.tuples(st.sampled_from(["withdraw", "unready", "ready", "speaks", "sirens"]), st.integers(0, 5)),
    st.tuples(st.sampled_from(["crash", "unknown", "known", "maintenance", "work"]), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 0.3, 1, 3, 20, 100])),
    st.tuples(st.just("jump"), st.sampled_from([-30, -3, 5, 60])),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_events, max_size=25), st.sampled_from([0, 0, 700, -700]))
def test_whatever_happens_every_job_ends_exactly_once(events: list[tuple[str, object]], offset_ms: int) -> None:
    world = World({}, offset_ms, EDGE - timedelta(seconds=100))
    for what, fact in events:
        happen(world, what, fact)
        world.look()
    world.known, world.maintenance = True, False
    run(world, max(world.now, EDGE) + timedelta(seconds=1000))
    assert world.held is None
    assert {job: len(steps) for job, steps in world.outcomes.items()} == dict.fromkeys(world.seen, 1)
    assert set(world.records) == world.seen


@given(st.lists(jobs(), max_size=6), st.sampled_from([-700, 0, 700]))
def test_the_next_look_is_ahead_and_misses_nothing(wanted: list[Job], offset_ms: int) -> None:
    world = World({job.id: job for job in wanted}, offset_ms, EDGE - timedelta(seconds=60))
    world.look()
    s = world.situation()
    if s.on_air:
        return
    look = next_look(s, timedelta(hours=1))
    assert look > s.now
    just_before = but(s, now=look - timedelta(microseconds=1))
    assert due(just_before) == []


# -- what stands in for an emergency's audio ----------------------------------------------------------------------


def spoken(**changed: object) -> Job:
    return make_emergency(**{"spoken": "Lũ về.", "asset": None, **changed})  # type: ignore[arg-type]


def test_what_is_spoken_is_not_accepted_anew_at_every_look() -> None:
    job = spoken()
    for name in (standing_in.spoken_name(job), standing_in.siren_name(job)):
        s = with_record(situation(job), "e1", phase=Phase.ON_AIR, asset=name)
        assert due(but(s, on_air=OnAir(job, sounding=True))) == []
        assert due(s) == [Start(job, T0, 0)]


def test_an_asset_that_comes_late_replaces_what_is_only_primed() -> None:
    job, voiced = spoken(start=after(1)), spoken(start=after(1), asset=make_asset("v"))
    s = with_record(situation(job), "e1", phase=Phase.ON_AIR, asset=standing_in.spoken_name(job))
    primed = but(s, jobs={"e1": voiced}, on_air=OnAir(job, sounding=False))
    assert due(primed) == [Cut("e1", None), Start(voiced, after(1), 0)]
    assert due(but(primed, on_air=OnAir(job, sounding=True))) == []


def test_another_text_is_another_job_to_be_accepted() -> None:
    job, newer = spoken(), spoken(spoken="Bão về.")
    s = with_record(situation(job), "e1", asset=standing_in.spoken_name(job))
    assert due(but(s, jobs={"e1": newer}))[0] == Accept(newer)


def test_a_siren_alone_is_never_as_good_as_sounded_and_ends_by_what_was_missing() -> None:
    job = spoken(asset=make_asset("v", 10_000))
    s = with_record(situation(job), "e1", phase=Phase.PAUSED, asset=standing_in.siren_name(job), position_ms=10_000)
    late = but(s, now=job.deadline + timedelta(seconds=1), unready={"e1": Reason.NO_VOICE})
    assert due(late) == [End("e1", Step.INTERRUPTED, Reason.NO_VOICE)]
    assert due(s) == [Start(job, T0, 0)]


def test_only_an_emergency_with_words_has_something_stand_in() -> None:
    assert standing_in.may(spoken())
    assert not standing_in.may(spoken(spoken=" \n"))
    assert not standing_in.may(make_job(spoken="Lũ về."))
    assert standing_in.spoken_name(spoken()) != standing_in.spoken_name(spoken(drill=True))
