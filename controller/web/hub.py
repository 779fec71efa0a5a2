"""The hub of open pages: one thread looks for what is new, and tells those that it concerns, so many at a time.

- Whoever waited longest is told first, what concerns an emergency before all others; the next as soon as one of them
  has been answered (`turns`). The others' pages would only wait in the server, and everybody else's behind them.
- That an emergency was touched is said at once on every line that it concerns, before any page is asked for.
- What changes by time alone, and measurements, are told when there is time for it.
- A page says which version it was made from, so that what changed while it was on its way is told at once.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from time import monotonic
from typing import Protocol

from controller.rights import EVERYWHERE
from controller.web.concerns import ANYTHING, Change, Interest, Kind
from controller.web.turns import Turns

log = logging.getLogger(__name__)

MOST_STREAMS = 1000
WATCH_SECONDS = 0.3
LOOK_SECONDS = 1.0  # how often a waiting stream looks whether its viewer is still there
BEAT_SECONDS = 15.0
LONGEST_SECONDS = 3600.0
ANYHOW_SECONDS = 15.0  # after which a page that changes by time alone may be told
PATIENT_SECONDS = 5.0  # between two tellings of what may wait
MOST_KEPT = 500  # changes that are remembered for pages on their way

OPENING = "retry: 3000\n\n"
EVERYTHING = Interest(more=frozenset({EVERYWHERE}))


class Line(Protocol):
    """A connection that stays open without a worker. Neither of both waits for the other side."""

    def send(self, text: str) -> bool:
        """Send; False when nobody is there any more, or does not read what he gets."""
        ...

    def end(self) -> None:
        """No more comes."""
        ...


class Hub:
    """Asks ``news`` while anybody listens. Its thread starts with the first stream."""

    def __init__(self, news: Callable[[], Iterable[Change]], most_streams: int = MOST_STREAMS) -> None:
        self.most_streams, self.turns = most_streams, Turns()
        self._look_for, self._looking, self._has_looked = news, threading.Lock(), False
        self._news = threading.Condition()
        self._version = 0
        self._changes: deque[Change] = deque(maxlen=MOST_KEPT)  # the newest is that of the version
        self._open: set[Stream] = set()
        self._kept: dict[Stream, Line] = {}
        self._stopping = self._stirred = False
        self._thread: threading.Thread | None = None

    @property
    def version(self) -> int:
        """Grows with every change that was noticed."""
        return self._version

    @property
    def streams(self) -> int:
        """How many are open."""
        return len(self._open)

    def begin(self) -> None:
        """Before the first page is made: look once, so that news is what changes from then on."""
        if not self._has_looked:
            self._look()

    def open(self, gone: Callable[[], bool], seen: int = 0, interest: Interest = EVERYTHING) -> Stream | None:
        """A new stream for a page of version ``seen``, or None when the cap is reached or the server is stopping."""
        with self._news:
            if self._stopping or len(self._open) >= self.most_streams:
                return None
            stream = Stream(self, gone, interest)
            self._open.add(stream)
            self._catch_up(stream, seen)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="live", daemon=True)
                self._thread.start()
            self._stir()
            return stream

    def wait(self, stream: Stream, seconds: float) -> bool:
        """Until there is something for ``stream``, or so many seconds; False when the hub stops."""
        with self._news:
            self._news.wait_for(lambda: self._stopping or stream.waits_since is not None, seconds)
            return not self._stopping

    def keep(self, stream: Stream, line: Line) -> None:
        """Speak on ``line`` from now on, until ``stream`` is closed."""
        with self._news:
            if not self._stopping and stream.is_open:
                self._kept[stream] = line
                self._stir()
                return
        line.end()

    def know(self, person: str, areas: frozenset[str]) -> None:
        """The areas of a person are these now."""
        with self._news:
            for each in self._open:
                each.learn(person, areas)

    def answered(self, spent_seconds: float) -> None:
        """A page that asked for itself again has its answer: another one may be told."""
        self.turns.end(spent_seconds)
        with self._news:
            if any(each.waits_since is not None for each in self._kept):
                self._stir()

    def left(self, stream: Stream) -> None:
        """A stream was closed."""
        with self._news:
            self._open.discard(stream)
            self._kept.pop(stream, None)

    def stop(self) -> None:
        """End every stream and the thread; no new one is opened."""
        with self._news:
            self._stopping = True
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join()
        for stream, line in list(self._kept.items()):
            stream.close()
            line.end()

    def _catch_up(self, stream: Stream, seen: int) -> None:
        missed = self._version - seen
        kept = list(self._changes)
        for change in kept[-missed:] if 0 < missed <= len(kept) else [ANYTHING] if missed else []:
            stream.hear(change)

    def _stir(self) -> None:
        self._stirred = True
        self._news.notify_all()

    def _watch(self) -> None:
        look_at = monotonic()
        while self._somebody_listens():
            if monotonic() >= look_at:
                self._look()
                look_at = monotonic() + WATCH_SECONDS
            self._speak()
            with self._news:
                self._news.wait_for(lambda: self._stopping or self._stirred, max(0.0, look_at - monotonic()))
                self._stirred = False

    def _somebody_listens(self) -> bool:
        """Wait until there is a listener; False when stopping."""
        with self._news:
            self._news.wait_for(lambda: self._stopping or bool(self._open))
            return not self._stopping

    def _look(self) -> None:
        with self._looking:
            self._has_looked = True
            try:
                found = list(self._look_for())
            except Exception:  # around one tick: a store that is away now may be back at the next
                log.exception("live watch failed")
                return
        with self._news:
            for change in found:
                self._version += 1
                self._changes.append(change)
                for stream in self._open:
                    stream.hear(change)
            if found:
                self._news.notify_all()

    def _speak(self) -> None:
        """On every line that is kept: what is new to those whose turn it is; now and then that it still holds."""
        with self._news:
            kept = dict(self._kept)
        for stream in [each for each in kept if each.is_sudden]:
            self._say(stream, kept, stream.cry())
        now, room = monotonic(), self.turns.room()
        waiting = sorted((each for each in kept if each.waits_since is not None), key=Stream.rank)
        for stream in waiting[:room]:
            self.turns.told()
            self._say(stream, kept, stream.news(self._version))
        patient = [each for each in kept if each.may_wait_no_longer(now)] if len(waiting) < room else []
        for stream in sorted(patient, key=lambda each: each.told_at)[: room - len(waiting)]:
            if self.turns.can_afford():
                self.turns.told(patiently=True)
                self._say(stream, kept, stream.news(self._version))
        for stream in kept:
            if stream.is_over(now):
                stream.close()
                kept[stream].end()
            elif now - stream.spoken_at > BEAT_SECONDS:
                self._say(stream, kept, stream.beat())

    @staticmethod
    def _say(stream: Stream, kept: dict[Stream, Line], text: str) -> None:
        if stream.is_open and not kept[stream].send(text):
            stream.close()
            kept[stream].end()


class Stream:
    """One open page: an iterator of SSE lines, closed exactly once even if it was never read."""

    def __init__(self, hub: Hub, gone: Callable[[], bool], interest: Interest) -> None:
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
