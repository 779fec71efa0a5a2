"""Viewers: connections of open pages that stay without a worker, once the head of their answer is out.

- Waitress takes a request as being answered as long as it stands first in its channel's list. So a viewer stands there
  in the request's place: the channel reads on (so it notices who leaves, or asks for more) and writes under its lock.
- Whoever does not read what is sent is let go: what waits for him is bounded, and nobody waits for him.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waitress.channel import ClientDisconnected
from waitress.task import WSGITask

from controller.web.live import STAY
from controller.web.streams import Stream

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MOST_UNREAD_BYTES = 64 * 1024  # what a viewer may leave unread


class Viewer:
    """An open page: a `Line` of the hub, in the list of its channel's requests."""

    error = None

    def __init__(self, channel: Any, stream: Stream, is_chunked: bool) -> None:
        self._channel, self._stream, self._is_chunked = channel, stream, is_chunked

    def begin(self) -> None:
        """The head of the answer is out: from now on the hub speaks. Unless something else was asked already."""
        if len(self._channel.requests) > 1:
            self._channel.will_close = True
            self._channel.server.pull_trigger()
        self._stream.hub.keep(self._stream, self)

    def send(self, text: str) -> bool:
        """See `Line`."""
        if self._channel.total_outbufs_len > MOST_UNREAD_BYTES:
            return False
        return self._write(text.encode())

    def end(self) -> None:
        """See `Line`: the channel's own thread closes it when all is out."""
        if self._is_chunked:
            self._write(b"")
        with self._channel.requests_lock:
            self._channel.requests = []
            self._channel.close_when_flushed = True
        self._channel.server.pull_trigger()

    def close(self) -> None:
        """The channel lets go of it: its place is free. Twice is harmless."""
        self._stream.close()

    def _write(self, data: bytes) -> bool:
        framed = b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data
        try:
            self._channel.write_soon(framed)
        except (ClientDisconnected, OSError):
            return False
        return bool(self._channel.connected and not self._channel.will_close)


class Task(WSGITask):  # type: ignore[misc]
    """Answers a request; the connection of a stream stays, and the worker does not."""

    _stream: Stream | None = None
    _has_left = False  # the worker, for a viewer to stay

    def service(self) -> None:
        """Raises what the answer raises; a stream that did not come so far gives its place back."""
        try:
            super().service()
        finally:
            if self._stream is not None and not self._has_left:
                self._stream.close()

    def get_environment(self) -> WSGIEnvironment:
        """With what lets the connection stay."""
        environ: WSGIEnvironment = super().get_environment()
        return environ | {STAY: self._stay}

    def _stay(self, stream: Stream) -> None:
        self._stream = stream

    def finish(self) -> None:
        """The answer is complete, or goes on in the hands of a viewer."""
        if self._stream is None:
            super().finish()
            return
        viewer = Viewer(self.channel, self._stream, self.chunked_response)
        self.close_on_finish, self._has_left = False, True
        with self.channel.requests_lock:
            self.channel.requests.insert(1, viewer)  # waitress takes away what was answered, and calls the next
        if not self.channel.connected:
            viewer.close()
