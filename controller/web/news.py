"""Whether anything that pages show has changed: asked a few times a second, so each look is cheap.

- A wish and the newest outcomes are looked at every time: both are found by an index, however large the store is.
- The state of all nodes is read whole; the more of them there are, the rarer it is read.
- Time changes pages too (a node falls silent, a booking begins), so that now and then everything counts as changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime
from time import monotonic

from controller.store import Store

ANYHOW_SECONDS = 15.0  # how long a page may stand without being looked at again
NODES_SECONDS = 1.0  # the shortest time between two readings of all nodes
NODES_SHARE = 20  # a reading that took a second is followed by twenty without one
MOST_OUTCOMES = 500


class News:
    """Called, it gives something that differs from the last answer when there is something new to show.

    ``clock`` gives seconds that never go back. One thread calls it.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = monotonic) -> None:
        self._store, self._clock = store, clock
        self._newest: datetime | None = None
        self._nodes: Hashable = None
        self._next_nodes = clock()

    def __call__(self) -> Hashable:
        """Raises StoreError while the store is away."""
        anyhow = int(self._clock() // ANYHOW_SECONDS)
        return (self._store.changed(), self._outcomes(), self._conditions(), anyhow)

    def _outcomes(self) -> Hashable:
        """When an outcome was last stored, and how many were at that moment."""
        book = self._store.asrun
        found = book.outcomes(since=self._newest, limit=MOST_OUTCOMES if self._newest else 1)
        newest = found[0].received_at if found else None
        if newest != self._newest:
            self._newest = newest
            found = book.outcomes(since=newest, limit=MOST_OUTCOMES)
        return (newest, len(found))

    def _conditions(self) -> Hashable:
        """Who is there, and when each was last heard of."""
        began = self._clock()
        if began >= self._next_nodes:
            latest = self._store.health.latest()
            self._nodes = hash(tuple((each.node, each.online, each.health_received_at) for each in latest))
            took = self._clock() - began
            self._next_nodes = self._clock() + max(NODES_SECONDS, NODES_SHARE * took)
        return self._nodes
