"""The stream of one open page: what it has heard since it was told, and what it is sent (server-sent events).

- That it is to ask for itself again, of which kinds of facts; that an emergency was touched; that the line still holds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic
from typing import Protocol

from controller.web.concerns import Change, Interest, Kind

LOOK_SECONDS = 1.0  # how often a waiting stream looks whether its viewer is still there
BEAT_SECONDS = 15.0
LONGEST_SECONDS = 3600.0
ANYHOW_SECONDS = 15.0  # after which a page that changes by time alone may be told
PATIENT_SECONDS = 5.0  # between two tellings of what may wait

OPENING = "retry: 3000\n\n"


class Line(Protocol):
    """A connection that stays open without a worker. Neither of both waits for the other side."""

    def send(self, text: str) -> bool:
        """Send; False when nobody is there any more, or does not read what he gets."""
        ...

    def end(self) -> None:
        """No more comes."""
        ...


class Speaker(Protocol):
    """Who tells the streams (`controller.web.hub`)."""

    @property
    def version(self) -> int:
        """Grows with every change that was noticed."""
        ...

    def wait(self, stream: Stream, seconds: float) -> bool:
        """Until there is something for ``stream``, or so many seconds; False when there is no more to come."""
        ...

    def keep(self, stream: Stream, line: Line) -> None:
        """Speak on ``line`` from now on, until ``stream`` is closed."""
        ...

    def left(self, stream: Stream) -> None:
        """A stream was closed."""
        ...


class Stream:
    """One open page: an iterator of SSE lines, closed exactly once even if it was never read."""

    def __init__(self, hub: Speaker, gone: Callable[[], bool], interest: Interest) -> None:
        self.hub, self.interest, self._gone = hub, interest, gone
        self.is_open, self._closing = True, threading.Lock()
        self.opened = self.spoken_at = self.told_at = monotonic()
        self.waits_since: float | None = None  # with something that is not to wait
        self._is_urgent = self._has_patience = False
        self.is_sudden = False  # an emergency was touched, and nothing was said of it yet
        self._kinds: set[Kind] | None = set()  # of what it has heard since it was told; None: anything
        self._timed_at = self.told_at  # when it was last told that time has passed
        self._lines = self._speak()

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def close(self) -> None:
        """Give the place back."""
        with self._closing:
            was, self.is_open = self.is_open, False
        if was:
            self.hub.left(self)

    def learn(self, person: str, areas: frozenset[str]) -> None:
        """The areas of a person, if it is the one who reads it."""
        if self.interest.person == person:
            self.interest = replace(self.interest, areas=areas)

    def hear(self, change: Change) -> None:
        """Something is new: wait to be told of it, if it is of any concern here."""
        if not self.interest.is_met_by(change):
            return
        self._kinds = None if self._kinds is None or change.kinds is None else self._kinds | change.kinds
        if change.is_patient:
            self._has_patience = True
            return
        self._is_urgent |= change.urgent
        self.is_sudden |= change.sudden
        self.waits_since = monotonic() if self.waits_since is None else self.waits_since

    def rank(self) -> tuple[bool, float]:
        """Who comes first among those that wait."""
        return not self._is_urgent, self.waits_since or 0.0

    def may_wait_no_longer(self, now: float) -> bool:
        """Whether it is time to tell what may wait."""
        if self.waits_since is not None:
            return False
        idle = now - self.told_at
        return idle >= (PATIENT_SECONDS if self._has_patience else ANYHOW_SECONDS) and (
            self._has_patience or self.interest.lives_by_time
        )

    def is_over(self, now: float) -> bool:
        """Whether it has lasted long enough."""
        return now - self.opened >= LONGEST_SECONDS

    def news(self, version: int) -> str:
        """What is sent when its page is to be asked for again: the version, and of which kinds it is, unless of all."""
        self.waits_since, self._is_urgent, self._has_patience = None, False, False
        self.spoken_at = self.told_at = monotonic()
        kinds, self._kinds = self._kinds, set()
        if kinds is not None and (not kinds or self.told_at - self._timed_at >= ANYHOW_SECONDS):
            kinds |= {Kind.TIME}
        if kinds is None or Kind.TIME in kinds:
            self._timed_at = self.told_at
        told = "" if kinds is None else f" {','.join(sorted(kinds))}"
        return f"event: changed\nid: {version}\ndata: {version}{told}\n\n"

    def cry(self) -> str:
        """What is sent when an emergency was touched: the page says so, and is fresh when its turn has come."""
        self.is_sudden, self.spoken_at = False, monotonic()
        return "event: urgent\ndata: now\n\n"

    def beat(self) -> str:
        """What is sent to say that the line still holds."""
        self.spoken_at = monotonic()
        return ": here\n\n"

    def _speak(self) -> Iterator[str]:
        yield OPENING
        while not self._gone() and self.hub.wait(self, LOOK_SECONDS):
            now = monotonic()
            if self.is_over(now):
                return
            if self.is_sudden:
                yield self.cry()
            if self.waits_since is not None or self.may_wait_no_longer(now):
                yield self.news(self.hub.version)
            elif now - self.spoken_at > BEAT_SECONDS:
                yield self.beat()
