"""Live pages: one thread watches the store, any number of open pages (up to a cap) hear that something changed.

- The event carries no data: a page fetches itself again and swaps what differs, so nothing is rendered twice.
- A page says which version it was made from, so that what changed while it was on its way is told at once.
- Past the cap the answer is 503 and the page falls back to polling.
- A stream ends when its viewer leaves, after an hour, or at once when the server stops.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from time import monotonic

from flask import Blueprint, Flask, Response, current_app, request

from controller.web.doors import door

log = logging.getLogger(__name__)

MOST_STREAMS = 24
WATCH_SECONDS = 0.3
LOOK_SECONDS = 1.0  # how often a waiting stream looks whether its viewer is still there
BEAT_SECONDS = 15.0
LONGEST_SECONDS = 3600.0

pages = Blueprint("live", __name__)


class Hub:
    """Watches ``changed`` while anybody listens: another answer is news. Its thread starts with the first stream."""

    def __init__(self, changed: Callable[[], Hashable], most_streams: int = MOST_STREAMS) -> None:
        self.most_streams = most_streams
        self._changed = changed
        self._news = threading.Condition()
        self._version = 0
        self._streams = 0
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def version(self) -> int:
        """Grows with every change that was noticed."""
        return self._version

    def open(self, gone: Callable[[], bool], seen: int = 0) -> Stream | None:
        """A new stream for a page of version ``seen``, or None when the cap is reached or the server is stopping."""
        with self._news:
            if self._stopping or self._streams >= self.most_streams:
                return None
            self._streams += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="live", daemon=True)
                self._thread.start()
            self._news.notify_all()
            return Stream(self, gone, seen)

    def wait(self, seen: int, seconds: float) -> int | None:
        """The version once it differs from ``seen`` or ``seconds`` passed; None when the hub stops."""
        with self._news:
            self._news.wait_for(lambda: self._stopping or self._version != seen, seconds)
            return None if self._stopping else self._version

    def left(self) -> None:
        """A stream was closed."""
        with self._news:
            self._streams -= 1

    def stop(self) -> None:
        """End every stream and the thread; no new one is opened."""
        with self._news:
            self._stopping = True
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        last: Hashable = None
        while self._somebody_listens():
            try:
                state = self._changed()
            except Exception:  # around one tick: a store that is away now may be back at the next
                log.exception("live watch failed")
                continue
            if state != last:
                last = state
                self._tell()

    def _somebody_listens(self) -> bool:
        """Wait one tick, or until there is a listener; False when stopping."""
        with self._news:
            self._news.wait_for(lambda: self._stopping, WATCH_SECONDS)
            self._news.wait_for(lambda: self._stopping or self._streams > 0)
            return not self._stopping

    def _tell(self) -> None:
        with self._news:
            self._version += 1
            self._news.notify_all()


class Stream:
    """One open page: an iterator of SSE lines, closed exactly once even if it was never read."""

    def __init__(self, hub: Hub, gone: Callable[[], bool], seen: int) -> None:
        self._hub, self._gone = hub, gone
        self._open = True
        self._lines = self._speak(seen)

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def close(self) -> None:
        """Give the place back."""
        if self._open:
            self._open = False
            self._hub.left()

    def _speak(self, seen: int) -> Iterator[str]:
        yield "retry: 3000\n\n"
        opened = beat = monotonic()
        while monotonic() - opened < LONGEST_SECONDS and not self._gone():
            version = self._hub.wait(seen, LOOK_SECONDS)
            if version is None:
                return
            if version != seen:
                seen = version
                yield f"event: changed\nid: {seen}\ndata: {seen}\n\n"
            elif monotonic() - beat > BEAT_SECONDS:
                yield ": here\n\n"
            else:
                continue
            beat = monotonic()


def hub_of(app: Flask) -> Hub:
    """The app's hub."""
    hub = app.extensions["hub"]
    assert isinstance(hub, Hub)
    return hub


@pages.get("/su-kien")
@door()
def events() -> Response:
    """The stream of changes (server-sent events)."""
    gone = request.environ.get("waitress.client_disconnected", lambda: False)
    stream = hub_of(current_app).open(gone, request.args.get("tu", 0, int))
    if stream is None:
        return Response(status=503, headers={"Retry-After": "15"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(stream, mimetype="text/event-stream", headers=headers)
