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
from collections.abc import Callable, Iterable
from time import monotonic

from controller.rights import EVERYWHERE
from controller.web.concerns import ANYTHING, Change, Interest
from controller.web.streams import BEAT_SECONDS, Line, Stream
from controller.web.turns import Turns

log = logging.getLogger(__name__)

MOST_STREAMS = 1000
WATCH_SECONDS = 0.3
MOST_KEPT = 500  # changes that are remembered for pages on their way

EVERYTHING = Interest(more=frozenset({EVERYWHERE}))


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
