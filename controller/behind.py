"""Behind: which nodes are there and yet kept in the past (TUF's indefinite freeze), by what they say that they hold.

- A document counts once it is `PATIENCE` old: until then the station publishes it again to whoever lacks it.
- A node counts that has been online as long, and spoke lately.
- What it holds is not sealed when it says so: a broker that lies in its name as well is found by receipts that do not
  come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from controller.roster import Node, areas_of
from controller.store import Store
from controller.store.facts import Condition
from wire import topics
from wire.plan import Lane

PATIENCE = timedelta(minutes=10)
LATELY = timedelta(minutes=5)
TRUST, CONFIG = topics.TRUST.name, topics.CONFIG.name


# serials by (area, lane), (node, "config") and ("", "trust")
Serials = Mapping[tuple[str, str], int]


def due(store: Store, now: datetime, only: Sequence[str] | None = None) -> Serials:
    """The serials of all documents that were issued so long ago that a node which is there has them.

    ``only``: the nodes that are asked about, a few hundred at most; None: all.
    """
    since = now - PATIENCE
    found = store.plans.numbers(since, now, only)
    trust = store.documents.get(topics.TRUST.name)
    return found | ({("", TRUST): trust.serial} if trust is not None and trust.stored_at <= since else {})


def behind(node: Node, condition: Condition, due: Serials, now: datetime) -> int:
    """How many documents a node lacks that is there and should have them. Asked of ten thousand for one page."""
    health, heard, since = condition.health, condition.health_received_at, condition.presence_since
    if not condition.online or health is None or heard is None or since is None:
        return 0
    if now - heard > LATELY or heard - since < PATIENCE:
        return 0
    held = {("", TRUST): health.trust_serial, (node.id, CONFIG): health.config_serial}
    for each in health.held:
        held[each.area, Lane.PLAN.value], held[each.area, Lane.URGENT.value] = each.plan, each.urgent
    mine = [(area, lane.value) for area in {node.id, *areas_of(node)} for lane in Lane]
    return sum(held.get(place, 0) < due.get(place, 0) for place in (("", TRUST), (node.id, CONFIG), *mine))
