"""The whole node when its clock is astray: what it tells the station, by a hand-turned clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from makers_node import after, make_job
from makers_radio import Radio

from edge_node.health import SPREAD_SECONDS
from edge_node.wallclock import ASK_SECONDS, SETTLE_SECONDS
from wire.receipt import Step


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    radio = Radio(tmp_path, trusted=False)
    radio.start()
    radio.run(SPREAD_SECONDS)
    return radio


def test_the_station_hears_at_once_that_the_time_is_unknown_and_that_it_is_known_again(radio: Radio) -> None:
    assert [said.vitals.clock_known for said in radio.health] == [True]
    radio.hand.moment += timedelta(days=1)
    radio.run(SPREAD_SECONDS)
    assert [said.vitals.clock_known for said in radio.health] == [True, False]
    radio.hand.moment -= timedelta(days=1)
    radio.run(SPREAD_SECONDS)
    assert [said.vitals.clock_known for said in radio.health] == [True, False, True]


def test_health_never_grows_older_though_the_clock_is_set_back_for_good(radio: Radio) -> None:
    radio.run(900, step=5)
    radio.hand.moment -= timedelta(minutes=12)
    radio.run(SETTLE_SECONDS + 200, step=1)
    assert radio.health[-1].vitals.clock_known
    said: list[datetime] = [each.at for each in radio.health]
    assert len(said) > 5
    assert said == sorted(set(said)), "the station takes only what is newer"


def test_an_item_waits_while_the_time_is_unknown_and_sounds_once(radio: Radio) -> None:
    radio.hand.synchronised = False
    radio.hand.boot = "boot-2"
    radio.restart()
    radio.plan(make_job(start=after(10)))
    radio.run(60, step=1)
    assert radio.steps("b1") == ["accepted"]
    radio.hand.synchronised = True
    radio.run(ASK_SECONDS + 15, step=0.5)
    assert radio.outcome("b1").step is Step.SOUNDED
    assert radio.stretches("b1") == [(0, 10_000)]
