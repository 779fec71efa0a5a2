"""Whatever kills the process, again and again: an emergency held or arriving is sounded."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers_node import (
    COMMUNE,
    HAMLET,
    NODE,
    ROOT,
    after,
    config_message,
    make_asset,
    make_config,
    make_emergency,
    make_job,
    make_plan,
    make_relay,
    plan_message,
    trust_message,
)
from makers_radio import PretendPlayer, Radio
from makers_sound import asset_of, noise, wav

from edge_node import in_hand, lives
from edge_node.agenda import Agenda
from edge_node.gate import Gate
from edge_node.held import Held
from edge_node.ledger import Ledger
from edge_node.lives import recall
from edge_node.players.player import Take
from edge_node.restart import RESTART_EXIT
from schedules import due as due_room
from wire.config import QuietHours
from wire.errors import Reason
from wire.plan import Job, Lane
from wire.receipt import Step

PROJECT = Path(__file__).parent.parent


class Died(BaseException):
    """The process is gone: no handler of the node sees this."""


class Poisons:
    """What kills the process, and where."""

    def __init__(self, what: frozenset[str]) -> None:
        self.what = what

    def admit(self, original: Callable[..., object]) -> Callable[..., object]:
        def call(gate: Gate, topic: str, raw: bytes, *rest: object, **named: object) -> object:
            if any(topic.endswith(each) for each in self.what):
                raise Died(topic)
            return original(gate, topic, raw, *rest, **named)

        return call

    def prime(self, original: Callable[..., None]) -> Callable[..., None]:
        def call(player: PretendPlayer, take: Take) -> None:
            if take.path and take.path.name in self.what:
                raise Died(take.path.name)
            original(player, take)

        return call

    def open(self, original: Callable[..., None]) -> Callable[..., None]:
        def call(ledger: Ledger, path: Path) -> None:
            if "ledger" in self.what and path.exists() and path.stat().st_size:
                raise Died("ledger")
            original(ledger, path)
            self.what |= {"ledger"} if "ledger once it is used" in self.what else frozenset()

        return call

    def decide(self, original: Callable[..., object]) -> Callable[..., object]:
        """A plan that can be admitted, and whose consequences kill."""

        def call(agenda: Agenda, *rest: object) -> object:
            if "decision" in self.what and any("b3" in {job.id for job in plan.jobs} for plan in agenda._gate.plans()):
                raise Died("decision")
            return original(agenda, *rest)

        return call


def live_through(radio: Radio, poisons: Poisons, most_lives: int = 40) -> int:
    """Start, and start again, until a life lasts; how many it took."""
    for number in range(1, most_lives + 1):
        try:
            if number > 1:
                radio.die() if radio.agent else None
                radio.new_node()
            radio.start()
            radio.run(20, step=1)
            return number
        except Died:
            continue
    raise AssertionError(f"it never lives: {sorted(poisons.what)}")


WHAT = ["thon-1/plan", "lang-son/plan", "dong-dang/plan", "loa-01/config", "decision"]
WHAT += [make_asset("a").sha256, make_asset("e").sha256]


@settings(deadline=None, max_examples=10)
@given(st.frozensets(st.sampled_from([*WHAT, "ledger once it is used"]), max_size=5), st.booleans())
def test_whatever_kills_the_process_an_emergency_is_sounded(what: frozenset[str], held: bool) -> None:
    poisons = Poisons(what)
    emergency = make_emergency(start=after(1), asset=make_asset("whole", 3000), late_for=7200)
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(Gate, "admit", poisons.admit(Gate.admit)),
        patch.object(PretendPlayer, "prime", poisons.prime(PretendPlayer.prime)),
        patch.object(Ledger, "__init__", poisons.open(Ledger.__init__)),
        patch.object(Agenda, "situation", poisons.decide(Agenda.situation)),
        patch.object(in_hand, "GRACE_SECONDS", 0.0),
    ):
        radio = Radio(Path(folder))
        radio.plan(make_job("b1", after(2), late_for=7200), area=COMMUNE)
        radio.plan(make_job("b2", after(8), asset=make_asset("b"), late_for=7200), area="lang-son")
        radio.plan(make_job("b3", after(12), asset=make_asset("c"), late_for=7200), area=HAMLET)
        radio.urgent(make_emergency("e0", after(2), asset=make_asset("e", 2000), late_for=7200), area=HAMLET)
        if held:
            radio.urgent(emergency)
        live_through(radio, poisons)
        if not held:
            radio.urgent(emergency)
            radio.run(20, step=0.5)
        assert "sounded" in radio.steps("e1"), "more than once where its ledger was lost"
        radio.die()


def test_in_safe_mode_ordinary_items_sound_and_streams_are_not_called_up(tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    for _ in range(lives.SHORT_LIVES):
        radio.start()
        radio.die()
        radio.new_node()
    assert radio.agent.lives.safe
    far = make_job("far", after(9000), asset=make_asset("far"))
    radio.plan(make_job("b1", after(5)), make_relay("r1", after(20)), far)
    radio.start()
    radio.run(1)
    assert radio.cache.wanted == [make_asset().sha256]
    radio.run(120, step=0.5)
    assert radio.outcome("b1").step is Step.SOUNDED
    assert (radio.outcome("r1").step, radio.outcome("r1").reason) == (Step.MISSED, Reason.SAFE_MODE)
    assert radio.presence[-1].safe_mode
    assert radio.health[-1].safe_mode
    assert radio.health[-1].vitals.modem is None


def test_a_restart_request_and_hours_of_health_lead_out_of_safe_mode(tmp_path: Path) -> None:
    for way in ("request", "hours"):
        radio = Radio(tmp_path / way)
        for _ in range(lives.SHORT_LIVES):
            radio.start()
            radio.die()
            radio.new_node()
        radio.start()
        assert radio.agent.lives.safe
        radio.agent._live_on()
        assert not radio.agent.exit_code
        if way == "request":
            radio.configure(make_config(serial=2, restart_request="again"))
            radio.run(1)
        else:
            radio.hand.turn(lives.SAFE_SECONDS)
            radio.agent._live_on()
        assert radio.agent.exit_code == RESTART_EXIT
        radio.agent.stop()
        radio.new_node()
        assert not radio.agent.lives.safe
        radio.start()
        assert not radio.agent.exit_code, "it is asked for once"


def test_a_plan_that_makes_every_decision_fail_is_set_aside_in_safe_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    radio = Radio(tmp_path)
    original = due_room.due

    def failing(situation: due_room.Situation) -> object:
        if "b1" in situation.jobs:
            raise ZeroDivisionError("of this plan")
        return original(situation)

    radio.plan(make_job("b1", after(30)))
    monkeypatch.setattr("edge_node.agent.due", failing)
    for _ in range(lives.SHORT_LIVES):
        with pytest.raises(ZeroDivisionError):
            radio.start()
        radio.die()
        radio.new_node()
    radio.start()
    radio.urgent(make_emergency("e1", after(1)))
    radio.run(20)
    assert radio.outcome("e1").step is Step.SOUNDED
    assert [thing.split()[2] for thing in radio.agent.lives.aside] == ["radio/v1/areas/lang-son:dong-dang/plan"]
    assert radio.health[-1].set_aside == radio.agent.lives.aside


# --- real processes ------------------------------------------------------------------------------------------

# A node that dies of one thing for good: in C code, where no handler helps.
DYING_NODE = """
import ctypes, os, sys
from edge_node import agenda, gate, radio, settings
from edge_node.players import relaying
what = os.environ["DIES_OF"]
def dying(owner, name, dies):
    original = getattr(owner, name)
    def call(*arguments, **named):
        if dies(*arguments):
            ctypes.string_at(0)
        return original(*arguments, **named)
    setattr(owner, name, call)
