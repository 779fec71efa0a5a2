"""The web's server: waitress in a thread of its own, which can be stopped; with a certificate, TLS in front of it.

- A port in use is said in one sentence, before anything is served.
- Stopping never waits for a viewer: open live streams are told to end first.
- A proxy on this machine is believed about whom it speaks for, nobody else is.
- A request larger than what any form needs, or that takes too long to arrive, is ended before a view sees it.
"""

from __future__ import annotations

import copy
import errno
import logging
import socket
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from controller.safe import Safe
from controller.web.connections import Channel, Crowd
from controller.web.encryption import Encryption, Opened, Papers
from controller.web.handover import Handover
from controller.web.language import WebError
from controller.web.live import hub_of

log = logging.getLogger(__name__)

THREADS = 64
MAX_REQUEST_BYTES = 2 * 1024 * 1024
MAX_HEAD_BYTES = 32 * 1024
IDLE_SECONDS = 75  # a connection on which nothing is asked
CLEANUP_SECONDS = 2
LOOP_SECONDS = 0.5


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """A port of the server."""

    def __init__(self, app: Any, channels: dict[int, Any], listening: socket.socket, adj: Any, workers: Any) -> None:
        self.crowd = Crowd()
        self.encryption: Encryption | None = None
        self.handover = Handover()
        self._secure = copy.copy(adj)
        self._secure.url_scheme = "https"
        facts = (listening.family, listening.type, listening.proto, listening.getsockname())
        super().__init__(app, channels, True, listening, workers, adj, facts, bind_socket=False)

    def handle_accept(self) -> None:
        """One more visitor, if there is a place."""
        try:
            accepted = self.accept()
            if accepted is None:
                return
            connection, address = accepted
            if not self.crowd.enter(address[0]):
                connection.close()
                return
            self.set_socket_options(connection)
        except OSError:  # he left already
            return
        if self.encryption is None:
            self._open(connection, address, self.adj)
        else:
            self.encryption.take(connection, address)

    def add_task(self, task: Channel) -> None:
        """A request for the workers."""
        task.begin()
        super().add_task(task)

    def encrypt(self, papers: Papers, opened: Opened) -> None:
        """Serve TLS too from now on. Raises WebError."""
        self.encryption = Encryption(papers, self._delivered, lambda address: self.crowd.leave(address[0]), opened)

    def maintenance(self, now: float) -> None:
        """End what is idle, and what takes too long to arrive."""
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            channel.settle()
            if channel.is_late():
                channel.will_close = True

    def _delivered(self, connection: socket.socket, address: Any, secure: bool) -> None:
        """From the thread of TLS; the channel itself is made in waitress's own. Raises OSError after the end."""
        if secure:  # its place is given back when TLS ends
            opened = partial(self._open, connection, address, self._secure, counted=False)
        else:
            opened = partial(self._open, connection, address, self.adj)
        self.handover.give(connection, opened, self.trigger.pull_trigger)

    def _open(self, connection: socket.socket, address: Any, adj: Any, counted: bool = True) -> None:
        left = (lambda: self.crowd.leave(address[0])) if counted else (lambda: None)
        Channel(self, connection, address, adj, left)


class Server:
    """A served app; ``port`` is the first one really bound (asked for as 0, the system chooses)."""

    def __init__(self, app: Flask, listeners: Sequence[Listener], channels: dict[int, Any], port: int) -> None:
        self.app, self.port, self.listeners = app, port, listeners
        self._channels = channels
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            wasyncore.loop(timeout=LOOP_SECONDS, use_poll=True, map=self._channels, count=1)

    def stop(self) -> None:
        """End streams, finish what is being answered (5 s at most), close every socket. Twice is harmless."""
        if self._stopping.is_set():
            return
        hub_of(self.app).stop()
        self._stopping.set()
        self._thread.join()
        self.listeners[0].task_dispatcher.shutdown(timeout=5)
        for each in self.listeners:
            each.handover.end()
        wasyncore.close_all(self._channels, ignore_all=True)
        for each in self.listeners:  # last: what was answered is still on its way through it
            if each.encryption is not None:
                each.encryption.stop()
        log.info("web stopped port=%s", self.port)


def serve(app: Flask, host: str, port: int, threads: int = THREADS, papers: Papers | None = None) -> Server:
    """Serve ``app`` on ``host:port`` from now on; with ``papers`` over TLS too, and on the ``web_tls_port`` of the app.

    Raises WebError ``web.port_in_use``, ``web.bad_host`` or ``web.bad_certificate``, and what ``papers`` raises (Said).
    """
    settings = app.extensions["window"].settings
    more = [settings.web_tls_port] if papers is not None else []
    bound = [_bound(host, port)]
    channels: dict[int, Any] = {}
    workers = ThreadedTaskDispatcher()
    listeners: list[Listener] = []
    try:
        bound += [_bound(host, each) for each in more if each]
        workers.set_thread_count(threads)
        listeners += [Listener(app, channels, each, _adjustments(threads), workers) for each in bound]
        for listener in listeners if papers is not None else ():
            assert papers is not None
            listener.encrypt(papers, Safe(settings.keys_dir).opened)
    except BaseException:
        workers.shutdown()
        for listener in listeners:
            if listener.encryption is not None:
                listener.encryption.stop()
        wasyncore.close_all(channels, ignore_all=True)
        for each in bound:
            each.close()
        raise
    at = int(bound[0].getsockname()[1])
    log.info("web serving host=%s port=%s tls=%s", host, at, papers is not None)
    return Server(app, listeners, channels, at)


def _adjustments(threads: int) -> Any:
    return Adjustments(
        threads=threads,
        ident=None,
        trusted_proxy="127.0.0.1",
        trusted_proxy_count=1,
        trusted_proxy_headers={"x-forwarded-for", "x-forwarded-proto"},
        max_request_body_size=MAX_REQUEST_BYTES,
        max_request_header_size=MAX_HEAD_BYTES,
        channel_request_lookahead=1,  # so that a viewer who left is noticed
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=CLEANUP_SECONDS,
        connection_limit=5000,  # of descriptors in the loop; visitors are counted by the crowd
    )


def _bound(host: str, port: int) -> socket.socket:
    """A socket at that address, before any thread is started for it."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as wrong:
        in_use = getattr(wrong, "errno", None) == errno.EADDRINUSE
        raise WebError("web.port_in_use" if in_use else "web.bad_host", host=host, port=port) from wrong
