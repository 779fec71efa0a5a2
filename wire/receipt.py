"""Receipts: a node's sealed statements of what it did with each job, numbered without gaps.

- ``stream`` names one numbering; a node whose outbox was lost starts a new stream at 1.
- Every job ends in exactly one receipt whose ``step`` is an outcome; the others tell the way there.
- The station acknowledges the highest number stored; only then may the node forget.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from wire.plan import Moment, Name

MAX_BATCH = 200


class Step(StrEnum):
    """What happened. The last six are outcomes: exactly one of them ends a job on a node."""

    ACCEPTED = "accepted"
    FETCHED = "fetched"  # its audio is on the disk, and is what was sealed; once for a job and its audio
    STARTED = "started"
    PAUSED = "paused"  # a higher job cut in, or only a siren has sounded (no_voice); it will resume or restart
    RESUMED = "resumed"
    SOUNDED = "sounded"
    PREEMPTED = "preempted"  # cut by a higher job for good
    INTERRUPTED = "interrupted"  # cut by a crash, a power cut or a stop, and its deadline is past
    WITHDRAWN = "withdrawn"  # the station took it out of the plan before it ended
    REFUSED = "refused"
    MISSED = "missed"


OUTCOMES = frozenset({Step.SOUNDED, Step.PREEMPTED, Step.INTERRUPTED, Step.WITHDRAWN, Step.REFUSED, Step.MISSED})


class Measured(msgspec.Struct, frozen=True):
    """What came out of the player: proof, as far as a node can see it."""

    started_at: Moment
    ended_at: Moment
    skew_ms: float  # actual minus planned start; positive is late
    sounded_ms: int  # audio written to the device, over all parts of this job
    level_dbfs: float | None  # RMS of what was written, relative to full scale; None for digital silence
    peak_dbfs: float | None
    device: Annotated[str, Meta(max_length=120)]
    relayed_ms: int = 0  # of sounded_ms: the stream of a relay
    fallback_ms: int = 0  # of sounded_ms: what stood in for it; the rest was silence
    beneath_ms: int = 0  # of sounded_ms: beneath an emergency, 26 dB quieter than the rest
    samples: int = 0  # of 48 kHz mono, delivered to the device, over all parts; 0 from a node that did not say


class Receipt(msgspec.Struct, frozen=True):
    """One numbered line of a node's log."""

    number: Annotated[int, Meta(ge=1)]
    job: Name
    step: Step
    at: Moment
    planned_start: Moment
    asset: Annotated[str, Meta(max_length=64)] = ""  # SHA-256 of what sounds; relay-…, spoken-… or siren-… of a text
    reason: Annotated[str, Meta(max_length=40)] = ""  # a Reason code where the step has one
    detail: Annotated[str, Meta(max_length=300)] = ""
    measured: Measured | None = None


class Receipts(msgspec.Struct, frozen=True):
    """A sealed batch of consecutive receipts of one stream."""

    node: Name
    stream: Annotated[str, Meta(max_length=32)]
    receipts: Annotated[tuple[Receipt, ...], Meta(min_length=1, max_length=MAX_BATCH)]
    forgotten: Annotated[int, Meta(ge=0)] = 0  # up to this number all was acknowledged once, and is kept no more


class Ack(msgspec.Struct, frozen=True):
    """The station has stored every receipt of ``stream`` up to and including ``upto``."""

    node: Name
    stream: Annotated[str, Meta(max_length=32)]
    upto: Annotated[int, Meta(ge=0)]
    issued_at: Moment
