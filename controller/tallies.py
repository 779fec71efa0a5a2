"""Tallies: what the overview shows is added up here, by commune, so that no page ever counts ten thousand nodes.

- An hour's availability: seconds online of the seconds in which its nodes were known. An hour that is over stays.
- A day's bulletins, on each loudspeaker: how they ended by the as-run log, and by the issued plans what is to come.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller import readiness, yearbook
from controller.roster import AreaKind, Node, areas_of, commune_of
from controller.store import Store
from controller.store.facts import IssuedPlan
from controller.store.tallies import CommuneHour, DayTally
from schedules import moments
from schedules.fetching import audio_file
from wire import codec, seal, topics
from wire.plan import Job, Lane, Plan
from wire.receipt import Step

HOUR = timedelta(hours=1)
FIRST, KEPT = timedelta(days=30), timedelta(days=400)
MOST_HOURS = 24  # added up in one go, when many are owed
Spell = tuple[str, datetime, datetime | None]


@dataclass(frozen=True)
class Coming:
    """A job of an issued plan, and how long it sounds."""

    area: str
    job: Job
    end: datetime


def comings(issued: IssuedPlan) -> tuple[Coming, ...]:
    """What stands in an issued plan."""
    line = topics.URGENT if issued.lane is Lane.URGENT else topics.PLAN
    plan = codec.read(Plan, seal.unwrap(issued.envelope, line.most_bytes).body(), line.most_bytes)
    return tuple(Coming(plan.area, job, job.start + _length(job)) for job in plan.jobs)


def _length(job: Job) -> timedelta:
    milliseconds = job.asset.duration_ms if job.asset else job.relay.duration_ms if job.relay else 60_000
    return timedelta(milliseconds=milliseconds)


class Tallies:
    """Adds up over one store. One thread calls it."""

    def __init__(self, store: Store, zone: str) -> None:
        self._store, self._zone = store, zone
        self._plans = Comings()

    def add_up(self, now: datetime) -> None:
        """Hours that are over and not added up yet, and today; and the yearbook. Raises StoreError."""
        yearbook.count(self._store, self._zone, now)
        nodes = [node for node in self._store.roster.nodes() if node.revoked_at is None]
        communes = frozenset(area.id for area in self._store.roster.areas() if area.kind is AreaKind.COMMUNE)
        places = {node.id: commune_of(node.home, communes) for node in nodes}
        self._add_hours(places, now)
        day = moments.local(now, self._zone).date()
        begin = moments.at_local(day, datetime.min.time(), self._zone)
        ended = [(commune_of(home, communes), job, step, n) for home, job, step, n in self._store.tallies.ended(begin)]
        today = [
            each for each in self._plans.look(self._store) if moments.local(each.job.start, self._zone).date() == day
        ]
        self._store.tallies.set_arrivals(readiness.count(self._store, items(self._plans.look(self._store), now), now))
        self._store.tallies.set_day(list(tally(day.isoformat(), ended, expected(today, nodes, places), now)))

    def _add_hours(self, places: Mapping[str, str], now: datetime) -> None:
        this = now.replace(minute=0, second=0, microsecond=0)
        newest = self._store.tallies.newest_hour()
        hour = max(newest + HOUR, this - FIRST) if newest else this - FIRST
        owed: list[CommuneHour] = []
        heard = self._store.tallies.heard_from() if hour < this else {}
        for _ in range(MOST_HOURS):
            if hour >= this:
                break
            owed += hours_of(self._store.tallies.spells(hour, hour + HOUR), heard, places, hour)
            hour += HOUR
        if owed:
            self._store.tallies.add_hours(owed, now - KEPT)


class Comings:
    """What stands in the plans that are issued now; each plan is read once. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[tuple[str, Lane], tuple[int, tuple[Coming, ...]]] = {}

    def look(self, store: Store) -> list[Coming]:
        """Everything, in no order. Raises StoreError."""
        with self._lock:
            held = store.plans.held()
            self._read = {key: known for key, known in self._read.items() if key in held}
            for key, serial in held.items():
                known = self._read.get(key)
                if known is None or known[0] != serial:
                    issued = store.plans.of(*key)
                    self._read[key] = (issued.serial, comings(issued)) if issued else (serial, ())
            return [each for _, found in self._read.values() for each in found]


