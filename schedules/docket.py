"""The docket: a node's open jobs and what its ledger says of them, laid out so that a look costs only what is near.

- Made when plans or ledger change, asked at every tick: of thousands of jobs ahead a tick touches none.
- What has its outcome is left out. What was withdrawn before it began, and is planned again, is new.
- It decides nothing: `schedules.due` does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime

from schedules import standing_in
from schedules.situation import OnAir, Phase, Record, audio_of
from wire.config import NodeConfig
from wire.errors import Reason
from wire.plan import Job


class Docket:
    """Open jobs and records by job. ``jobs``: the union of the held, valid plans; nothing here is ever changed."""

    def __init__(self, jobs: Mapping[str, Job], records: Mapping[str, Record]) -> None:
        ended = {name for name, record in records.items() if record.phase is Phase.ENDED}
        over = ended | {name for name, record in records.items() if record.phase is Phase.WITHDRAWN}
        self.jobs: Mapping[str, Job] = {name: job for name, job in jobs.items() if name not in ended}
        self._by_start = sorted(self.jobs.values(), key=lambda job: (job.start, job.id))
        self._starts = [job.start for job in self._by_start]
        self._know({name: record for name, record in records.items() if name not in over})
        self.strays = tuple(record for name, record in self.records.items() if name not in self.jobs)
        self.news = tuple(job for job in self._by_start if is_news(job, self.records.get(job.id)))

    def reached(self, until: datetime) -> list[Job]:
        """Every job that starts by ``until``, by start; then those that have begun and start later now."""
        near = self._by_start[: bisect_right(self._starts, until)]
        return near + [job for job in self._begun if job.start > until]

    def beyond(self, until: datetime) -> Iterator[Job]:
        """The jobs that start after ``until``, by start."""
        for index in range(bisect_right(self._starts, until), len(self._by_start)):
            yield self._by_start[index]

    def knowing(self, record: Record) -> Docket:
        """The same with another record of a job that has one; what is news stays as it was."""
        other = copy(self)
        other._know({**self.records, record.job: record})
        return other

    def without_strays(self, hidden: Iterable[str]) -> Docket:
        """The same as if the ledger did not know the jobs ``hidden``, which no plan holds."""
        gone = set(hidden)
        other = copy(self)
        other._know({name: record for name, record in self.records.items() if name not in gone})
        other.strays = tuple(record for record in self.strays if record.job not in gone)
        return other

    def _know(self, records: dict[str, Record]) -> None:
        self.records: Mapping[str, Record] = records
        begun = (self.jobs.get(name) for name, record in records.items() if record.phase is not Phase.WAITING)
        self._begun = [job for job in begun if job]


@dataclass(frozen=True)
class Situation:
    """Everything the decision rests on."""

    docket: Docket
    on_air: OnAir | None
    config: NodeConfig
    now: datetime
    clock_known: bool = True
    unready: Mapping[str, Reason] = field(default_factory=dict)  # jobs that cannot be sounded now, and why
    over: Mapping[str, Reason] = field(default_factory=dict)  # jobs that their day does not take, and why

    @property
    def jobs(self) -> Mapping[str, Job]:
        """The open jobs of the plans."""
        return self.docket.jobs

    @property
    def records(self) -> Mapping[str, Record]:
        """The open records of the ledger."""
        return self.docket.records


def is_news(job: Job, record: Record | None) -> bool:
    """Whether the ledger must hear of this job: new, or edited before it has ended."""
    if record is None:
        return True
    moved = (record.start, record.deadline) != (job.start, job.deadline)
    other = record.asset != audio_of(job) and not standing_in.stands_in(record.asset, job)
    return moved or (record.position_ms == 0 and other)
