"""Loudspeakers that need somebody, for the home page: how many in each state, and the worst of them.

- Of a commune's loudspeakers each is looked at, with all that its health says.
- Of a province's the database says who is there, and the station who is in trouble: whoever is there and belongs to an
  alarm that is not over, as the list of loudspeakers has it. No page reads the health of ten thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from controller import behind
from controller.rights import Permission
from controller.roster import Node
from controller.store.nodelist import STATES, Narrowed
from controller.web import ground, known, nodes
from controller.web.doors import may, reach
from controller.web.known import minute, numbers
from controller.web.nodes import Seen
from controller.web.window import window

MOST_SHOWN = 4
MOST_LOOKED_AT = 500  # of more the database counts
BAD = ("offline", "silent", "never", "worried")


@dataclass(frozen=True)
class Fault:
    """A loudspeaker that needs somebody; ``cause``: of the alarm that it belongs to, where it is there."""

    seen: Seen
    cause: str = ""


@dataclass(frozen=True)
class Faults:
    """How many of ``total`` loudspeakers are in each state (of `BAD`), and the ``worst`` of them."""

    counts: Mapping[str, int]
    worst: tuple[Fault, ...] = ()
    total: int = 0


def look(now: datetime) -> Faults:
    """Those where this person may read."""
    if not may(Permission.READ):
        return Faults({})
    changed = numbers()
    at = changed.of("presence", "health", "doubles"), changed.roster, changed.alarms, minute(now, nodes.STEP)
    return known.of(("faults", reach(Permission.READ)), at, lambda: _look(now))


def _look(now: datetime) -> Faults:
    mine, nodes_by_name = ground.own(), window().store.roster.by_name()
    own = [nodes_by_name[each] for each in sorted(mine) if each in nodes_by_name] if len(mine) <= MOST_LOOKED_AT else []
    return _each(own, now) if len(mine) <= MOST_LOOKED_AT else _counted(now)


def _each(own: Sequence[Node], now: datetime) -> Faults:
    store = window().store
    ids = [each.id for each in own]
    conditions, due = store.health.conditions(set(ids)), behind.due(store, now, ids)
    doubles = store.doubles.since(now - nodes.DOUBLE_FOR)
    told = (nodes.Told(each, conditions.get(each.id), due, doubles.get(each.id)) for each in own)
    seen = sorted((nodes.look(each, {}) for each in told), key=_rank)
    bad = [each for each in seen if each.state in BAD or each.troubles]
    counts = Counter(_word(each) for each in bad)
    return Faults(counts, tuple(Fault(each) for each in bad[:MOST_SHOWN]), len(seen))


def _counted(now: datetime) -> Faults:
    asked, book = Narrowed(reach(Permission.READ)), window().store.nodelist
    counts = book.counts(asked, now)
    lines = [line for line in book.page(asked, now, 0, MOST_SHOWN) if line.state in BAD]
    worst = tuple(Fault(seen, next(iter(line.causes), "")) for seen, _, line in nodes.seen_on(lines))
    return Faults({state: counts[state] for state in BAD if state in counts}, worst, sum(counts.values()))


def _word(seen: Seen) -> str:
    return "worried" if seen.state == "online" and seen.troubles else seen.state


def _rank(seen: Seen) -> tuple[int, str]:
    """Whoever needs somebody comes first."""
    return STATES.index(_word(seen)), seen.node.id
