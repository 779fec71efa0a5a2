"""Every process of a real radio is killed with -9 at the worst moments: each job still ends once, and sounds once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from makers_radio_processes import DONGDANG, TAMTHANH, Commune
from makers_sound import utc_now

from wire.errors import Reason
from wire.plan import BulletinClass
from wire.receipt import Step

# A station that dies of kill -9 between two ticks of its own.
DYING_STATION = """
import os, signal, sys
from pathlib import Path
from controller import bootstrap, clock, settings
told = settings.load(Path(sys.argv[1]))
store = bootstrap.open_store(told)
station = bootstrap.make_station(told, store, bootstrap.make_link(told))
for tick in sys.argv[2:]:
    getattr(station, tick)(clock.now())
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def radio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commune]:
    commune = Commune(tmp_path_factory.mktemp("crashes"))
    try:
        commune.start()
        yield commune
    finally:
        commune.stop()


def die_after(radio: Commune, *ticks: str) -> None:
    command = [sys.executable, "-c", DYING_STATION, str(radio.folder / "controller.toml"), *ticks]
    assert subprocess.run(command, cwd=Path(__file__).parent.parent, check=False).returncode == -signal.SIGKILL


def sounded_whole(radio: Commune, node: str, job: str) -> None:
    """One outcome, sounded; on the reel each moment of the audio once, in order; what was cut goes on at its place."""
    assert radio.outcome(job, node).step is Step.SOUNDED
    assert radio.ended_once(job, node)
    parts = radio.parts(node, job)
    at = 0
    for part in parts:
        assert part.from_ms == pytest.approx(at, abs=100), parts
        assert radio.alike(node, part) > 0.9, parts
        at = part.from_ms + part.ms
    assert at == pytest.approx(radio.length_ms(job), abs=100)


@dataclass(frozen=True)
class Killed:
    """The jobs of announcements whose controller was killed with -9: how far each had come."""

    planned: str  # in a plan that nobody had heard of
    voiced: str  # on the shelf, in no plan
    sounding: str


def caught_voicing(radio: Commune) -> str | None:
    """A job whose text is just being voiced: of a short one, a busy machine may see nothing until it is done."""

    def making() -> list[Path]:
        return list(radio.studio.glob("making-*"))

    for _ in range(20):
        made = radio.announce((TAMTHANH,))
        radio.wait(lambda of=made.announcement_id: making() or is_voiced(radio, of))
        if making():
            return made.booking_id
    raise AssertionError("none was caught")


def is_voiced(radio: Commune, announcement: str) -> bool:
    held = radio.store.announcements.get(announcement)
    return bool(held and held.asset)


@pytest.fixture(scope="module", autouse=True)
def killed(radio: Commune) -> Killed:
    """First of all: what a node had told a station that was dead it tells again after ten seconds."""
    planned = caught_voicing(radio)
    radio.kill_controller()  # while it voices
    die_after(radio, "voice", "plan")
    voiced = radio.announce((DONGDANG,)).booking_id
    die_after(radio, "voice")
    sounding = radio.announce((TAMTHANH, DONGDANG)).booking_id
    assert planned
    assert voiced
    assert sounding
    radio.start_controller()
    radio.wait_for_sound(DONGDANG, sounding)
    radio.kill_controller()
    radio.start_controller()
    return Killed(planned, voiced, sounding)


def test_a_node_killed_while_it_sounds_goes_on_where_it_was(radio: Commune) -> None:
    job = radio.book((TAMTHANH, DONGDANG), 4)
    radio.wait_for_sound(TAMTHANH, job, ms=1000)
    radio.kill_node(TAMTHANH)
    radio.wait(lambda: radio.online(TAMTHANH) is False)  # its will has spoken
    radio.start_node(TAMTHANH)
    radio.wait(lambda: radio.online(TAMTHANH) is True)
    sounded_whole(radio, TAMTHANH, job)
    sounded_whole(radio, DONGDANG, job)
    assert radio.steps(job, TAMTHANH) == ["accepted", "started", "resumed", "sounded"]
    assert len(radio.parts(DONGDANG, job)) == 1


