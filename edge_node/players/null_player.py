"""A player without a loudspeaker: it keeps time and makes no sound. For light fleets and machines without audio."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from edge_node.players.player import FADE_MS, RATE, Now, Progress, Take


class NullPlayer:
    """Sounds silence for as long as the sealed duration says, by the clock it is given. No thread."""

    device = "none"
    device_ok: bool | None = None
    can_relay = True

    def __init__(self, now: Now) -> None:
        self._now = now
        self._take: Take | None = None

    def prime(self, take: Take) -> None:
        """See `Player`. A take whose second has passed starts now."""
        self._take = take
        self._starts = max(take.at, self._now())

    def progress(self) -> Progress | None:
        """See `Player`."""
        take = self._take
        if take is None:
            return None
        passed_ms = int((self._now() - self._starts) / timedelta(milliseconds=1))
        if passed_ms < 0:
            return Progress(take.job_id, position_ms=take.from_ms)
        left_ms = max(0, take.duration_ms - take.from_ms)
        sounded_ms = min(passed_ms, left_ms)
        relayed_ms = sounded_ms if take.stream else 0  # as if it had been there all the time
        return Progress(
            take.job_id,
            sounding=passed_ms < left_ms,
            finished=passed_ms >= left_ms,
            position_ms=take.from_ms + sounded_ms,
            sounded_ms=sounded_ms,
            samples=sounded_ms * RATE // 1000,
            started_at=self._starts,
            ended_at=self._starts + timedelta(milliseconds=sounded_ms),
            skew_ms=(self._starts - take.at) / timedelta(milliseconds=1),
            relayed_ms=relayed_ms,
        )

    def stop(self, fade_ms: int = FADE_MS) -> Progress | None:
        """See `Player`; silence needs no fade."""
        del fade_ms
        last = self.progress()
        self._take = None
        return replace(last, sounding=False) if last else None

    def close(self) -> None:
        """See `Player`."""
        self._take = None
