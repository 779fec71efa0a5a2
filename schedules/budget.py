"""Air minutes: what a day has used of what its rulebook allows, and what a broadcast adds. Pure.

- Counted as the rulebook counts (`schedules.rulebook`): sound by its start's day, sessions with the pauses in them.
- Without a rulebook there is no limit, and what is used is told all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from schedules.rulebook import NO_LIMITS, Airing, Rulebook, day_of, limit, session_of, used


@dataclass(frozen=True)
class Budget:
    """One ``day`` at one place: minutes ``most`` and ``session_most`` are None where nothing limits them.

    ``session``: how long the session becomes in which the broadcast stands, pauses and all.
    """

    day: date
    used: timedelta
    adds: timedelta
    most: int | None
    session: timedelta
    session_most: int | None

    @property
    def left(self) -> timedelta:
        """What of the day remains with it; as good as endless without a limit."""
        return (timedelta(minutes=self.most) if self.most is not None else timedelta.max / 2) - self.used - self.adds


def budget(rules: Rulebook | None, already: Iterable[Airing], wanted: Airing, zone: str) -> Budget:
    """The day of ``wanted``, ``already`` being what sounds anyway."""
    limits = rules.limits if rules else NO_LIMITS
    day = day_of(wanted, zone)
    others = [each for each in already if day_of(each, zone) == day and each.id != wanted.id]
    return Budget(
        day,
        used(others, day, zone),
        wanted.length,
        limit(limits.day_minutes, day),
        session_of(limits, others, wanted),
        limit(limits.session_minutes, day),
    )


def tightest(budgets: Iterable[Budget]) -> Budget | None:
    """The one with the least left, the fullest and the earliest first; None for none."""
    return min(budgets, key=lambda each: (each.left, -each.used, each.day), default=None)
