"""Adds up what was aired, by day, commune and kind: the station does it while outcomes come in, reports read the sums.

- What came in during the last minute waits: a transaction that began before may still be on its way.
- What was taken back before it sounded is no bulletin of that day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from controller.roster import AreaKind, commune_of
from controller.store import Store
from controller.store.yearbook import AiredDay, AiredJob, Told
from schedules import moments
from wire.receipt import Step

SETTLED_AFTER = timedelta(seconds=60)
LATE_FOR = timedelta(days=60)  # a receipt that comes later counts its bulletin anew
BATCH, MOST_BATCHES = 2000, 20  # in one go, when many are owed
DRILL, ITEM = "drill", "item"  # kinds beside the three classes
_TAKEN_BACK = Step.WITHDRAWN

Place = tuple[str, str]  # job, area


def count(store: Store, zone: str, now: datetime) -> int:
    """Count what came in since it was last counted. How many outcomes. Raises StoreError."""
    communes = frozenset(area.id for area in store.roster.areas() if area.kind is AreaKind.COMMUNE)
    forget = moments.local(now - LATE_FOR, zone).date().isoformat()
    counted = 0
    for _ in range(MOST_BATCHES):
        told = store.yearbook.told(store.yearbook.upto(), now - SETTLED_AFTER, BATCH)
        if not told:
            break
        held = {(each.job, each.area): each for each in store.yearbook.jobs(sorted({each.upto[1] for each in told}))}
        jobs, days = added(told, held, communes, zone)
        store.yearbook.enter(jobs, days, told[-1].upto, forget)
        counted += len(told)
        if len(told) < BATCH:
            break
    return counted


def added(
    told: Iterable[Told], held: Mapping[Place, AiredJob], communes: frozenset[str], zone: str
) -> tuple[list[AiredJob], list[AiredDay]]:
    """The jobs as they are with what was ``told``, and what the days have more by it."""
    jobs, days = dict(held), defaultdict[tuple[str, str, str], dict[str, int]](lambda: defaultdict(int))
    touched: set[Place] = set()
    for each in told:
        if each.receipt.step is _TAKEN_BACK and not each.receipt.measured:
            continue
        place = each.upto[1], commune_of(each.home, communes)
        known = jobs.get(place)
        now_known = known or AiredJob(*place, _day(each, zone), _kind(each))
        day = days[now_known.day, now_known.area, now_known.kind]
        day["jobs"] += known is None
        day[_ended(each.receipt.step)] += 1
        if each.receipt.step is Step.SOUNDED:
            length = each.receipt.measured.sounded_ms if each.receipt.measured else 0
            day["jobs_sounded"] += now_known.sounded == 0
            day["longest_ms"] += max(0, length - now_known.longest_ms)
            longest = max(length, now_known.longest_ms)
            now_known = replace(now_known, sounded=now_known.sounded + 1, longest_ms=longest)
        jobs[place] = now_known
        touched.add(place)
    grown = [AiredDay(*key, **sums) for key, sums in sorted(days.items())]  # type: ignore[arg-type]
    return [jobs[place] for place in sorted(touched)], grown


def _ended(step: Step) -> str:
    return {Step.SOUNDED: "sounded", Step.MISSED: "missed"}.get(step, "otherwise")


def _kind(told: Told) -> str:
    return DRILL if told.drill else told.bulletin_class or ITEM


def _day(told: Told, zone: str) -> str:
    return moments.local(told.receipt.planned_start, zone).date().isoformat()
