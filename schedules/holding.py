"""Holding back: what the rules of a place forbid does not go into its plan. The guard between desk and node.

- Judged as a node will judge: the union of the plans that it hears, day by day, by the rules of where it hangs.
- Held back from an area's plan is what everybody who hears that area would refuse. Where one of them would sound it,
  it stays, and the nodes decide each for itself.
- An emergency is never held back, and counts. Pure; `Holding` only remembers what has not changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from operator import is_

from schedules import policy
from schedules.planner import AreaLane
from schedules.rulebook import NO_LIMITS, Rulebook, airing_of, day_of, refused_by_day
from wire.config import Limits, QuietHours
from wire.errors import Reason
from wire.plan import Job, Lane

Rules = tuple[tuple[date, Rulebook], ...]  # of one area, each from its day on
Plans = Mapping[AreaLane, tuple[Job, ...]]
Held = Mapping[str, Mapping[str, Reason]]  # area -> job -> why


@dataclass(frozen=True)
class Listener:
    """Who hears ``areas``. ``rules``: of its home and what that lies in, nearest first; ``own_quiet``: its node's own
    quiet hours; ``quiet``: those of the station."""

    areas: frozenset[str]
    zone: str
    quiet: QuietHours
    rules: tuple[Rules, ...] = ()
    own_quiet: QuietHours | None = None

    def rulebook(self, day: date) -> Rulebook | None:
        """The rules in force where it hangs on that local day."""
        for own in self.rules:
            begun = [each for each in own if each[0] <= day]
            if begun:
                return max(begun, key=lambda each: each[0])[1]
        return None


def held_back(plans: Plans, listeners: Sequence[Listener]) -> Held:
    """Which jobs of which area's plan nobody who hears it would sound, and why."""
    return Holding().held_back(plans, listeners)


def judged(jobs: Iterable[Job], listener: Listener) -> dict[str, Reason]:
    """Which of ``jobs`` a node that hangs there would refuse by its rules, and why."""

    @cache
    def rulebook(day: date) -> Rulebook:
        return listener.rulebook(day) or Rulebook()

    def limits(day: date) -> Limits:
        return rulebook(day).limits

    refused: dict[str, Reason] = {}
    airings = []
    for job in jobs:
        airing = airing_of(job)
        quiet = listener.own_quiet or rulebook(day_of(airing, listener.zone)).quiet or listener.quiet
        if not policy.may_sound(job.bulletin_class, job.start, quiet, listener.zone):
            refused[job.id] = Reason.QUIET_HOURS
        else:
            airings.append(airing)
    if any(each[1].limits != NO_LIMITS for own in listener.rules for each in own):
        refused |= refused_by_day(airings, limits, listener.zone)
    return refused


class Holding:
    """`held_back` again and again: a listener whose plans are the same objects is not judged again."""

    def __init__(self) -> None:
        self._judged: dict[Listener, tuple[list[tuple[Job, ...]], dict[str, Reason]]] = {}
        self._left: dict[AreaLane, tuple[tuple[Job, ...], set[str], tuple[Job, ...]]] = {}

    def held_back(self, plans: Plans, listeners: Sequence[Listener]) -> Held:
        """What `held_back` gives."""
        self._judged = {each: self._judge(each, plans) for each in dict.fromkeys(listeners)}
        held = {}
        for (area, lane), jobs in plans.items():
            hears = [refused for listener, (_, refused) in self._judged.items() if area in listener.areas]
            nobody = _all_of(hears) if hears and lane is Lane.PLAN else {}
            mine = {job.id: nobody[job.id] for job in jobs if job.id in nobody} if nobody else {}
            if mine:
                held[area] = mine
        return held

    def left(self, plans: Plans, gone: Mapping[str, set[str]]) -> dict[AreaLane, tuple[Job, ...]]:
        """``plans`` without the jobs ``gone``, by area; what has not changed since the last time is the same object."""
        return {key: self._rest(key, jobs, gone.get(key[0], set())) for key, jobs in plans.items()}

    def _rest(self, key: AreaLane, jobs: tuple[Job, ...], gone: set[str]) -> tuple[Job, ...]:
        if not gone or key[1] is Lane.URGENT:
            return jobs
        known = self._left.get(key)
        if known is None or known[0] is not jobs or known[1] != gone:
            known = self._left[key] = jobs, gone, tuple(job for job in jobs if job.id not in gone)
        return known[2]

    def _judge(self, listener: Listener, plans: Plans) -> tuple[list[tuple[Job, ...]], dict[str, Reason]]:
        heard = [plans[key] for area in sorted(listener.areas) for lane in Lane if (key := (area, lane)) in plans]
        known = self._judged.get(listener)
        if known and len(known[0]) == len(heard) and all(map(is_, known[0], heard)):
            return known
        return heard, judged(_union(heard), listener)


def _union(heard: Sequence[tuple[Job, ...]]) -> Iterable[Job]:
    """Every job once. All are of one planning, so that a job met twice is the same."""
    return {job.id: job for jobs in heard for job in jobs}.values()


def _all_of(refusals: Sequence[Mapping[str, Reason]]) -> dict[str, Reason]:
    """What everybody refuses, with the first one's reason."""
    first, *others = refusals
    return {name: why for name, why in first.items() if all(name in other for other in others)}
