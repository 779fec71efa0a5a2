"""The station's clock: the only place in the controller that asks the time, and the metronome of its ticks.

- The one door to APScheduler: a table of named, idempotent ticks; memory job store, coalesced, one at a time.
- No broadcast is ever stored in it: the database is the truth, a tick only looks.
- An exception ends one tick, never the metronome.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)

LATE_TURNS, LATE_ANYHOW = 3, timedelta(minutes=5)  # a tick is late after so many turns and so long


def now() -> datetime:
    """The moment, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Tick:
    """One line of the table: what is done, how often at the latest, and whether a bell brings it forward."""

    name: str
    every_seconds: float
    work: Callable[[datetime], object]
    on_bell: bool = False


class Clock:
    """Runs a table of ticks, each in its own thread, never twice at once."""

    def __init__(self, ticks: list[Tick]) -> None:
        """``ticks``: the table; names are unique."""
        self._ticks = ticks
        self._ended: dict[str, datetime] = {}  # when each tick was last through
        self._rung: set[str] = set()  # ticks to run once more when the run that is on has ended
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max(4, len(ticks)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )

    def start(self) -> None:
        """Begin; every tick runs once at once."""
        # a tick that is still running when its next turn comes is not a warning here: it is the design
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._ended = dict.fromkeys((tick.name for tick in self._ticks), now())
        for tick in self._ticks:
            self._scheduler.add_job(
                self._run, "interval", (tick,), id=tick.name, seconds=tick.every_seconds, next_run_time=now()
            )
        self._scheduler.start()

    def ring(self) -> None:
        """Bring forward the ticks that wait for wishes. Safe from any thread."""
        for tick in self._ticks:
            if tick.on_bell and self._scheduler.running:
                self._rung.add(tick.name)
                try:
                    self._scheduler.modify_job(tick.name, next_run_time=now())
                except JobLookupError:
                    log.debug("tick=%s gone while stopping", tick.name)

    def late(self, at: datetime) -> tuple[str, ...]:
        """The names of the ticks that should have been through by ``at`` and were not: they hang, or nothing runs."""
        found = []
        for tick in self._ticks:
            patience = timedelta(seconds=LATE_TURNS * tick.every_seconds) + LATE_ANYHOW
            if at - self._ended.get(tick.name, at) > patience:
                found.append(tick.name)
        return tuple(found)

    def stop(self) -> None:
        """Let the running ticks finish, then end. Idempotent."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _run(self, tick: Tick) -> None:
        rung = True
        while rung:  # a bell that rang while it worked may have been for what it had passed already
            self._rung.discard(tick.name)
            try:
                tick.work(now())
            except Exception:  # one tick, not the radio
                log.exception("tick=%s failed", tick.name)
            self._ended[tick.name] = now()
            rung = tick.name in self._rung and self._scheduler.running
