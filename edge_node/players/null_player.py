"""A player without a loudspeaker: it keeps time and makes no sound. For light fleets and machines without audio."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from edge_node.players.player import FADE_MS, RATE, Now, Progress, Take

_TICK = timedelta(milliseconds=1)


class NullPlayer:
    """Sounds silence for as long as the sealed duration says, by the clock it is given. No thread."""

    device = "none"
    device_ok: bool | None = None
    can_relay = True
    stuck = False

    def __init__(self, now: Now) -> None:
        self._now = now
        self._on: _Held | None = None
        self._under: _Held | None = None

    def prime(self, take: Take) -> None:
        """See `Player`. A take whose second has passed starts now."""
        self._on, self._under = self._held(take), None

    def cross(self, take: Take) -> Progress | None:
        """See `Player`. Waits for nothing: the last progress is what it will have been."""
        leaving, self._on = self._on, self._held(take)
        return _let_go(leaving.progress(self._on.starts)) if leaving else None

    def lay_over(self, take: Take) -> None:
        """See `Player`."""
        self._under, self._on = self._on, self._held(take)

    def progress(self) -> Progress | None:
        """See `Player`."""
        return self._on.progress(self._now()) if self._on else None

    def beneath(self) -> Progress | None:
        """See `Player`."""
        if self._under is None or self._on is None:
            return None
        now = self._now()
        return self._under.progress(now, self._under.covered_ms(self._on, now))

    def stop(self, fade_ms: int = FADE_MS) -> Progress | None:
        """See `Player`; silence needs no fade."""
        del fade_ms
        last, now = self.progress(), self._now()
        if self._on and self._under:
            self._under.beneath_ms += self._under.covered_ms(self._on, now)
        self._on, self._under = self._under, None
        return _let_go(last)

    def stop_beneath(self, fade_ms: int = FADE_MS) -> Progress | None:
        """See `Player`."""
        del fade_ms
        last, self._under = self.beneath(), None
        return _let_go(last)

    def close(self) -> None:
        """See `Player`."""
        self._on = self._under = None

    def _held(self, take: Take) -> _Held:
        return _Held(take, max(take.at, self._now()))


class _Held:
    """One take and when it starts."""

    def __init__(self, take: Take, starts: datetime) -> None:
        self.take, self.starts = take, starts
        self.left_ms = max(0, take.duration_ms - take.from_ms)
        self.beneath_ms = 0  # under those that are over

    def covered_ms(self, upper: _Held, now: datetime) -> int:
        """How long ``upper`` has sounded while this one did."""
        until = min(now, self.starts + self.left_ms * _TICK, upper.starts + upper.left_ms * _TICK)
        return max(0, int((until - upper.starts) / _TICK))

    def progress(self, now: datetime, covered_ms: int = 0) -> Progress:
        """How far it is."""
        take, passed_ms = self.take, int((now - self.starts) / _TICK)
        if passed_ms < 0:
            return Progress(take.job_id, position_ms=take.from_ms)
        sounded_ms = min(passed_ms, self.left_ms)
        return Progress(
            take.job_id,
            sounding=passed_ms < self.left_ms,
            finished=passed_ms >= self.left_ms,
            position_ms=take.from_ms + sounded_ms,
            sounded_ms=sounded_ms,
            samples=sounded_ms * RATE // 1000,
            started_at=self.starts,
            ended_at=self.starts + sounded_ms * _TICK,
            skew_ms=(self.starts - take.at) / _TICK,
            relayed_ms=sounded_ms if take.stream else 0,  # as if it had been there all the time
            beneath_ms=self.beneath_ms + covered_ms,
        )


def _let_go(last: Progress | None) -> Progress | None:
    return replace(last, sounding=False) if last else None
