"""Restraint: what the rules of places hold back from plans, and the record of it. The guard between desk and node.

- Decided before a job's second, by `schedules.holding`; afterwards it stays as it was, whatever the rules say later.
- Every job that is held back, or let go again, is a line in the audit log with its reason, and stands with its booking.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from controller.roster import Node, ancestors, areas_of
from controller.settings import Settings
from controller.store import Store
from controller.store.held import HeldBack
from controller.store.rows import Act
from controller.store.wanted import LONGEST_LATE
from schedules.holding import Holding, Listener, Plans
from schedules.planner import KEPT_PAST, AreaLane, plan
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.config import QuietHours
from wire.errors import Reason
from wire.plan import Job, Lane

log = logging.getLogger(__name__)

Rulebooks = Mapping[str, Sequence[tuple[date, Rulebook]]]
Key = tuple[str, str]  # job and area
_Home = tuple[frozenset[str], str, QuietHours | None]  # what is heard there, where it hangs, its own quiet hours


@dataclass(frozen=True, eq=False)
class _Places:
    """Where loudspeakers hang, and the rules of areas."""

    homes: list[_Home]
    rulebooks: Rulebooks


class Restraint:
    """What this station holds back. `know` the places first."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._zone, self._quiet = store, settings.zone, settings.quiet
        self._holding = Holding()
        self._places = _Places([], {})
        self._asked: tuple[_Places, frozenset[str]] | None = None  # places and areas for which `_listening` was found
        self._listening: list[Listener] = []
        self.known = 0  # grows with every `know`
        self._held: dict[Key, HeldBack] | None = None

    def know(self, nodes: Iterable[Node], rulebooks: Rulebooks) -> None:
        """Who hears what, by whose rules."""
        homes = dict.fromkeys((frozenset(areas_of(node)), node.home, node.quiet) for node in nodes)
        self._places = _Places(list(homes), rulebooks)
        self.known += 1

    def apply(self, plans: Plans, now: datetime) -> dict[AreaLane, tuple[Job, ...]]:
        """``plans`` without what is held back; what has changed of that is written down."""
        before, held = self._remembered(now), self.weigh(plans, now)
        self._write(before, held, plans, now)
        self._held = held
        return self.left(plans, held)

    def weigh(self, plans: Plans, now: datetime) -> dict[Key, HeldBack]:
        """What is held back of ``plans``; nothing is written."""
        judged = self._holding.held_back(plans, self._listeners(frozenset(area for area, _ in plans)))
        before = self._remembered(now)
        jobs = _named(plans, {*judged, *(area for _, area in before)})
        held = {key: row for key, row in before.items() if key in jobs and jobs[key].start <= now}  # past: as it was
        for area, each in judged.items():
            for name, why in each.items():
                if jobs[name, area].start > now:
                    held[name, area] = _row(jobs[name, area], area, why, before.get((name, area)), now)
        return held

    def left(self, plans: Plans, held: Iterable[Key]) -> dict[AreaLane, tuple[Job, ...]]:
        """``plans`` without these."""
        gone: dict[str, set[str]] = defaultdict(set)
        for name, area in held:
            gone[area].add(name)
        return self._holding.left(plans, gone)

    def _listeners(self, planned: frozenset[str]) -> list[Listener]:
        """Everybody who hears a planned area, those alike once; where nobody does, as if somebody hung there."""
        places = self._places
        if self._asked is None or self._asked[0] is not places or self._asked[1] != planned:
            heard = {area for areas, _, _ in places.homes for area in areas}
            nobody = [(frozenset({area, *ancestors(area)}), area, None) for area in planned - heard]
            found = (self._listener(each, planned, places.rulebooks) for each in [*places.homes, *nobody])
            self._listening = [each for each in dict.fromkeys(found) if each.areas]
            self._asked = places, planned
        return self._listening

    def _listener(self, there: _Home, planned: frozenset[str], rulebooks: Rulebooks) -> Listener:
        areas, home, own_quiet = there
        chain = (tuple(rulebooks.get(area, ())) for area in (home, *ancestors(home)))
        rules = tuple(each for each in chain if each)
        return Listener(areas & planned, self._zone, self._quiet, rules, own_quiet)

    def _remembered(self, now: datetime) -> dict[Key, HeldBack]:
        """What is held back, as it was written last."""
        if self._held is None:
            rows = self._store.held.since(now - KEPT_PAST - LONGEST_LATE)
            self._held = {(row.job, row.area): row for row in rows}
        return self._held

    def _write(self, before: Mapping[Key, HeldBack], held: Mapping[Key, HeldBack], plans: Plans, now: datetime) -> None:
        new = [row for key, row in held.items() if before.get(key) != row]
        ahead = [(key, row) for key, row in before.items() if key not in held and row.start > now]
        rows = [*new, *(replace(row, released_at=now) for _, row in ahead)]
        planned = _named(plans, {row.area for _, row in ahead})
        let_go = [row for key, row in ahead if key in planned]  # the others were withdrawn
        acts = [_act("held back", row, now) for row in new] + [_act("released", row, now) for row in let_go]
        if rows:
            self._store.held.write(rows, acts)
        for act in acts:
            log.info("%s %s", act.what.replace(" ", "_"), act.detail)


def _named(plans: Plans, areas: Iterable[str]) -> dict[Key, Job]:
    """The jobs of the ordinary plans of ``areas``."""
    return {(job.id, area): job for area in areas for job in plans.get((area, Lane.PLAN), ())}


def foresee(
    store: Store, settings: Settings, plans: Plans, now: datetime, rulebooks: Rulebooks | None = None
) -> tuple[dict[AreaLane, tuple[Job, ...]], list[HeldBack]]:
    """What the station would leave of ``plans``, and what it would hold back. Writes nothing.

    ``rulebooks``: instead of those that are kept.
    """
    restraint = Restraint(store, settings)
    restraint.know(store.roster.nodes(), store.policies.all() if rulebooks is None else rulebooks)
    held = restraint.weigh(plans, now)
    return restraint.left(plans, held), sorted(held.values(), key=lambda row: (row.start, row.job, row.area))


def newly_held(store: Store, settings: Settings, policy: Policy, now: datetime) -> list[HeldBack]:
    """What is booked up to the horizon, sounds by today's rules, and would be held back by ``policy`` among them."""
    plans, known = plan(store.airing.to_plan(now), now), store.policies.all()
    others = [each for each in known.get(policy.area, ()) if each[0] != policy.since]
    ruled = known | {policy.area: sorted([*others, (policy.since, policy.rules)], key=lambda each: each[0])}
    _, before = foresee(store, settings, plans, now)
    _, after = foresee(store, settings, plans, now, ruled)
    gone = {(row.job, row.area) for row in before}
    return [row for row in after if row.start > now and (row.job, row.area) not in gone]


def _row(job: Job, area: str, why: Reason, before: HeldBack | None, now: datetime) -> HeldBack:
    booking = job.id.partition(":")[0]
    return HeldBack(job.id, area, booking, job.title, job.start, why.value, before.held_at if before else now)


def _act(what: str, row: HeldBack, now: datetime) -> Act:
    return Act("station", what, row.booking, f"job={row.job} area={row.area} reason={row.reason}", now)
