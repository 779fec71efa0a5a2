"""What sounds now in a whole province: the plans that were issued, what nodes have proven, and the rule of `airings`.

- It is what loudspeakers hold, and so a moment behind the desk; counted, not named, however many they are (ADR 0039).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from controller.store import Store
from controller.tallies import Coming, Comings
from controller.web import airings
from controller.web.airings import Span
from wire.names import lies_within
from wire.plan import BulletinClass
from wire.receipt import OUTCOMES, Step

ENDS = [step.value for step in OUTCOMES]


@dataclass(frozen=True)
class Sounding:
    """A job that sounds now. ``proven``: nodes that sealed that they began, of ``expected``."""

    job: str
    title: str
    bulletin_class: BulletinClass
    drill: bool
    areas: tuple[str, ...]
    start: datetime
    end: datetime
    expected: int
    proven: int
    failed: int

    @property
    def link(self) -> str:
        """The booking behind it; empty for an item of a programme."""
        return "" if self.job.startswith("p") else self.job.partition(":")[0]


class OnAir:
    """Kept between requests: the plans as they were read. Safe from any thread."""

    def __init__(self) -> None:
        self._comings = Comings()

    def look(self, store: Store, now: datetime, concerns: Callable[[str], bool]) -> list[Sounding]:
        """Everything on the air in areas that concern the reader, emergencies first. Raises StoreError."""
        jobs: dict[str, tuple[Coming, dict[str, None]]] = {}
        for each in self._comings.look(store):
            if each.job.start > now - airings.LOOK_BACK and _span(each).may_last(now) and concerns(each.area):
                jobs.setdefault(each.job.id, (each, {}))[1][each.area] = None
        if not jobs:
            return []
        told, hanging = store.tallies.told(sorted(jobs)), store.roster.hanging()
        late = _still(store, [job for job, (coming, _) in jobs.items() if not _span(coming).is_planned(now)])
        found = []
        for job, (coming, areas) in jobs.items():
            seen = _sounding(coming, tuple(areas), told.get(job, {}), hanging)
            is_over = sum(told.get(job, {}).get(step, 0) for step in ENDS) >= max(1, seen.expected)
            if airings.sounds(_span(coming), now, late.get(job, 0), is_over):
                found.append(seen)
        return sorted(found, key=lambda each: airings.rank(each.bulletin_class, each.start, each.job))


def _span(coming: Coming) -> Span:
    return Span(coming.job.start, coming.end, coming.job.deadline)


def _still(store: Store, jobs: list[str]) -> dict[str, int]:
    """Of what is past by the plan: on how many nodes it began and has not ended."""
    told = store.asrun_pages.told(jobs)
    ended = {job: set[str]().union(*(told.get((job, step), ()) for step in OUTCOMES)) for job in jobs}
    return {job: len(told.get((job, Step.STARTED), set()) - ended[job]) for job in jobs}


def _sounding(coming: Coming, areas: tuple[str, ...], told: Mapping[str, int], hanging: Mapping[str, int]) -> Sounding:
    job = coming.job
    failed = sum(told.get(step.value, 0) for step in (Step.MISSED, Step.REFUSED))
    proven = max(told.get(Step.STARTED.value, 0), told.get(Step.SOUNDED.value, 0))
    about = job.id, job.title, job.bulletin_class, job.drill
    return Sounding(*about, areas, job.start, coming.end, count(areas, hanging), proven, failed)


def count(areas: Iterable[str], hanging: Mapping[str, int]) -> int:
    """How many nodes listen to any of ``areas``: those that hang in them, or are in the group; a node is one."""
    named = tuple(areas)
    found = sum(many for home, many in hanging.items() if any(lies_within(home, area) for area in named))
    return found or len(named)
