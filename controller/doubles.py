"""Doubles: nodes that seem to live twice, one copied state folder in two devices. Pure; what it finds is for the store.

- Each run of a node has a boot id of its own that never comes again. A restart gives A, B; two devices that throw each
  other off the broker give A, B, A, B, A. The sign is a run that speaks again after another did.
- Only living words count: online, and health. A will, or what the broker kept, may be of any run that is over.
- A late message may be one return, and the return from it another; the third within `WITHIN` is no chance.
- It remembers since the station was started: two that go on show themselves again within minutes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wire.health import Health
from wire.presence import Presence, State

CHANCE = 2  # returns that may be a late message
WITHIN = timedelta(hours=1)
AGAIN = timedelta(minutes=1)  # between two notes of one node
MOST_RUNS = 16  # remembered of each node


@dataclass(frozen=True)
class Double:
    """Two runs of one node that speak by turns; ``address``: on which network each is, empty when it never said."""

    node: str
    boot_id: str
    other_boot_id: str
    address: str = ""
    other_address: str = ""


@dataclass
class _Runs:
    """What is known of one node."""

    current: str
    addresses: dict[str, str] = field(default_factory=dict)  # of every run, the oldest first
    returns: deque[datetime] = field(default_factory=lambda: deque(maxlen=CHANCE + 1))
    noted_at: datetime | None = None


class Doubles:
    """The runs of every node that spoke."""

    def __init__(self) -> None:
        self._runs: dict[str, _Runs] = {}

    def hear(self, said: Presence | Health, now: datetime) -> Double | None:
        """What a node said just now; a double when it shows that there are two, at most once a minute."""
        if isinstance(said, Presence) and said.state is not State.ONLINE:
            return None
        runs = self._runs.setdefault(said.node, _Runs(said.boot_id))
        before, runs.current = runs.current, said.boot_id
        returned = said.boot_id in runs.addresses and said.boot_id != before
        address = (said.vitals.network or "") if isinstance(said, Health) else ""
        runs.addresses[said.boot_id] = address or runs.addresses.get(said.boot_id, "")
        while len(runs.addresses) > MOST_RUNS:
            del runs.addresses[next(iter(runs.addresses))]
        if not returned:
            return None
        runs.returns.append(now)
        if len(runs.returns) <= CHANCE or now - runs.returns[0] > WITHIN:
            return None
        if runs.noted_at is not None and now - runs.noted_at < AGAIN:
            return None
        runs.noted_at = now
        one, other = sorted((said.boot_id, before))
        return Double(said.node, one, other, runs.addresses[one], runs.addresses.get(other, ""))
