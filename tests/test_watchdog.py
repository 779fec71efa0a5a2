"""The watchdog: a real process that tells a real socket that it is well, and stops telling when it is not."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_node import HAMLET, NODE, ROOT, after, make_job
from makers_radio import Radio

from edge_node import watchdog
from edge_node.watchdog import BROKEN_EXIT, MOST_FAILING_TICKS, STALL_SECONDS, Moving, Pulse, Watchdog

PROJECT = Path(__file__).parent.parent
UNIT = PROJECT / "deploy" / "loa-node.service"
# A node whose link, once asked to, never comes back from waiting for messages; or whose every tick fails.
NODE_PROCESS = """
import os, signal, sys, threading
from edge_node import radio, settings, watchdog
from wire.mqtt import MqttLink
def hang(*_):
    MqttLink.take = lambda self, seconds: threading.Event().wait()
def fail(*_):
    watchdog.MOST_FAILING_TICKS = 2
    MqttLink.refusals = lambda self: 1 / 0
signal.signal(signal.SIGUSR1, hang)
signal.signal(signal.SIGUSR2, fail)
sys.exit(radio.run(settings.load(None, os.environ)))
"""


class Supervisor:
    """What systemd is to the node."""

    def __init__(self, folder: Path, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        names = {"NODE": NODE, "HOME": HAMLET, "ROOT_KEYS": ROOT.public.hex, "STATE_DIR": str(folder / "state")}
        names |= {"PLAYER": "null", "CLOCK": "trust", "BROKER_PORT": "1", "VOICE": ""}
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), "NOTIFY_SOCKET": address, "WATCHDOG_USEC": "2000000"}
        environment |= {f"LOA_NODE_{k}": v for k, v in names.items()}
        command = [sys.executable, "-c", NODE_PROCESS]
        self.said = ""
        self.node = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    def hears(self, words: str, seconds: float = 60.0) -> bool:
        """Whether it is told this before the time is up."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if self.socket.recv(4096).decode() == words:
                    return True
            except TimeoutError:
                break
        return False

    def close(self) -> str:
        if self.node.stderr and not self.node.stderr.closed:
            self.node.kill()
            self.said = self.node.communicate()[1]
        self.socket.close()
        return self.said


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path, str(tmp_path / "notify"))
    yield made
    made.close()


def test_a_walk_that_hangs_is_not_fed_for_and_shows_where_it_hung(supervisor: Supervisor) -> None:
    assert supervisor.hears("READY=1")
    for _ in range(2):
        assert supervisor.hears("WATCHDOG=1")
    supervisor.node.send_signal(signal.SIGUSR1)
    while supervisor.hears("WATCHDOG=1", 5.0):
        pass
    supervisor.node.send_signal(signal.SIGABRT)  # as systemd does, by then
    assert supervisor.node.wait(60) == -signal.SIGABRT
    assert "in tick" in supervisor.close()


def test_a_node_beyond_repair_ends_itself_with_a_code_of_its_own(supervisor: Supervisor) -> None:
    assert supervisor.hears("WATCHDOG=1")
    supervisor.node.send_signal(signal.SIGUSR2)
    assert supervisor.node.wait(60) == BROKEN_EXIT
    assert not supervisor.hears("STOPPING=1", 0.1)
    assert "beyond_repair" in supervisor.close()


def test_a_clean_stop_is_told_to_an_abstract_socket_too(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, f"@loa-test-{os.getpid()}")
    assert supervisor.hears("STATUS=waiting, not connected")
    supervisor.node.send_signal(signal.SIGTERM)
    assert supervisor.hears("STOPPING=1")
    assert supervisor.node.wait(60) == 0
    supervisor.close()


@pytest.mark.parametrize(
    ("environment", "watches"),
    [
        ({}, None),
        ({"NOTIFY_SOCKET": ""}, None),
        ({"NOTIFY_SOCKET": "vsock:2:1"}, None),
        ({"NOTIFY_SOCKET": "/nowhere"}, False),
        ({"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "many"}, False),
        ({"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "-5"}, False),
        ({"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}, False),
        ({"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1000000"}, True),
        ({"NOTIFY_SOCKET": "@" + "x" * 500, "WATCHDOG_USEC": "1000000"}, True),
    ],
)
def test_whatever_stands_in_the_environment_the_walk_goes_on(environment: dict[str, str], watches: bool | None) -> None:
    dog = Watchdog(environment)
    assert dog.watches is watches
    dog.ready()
    dog.feed(0.0)
    dog.status("well\nREADY=1")
    dog.stopping()
    dog.close()
    dog.close()


def test_ticks_that_fail_in_a_row_are_beyond_repair() -> None:
    pulse = Pulse()
    for _ in range(3):
        for _ in range(MOST_FAILING_TICKS - 1):
            pulse.failed()
        assert not pulse.beyond_repair
        assert pulse.beat(None, 0.0)
    for _ in range(MOST_FAILING_TICKS):
        pulse.failed()
    assert pulse.beyond_repair


def test_a_player_that_should_move_and_does_not_is_no_healthy_walk() -> None:
    pulse = Pulse()
    for second in range(100):
        assert pulse.beat(Moving("b1", second * 1000), float(second)), "it moves"
    for second in range(100, 200):
        assert pulse.beat(Moving("b1", 99_000, excused=True), float(second)), "it says itself why not"
    assert pulse.beat(Moving("b1", 99_000), 200.0)
    assert pulse.beat(Moving("b1", 99_000), 199.0 + STALL_SECONDS)
    assert not pulse.beat(Moving("b1", 99_000), 200.0 + STALL_SECONDS)
    assert pulse.beyond_repair


def test_a_stalled_player_is_noticed_by_the_walk(tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    radio.plan(make_job("b1", after(5)))
    radio.start()
    radio.run(10)
    stuck = radio.player.progress()
    radio.player.progress = lambda: stuck  # type: ignore[method-assign]
    for _ in range(3):  # the walk's seconds pass, the player's do not
        radio.hand.seconds += STALL_SECONDS / 2
        radio.agent.tick()
        radio.agent._live_on()
    assert radio.agent._pulse.beyond_repair


class Impatient(threading.Event):
    """Lets a test not wait."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def test_what_is_decided_goes_on_while_everything_after_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    radio = Radio(tmp_path)
    radio.plan(make_job("b1", after(1)))
    fails = 0

    def failing(*_: object) -> None:
        nonlocal fails
        fails += 1
        radio.hand.turn(1.0)
        raise ZeroDivisionError

    monkeypatch.setattr(radio.agent._agenda, "fetch", failing)
    assert radio.agent.run(Impatient()) == BROKEN_EXIT
    assert fails == watchdog.MOST_FAILING_TICKS
    assert radio.agent.ledger.records["b1"].phase.value == "ended"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text())
    assert "ExecStart=/bin/true" in text
    (tmp_path / "loa-node.service").write_text(text)
    answer = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "loa-node.service")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    mine = [line for line in answer.stderr.splitlines() if "loa-node.service" in line]
    assert mine == [], answer.stderr
    lines = dict(line.split("=", 1) for line in text.splitlines() if re.match(r"\w+=", line))
    assert lines["Type"] == "notify"
    assert int(lines["WatchdogSec"]) > STALL_SECONDS
    assert "char-gpiochip" in text
