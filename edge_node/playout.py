"""Playout: what was decided, carried to the player; what the player says, turned into proof.

- Volume comes from the config in force at the start (`schedules.policy`).
- What a job sounded is summed over all its parts: before a pause (remembered here) and before a crash (given
  back with `carry` from what the agent wrote down).
- It decides nothing: `schedules.due` does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from edge_node.players.player import FADE_MS, RATE, Player, Progress, Take
from schedules import policy
from wire.config import NodeConfig
from wire.errors import Reason
from wire.plan import Job
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

    @property
    def sounded_ms(self) -> int:
        """Milliseconds of audio delivered."""
        return self.samples * 1000 // RATE


@dataclass(frozen=True)
class Sound:
    """What is played for a job: its file, a relay's stream, or what stands in for its file.

    ``name`` is what ledger and receipts say of it; ``path`` None only for a relay that nothing stands in for. What is
    not ``whole`` is no outcome when it is over.
    """

    name: str
    path: Path | None
    duration_ms: int
    whole: bool = True
    detail: str = ""  # for the receipt


@dataclass(frozen=True)
class Heard:
    """The state of the job that holds the loudspeaker."""

    job: Job
    sounding: bool
    finished: bool
    position_ms: int  # where in the asset to go on after a pause or a crash
    tally: Tally
    failed: Reason | None = None
    trouble: str = ""  # why a relay's stream was lost last
    sound: Sound = Sound("", None, 0)


class Playout:
    """The one way to the player. Not thread-safe: the agent's walk calls it."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._job: Job | None = None
        self._sound = Sound("", None, 0)
        self._offset = timedelta()  # of this node, part of the planned start
        self._earlier: dict[str, Tally] = {}  # parts before the one now on air, by job

    @property
    def device(self) -> str:
        """The player's device, for health."""
        return self._player.device

    @property
    def device_ok(self) -> bool | None:
        """Whether the device works, for health; None when not needed yet."""
        return self._player.device_ok

    @property
    def can_relay(self) -> bool:
        """Whether the player can decode a stream."""
        return self._player.can_relay

    def begin(self, job: Job, sound: Sound, at: datetime, from_ms: int, config: NodeConfig) -> None:
        """Prime the player with ``job``: its sample at ``from_ms`` leaves at ``at``. Replaces what was held."""
        volume = policy.volume_dbfs(job.bulletin_class, at, config)
        self.cut(0)
        self._job, self._sound, self._offset = job, sound, timedelta(milliseconds=config.offset_ms)
        stream = job.relay.url if job.relay else ""
        self._player.prime(Take(job.id, sound.path, at, from_ms, volume, sound.duration_ms, stream))

    def observe(self) -> Heard | None:
        """The job that holds the loudspeaker (also when finished or failed, until `cut`), or None."""
        progress = self._player.progress()
        return self._heard(progress) if progress else None

    def cut(self, fade_ms: int = FADE_MS) -> Heard | None:
        """Take the loudspeaker from what holds it; its last state. Also how a finished job is let go."""
        heard = self._heard(self._player.stop(fade_ms))
        if heard:
            self._earlier[heard.job.id] = heard.tally
        self._job = None
        return heard

    def carry(self, job_id: str, tally: Tally) -> None:
        """Give back what a job had sounded before this process started."""
        self._earlier[job_id] = tally

    def measured(self, job_id: str) -> Measured | None:
        """What a job sounded over all its parts, on air or not; None when nothing of it has sounded."""
        heard = self.observe()
        tally = heard.tally if heard and heard.job.id == job_id else self._earlier.get(job_id, Tally())
        return measured(tally, self.device)

    def forget(self, job_id: str) -> None:
        """The job has ended: its parts are no longer needed."""
        self._earlier.pop(job_id, None)

    def close(self) -> None:
        """Close the player."""
        self._player.close()

    def _heard(self, progress: Progress | None) -> Heard | None:
        if progress is None or self._job is None:
            return None
        tally = _sum(self._earlier.get(self._job.id, Tally()), progress, self._job.start + self._offset)
        told = progress.sounding, progress.finished, progress.position_ms, tally, progress.failed, progress.trouble
        return Heard(self._job, *told, sound=self._sound)


def _sum(earlier: Tally, part: Progress, planned: datetime) -> Tally:
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
    )