def items(found: Iterable[Coming], now: datetime) -> list[readiness.Item]:
    """What is to come and needs a file, each job once with all areas whose plans have it."""
    jobs: dict[str, tuple[Job, dict[str, None]]] = {}
    for each in found:
        if each.job.start > now:
            jobs.setdefault(each.job.id, (each.job, {}))[1][each.area] = None
    files = ((job, areas, audio_file(job)) for job, areas in jobs.values())
    return [readiness.Item(job.id, file.sha256, tuple(areas), job.start) for job, areas, file in files if file]


def hours_of(
    spells: Iterable[Spell], heard: Mapping[str, datetime], places: Mapping[str, str], hour: datetime
) -> list[CommuneHour]:
    """The hour that begins at ``hour``, by commune. ``heard``: nodes that ever spoke, and since when enrolled.

    A commune with nobody known is left out; with none at all an empty hour of ``*`` says that it was added up.
    """
    end = hour + HOUR
    online: dict[str, float] = defaultdict(float)
    known: dict[str, float] = defaultdict(float)
    for node, enrolled in heard.items():
        if node in places and enrolled < end:
            known[places[node]] += (end - max(enrolled, hour)).total_seconds()
    for node, since, until in spells:
        if node in places and node in heard:
            begin = max(since, hour, heard[node])
            online[places[node]] += max(0.0, (min(until or end, end) - begin).total_seconds())
    found = [CommuneHour(hour, area, round(online[area]), round(seconds)) for area, seconds in sorted(known.items())]
    return found or [CommuneHour(hour, "*", 0, 0)]


def expected(
    found: Iterable[Coming], nodes: Iterable[Node], places: Mapping[str, str]
) -> dict[tuple[str, str], tuple[datetime, int]]:
    """By job and commune: when it begins, and on how many nodes; a job in several plans counts on each node once."""
    jobs: dict[str, tuple[datetime, set[str]]] = {}
    for each in found:
        jobs.setdefault(each.job.id, (each.job.start, set()))[1].add(each.area)
    by_areas: dict[frozenset[str], dict[str, int]] = {}
    known = [(frozenset(areas_of(node)), places[node.id]) for node in nodes]
    told: dict[tuple[str, str], tuple[datetime, int]] = {}
    for job, (start, areas) in jobs.items():
        named = frozenset(areas)
        if named not in by_areas:
            counts: dict[str, int] = defaultdict(int)
            for mine, place in known:
                counts[place] += not mine.isdisjoint(named)
            by_areas[named] = counts
        told |= {(job, place): (start, count) for place, count in by_areas[named].items() if count}
    return told


def tally(
    day: str,
    ended: Iterable[tuple[str, str, str, int]],
    due: Mapping[tuple[str, str], tuple[datetime, int]],
    now: datetime,
) -> Iterator[DayTally]:
    """The day by commune. ``ended``: commune, job, step, on how many; what was withdrawn does not count."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    told: dict[tuple[str, str], int] = defaultdict(int)
    kinds = {Step.SOUNDED.value: "sounded", Step.MISSED.value: "missed", Step.WITHDRAWN.value: ""}
    for place, job, step, count in ended:
        told[job, place] += count
        if kind := kinds.get(step, "otherwise"):
            counts[place][kind] += count
    for (job, place), (start, count) in due.items():
        left = max(0, count - told[job, place])
        counts[place]["ahead" if start > now else "unheard"] += left
    for place, mine in sorted(counts.items()):
        yield DayTally(day, place, **mine, at=now)
