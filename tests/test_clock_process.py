"""The clock rules with real clocks: real node processes whose machine's clock is wrong, lies, hops or is left alone.

Each story is one node process (`makers_clock` says what is real there); all of them run beside each other.
In every one an emergency sounds, and nothing sounds twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from makers_clock import Machine, why_not
from makers_desk import trust_of_today
from makers_sound import utc_now

from edge_node.wallclock import boot_id
from fleet.broker import EmbeddedBroker
from wire.plan import Job
from wire.receipt import Step

WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
Story = Callable[[Machine], None]
DAY, HOUR, WEEK = timedelta(days=1), timedelta(hours=1), timedelta(days=7)
STORIES: dict[str, Story] = {}


def story(tell: Story) -> Story:
    STORIES[tell.__name__] = tell
    return tell


def sounds(machine: Machine, job: Job) -> None:
    """The job sounds, whole and once, and that is its one outcome."""
    outcome = machine.outcome(job)
    assert outcome.step is Step.SOUNDED, outcome
    assert job.asset
    assert outcome.measured
    assert outcome.measured.sounded_ms == job.asset.duration_ms
    assert machine.parts(job) == [job.asset.duration_ms]


def only_emergencies(machine: Machine) -> Job:
    """The node says that it does not know the time; an emergency sounds, an item waits. The item."""
    item = machine.item("item")
    machine.wait(lambda: machine.steps(item))
    machine.wait_for_word(known=False)
    sounds(machine, machine.alarm("alarm"))
    assert machine.steps(item) == ["accepted"]
    return item


def knows_again(machine: Machine) -> None:
    """The clock is right, and vouched for."""
    machine.shows(timedelta(0))  # first: a wrong time that is vouched for, for a moment only, is believed
    machine.vouched(True)
    machine.wait_for_word(known=True)


@story
def boot_in_1970(machine: Machine) -> None:
    machine.shows(datetime(1970, 1, 1, tzinfo=UTC) - utc_now())
    machine.vouched(False)
    machine.start()
    item = only_emergencies(machine)
    knows_again(machine)
    sounds(machine, item)


@story
def boot_at_the_last_shutdown(machine: Machine) -> None:
    machine.remembers((utc_now() - 8 * HOUR).isoformat())
    machine.shows(-8 * HOUR)
    machine.vouched(False)
    machine.start()
    item = only_emergencies(machine)
    knows_again(machine)
    sounds(machine, item)


@story
def boot_a_day_ahead(machine: Machine) -> None:
    machine.shows(DAY)
    machine.vouched(False)
    machine.start()
    item = only_emergencies(machine)
    knows_again(machine)
    sounds(machine, item)


@story
def boot_an_hour_back_and_vouched_for(machine: Machine) -> None:
    machine.remembers(utc_now().isoformat(), "another-boot", utc_now().isoformat(), "1.0")
    machine.shows(-HOUR)
    machine.start()
    item = only_emergencies(machine)
    knows_again(machine)
    sounds(machine, item)


def jumps_during_an_item(machine: Machine, jump: timedelta) -> None:
    machine.start()
    machine.wait_for_word(known=True)
    item = machine.item("long", 4.0)
    machine.wait(lambda: sum(machine.parts(item)) > 500)
    machine.shows(jump)
    sounds(machine, item)
    machine.wait_for_word(known=False)  # what is planned now is planned for one that has noticed
    waiting = only_emergencies(machine)
    knows_again(machine)
    sounds(machine, waiting)


@story
def jump_a_day_ahead_during_an_item(machine: Machine) -> None:
    jumps_during_an_item(machine, DAY)


@story
def jump_an_hour_back_during_an_item(machine: Machine) -> None:
    jumps_during_an_item(machine, -HOUR)


@story
def network_time_lost_while_it_runs(machine: Machine) -> None:
    machine.start()
    machine.wait_for_word(known=True)
    said = len(machine.health)
    machine.vouched(False)
    time.sleep(1.5)  # it has asked again since
    sounds(machine, machine.item("item"))
    sounds(machine, machine.alarm("alarm"))
    assert all(each.vitals.clock_known for each in machine.health[said - 1 :])


@story
def network_time_lost_for_a_week(machine: Machine) -> None:
    """The process begins again in a boot whose time was last vouched for a week ago."""
    now, mono = utc_now(), time.monotonic()
    week_ago = (now - WEEK).isoformat(), repr(mono - WEEK.total_seconds())
    machine.remembers(now.isoformat(), boot_id(), *week_ago)
    machine.vouched(False)
    machine.start()
    sounds(machine, machine.item("item"))
    sounds(machine, machine.alarm("alarm"))
    machine.wait_for_word(known=True)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    """Every story, being told."""
    folder: Path = tmp_path_factory.mktemp("clocks")
    trust = trust_of_today()

    def tell(name: str) -> None:
        machine = Machine(name.replace("_", "-"), folder / name, broker.port, trust)
        try:
            STORIES[name](machine)
        finally:
            machine.end()

    with EmbeddedBroker(folder / "broker", engine="mosquitto") as broker, ThreadPoolExecutor(len(STORIES)) as pool:
        yield {name: pool.submit(tell, name) for name in STORIES}


@pytest.mark.parametrize("name", STORIES)
def test_with_a_clock_that_is_wrong_emergencies_sound_and_nothing_else_is_guessed(
    name: str, told: dict[str, Future[None]]
) -> None:
    told[name].result()
