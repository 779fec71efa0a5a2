"""The words of the node's decision: what the ledger keeps of a job, and what `schedules.due` may answer. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from schedules import relays
from wire.errors import Reason
from wire.plan import Job
from wire.receipt import Step


class Phase(StrEnum):
    """How far a job has come on this node. ON_AIR with an idle player means a crash, a power cut or a stop.

    WITHDRAWN: it left the plans before it began, and may stand in one again.
    """

    WAITING = "waiting"
    ON_AIR = "on_air"
    PAUSED = "paused"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


class Record(msgspec.Struct, frozen=True):
    """The ledger's line for one job. ``position_ms`` is a position in ``asset``; of a relay, how much has gone by.

    ``fetched``: the SHA-256 of the audio of which the station was told that it is here; empty before that.
    """

    job: str
    phase: Phase
    start: datetime
    deadline: datetime
    asset: str = ""
    position_ms: int = 0
    fetched: str = ""

    def released(self, then: Step | None) -> Phase:
        """The phase after the loudspeaker was taken away: ``then`` as in `Cut`."""
        if then is None:
            return Phase.PAUSED if self.position_ms else Phase.WAITING
        return Phase.PAUSED if then is Step.PAUSED else Phase.ENDED


@dataclass(frozen=True)
class OnAir:
    """What the player holds: primed for its second, or sounding; and what sounds ``beneath`` it."""

    job: Job
    sounding: bool
    beneath: Job | None = None


@dataclass(frozen=True)
class Accept:
    """A job seen for the first time, or with another time or audio than the ledger knows."""

    job: Job


@dataclass(frozen=True)
class End:
    """The job's one outcome."""

    job: str
    step: Step
    reason: Reason | None = None


@dataclass(frozen=True)
class Cut:
    """Take the loudspeaker from what holds it, or from what lies beneath.

    ``then`` is PAUSED, an outcome, or None when it had not sounded.
    """

    job: str
    then: Step | None
    reason: Reason | None = None

    @property
    def gives_way(self) -> bool:
        """Whether it lets go on the first sample of what is started with it, and not at once."""
        return self.reason is Reason.OUTRANKED


@dataclass(frozen=True)
class Duck:
    """What sounds goes on beneath the job that is started next, quieter, and comes back when that is over."""

    job: str


@dataclass(frozen=True)
class Start:
    """Give the loudspeaker to this job: its first sample (from ``from_ms``) leaves at ``at``."""

    job: Job
    at: datetime
    from_ms: int = 0


Act = Accept | End | Cut | Duck | Start


def fresh(job: Job) -> Record:
    """The record of a job that nothing has happened to yet."""
    return Record(job.id, Phase.WAITING, job.start, job.deadline, audio_of(job))


def audio_of(job: Job) -> str:
    """The name of the job's audio or relay; empty for a job without."""
    if job.relay:
        return relays.name_of(job.relay)
    return job.asset.sha256 if job.asset else ""
