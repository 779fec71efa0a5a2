"""What a day takes, in the node: refused with its named reason, the same as the simulation and the station say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
from hypothesis import given
from makers_node import T0, after, make_asset, make_config, make_emergency, make_job
from makers_radio import Radio
from makers_schedules import HANOI
from test_rulebook import airings, limits_

from schedules.rulebook import Airing, refused
from schedules.simulation import simulate
from wire.config import Limits, QuietHours
from wire.errors import Reason
from wire.plan import Asset, Job
from wire.receipt import Step

ONE_SESSION = Limits(gap_minutes=10, sessions=(1,) * 7)


def test_a_node_refuses_what_its_day_does_not_take_and_says_which_rule(tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    radio.configure(make_config(2, limits=ONE_SESSION, quiet_hours=QuietHours("00:00", "00:00")))
    radio.plan(make_job("b1", after(5)), make_job("b2", after(900)), make_job("b3", after(60)))
    radio.start()
    radio.run(1000, step=1)
    assert [radio.outcome(name).step for name in ("b1", "b3")] == [Step.SOUNDED] * 2
    assert (radio.outcome("b2").step, radio.outcome("b2").reason) == (Step.REFUSED, Reason.SESSIONS_A_DAY)


def test_an_emergency_sounds_beyond_every_limit(tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    radio.configure(make_config(2, limits=Limits(sessions=(0,) * 7, day_minutes=(0,) * 7)))
    radio.urgent(make_emergency("e1", after(5)))
    radio.plan(make_job("b1", after(60)))
    radio.start()
    radio.run(90, step=1)
    assert radio.outcome("e1").step is Step.SOUNDED
    assert radio.outcome("b1").reason == Reason.DAY_MINUTES


def test_what_has_sounded_counts_although_it_has_ended(tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    radio.configure(make_config(2, limits=ONE_SESSION, quiet_hours=QuietHours("00:00", "00:00")))
    radio.plan(make_job("b1", after(5)))
    radio.start()
    radio.run(60, step=1)
    radio.plan(make_job("b1", after(5)), make_job("b2", after(900)))
    radio.run(900, step=1)
    assert radio.outcome("b2").reason == Reason.SESSIONS_A_DAY


def _job(airing: Airing) -> Job:
    sound: Asset = msgspec.structs.replace(make_asset(), duration_ms=round(airing.length / timedelta(milliseconds=1)))
    deadline = airing.start + timedelta(hours=12)
    return make_job(airing.id, airing.start, asset=sound, bulletin_class=airing.bulletin_class, deadline=deadline)


@given(airings, limits_)
def test_the_simulation_refuses_exactly_what_the_station_holds_back(day: list[Airing], limits: Limits) -> None:
    jobs = {each.id: _job(each) for each in day}
    config = make_config(limits=limits, quiet_hours=QuietHours("00:00", "00:00"), zone=HANOI)
    told = simulate(jobs, config, T0 - timedelta(days=1), T0 + timedelta(days=6))
    said = {each.job.id: each.reason for each in told.endings if each.step is Step.REFUSED}
    assert said == refused(day, limits, HANOI)


def test_a_day_of_nothing_refuses_all_but_emergencies() -> None:
    jobs = {each.id: each for each in (make_job("b1", after(60)), make_emergency("e1", after(600)))}
    none = Limits(day_minutes=(0,) * 7)
    told = simulate(jobs, make_config(limits=none), T0, T0 + timedelta(hours=2))
    assert [stretch.job.id for stretch in told.stretches] == ["e1"]
