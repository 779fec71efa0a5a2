"""The trial of a version that was just switched to: signs of life in, a verdict out. Pure; the updater waits between.

- No sign, no sign any more, or one process after another: the way back, within a minute or two of silence at most.
- One that walks but does not become healthy is given longer, and then ended when the air is free. Only one that finds
  no free air in a whole day is not believed any more.
- While the version before still says that it lives, the restart has not been: nothing is held against the new one.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_node.releases.progress import Progress
from edge_node.releases.signs import Sign
from wire.release import Hitch

MOST_STARTS = 3  # processes in one trial: the first, and two that may have met a passing trouble
MOST_TRIES = 3  # runs of the machine
FRESH_SECONDS = 15.0  # how old a word of free air may be, as a lease


@dataclass(frozen=True)
class Pace:
    """How long what may take, in seconds."""

    lease_seconds: float = 600.0  # one wait for free air
    no_life_seconds: float = 90.0  # until the first sign: imports on a slow card
    hung_seconds: float = 60.0  # between two signs
    healthy_seconds: float = 300.0  # of a walk without a fault
    trial_seconds: float = 1800.0  # until it is healthy
    longest_seconds: float = 86400.0  # for the next free air after that
    beat_seconds: float = 5.0
    look_seconds: float = 0.5


@dataclass(frozen=True)
class Verdict:
    """How the trial ended; without a hitch it is proven."""

    hitch: Hitch | None = None
    detail: str = ""


class Trial:
    """One trial, as one updater sees it."""

    def __init__(self, state: Progress, pace: Pace) -> None:
        self._state, self._pace = state, pace
        self._processes: set[str] = set()
        self._last: Sign | None = None
        self._begun = state.since

    @property
    def lives(self) -> bool:
        """Whether the version has given a sign since its trial began."""
        return self._last is not None

    def look(self, sign: Sign | None, mono: float) -> Verdict | None:
        """What is to be said at ``mono`` seconds of this run of the machine; None: wait on."""
        state, pace = self._state, self._pace
        if sign and sign.boot == state.boot and state.since <= sign.at <= mono:
            if sign.environment == state.target:
                self._last = sign
                self._processes.add(sign.process)
            elif sign.environment == state.previous and self._last is None:
                self._begun = sign.at
        if state.tries > MOST_TRIES:
            return Verdict(Hitch.POWER_CUTS, f"{state.tries} runs of the machine")
        if len(self._processes) > MOST_STARTS:
            return Verdict(Hitch.CRASHED, f"{len(self._processes)} processes")
        spent = mono - self._begun
        if self._last is None:
            return Verdict(Hitch.NO_LIFE, f"{spent:.0f} s") if spent > pace.no_life_seconds else None
        if mono - self._last.at > pace.hung_seconds:
            return Verdict(Hitch.HUNG, f"the last sign was {mono - self._last.at:.0f} s ago")
        if self._last.healthy:
            return Verdict()
        free = self._last.free and mono - self._last.at <= FRESH_SECONDS
        late = spent > (pace.trial_seconds if free else pace.longest_seconds)
        return Verdict(Hitch.NOT_HEALTHY, f"{spent:.0f} s") if late else None


def lives(environment: str, sign: Sign | None, at: tuple[str, float]) -> bool:
    """Whether ``environment`` gave a sign just now. ``at``: as in `holds_up`."""
    run, mono = at
    return (
        sign is not None
        and (sign.environment, sign.boot) == (environment, run)
        and 0 <= mono - sign.at <= FRESH_SECONDS
    )


def holds_up(state: Progress, sign: Sign | None, at: tuple[str, float], pace: Pace) -> bool:
    """Whether the restart of the way back is to wait: what goes walks, and its air was taken since the verdict.

    ``at``: this run of the machine, and its seconds.
    """
    run, mono = at
    walks = sign is not None and (sign.environment, sign.boot) == (state.target, run)
    if sign is None or not walks or state.reason != Hitch.NOT_HEALTHY:
        return False
    return not sign.free and 0 <= mono - sign.at <= FRESH_SECONDS and mono - state.since <= pace.longest_seconds
