"""Relays in the node's decision: live, so late is in the middle, and the end stays where it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_node import T0, after, make_asset, make_config, make_emergency, make_job, make_relay
from test_due import but, situation, with_record

from schedules import relays
from schedules.due import Cut, End, OnAir, Phase, Start, due, next_look
from schedules.relays import Source
from schedules.rulebook import airing_of
from schedules.simulation import Day, simulate
from schedules.situation import audio_of
from wire.config import QuietHours
from wire.errors import Reason
from wire.plan import AfterCut, BulletinClass, Job
from wire.receipt import Step

NEVER_QUIET = QuietHours("00:00", "00:00")


def day_of(*jobs: Job, since: datetime = T0 - timedelta(minutes=1)) -> Day:
    config = make_config(quiet_hours=NEVER_QUIET)
    return simulate({job.id: job for job in jobs}, config, since, since + timedelta(hours=2))


def heard(day: Day) -> list[tuple[str, datetime, datetime, int]]:
    return [(each.job.id, each.since, each.until, each.from_ms) for each in day.stretches]


def test_a_relay_sounds_on_its_second_for_its_length() -> None:
    day = day_of(make_relay())
    assert heard(day) == [("r1", T0, after(60), 0)]
    assert [(each.step, each.reason) for each in day.endings] == [(Step.SOUNDED, None)]


def test_a_relay_that_begins_late_begins_in_its_middle_and_ends_in_time() -> None:
    assert due(situation(make_relay(), now=after(20))) == [Start(make_relay(), after(20), 20_000)]
    assert heard(day_of(make_relay(), since=after(20))) == [("r1", after(20), after(60), 20_000)]


def test_with_five_seconds_left_a_relay_begins_and_with_less_it_is_missed() -> None:
    job = make_relay()
    assert due(situation(job, now=after(55))) == [Start(job, after(55), 55_000)]
    assert due(situation(job, now=after(55.001))) == [End("r1", Step.MISSED, Reason.LATE)]


def test_a_relay_begins_no_later_than_its_deadline() -> None:
    job = make_relay(late_for=30)
    assert due(situation(job, now=after(30.001))) == [End("r1", Step.MISSED, Reason.LATE)]


@pytest.mark.parametrize("after_cut", [AfterCut.RESUME, AfterCut.RESTART])
def test_after_an_emergency_a_relay_goes_on_live_for_what_is_left(after_cut: AfterCut) -> None:
    alarm = make_emergency("e1", after(10), asset=make_asset("e", 20_000))
    day = day_of(make_relay(after_cut=after_cut, late_for=1), alarm)
    assert heard(day) == [
        ("r1", T0, after(10), 0),
        ("e1", after(10), after(30), 0),
        ("r1", after(30), after(60), 30_000),
    ]
    assert {each.step for each in day.endings} == {Step.SOUNDED}


def test_a_relay_that_an_emergency_outlasts_was_preempted() -> None:
    alarm = make_emergency("e1", after(10), asset=make_asset("e", 46_000))
    endings = {each.job.id: (each.step, each.reason) for each in day_of(make_relay(), alarm).endings}
    assert endings["r1"] == (Step.PREEMPTED, Reason.OUTRANKED)


def test_after_a_crash_a_relay_goes_on_where_it_is_by_then_or_was_interrupted() -> None:
    job = make_relay()
    crashed = with_record(situation(job, now=after(40)), "r1", phase=Phase.ON_AIR, position_ms=4000)
    assert due(crashed) == [Start(job, after(40), 40_000)]
    assert due(replace(crashed, now=after(56))) == [End("r1", Step.INTERRUPTED, Reason.LATE)]


def test_a_cut_in_its_last_moment_counts_as_sounded() -> None:
    s = with_record(situation(make_relay(), now=after(60)), "r1", phase=Phase.PAUSED, position_ms=59_800)
    assert due(s) == [End("r1", Step.SOUNDED)]


def test_a_player_that_misses_the_end_is_stopped_a_second_after_it() -> None:
    job = make_relay()
    s = situation(job, now=after(60.9), on_air=OnAir(job, sounding=True))
    assert due(s) == []
    assert next_look(s) == after(61)
    assert due(replace(s, now=after(61))) == [Cut("r1", Step.SOUNDED)]
    assert due(replace(s, now=after(3600), clock_known=False)) == []


def test_a_relay_up_to_quiet_hours_has_sounded_and_one_into_them_is_cut() -> None:
    edge = T0 + timedelta(hours=11)  # 21:00
    upto, into = make_relay("r1", edge - timedelta(minutes=1)), make_relay("r2", edge - timedelta(seconds=30))
    assert due(situation(upto, now=edge, on_air=OnAir(upto, sounding=True))) == [Cut("r1", Step.SOUNDED)]
    cut = Cut("r2", Step.PREEMPTED, Reason.QUIET_HOURS)
    assert due(situation(into, now=edge, on_air=OnAir(into, sounding=True))) == [cut]


def test_an_offset_moves_both_ends() -> None:
    s = situation(make_relay(), now=after(0.7), config=make_config(offset_ms=700))
    assert due(s) == [Start(make_relay(), after(0.7), 0)]
    assert due(replace(s, now=after(10.7))) == [Start(make_relay(), after(10.7), 10_000)]


def test_a_relay_that_left_the_plan_was_withdrawn_before_its_end_and_cut_for_good_after() -> None:
    s = with_record(situation(make_relay(), now=after(50)), "r1", phase=Phase.PAUSED, position_ms=10_000)
    gone = but(s, jobs={})
    assert due(gone) == [End("r1", Step.WITHDRAWN)]
    assert due(replace(gone, now=after(56))) == [End("r1", Step.PREEMPTED, Reason.OUTRANKED)]


def test_an_edit_of_address_length_or_fallback_is_news_until_it_sounds() -> None:
    old = make_relay()
    assert old.relay
    for changed in ({"url": "https://radio.example/vov2"}, {"duration_ms": 1}, {"fallback": make_asset()}):
        new = msgspec.structs.replace(old, relay=msgspec.structs.replace(old.relay, **changed))
        assert audio_of(new) != audio_of(old)
        assert len(audio_of(new)) <= 64
    assert relays.is_name(audio_of(old))
    assert not relays.is_name(audio_of(make_job()))
    assert not relays.is_name("")


def test_the_rules_of_a_place_count_a_relays_length() -> None:
    assert airing_of(make_relay(seconds=90)).length == timedelta(seconds=90)
    assert airing_of(make_job(asset=None)).length == timedelta(0)


@given(
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from([3, 10, 60, 120]), st.booleans()), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from([1, 20, 90])), max_size=3),
    st.sampled_from(AfterCut),
)
def test_whatever_cuts_in_a_relay_is_heard_live_and_never_past_its_end(
    wanted: list[tuple[int, int, bool]], alarms: list[tuple[int, int]], after_cut: AfterCut
) -> None:
    classes = {True: BulletinClass.PRIORITY, False: BulletinClass.ORDINARY}
    jobs = [
        make_relay(f"r{number}", after(second), seconds, bulletin_class=classes[priority], after_cut=after_cut)
        for number, (second, seconds, priority) in enumerate(wanted)
    ]
    cuts = [
        make_emergency(f"e{number}", after(second), asset=make_asset("e", seconds * 1000))
        for number, (second, seconds) in enumerate(alarms)
    ]
    day = day_of(*jobs, *cuts)
    for each in day.stretches:
        if each.job.relay:
            assert each.from_ms == round((each.since - each.job.start) / timedelta(milliseconds=1))
            assert each.until <= relays.end(each.job.relay, each.job.start)
    assert sorted(each.job.id for each in day.endings) == sorted(job.id for job in (*jobs, *cuts))


def test_a_source_is_known_whatever_its_case_and_first_as_it_is_written() -> None:
    small, large = Source("vov1", "https://vov.example/1"), Source("VOV1", "https://vov.example/2")
    assert relays.source_of({"vov1": small}, "VOV1") == small
    assert relays.source_of({"vov1": small, "VOV1": large}, "VOV1") == large
    assert relays.source_of({"vov1": small}, "vov2") is None
    assert relays.source_of({"vov1": small}, "") is None
