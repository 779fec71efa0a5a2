"""What the air already holds around some moments: bookings that were sent, and what stands in programmes' slots.

- A booking that waits for approval holds its time too; what has no voice yet is estimated.
- A part of a slot waits for nobody: it is left out when something else sounds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controller.roster import Node, areas_of
from controller.store import Store
from controller.store.policies import Claim
from schedules import relays
from schedules.booking import SKIP_GRACE, WhenCut
from schedules.conflicts import Broadcast
from schedules.laying import Sounding
from schedules.rulebook import Airing

DAYS_AROUND = timedelta(days=1)
DAYS_AFTER = timedelta(days=8)  # another day may be offered


@dataclass(frozen=True)
class Held:
    """A ``broadcast``, and whose it is: an announcement's id and its booking's key, both empty for a slot's own.

    ``in_slot``: the station lays it out with whatever else asks for that slot.
    """

    broadcast: Broadcast
    in_slot: bool
    announcement: str = ""
    key: str | None = None


class Listening:
    """Some loudspeakers, by what they listen to: asked for many areas it reads the roster once."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._by_area: dict[str, set[str]] = defaultdict(set)
        for node in nodes:
            for area in areas_of(node):
                self._by_area[area].add(node.id)

    @property
    def areas(self) -> frozenset[str]:
        """Every area that any of them listens to."""
        return frozenset(self._by_area)

    def under(self, areas: Iterable[str]) -> frozenset[str]:
        """Those that listen to any of ``areas``."""
        return frozenset().union(*(self._by_area.get(area, ()) for area in areas))


def held_air(store: Store, reached: Listening, comings: Iterable[datetime], now: datetime) -> list[Held]:
    """All that the loudspeakers ``reached`` hold from a day before each of ``comings`` to the days after the last."""
    moments = sorted(comings)
    claims = store.policies.claims(min(now, moments[0]), moments[-1] + DAYS_AFTER, reached.areas)
    found = [each for claim in claims for each in _claimed(claim, reached)]
    titles = {claim.booking.id: claim.title for claim in claims}
    return found + [Held(each, True) for each in _in_slots(store, reached, _windows(moments), titles, now)]


def _claimed(claim: Claim, reached: Listening) -> Iterator[Held]:
    reach = reached.under(claim.areas)
    row = claim.booking
    late = timedelta(seconds=row.late_for_seconds)
    for airing in claim.airings if reach else ():
        duck = row.after_cut is WhenCut.DUCK
        broadcast = Broadcast(airing, claim.title, reach, row.level, claim.drill, late, duck=duck)
        yield Held(broadcast, row.slot is not None, row.announcement, row.idempotency_key)


def _windows(moments: list[datetime]) -> list[tuple[datetime, datetime]]:
    """The days around ``moments``, those that touch as one; the days after the last belong to it."""
    windows: list[tuple[datetime, datetime]] = []
    for each in moments:
        since, until = each - DAYS_AROUND, each + (DAYS_AFTER if len(moments) == 1 else DAYS_AROUND)
        if windows and since <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(until, windows[-1][1]))
        else:
            windows.append((since, until))
    return windows


def _in_slots(
    store: Store,
    reached: Listening,
    windows: list[tuple[datetime, datetime]],
    titles: Mapping[str, str],
    now: datetime,
) -> Iterator[Broadcast]:
    for area in store.programmes.standings():
        reach = reached.under([area])
        if not reach:
            continue
        for window in windows:
            for number, sounding in enumerate(store.airing.week(area, *window, now)):
                if sounding.until > sounding.start and (sounding.again or not sounding.booking):
                    part = _part(f"{area}:{number}", sounding, reach, titles)
                    source = sounding.item.source
                    yield _relay(part, store.airing.source(source) is not None) if source else part


def _part(name: str, sounding: Sounding, reach: frozenset[str], titles: Mapping[str, str]) -> Broadcast:
    item = sounding.item
    airing = Airing(sounding.start, sounding.until - sounding.start, id=f"p{name}:{sounding.start.isoformat()}")
    title = item.asset or item.source or titles.get(sounding.booking, "") or sounding.occurrence.slot.label
    return Broadcast(airing, title, reach, waits_for=SKIP_GRACE, kind=item.kind.value, duck=item.duck)


def _relay(part: Broadcast, is_sent: bool) -> Broadcast:
    """A relay: it may begin in its middle. One whose source nobody knows is shown, and counts nowhere."""
    if not is_sent:
        return replace(part, counts=False)
    return replace(part, waits_for=max(timedelta(0), part.airing.length - relays.LEAST))
