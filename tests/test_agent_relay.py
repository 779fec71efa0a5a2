"""The whole node with relays: by a hand-turned clock, and once with a real stream in real time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import makers_streams as made
import numpy as np
import pytest
from makers_node import HAMLET, NODE, ROOT, T0, after, make_asset, make_config, make_emergency, make_relay
from makers_radio import Hand, Radio
from makers_sound import heard
from makers_streams import Station, encoded

from edge_node.agent import Agent
from edge_node.players.file_player import FilePlayer
from edge_node.report import Self
from edge_node.settings import Settings
from edge_node.tuner.receiver import Tuner
from edge_node.wallclock import Wallclock
from wire.errors import Reason
from wire.receipt import Step

WAITING = make_asset("w", 30_000)


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    return Radio(tmp_path)


def test_a_relay_sounds_on_its_second_and_its_receipt_says_what_came(radio: Radio) -> None:
    radio.plan(make_relay(start=after(5)))
    radio.start()
    radio.run(70)
    assert radio.steps("r1") == ["accepted", "started", "sounded"]
    measured = radio.outcome("r1").measured
    assert measured
    assert (measured.started_at, measured.sounded_ms, measured.relayed_ms, measured.fallback_ms) == (
        *(after(5), 60_000, 60_000),
        0,
    )
    assert radio.outcome("r1").asset.startswith("relay-")


def test_an_emergency_cuts_into_a_relay_which_goes_on_live(radio: Radio) -> None:
    radio.plan(make_relay(start=after(1)))
    radio.start()
    radio.run(11)
    radio.urgent(make_emergency(start=after(11), asset=make_asset("siren", 20_000)))
    radio.run(60)
    assert radio.heard == [("r1", 0, 10_000), ("e1", 0, 20_000), ("r1", 30_000, 60_000)]
    assert radio.steps("r1") == ["accepted", "started", "paused", "resumed", "sounded"]
    measured = radio.outcome("r1").measured
    assert measured
    assert measured.sounded_ms == measured.relayed_ms == 40_000


def test_after_a_crash_a_relay_goes_on_as_it_is_by_then(radio: Radio) -> None:
    radio.plan(make_relay(start=after(1)))
    radio.start()
    radio.run(11)
    radio.die()
    radio.hand.turn(20)
    radio.new_node()
    radio.start()
    radio.run(60)
    assert radio.stretches("r1") == [(0, 10_000), (30_000, 60_000)]
    assert radio.outcome("r1").step is Step.SOUNDED


def test_a_node_that_comes_too_late_for_a_relay_has_missed_it(radio: Radio) -> None:
    radio.plan(make_relay(start=after(-56)))
    radio.start()
    radio.run(10)
    assert (radio.outcome("r1").step, radio.outcome("r1").reason) == (Step.MISSED, Reason.LATE)


@pytest.mark.parametrize(
    ("relayed_ms", "ending"),
    [
        (0, (Step.MISSED, Reason.NO_STREAM)),
        (29_000, (Step.INTERRUPTED, Reason.NO_STREAM)),
        (30_000, (Step.SOUNDED, "")),
    ],
)
def test_a_relay_has_sounded_when_half_of_it_was_not_silence(
    radio: Radio, relayed_ms: int, ending: tuple[Step, str]
) -> None:
    radio.plan(make_relay(start=after(1)))
    radio.player.relayed_ms = relayed_ms
    radio.start()
    radio.run(65)
    assert (radio.outcome("r1").step, radio.outcome("r1").reason) == ending


def test_a_player_that_misses_a_relays_end_is_stopped(radio: Radio) -> None:
    radio.plan(make_relay(start=after(1)))
    radio.player.overrun_ms = 30_000
    radio.start()
    radio.run(70)
    assert radio.outcome("r1").step is Step.SOUNDED
    assert radio.stretches("r1") == [(0, 61_000)]


def test_what_stands_in_for_a_relay_is_fetched_ahead(radio: Radio) -> None:
    radio.plan(make_relay(start=after(600), fallback=WAITING))
    radio.start()
    radio.run(1)
    assert radio.cache.wanted == [WAITING.sha256]


def test_without_a_decoder_a_relay_needs_what_stands_in_for_it(radio: Radio) -> None:
    radio.player.can_relay = False
    radio.plan(make_relay("r1", after(1)), make_relay("r2", after(100), fallback=WAITING))
    radio.start()
    radio.run(170)
    assert (radio.outcome("r1").step, radio.outcome("r1").reason) == (Step.MISSED, Reason.NO_DECODER)
    assert radio.outcome("r2").step is Step.SOUNDED


def test_a_fallback_that_is_not_there_yet_does_not_hold_up_a_relay(radio: Radio) -> None:
    radio.cache.missing[WAITING.sha256] = Reason.NO_AUDIO
    radio.plan(make_relay("r1", after(1), fallback=WAITING))
    radio.start()
    radio.run(65)
    assert radio.outcome("r1").step is Step.SOUNDED


def test_a_relay_in_quiet_hours_is_refused_by_the_node_alone(radio: Radio) -> None:
    night = T0 + timedelta(hours=17, minutes=15)  # 03:15
    radio.plan(make_relay(start=night))
    radio.start()
    radio.hand.turn((night - radio.hand.now()).total_seconds() - 5)
    radio.run(70)
    assert radio.heard == []
    assert (radio.outcome("r1").step, radio.outcome("r1").reason) == (Step.REFUSED, Reason.QUIET_HOURS)


# -- in real time, with a real stream ----------------------------------------------------------------------------


class Running(Hand):
    """A clock that begins at T0 and runs."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = time.monotonic()

    def now(self) -> datetime:
        return T0 + timedelta(seconds=time.monotonic() - self._begun)

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture
def station() -> Iterator[Station]:
    with made.station() as running:
        yield running


def test_a_sealed_plan_becomes_another_stations_sound(tmp_path: Path, station: Station) -> None:
    radio = Radio(tmp_path, hand=Running())
    radio.agent.close()
    settings = Settings(NODE, HAMLET, (ROOT.public.hex,), tmp_path, clock="trust")
    clock = Wallclock(tmp_path / "clock", trusted=True, system=radio.hand.system())
    link = radio.broker.link(NODE, Self(NODE).will(T0))
    player = FilePlayer(tmp_path / "out.wav", radio.hand.now, tuner=Tuner(private=True))
    agent = Agent(settings, link, player, radio.cache, clock)  # type: ignore[arg-type]
    radio.agent = agent
    radio.configure(make_config(serial=2))
    url = station.at("/vov1", made.endless(encoded()))
    radio.plan(make_relay(start=after(3), seconds=6, url=url))
    agent.start()
    deadline = time.monotonic() + 90
    while not [each for each in radio.received.values() if each.measured]:
        assert time.monotonic() < deadline
        agent.tick(0.05)
        radio.listen()
    measured = radio.outcome("r1").measured
    assert radio.outcome("r1").step is Step.SOUNDED
    assert measured
    assert measured.sounded_ms == 6000
    assert measured.relayed_ms > 3000
    assert measured.level_dbfs == pytest.approx(-9.0, abs=4.0)
    sound = heard(tmp_path / "out.wav")[-96_000:]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert np.argmax(spectrum) / 2 == pytest.approx(made.TONE_HZ, abs=2)
    agent.stop()
