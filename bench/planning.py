"""Planning: what a province's timetable costs, from cold and after one edit; and a node's look at 2,000 jobs.

- From a real store (SQLite): bookings that come by rules, programmes laid out, policies judged, every plan's bytes.
- Processor time of one thread: what else the machine does counts as little as it can.
- Floors in the same run: writing the finished jobs as bytes, and nothing else; one look at the clock time of each job.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bench import timetable
from bench.papers import HOME, emergency
from bench.results import Figure, Measurement, spread
from controller import bootstrap
from controller.restraint import Restraint
from controller.settings import Settings
from controller.store import Store
from schedules.docket import Docket, Situation
from schedules.due import OnAir, Phase, due, fresh, next_look
from schedules.planner import AreaLane, Planner
from wire import codec
from wire.config import NodeConfig
from wire.plan import BulletinClass, Job

COMMUNES, QUICK_COMMUNES = 65, 2
EDITS, QUICK_EDITS = 20, 2
JOBS, QUICK_JOBS = 2000, 50
LOOKS, QUICK_LOOKS = 2000, 20
MOST_COLD_SECONDS, MOST_EDIT_MS, MOST_DUE_US = 2.0, 50.0, 50.0
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def measure(quick: bool) -> Measurement:
    """The whole measurement."""
    communes = QUICK_COMMUNES if quick else COMMUNES
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        settings = Settings(state_dir=Path(name))
        store = bootstrap.open_store(settings)
        try:
            timetable.fill(store, communes, NOW)
            figures = _planned(store, settings, QUICK_EDITS if quick else EDITS)
        finally:
            store.close()
    jobs, looks = (QUICK_JOBS, QUICK_LOOKS) if quick else (JOBS, LOOKS)
    figures += _looked(jobs, looks)
    note = f"{communes} communes, {timetable.ITEMS_A_DAY} items a day in each, 14 days ahead and 2 back, a policy each"
    return Measurement("planning", tuple(figures), (note,))


def _planned(store: Store, settings: Settings, edits: int) -> list[Figure]:
    station = _Station(store, settings)
    began = time.process_time()
    plans = station.plan(NOW)
    cold = time.process_time() - began
    count = sum(len(jobs) for jobs in plans.values())
    floor = _spent(lambda: [codec.write(job) for jobs in plans.values() for job in jobs])
    spent = []
    for number in range(edits):
        timetable.edit(store, number * timetable.BOOKINGS_A_DAY, NOW)
        spent.append(_spent(lambda: station.plan(NOW)) * 1000)
    return [
        Figure("jobs in all plans", count, "jobs"),
        Figure("planned from cold", cold, "s", most=MOST_COLD_SECONDS),
        Figure("cold × writing the same jobs as bytes", cold / floor, "×"),
        *spread("planned again after one edit", spent, "ms", most=MOST_EDIT_MS),
        Figure("cold × again", cold * 1000 / statistics.median(spent), "×"),
    ]


class _Station:
    """What a station does between a wish and the seal, without the seal."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._planner, self._restraint = store, Planner(), Restraint(store, settings)
        self._restraint.know(store.roster.nodes(), store.policies.all())
        self._written: dict[AreaLane, tuple[tuple[Job, ...], bytes]] = {}

    def plan(self, now: datetime) -> Mapping[AreaLane, tuple[Job, ...]]:
        self._store.airing.place(now)
        wanted = self._planner.plan(self._store.airing.to_plan(now), now)
        plans = self._restraint.apply(wanted, now)
        for key, jobs in plans.items():
            if key not in self._written or self._written[key][0] is not jobs:
                self._written[key] = jobs, b",".join(map(codec.write, jobs))
        return plans


def _looked(count: int, looks: int) -> list[Figure]:
    """A node on the second day of its plan, something sounding, three that wait."""
    jobs = [
        msgspec.structs.replace(
            emergency(NOW),
            id=f"b{number}",
            bulletin_class=BulletinClass.ORDINARY,
            start=NOW + timedelta(minutes=10 * number),
            deadline=NOW + timedelta(minutes=10 * number + 30),
        )
        for number in range(count)
    ]
    now = jobs[3].start + timedelta(seconds=1)
    records = {job.id: fresh(job) for job in jobs}
    records["b0"] = msgspec.structs.replace(records["b0"], phase=Phase.ON_AIR)
    config = NodeConfig("loa-1", 1, NOW, (HOME,), "")
    made = {job.id: job for job in jobs}
    s = Situation(Docket(made, records), OnAir(jobs[0], sounding=True), config, now)
    idle = Situation(s.docket, None, config, now)
    few = looks // 50
    return [
        _microseconds(f"due, {count:,} jobs, one sounding, three waiting", lambda: due(s), looks, MOST_DUE_US),
        _microseconds(f"due, {count:,} jobs, one to begin", lambda: due(idle), looks, MOST_DUE_US),
        _microseconds(f"next look, {count:,} jobs", lambda: next_look(s), looks),
        _microseconds("floor: one look at the start of every job", lambda: [j for j in jobs if j.start <= now], few),
        _microseconds("the docket laid out anew, as plans or ledger change", lambda: Docket(made, records), few),
    ]


def _microseconds(name: str, work: Callable[[], object], times: int, most: float | None = None) -> Figure:
    spent = [_spent(work) for _ in range(max(times, 3))]
    return Figure(f"{name}, median", statistics.median(spent) * 1e6, "µs", most=most)


def _spent(work: Callable[[], object]) -> float:
    """Processor seconds of this thread."""
    began = time.thread_time()
    work()
    return time.thread_time() - began
