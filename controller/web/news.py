"""What has changed, of which kind and where: asked a few times a second, so each look is cheap.

- Each table that is written seldom has a number; what was touched since, or the small table before and after, says in
  which areas. Where that cannot be told, it is everywhere.
- The newest outcomes are found by an index, however large the store is. What they are of may be shown wherever its
  booking is to sound.
- The state of all nodes is read whole when a node told anything; the more of them there are, the rarer it is read.
- After a look that failed anything may have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic

from controller.store import Store
from controller.store.traces import STANDING, Nodes, Numbers, Told
from controller.store.written import OFTEN
from controller.web.concerns import ANYTHING, TABLES, Change, Kind
from controller.web.places import Places
from wire.plan import BulletinClass

NODES_SECONDS = 1.0  # the shortest time between two readings of all nodes
NODES_SHARE = 20  # a reading that took a second is followed by twenty without one
MOST_TOUCHED = 100  # of more than these, it is everywhere
MOST_OUTCOMES = 500
MOST_STREAMS = 300

_TOUCHING = {"announcements", "bookings"}


class News:
    """Called, it gives what is new since it was called last.

    ``clock`` gives seconds that never go back. One thread calls it.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = monotonic) -> None:
        self._store, self._clock, self._places = store, clock, Places(store)
        self._is_sure = False  # whether the last look was whole
        self._numbers: Numbers | None = None
        self._standing: dict[str, frozenset[tuple[object, ...]]] = {}
        self._newest: tuple[datetime | None, frozenset[Told]] = (None, frozenset())
        self._nodes: Nodes | None = None
        self._nodes_at: tuple[int, ...] | None = None  # the numbers that they were read after
        self._next_nodes = clock()

    def __call__(self) -> list[Change]:
        """Raises StoreError while the store is away."""
        was_sure, self._is_sure = self._is_sure, False
        found = [*self._written(), *self._outcomes(), *self._conditions()]
        self._is_sure = True
        return found if was_sure else [ANYTHING]

    def _written(self) -> list[Change]:
        """What people wished, what the station planned, and what it found of alarms."""
        before, numbers = self._numbers, self._store.traces.numbers()
        if before is None:
            self._standing = {name: self._store.traces.standing(name) for name in STANDING}
            self._numbers = numbers
            return []
        names = {name for name, number in numbers.tables.items() if number != before.tables.get(name)}
        if before.alarms != numbers.alarms:
            names |= {"alarms", "alarm_members"}
        found = [self._of_table(name) for name in sorted(names - _TOUCHING - OFTEN)]
        if names & _TOUCHING:
            found.append(self._touched(before.wishes))
        self._numbers = numbers
        return [each for each in found if each.kinds is None or each.kinds]

    def _of_table(self, name: str) -> Change:
        kinds = TABLES.get(name)
        if name not in STANDING:
            return Change(kinds)
        before, now = self._standing[name], self._store.traces.standing(name)
        self._standing[name] = now
        moved = {str(row[0]) for row in before ^ now}
        return Change(kinds, self._places.known(moved)) if moved else Change(frozenset())

    def _touched(self, wishes: int) -> Change:
        air = frozenset({Kind.AIR})
        touched = self._store.traces.touched(wishes, MOST_TOUCHED)
        if touched is None:
            return Change(air, urgent=True)
        places = [self._places.of_announcement(each) for each in touched]
        areas = None if None in places else frozenset[str]().union(*(each for each in places if each is not None))
        urgent = any(each.bulletin_class == BulletinClass.EMERGENCY.value for each in touched)
        return Change(air, areas, frozenset(each.author for each in touched), urgent, sudden=urgent)

    def _outcomes(self) -> list[Change]:
        newest, known = self._newest
        found = self._store.traces.outcomes(newest, MOST_OUTCOMES if newest else 1)
        if not found:
            return []
        at = found[0][0]
        if at != newest and not newest:
            found = self._store.traces.outcomes(at, MOST_OUTCOMES)
        fresh = {told for received, told in found if received != newest or told not in known}
        self._newest = at, frozenset(told for received, told in found if received == at)
        if not fresh:
            return []
        return self._heard(fresh) if len(found) < MOST_OUTCOMES else [Change(frozenset({Kind.HEARD}), urgent=True)]

    def _heard(self, told: Iterable[Told]) -> list[Change]:
        areas, urgent = self._places.of_jobs(list(told))
        return [Change(frozenset({Kind.HEARD}), areas, urgent=urgent)]

    def _conditions(self) -> list[Change]:
        """Who came, went or spoke, and how much each has told."""
        began = self._clock()
        if began < self._next_nodes:
            return []
        at = self._numbers.of(*sorted(OFTEN)) if self._numbers else None
        if at is not None and at == self._nodes_at:
            return []
        before, now = self._nodes, self._store.traces.nodes()
        found = self._met(before, now) if before else []
        self._nodes, self._nodes_at = now, at
        took = self._clock() - began
        self._next_nodes = self._clock() + max(NODES_SECONDS, NODES_SHARE * took)
        return found

    def _met(self, before: Nodes, now: Nodes) -> list[Change]:
        there = {each for each, _ in before.there.items() ^ now.there.items()}
        spoke = {each for each, _ in before.health.items() ^ now.health.items()}
        told = {each: upto for each, upto in now.streams.items() if upto != before.streams.get(each, 0)}
        found = []
        if there:
            found.append(Change(frozenset({Kind.THERE}), self._places.known(there)))
        if spoke:
            found.append(Change(frozenset({Kind.HEALTH}), self._places.known(spoke)))
        if len(told) > MOST_STREAMS:
            found.append(Change(frozenset({Kind.HEARD})))
        elif told:
            spans = [(*each, before.streams.get(each, 0), upto) for each, upto in told.items()]
            steps = self._store.traces.steps(spans)
            found += self._heard(steps) if steps else []
        return found
