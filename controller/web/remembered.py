"""What everybody may read is worked out once a minute, one thing at a time: no crowd of readers keeps the station busy.

- Few wait for what is being worked out; whoever is one too many is told to come again, and holds no worker.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from werkzeug.exceptions import ServiceUnavailable

from controller.web.guesses import Turnstile

FRESH = timedelta(seconds=60)
MOST_WAITING, RETRY_SECONDS = 4, 5

T = TypeVar("T")


class Remembered(Generic[T]):
    """Things by name, each at most a minute old. Safe from any thread."""

    def __init__(self, most_kept: int) -> None:
        self.turn, self._most_kept = Turnstile(1, MOST_WAITING), most_kept
        self._kept: dict[str, tuple[datetime, T]] = {}

    def of(self, name: str, now: datetime, work_out: Callable[[], T]) -> T:
        """The thing of that name. Raises ServiceUnavailable."""
        held = self._known(name, now)
        if held is not None:
            return held[0]
        with self.turn() as mine:
            if not mine:
                raise ServiceUnavailable(retry_after=RETRY_SECONDS)
            held = self._known(name, now)  # whoever was before may have worked it out
            return self._worked_out(name, now, work_out) if held is None else held[0]

    def _known(self, name: str, now: datetime) -> tuple[T] | None:
        kept = self._kept.get(name)
        return (kept[1],) if kept is not None and now - kept[0] < FRESH else None

    def _worked_out(self, name: str, now: datetime, work_out: Callable[[], T]) -> T:
        made = work_out()
        while len(self._kept) >= self._most_kept:
            self._kept.pop(next(iter(self._kept)))
        self._kept[name] = now, made
        return made
