"""Ducking: what goes on beneath an emergency, decided, simulated and walked by a whole node."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from makers_node import T0, after, make_asset, make_config, make_emergency, make_job, make_relay
from makers_radio import Radio

from schedules import ducking, timetable
from schedules.docket import Docket, Situation
from schedules.due import Cut, Duck, OnAir, Start, due, fresh, next_look
from schedules.simulation import Stretch, simulate
from wire import codec
from wire.config import QuietHours
from wire.errors import Reason
from wire.plan import BulletinClass, Job, Level
from wire.receipt import Step

MINUTE = make_asset("long", 60_000)
ALARM = make_asset("alarm", 5000)


def ducking_item(start: datetime = T0, **changed: object) -> Job:
    return make_job("b1", start, **{"duck": True, "asset": MINUTE, **changed})


def situation(*jobs: Job, on_air: OnAir, now: datetime = T0) -> Situation:
    docket = Docket({job.id: job for job in jobs}, {job.id: fresh(job) for job in jobs})
    return Situation(docket, on_air, make_config(), now)


# -- the decision --------------------------------------------------------------------------------------------------


def test_an_emergency_goes_over_an_item_that_ducks() -> None:
    item, alarm = ducking_item(after(-5)), make_emergency()
    s = situation(item, alarm, on_air=OnAir(item, sounding=True))
    assert due(s) == [Duck("b1"), Start(alarm, T0, 0)]
    assert due(replace(s, on_air=OnAir(alarm, sounding=True, beneath=item))) == []


def test_what_is_only_primed_gives_way_and_what_is_no_emergency_does_not_cut_in() -> None:
    item, alarm, news = ducking_item(), make_emergency(), make_job("p1", bulletin_class=BulletinClass.PRIORITY)
    assert due(situation(item, alarm, on_air=OnAir(item, sounding=False)))[0] == Cut("b1", None)
    assert due(situation(item, news, on_air=OnAir(item, sounding=True))) == []


def test_an_emergency_never_ducks() -> None:
    low, high = make_emergency("e1", duck=True), make_emergency("e2", level=Level.CENTRAL)
    assert due(situation(low, high, on_air=OnAir(low, sounding=True)))[0] == Cut("e1", Step.PAUSED, Reason.OUTRANKED)


def test_a_higher_emergency_takes_the_place_of_the_lower_and_the_item_stays_beneath() -> None:
    item, low, high = ducking_item(after(-9)), make_emergency("e1"), make_emergency("e2", level=Level.CENTRAL)
    s = situation(item, low, high, on_air=OnAir(low, sounding=True, beneath=item))
    assert due(s) == [Cut("e1", Step.PAUSED, Reason.OUTRANKED), Start(high, T0, 0)]


def test_what_would_stop_it_on_air_stops_it_beneath() -> None:
    item, alarm = ducking_item(after(-5)), make_emergency()
    s = situation(item, alarm, on_air=OnAir(alarm, sounding=True, beneath=item))
    gone = replace(s, docket=Docket({"e1": alarm}, s.records))
    assert due(gone) == [Cut("b1", Step.WITHDRAWN)]
    maintenance = replace(s, config=make_config(maintenance=True))
    assert due(maintenance) == [Cut("b1", Step.PREEMPTED, Reason.MAINTENANCE)]
    nine = T0 + timedelta(hours=11)
    quiet = replace(s, now=nine - timedelta(seconds=1))
    assert next_look(quiet, timedelta(hours=1)) == nine
    assert due(replace(s, now=nine)) == [Cut("b1", Step.PREEMPTED, Reason.QUIET_HOURS)]


def test_a_relay_beneath_is_over_when_its_time_is() -> None:
    relay, alarm = make_relay("r1", T0, 60, duck=True), make_emergency(start=after(50))
    on_air = OnAir(alarm, sounding=True, beneath=relay)
    assert due(situation(relay, alarm, on_air=on_air, now=after(60.5))) == []
    assert due(situation(relay, alarm, on_air=on_air, now=after(61))) == [Cut("r1", Step.SOUNDED)]


def test_when_the_emergency_is_withdrawn_the_item_has_the_air_and_the_next_emergency_goes_over_it() -> None:
    item, gone, alarm = ducking_item(after(-9)), make_emergency("e1"), make_emergency("e2")
    s = situation(item, gone, alarm, on_air=OnAir(gone, sounding=True, beneath=item))
    s = replace(s, docket=Docket({"b1": item, "e2": alarm}, s.records))
    assert due(s) == [Cut("e1", Step.WITHDRAWN), Duck("b1"), Start(alarm, T0, 0)]


@pytest.mark.parametrize(
    ("beneath_ms", "sounded_ms", "step"),
    [(0, 0, Step.SOUNDED), (30_000, 60_000, Step.SOUNDED), (30_001, 60_000, Step.PREEMPTED)],
)
def test_what_lay_beneath_for_more_than_half_of_its_time_has_not_sounded(
    beneath_ms: int, sounded_ms: int, step: Step
) -> None:
    assert ducking.outcome(beneath_ms, sounded_ms)[0] is step


def test_a_node_that_does_not_know_ducking_reads_a_job_that_resumes() -> None:
    written = codec.write(ducking_item())
    assert b'"after_cut":"resume"' in written
    old = msgspec.json.decode(written.replace(b'"duck":true', b'"some_later_field":true'), type=Job)
    assert not old.duck
    assert b"duck" not in codec.write(make_job())


# -- the simulation ------------------------------------------------------------------------------------------------


def test_the_simulation_says_when_it_lies_beneath() -> None:
    item, alarm = ducking_item(), make_emergency(start=after(20), asset=ALARM)
    day = simulate({"b1": item, "e1": alarm}, make_config(), after(-60), after(120))
    assert day.stretches == (
        Stretch(item, T0, after(20), 0),
        Stretch(item, after(20), after(25), 20_000, beneath=True),
        Stretch(alarm, after(20), after(25), 0),
        Stretch(item, after(25), after(60), 25_000),
    )
    assert [(each.job.id, each.at, each.step) for each in day.endings] == [
        ("e1", after(25), Step.SOUNDED),
        ("b1", after(60), Step.SOUNDED),
    ]


def test_the_simulation_says_what_was_not_heard() -> None:
    item, alarm = ducking_item(), make_emergency(start=after(10), asset=MINUTE)
    day = simulate({"b1": item, "e1": alarm}, make_config(), after(-60), after(120))
    assert day.endings[0].step is Step.PREEMPTED
    assert (day.endings[0].at, day.endings[0].reason) == (after(60), Reason.OUTRANKED)


# -- the node ------------------------------------------------------------------------------------------------------


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    return Radio(tmp_path)


def begun(radio: Radio, item: Job, alarm: Job) -> None:
    """The item sounds for four seconds, then the emergency comes."""
    radio.plan(item)
    radio.start()
    radio.run(5)
    radio.urgent(alarm)


def test_the_item_sounds_to_its_end_at_its_time_and_the_receipt_says_how_long_it_lay_beneath(radio: Radio) -> None:
    begun(radio, ducking_item(after(1)), make_emergency(start=after(5), asset=ALARM))
    radio.run(70)
    assert sorted(radio.heard) == [("b1", 0, 60_000), ("e1", 0, 5000)]
    assert radio.steps("b1") == ["accepted", "started", "sounded"]
    measured = radio.outcome("b1").measured
    assert measured
    assert (measured.started_at, measured.ended_at) == (after(1), after(61))
    assert measured.sounded_ms == 60_000
    assert measured.beneath_ms == pytest.approx(5000, abs=150)
    assert radio.outcome("e1").step is Step.SOUNDED


def test_the_node_and_the_simulation_agree(radio: Radio) -> None:
    item, alarm = ducking_item(after(1)), make_emergency(start=after(5), asset=make_asset("alarm", 50_000))
    begun(radio, item, alarm)
    radio.run(70)
    day = simulate({"b1": item, "e1": alarm}, make_config(), after(-60), after(120))
    told = {each.job.id: (each.step, each.reason or "") for each in day.endings}
    assert told == {name: (radio.outcome(name).step, radio.outcome(name).reason) for name in ("b1", "e1")}
    assert told["b1"] == (Step.PREEMPTED, Reason.OUTRANKED)


def test_a_crash_while_it_lies_beneath_loses_nothing(radio: Radio) -> None:
    begun(radio, ducking_item(after(1)), make_emergency(start=after(5), asset=ALARM))
    radio.run(3)
    radio.die()
    radio.hand.turn(2)
    radio.new_node()
    radio.start()
    radio.run(80)
    assert radio.outcome("e1").step is Step.SOUNDED
    assert radio.steps("b1") == ["accepted", "started", "resumed", "sounded"]
    stretches = radio.stretches("b1")
    assert stretches[-1][1] == 60_000
    assert stretches[-1][0] == pytest.approx(7000, abs=200)
    assert radio.heard[-2][0] == "e1", "after the crash the emergency goes first, and the item waits for it"


def test_a_node_that_is_stopped_goes_on_with_both(radio: Radio) -> None:
    begun(radio, ducking_item(after(1)), make_emergency(start=after(5), asset=ALARM))
    radio.run(3)
    radio.agent.stop()
    radio.new_node()
    radio.start()
    radio.run(80)
    assert radio.stretches("b1")[-1] == (pytest.approx(7000, abs=200), 60_000)
    assert radio.outcome("b1").step is radio.outcome("e1").step is Step.SOUNDED


def test_an_item_withdrawn_beneath_is_cut_and_the_emergency_goes_on(radio: Radio) -> None:
    begun(radio, ducking_item(after(1)), make_emergency(start=after(5), asset=ALARM))
    radio.run(2)
    radio.plan()
    radio.run(20)
    assert radio.outcome("b1").step is Step.WITHDRAWN
    assert radio.stretches("b1")[0][1] <= 6200
    assert radio.stretches("e1") == [(0, 5000)]


def test_two_emergencies_one_after_the_other_go_over_the_same_item(radio: Radio) -> None:
    begun(radio, ducking_item(after(1)), make_emergency("e1", after(5), asset=ALARM))
    radio.urgent(make_emergency("e1", after(5), asset=ALARM), make_emergency("e2", after(6), asset=ALARM))
    radio.run(80)
    assert sorted(radio.heard) == [("b1", 0, 60_000), ("e1", 0, 5000), ("e2", 0, 5000)]
    measured = radio.outcome("b1").measured
    assert measured
    assert measured.beneath_ms == pytest.approx(10_000, abs=400)


def test_quiet_hours_end_what_lies_beneath_and_not_the_emergency(radio: Radio) -> None:
    begun(radio, ducking_item(after(1)), make_emergency(start=after(5), asset=MINUTE))
    radio.run(2)
    radio.configure(make_config(2, quiet_hours=QuietHours("10:00", "11:00")))
    radio.run(5)
    assert (radio.outcome("b1").step, radio.outcome("b1").reason) == (Step.PREEMPTED, Reason.QUIET_HOURS)
    radio.run(70)
    assert radio.outcome("e1").step is Step.SOUNDED


# -- what people ask for -------------------------------------------------------------------------------------------


def test_a_timetable_says_what_ducks_and_is_written_back_alike() -> None:
    text = (
        '[programme]\narea = "lang-son"\ntitle = "T"\n\n[[slot]]\nlabel = "S"\ndays = ["mon"]\nstart = "05:00"\n'
        'minutes = 30\n\n[[slot.item]]\nkind = "relay"\nsource = "VOV1"\nduck = true\n'
    )
    programme = timetable.read(text)
    assert programme.slots[0].items[0].duck
    assert timetable.read(timetable.write(programme)) == programme
    with pytest.raises(timetable.TimetableError):
        timetable.read(text.replace("duck = true", 'duck = "yes"'))
    with pytest.raises(timetable.TimetableError):
        timetable.read(text.replace('"relay"\nsource = "VOV1"', '"announcements"'))
