"""Playing with a node's clock: twelve hours ahead and back, vouched for or not, on real node processes.

What the plan says of another hour does not sound in this one; an emergency does; when the clock is right again all
comes to its right end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from makers_clock import Machine, why_not
from makers_desk import trust_of_today
from test_clock_process import knows_again, sounds

from fleet.broker import EmbeddedBroker
from wire.errors import Reason
from wire.plan import Job
from wire.receipt import Step

WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
HALF_A_DAY = timedelta(hours=12)
SOON = 3.0
STORIES = {
    "ahead-vouched": (HALF_A_DAY, True),
    "ahead-unvouched": (HALF_A_DAY, False),
    "back-vouched": (-HALF_A_DAY, True),
    "back-unvouched": (-HALF_A_DAY, False),
}


def turned(machine: Machine, by: timedelta, vouched: bool) -> None:
    machine.start()
    machine.wait_for_word(known=True)
    sounds(machine, machine.item("before"))
    machine.shows(by)
    machine.vouched(vouched)
    machine.wait_for_word(known=False)
    # by the wrong clock it is due in a moment: in truth it was half a day ago, or comes in half a day
    of_another_hour = machine.item("of-another-hour", begins_in=by.total_seconds() + SOON)
    of_this_hour = machine.item("of-this-hour")
    machine.wait(lambda: machine.steps(of_this_hour))
    sounds(machine, machine.alarm("alarm"))
    time.sleep(2 * SOON)  # its moment by the wrong clock is past
    machine.listen()
    assert machine.parts(of_another_hour) == []
    assert Step.SOUNDED not in machine.steps(of_another_hour)
    knows_again(machine)
    sounds(machine, of_this_hour)
    ended_rightly(machine, of_another_hour, gone=by < timedelta(0))


def ended_rightly(machine: Machine, job: Job, gone: bool) -> None:
    """What was twelve hours ago was missed, too late; what is in twelve hours still waits."""
    if gone:
        outcome = machine.outcome(job)
        assert (outcome.step, outcome.reason) == (Step.MISSED, Reason.LATE)
    else:
        assert machine.steps(job) == [Step.ACCEPTED]
    assert machine.parts(job) == []


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    """Every story, being told."""
    folder: Path = tmp_path_factory.mktemp("half-days")
    trust = trust_of_today()

    def tell(name: str) -> None:
        machine = Machine(name, folder / name, broker.port, trust)
        try:
            turned(machine, *STORIES[name])
        finally:
            machine.end()

    with EmbeddedBroker(folder / "broker", engine="mosquitto") as broker, ThreadPoolExecutor(len(STORIES)) as pool:
        yield {name: pool.submit(tell, name) for name in STORIES}


@pytest.mark.parametrize("name", STORIES)
def test_with_a_clock_twelve_hours_off_nothing_sounds_at_the_wrong_hour(
    name: str, told: dict[str, Future[None]]
) -> None:
    told[name].result()
