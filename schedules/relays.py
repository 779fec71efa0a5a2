"""Relays (tiếp sóng): another station's programme, a sound of known length that is live. Pure; docs in `schedules.md`.

- Live: what was not heard is gone. A relay that begins late begins in its middle, after a cut it is where it would be
  without it, and its end never moves.
- So the position of a relay is the part of its time that has gone by, not a place in a file.
- The name of a source is written as one likes, large or small: `vov1` is VOV1. As it is written, so it is kept.
- The other jobs stand here too where a length is asked for: who asks need not know which kind a job is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from schedules import standing_in
from wire.plan import Asset, Job, Relay

LEAST = timedelta(seconds=5)  # with less than this left a relay does not begin
OVERRUN = timedelta(
    seconds=1
)  # how far a player may miss the end: a second before it counts as sounded, one after is cut
_PREFIX = "relay-"
_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Source:
    """A station that may be relayed. ``fallback``: what sounds when it cannot be had, named as an item's audio is."""

    name: str
    url: str
    title: str = ""
    fallback: str = ""

    def __str__(self) -> str:
        return f"{self.name}={self.url}"

    def relay(self, duration_ms: int, fallback: Asset | None) -> Relay:
        """So many milliseconds of it."""
        return Relay(self.url, duration_ms, fallback)


def source_of(sources: Mapping[str, Source], name: str) -> Source | None:
    """The source called ``name``, whatever its case; one that is written just so comes first."""
    folded = name.casefold()
    return sources.get(name) or next((each for key, each in sources.items() if key.casefold() == folded), None)


def name_of(relay: Relay) -> str:
    """What stands in ledger and receipts where the SHA-256 of a file would: another relay has another name."""
    fallback = relay.fallback.sha256 if relay.fallback else ""
    said = f"{relay.url}\n{relay.duration_ms}\n{fallback}"
    return f"{_PREFIX}{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def is_name(audio: str) -> bool:
    """Whether ``audio`` names a relay."""
    return audio.startswith(_PREFIX)


def length_ms(job: Job) -> int:
    """How long a job sounds, in milliseconds; about, for a text that nodes speak; 0 for one without audio."""
    if job.relay:
        return job.relay.duration_ms
    return job.asset.duration_ms if job.asset else standing_in.estimated_ms(job)


def end(relay: Relay, begin: datetime) -> datetime:
    """When a relay that was to begin at ``begin`` is over, whatever happened."""
    return begin + relay.duration_ms * _TICK


def gone_ms(relay: Relay, begin: datetime, at: datetime) -> int:
    """How much of its time has gone by at ``at``: 0 up to one less than its length."""
    return min(max(0, round((at - begin) / _TICK)), relay.duration_ms - 1)


def last_moment(relay: Relay, begin: datetime, deadline: datetime, *, begun: bool) -> datetime:
    """The last moment at which it may begin, or go on when it has ``begun``: never with almost nothing left."""
    least = max(begin, end(relay, begin) - LEAST)
    return least if begun else max(begin, min(deadline, least))
