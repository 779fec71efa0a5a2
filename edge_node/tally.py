"""The tally: what a job has sounded, summed over its parts, and the same as proof."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import msgspec

from edge_node.players.player import RATE, Progress
from wire.receipt import Measured


class Tally(msgspec.Struct, frozen=True):
    """What a job has sounded so far, over all its parts. Small enough to be written down at every tick."""

    samples: int = 0  # of 48 kHz mono, delivered to the device
    energy_sum: float = 0.0  # sum of squares, full scale 1
    peak: float = 0.0  # greatest absolute value, 0..1
    started_at: datetime | None = None  # of the first part
    ended_at: datetime | None = None  # of the last part so far
    skew_ms: float = 0.0  # of the first part: actual minus planned start, positive is late
    relayed_ms: int = 0  # of a relay: what its stream gave
    fallback_ms: int = 0  # of a relay: what stood in for it
    beneath_ms: int = 0  # beneath another job, quieter

    @property
    def sounded_ms(self) -> int:
        """Milliseconds of audio delivered."""
        return self.samples * 1000 // RATE


def added(earlier: Tally, part: Progress, planned: datetime) -> Tally:
    """``earlier`` and what a player says of the part on air, whose job was to begin at ``planned``."""
    if part.started_at is None:
        return earlier
    first = earlier.started_at is None
    skew_ms = (part.started_at - planned) / timedelta(milliseconds=1)
    return Tally(
        samples=earlier.samples + part.samples,
        energy_sum=earlier.energy_sum + part.energy_sum,
        peak=max(earlier.peak, part.peak),
        started_at=part.started_at if first else earlier.started_at,
        ended_at=part.ended_at or earlier.ended_at,
        skew_ms=skew_ms if first else earlier.skew_ms,
        relayed_ms=earlier.relayed_ms + part.relayed_ms,
        fallback_ms=earlier.fallback_ms + part.fallback_ms,
        beneath_ms=earlier.beneath_ms + part.beneath_ms,
    )


def measured(tally: Tally, device: str) -> Measured | None:
    """A tally as proof for a receipt; None when nothing has sounded. Levels are dBFS, None for digital silence."""
    if tally.started_at is None:
        return None
    mean_square = tally.energy_sum / tally.samples if tally.samples else 0.0
    return Measured(
        started_at=tally.started_at,
        ended_at=tally.ended_at or tally.started_at,
        skew_ms=round(tally.skew_ms, 1),
        sounded_ms=tally.sounded_ms,
        level_dbfs=round(10 * math.log10(mean_square), 1) if mean_square > 0 else None,
        peak_dbfs=round(20 * math.log10(tally.peak), 1) if tally.peak > 0 else None,
        device=device[:120],
        relayed_ms=tally.relayed_ms,
        fallback_ms=tally.fallback_ms,
        beneath_ms=tally.beneath_ms,
        samples=tally.samples,
    )