dying(gate.Gate, "admit", lambda self, topic, *rest: topic.endswith(what))
dying(relaying, "Source", lambda path, *rest: path.name == what)
dying(agenda.Agenda, "prune", lambda self, *rest: what == "housekeeping" and not self.frugal)
sys.exit(radio.run(settings.load(None, os.environ)))
"""


def prepare(folder: Path, name: str, *, dies_of: str) -> tuple[Job, str]:
    """Everything held on disk: an emergency, an item that starts with it, their audio; and what the node dies of.

    An emergency whose audio kills is spoken by the node itself.
    """
    now = datetime.now(UTC)
    jobs = []
    (folder / "audio").mkdir()
    for job_id, make in (("b1", make_job), ("e1", make_emergency)):
        source = wav(folder / "source.wav", noise(1, seed=len(jobs) + 1))
        asset = msgspec.structs.replace(asset_of(source, duration_ms=1000), media_type="audio/wav")
        source.rename(folder / "audio" / asset.sha256)
        jobs.append(
            make(job_id, start=now + timedelta(seconds=0.5), asset=asset, spoken="Nước lên nhanh.", late_for=900)
        )
    config = make_config(issued_at=now, quiet_hours=QuietHours("00:00", "00:00"))
    held = Held(folder / "held")
    plans = (make_plan(jobs[0], issued_at=now), make_plan(jobs[1], lane=Lane.URGENT, issued_at=now))
    trust = trust_message(valid_until=now + timedelta(days=9), issued_at=now)
    for topic, raw in (trust, config_message(config), *map(plan_message, plans)):
        held.keep(topic, raw)
    assert jobs[1].asset
    return jobs[1], {"audio": jobs[1].asset.sha256}.get(dies_of, dies_of)


def has_sounded(folder: Path, job: str) -> bool:
    """Whether the ledger on disk says so."""
    try:
        database = sqlite3.connect(f"file:{folder}/ledger.sqlite?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return False
    try:
        return database.execute("SELECT outcome FROM jobs WHERE job = ?", (job,)).fetchone() == ("sounded",)
    except sqlite3.OperationalError:
        return False
    finally:
        database.close()


@pytest.mark.parametrize(("dies_of", "deaths"), [("dong-dang/plan", 2), ("audio", 2), ("housekeeping", 4)])
def test_a_node_that_crashes_again_and_again_comes_to_sound_its_emergency(
    tmp_path: Path, dies_of: str, deaths: int
) -> None:
    emergency, what = prepare(tmp_path, NODE, dies_of=dies_of)
    names = {"NODE": NODE, "HOME": HAMLET, "ROOT_KEYS": ROOT.public.hex, "STATE_DIR": str(tmp_path)}
    names |= {"PLAYER": "file", "CLOCK": "trust", "BROKER_PORT": "1"}
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "DIES_OF": what}
    environment |= {f"LOA_NODE_{k}": v for k, v in names.items()}
    # a decoder dies in a thread of its own; while the walk works in that very moment, nobody is blamed that time
    most = deaths + (dies_of == "audio")
    ends: list[int] = []
    said: list[str] = []
    while len(ends) <= most and not has_sounded(tmp_path, emergency.id):
        node = subprocess.Popen([sys.executable, "-c", DYING_NODE], env=environment, stderr=subprocess.PIPE)
        try:
            until = time.monotonic() + 120
            while node.poll() is None and time.monotonic() < until:
                if len(ends) >= deaths and has_sounded(tmp_path, emergency.id):
                    break
                time.sleep(0.05)
            node.send_signal(signal.SIGTERM)
            ends.append(node.wait(60))
        finally:
            node.kill()
            said.append(node.communicate()[1].decode()[-1500:])
    assert deaths <= len(ends) - 1 <= most, said
    assert set(ends[:-1]) == {-signal.SIGSEGV}, said
    assert ends[-1] in (0, -signal.SIGTERM), said
    assert has_sounded(tmp_path, emergency.id), said
    past = recall(tmp_path)
    assert past.safe == (dies_of == "housekeeping")
    assert len(past.aside) == (dies_of != "housekeeping")
