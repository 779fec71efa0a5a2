"""GPIO lines and the amplifier's relay: through programs that take what libgpiod 1 and 2 take, and real ones."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from makers_gpio import install
from makers_node import after, make_emergency, make_job
from makers_radio import Hand, Radio

from edge_node import gpio
from edge_node.amplifier import AFTER_SECONDS, AGAIN_SECONDS, Amplifier
from edge_node.gpio import Holder
from edge_node.vitals import Senses
from edge_node.wiring import Line, Wiring
from wire.health import Relay
from wire.receipt import Step

PROJECT = Path(__file__).parent.parent


def wait_for(truth: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture(params=[1, 2], ids=["libgpiod 1", "libgpiod 2"])
def levels(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs = install(tmp_path / "gpio", request.param, "gpiochip0:17", "gpiochip0:22")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr("edge_node.programs.PATIENCE_SECONDS", 60.0)  # these are not as quick as the real ones
    return tmp_path / "gpio" / "levels"


def test_lines_are_read_as_they_are_wired(levels: Path, tmp_path: Path) -> None:
    (levels / "gpiochip0:17").write_text("1")
    wiring = Wiring(mains=Line.read("gpiochip0:17"), battery=Line.read("gpiochip0:!17"))
    read = Senses(tmp_path, wiring=wiring).read(True, None, None)
    assert (read.mains, read.battery) == (True, False)
    (levels / "gpiochip0:17").write_text("0")
    assert gpio.level(Line("gpiochip0", 17), gpio.version()) is False
    assert gpio.level(Line("gpiochip0", 17, active_low=True), gpio.version()) is True
    assert gpio.level(Line("gpiochip7", 17), gpio.version()) is None
    assert Senses(tmp_path, wiring=wiring, frugal=True).read(True, None, None).mains is None


def test_without_the_programs_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert gpio.version() is None
    assert gpio.level(Line("gpiochip0", 17), None) is None
    holder = Holder(Line("gpiochip0", 17), None)
    holder.hold(True)
    assert not holder.holds


@pytest.mark.parametrize("written", ["17", "gpiochip0", "gpiochip0:", "gpiochip0:x", "gpiochip0:17 --help", "/dev/x:1"])
def test_what_is_no_line_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a line"):
        Line.read(written)
    assert Line.read("") is None


@pytest.mark.parametrize(("written", "on"), [("gpiochip0:17", "1"), ("gpiochip0:!17", "0")])
def test_a_line_is_held_at_one_level_after_the_other(levels: Path, written: str, on: str) -> None:
    line = Line.read(written)
    assert line
    holder, other = Holder(line, gpio.version()), Holder(line, gpio.version())
    place, off = levels / "gpiochip0:17", "1" if on == "0" else "0"
    place.write_text(off)
    for active, level in ((True, on), (False, off), (True, on)):
        holder.hold(active)
        wait_for(lambda level=level: place.read_text() == level)  # type: ignore[misc]
        assert holder.holds
    wait_for(lambda: (levels / "held").exists() and len((levels / "held").read_text().splitlines()) == 3)
    other.hold(False)
    wait_for(lambda: not other.holds)
    assert holder.holds, "a line that is taken stays with whom it is"
    holder.let_go()
    assert not holder.holds


HOLDING = """
import sys, time
from edge_node import gpio
from edge_node.wiring import Line
holder = gpio.Holder(Line("gpiochip0", 17), gpio.version())
holder.hold(True)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_killed_node_leaves_nobody_holding(levels: Path) -> None:
    command = [sys.executable, "-c", HOLDING]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as node:
        assert node.stdout
        assert node.stdout.readline() == b"held\n"
        wait_for(lambda: (levels / "held").exists() and "17=1" in (levels / "held").read_text())
        holder = int((levels / "held").read_text().split()[0])
        os.kill(holder, 0)
        node.send_signal(signal.SIGKILL)
        node.wait()
    wait_for(lambda: not Path(f"/proc/{holder}").exists() or " Z " in Path(f"/proc/{holder}/stat").read_text())


