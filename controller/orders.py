"""Orders: which priority items clash, and what holds where a commune has not said which of them goes first.

- The level decides until somebody does; when the time for it is over, the log says that it did.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import cache

from controller.roster import nodes_under
from controller.store import Store
from controller.store.rows import Act
from schedules.booking import Booking
from schedules.clashes import Clash, priority_clashes

log = logging.getLogger(__name__)

ORDERED, BY_DEFAULT = "ordered", "ordered by default"


def clashes(store: Store, now: datetime) -> list[Clash]:
    """Every pair that clashes from ``now`` on, decided or not, by time."""
    nodes = cache(store.roster.nodes)  # thousands, and mostly nobody asks

    def reach(booking: Booking) -> frozenset[str]:
        return frozenset(node.id for node in nodes_under(nodes(), booking.areas))

    return priority_clashes(store.bookings.to_plan(now), reach, now)


def settle(store: Store, now: datetime) -> list[Clash]:
    """Write down, once, what the level decided because nobody else did in time. What was."""
    settled = []
    for clash in clashes(store, now):
        own, above = clash.own.id, clash.above.id
        said = [act for act in store.acts.about(own) if act.what in (ORDERED, BY_DEFAULT) and above in act.detail]
        if now > clash.decide_by and not clash.own_first and not said:
            detail = f"after={above} level={clash.above.level.value}"
            store.acts.add(Act("station", BY_DEFAULT, own, detail, now))
            log.info("ordered_by_default booking=%s %s", own, detail)
            settled.append(clash)
    return settled