def test_a_broker_killed_while_nodes_sound_is_not_heard_and_a_wish_made_meanwhile_waits_for_it(radio: Commune) -> None:
    sounding = radio.book((TAMTHANH, DONGDANG), 3)
    radio.wait_for_sound(TAMTHANH, sounding)
    radio.crew.broker.kill()
    wished = radio.announce((TAMTHANH, DONGDANG)).booking_id
    assert wished
    radio.wait(lambda: radio.store.bookings.get(wished).start)  # type: ignore[union-attr]
    radio.wait_for_sound(TAMTHANH, sounding, ms=2990)
    radio.crew.broker.start()
    for node in (TAMTHANH, DONGDANG):
        for job in (sounding, wished):
            sounded_whole(radio, node, job)
            assert len(radio.parts(node, job)) == 1


@pytest.fixture(scope="module")
def alarm(radio: Commune) -> tuple[str, str]:
    """(ordinary, emergency): the alarm cuts in on both nodes, and one node is killed in the middle of it."""
    siren = radio.shelve(3)
    ordinary = radio.book((TAMTHANH, DONGDANG), 5)
    radio.wait_for_sound(TAMTHANH, ordinary, ms=1000)
    booked = utc_now()
    emergency = radio.book_asset((TAMTHANH, DONGDANG), siren, bulletin_class=BulletinClass.EMERGENCY)
    radio.wait_for_sound(DONGDANG, emergency, ms=700)
    radio.kill_node(DONGDANG)
    radio.start_node(DONGDANG)
    radio.wait_for_step(emergency, TAMTHANH, Step.STARTED)
    (started,) = [e for e in radio.store.asrun.receipts(emergency, TAMTHANH) if e.step is Step.STARTED]
    sys.stdout.write(f"an emergency sounds {(started.at - booked).total_seconds():.3f} s after its audio is there\n")
    for job in (ordinary, emergency):
        assert radio.outcomes(job) == {TAMTHANH: "sounded", DONGDANG: "sounded"}
    return ordinary, emergency


def test_an_emergency_cuts_in_and_what_it_cut_goes_on(radio: Commune, alarm: tuple[str, str]) -> None:
    ordinary, emergency = alarm
    sounded_whole(radio, TAMTHANH, ordinary)
    sounded_whole(radio, TAMTHANH, emergency)
    assert radio.steps(ordinary, TAMTHANH) == ["accepted", "started", "paused", "resumed", "sounded"]
    assert radio.steps(emergency, TAMTHANH) == ["accepted", "started", "sounded"]
    order = [part.job for part in radio.parts(TAMTHANH) if part.job in alarm]
    assert order == [ordinary, emergency, ordinary]
    measured = radio.outcome(ordinary, TAMTHANH).measured
    assert measured
    assert measured.sounded_ms == pytest.approx(5000, abs=200)
    assert (measured.ended_at - measured.started_at).total_seconds() > 7.5


def test_an_emergency_that_a_crash_interrupted_starts_over(radio: Commune, alarm: tuple[str, str]) -> None:
    ordinary, emergency = alarm
    first, second = radio.parts(DONGDANG, emergency)
    assert (first.from_ms, second.from_ms) == (0, 0)
    assert second.ms == pytest.approx(radio.length_ms(emergency), abs=5)
    assert radio.alike(DONGDANG, second) > 0.9
    assert radio.ended_once(emergency, DONGDANG)
    sounded_whole(radio, DONGDANG, ordinary)
    assert [part.job for part in radio.parts(DONGDANG) if part.job in alarm] == [
        ordinary,
        emergency,
        emergency,
        ordinary,
    ]


def test_a_controller_killed_on_the_way_to_the_plan_loses_nothing_and_says_nothing_twice(
    radio: Commune, killed: Killed
) -> None:
    for node, job in ((TAMTHANH, killed.planned), (DONGDANG, killed.voiced)):
        sounded_whole(radio, node, job)
        assert len(radio.parts(node, job)) == 1
        assert radio.steps(job, node) == ["accepted", "started", "sounded"]
    assert list(radio.studio.glob("making-*")) == []


def test_a_controller_killed_while_nodes_sound_hears_of_it_all_the_same(radio: Commune, killed: Killed) -> None:
    for node in (TAMTHANH, DONGDANG):
        sounded_whole(radio, node, killed.sounding)
        assert len(radio.parts(node, killed.sounding)) == 1
        radio.wait(lambda node=node: len(radio.steps(killed.sounding, node)) == 3)
        assert radio.steps(killed.sounding, node) == ["accepted", "started", "sounded"]


def test_no_receipt_ever_contradicted_another(radio: Commune) -> None:
    assert [each for each in radio.store.refusals.all() if each.reason == Reason.FORKED] == []