@pytest.mark.skipif(not Path("/dev/gpiochip0").exists(), reason="this machine has no GPIO chip")
@pytest.mark.skipif(shutil.which("gpioget") is None, reason="gpiod is not installed")
def test_the_real_programs_take_what_they_are_told() -> None:
    assert gpio.version() in (1, 2)
    line = Line("gpiochip0", 0)
    assert gpio.level(line, gpio.version()) in (True, False, None)


# --- the amplifier -------------------------------------------------------------------------------------------


class Relayed:
    """A relay that notes what it was told, and when."""

    def __init__(self, hand: Hand) -> None:
        self.hand, self.works = hand, True
        self.told: list[tuple[float, bool]] = []

    @property
    def holds(self) -> bool:
        return self.works

    def hold(self, active: bool) -> None:
        self.told.append((self.hand.seconds, active))

    def let_go(self) -> None:
        self.told.append((self.hand.seconds, False))


def amplified(radio: Radio, lead: float = 1.5) -> Relayed:
    relay = Relayed(radio.hand)
    radio.agent._playout._amplifier = Amplifier(relay, lead, radio.hand.now, radio.hand.monotonic)
    return relay


def test_the_amplifier_is_on_before_the_first_sample_and_off_after_the_last(tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    relay = amplified(radio)
    radio.plan(make_job("b1", after(10)), make_job("b2", after(21)))  # ten seconds each
    radio.start()
    radio.run(60)
    (_, off), (on_at, on), (off_at, off_again) = relay.told
    assert (off, on, off_again) == (False, True, False)
    assert on_at - 1000 <= 10 - 1.5
    assert 31 + AFTER_SECONDS <= off_at - 1000 <= 31 + AFTER_SECONDS + 1
    for job in ("b1", "b2"):
        measured = radio.outcome(job).measured
        assert measured
        assert measured.skew_ms == 0


def test_what_starts_at_once_waits_for_a_cold_amplifier_and_not_for_a_warm_one(tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    amplified(radio)
    radio.start()
    radio.urgent(make_emergency("e1", after(0)))
    radio.run(12)
    radio.urgent(make_emergency("e1", after(0)), make_emergency("e2", after(12)))
    radio.run(15)
    skews = [radio.outcome(job).measured.skew_ms for job in ("e1", "e2")]  # type: ignore[union-attr]
    assert 1500 <= skews[0] <= 1700
    assert skews[1] <= 300


def test_a_relay_that_fails_is_told_and_tried_again_and_the_sound_goes_on(tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    relay = amplified(radio)
    relay.works = False
    radio.plan(make_job("b1", after(5)))
    radio.start()
    radio.run(30)
    assert radio.outcome("b1").step is Step.SOUNDED
    assert radio.stretches("b1") == [(0, 10_000)]
    assert radio.agent._playout.amplifier is Relay.FAILED
    assert len(relay.told) > 2
    relay.works = True
    radio.run(AGAIN_SECONDS)
    assert radio.agent._playout.amplifier is Relay.OFF


def test_the_amplifier_of_a_node_switches_its_line(levels: Path, tmp_path: Path) -> None:
    from edge_node.amplifier import wired

    hand = Hand()
    amplifier = wired(Line("gpiochip0", 22), 1.0, hand.now, hand.monotonic)
    place = levels / "gpiochip0:22"
    try:
        assert amplifier.on(hand.now()) == hand.now() + timedelta(seconds=1)
        wait_for(lambda: place.read_text() == "1")
        assert amplifier.state is Relay.ON
        hand.turn(AFTER_SECONDS)
        amplifier.look(needed=False)
        wait_for(lambda: place.read_text() == "0")
        assert amplifier.state is Relay.OFF
    finally:
        amplifier.close()
    assert amplifier.state is Relay.FAILED, "nothing is held any more"
