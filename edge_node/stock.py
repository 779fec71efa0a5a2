"""The stock: of which jobs ahead the audio is here. Each is told to the station once; what lacks stands in health.

- One receipt (fetched) for a job and its audio, when the file is on disk and its content was checked. A job that needs
  no file (a relay without fallback, an emergency that is only words yet) has none.
- In batches: what comes in a row is gathered, so that two weeks of audio cost few writes and few messages.
- What was evicted or spoilt after that is not told again: health says what lacks now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge_node.cache import Cache
from edge_node.ledger import Ledger
from schedules.fetching import audio_file, urgency
from schedules.situation import Phase, Record
from wire.errors import Reason
from wire.health import MOST_LACKING, Lacking
from wire.plan import Job

GATHER_SECONDS = 3.0  # after something has come
REST_SECONDS = 60.0  # between two batches, unless something starts soon
SOON = timedelta(minutes=10)


@dataclass(frozen=True)
class Stocktaking:
    """Of the jobs ahead: how many have what they need; which do not, the most urgent first.

    ``lacking_from``: of what starts from then on, more lack than are named; None: all are named.
    """

    ready_count: int
    lacking: tuple[Lacking, ...]
    lacking_from: datetime | None


class Stock:
    """Asked at every tick; looks only when something has changed."""

    def __init__(self, ledger: Ledger, cache: Cache) -> None:
        self._ledger, self._cache = ledger, cache
        self._seen: object = None
        self._look_at: float | None = None
        self._rest_until = 0.0

    def tell(self, jobs: Mapping[str, Job], now: datetime, mono: float) -> None:
        """Write down of which ``jobs`` the audio is here now, if it is time to."""
        seen = (self._cache.arrivals, self._ledger.changes)
        if seen != self._seen:
            self._seen = seen
            self._look_at = self._look_at or mono + GATHER_SECONDS
        if self._look_at is None or mono < self._look_at:
            return
        found = self._untold(jobs)
        if found and mono < self._rest_until and all(jobs[name].start > now + SOON for name in found):
            self._look_at = self._rest_until
            return
        self._look_at = None
        if found:
            self._ledger.fetched(found, now)
            self._rest_until = mono + REST_SECONDS
            self._seen = (self._cache.arrivals, self._ledger.changes)

    def _untold(self, jobs: Mapping[str, Job]) -> dict[str, str]:
        """The audio that is here, by job, where the station was not told."""
        found = {}
        for name, record in self._ledger.records.items():
            job = jobs.get(name)
            file = audio_file(job) if job and _waits(record) else None
            if file and record.fetched != file.sha256 and self._cache.ready(file):
                found[name] = file.sha256
        return found


def take_stock(
    jobs: Iterable[Job], why_not: Callable[[Job], Reason | None], came: Callable[[Job], bool]
) -> Stocktaking:
    """What health says of the ``jobs`` ahead. ``came``: whether no fetch of its audio has failed so far."""
    ready, lacking = 0, []
    for job in jobs:
        why = why_not(job)
        if why is None:
            ready += 1
        elif job.asset or job.relay:
            coming = why is Reason.NO_AUDIO and came(job)
            lacking.append((urgency(job), job.start, Lacking(job.id, "" if coming else why.value)))
    lacking.sort(key=lambda each: each[0])
    named, rest = lacking[:MOST_LACKING], lacking[MOST_LACKING:]
    return Stocktaking(ready, tuple(each for _, _, each in named), min((start for _, start, _ in rest), default=None))


def _waits(record: Record) -> bool:
    return record.phase is Phase.WAITING
