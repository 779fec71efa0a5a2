"""The web's server: waitress in a thread of its own, which can be stopped.

- A port in use is said in one sentence, before anything is served.
- Stopping never waits for a viewer: open live streams are told to end first.
- A proxy on this machine is believed about whom it speaks for, nobody else is.
- A request larger than what any form needs is refused by the server before a view sees it.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
from typing import Any

from flask import Flask
from waitress import create_server, wasyncore

from controller.web.language import WebError
from controller.web.live import hub_of

log = logging.getLogger(__name__)

THREADS = 64
MAX_REQUEST_BYTES = 2 * 1024 * 1024
LOOP_SECONDS = 0.5


class Server:
    """A served app; ``port`` is the one really bound (asked for as 0, the system chooses)."""

    def __init__(self, app: Flask, sockets: Any, channels: dict[int, Any], port: int) -> None:
        self.app, self.port = app, port
        self._sockets, self._channels = sockets, channels
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            wasyncore.loop(timeout=LOOP_SECONDS, map=self._channels, count=1)

    def stop(self) -> None:
        """End streams, finish what is being answered (5 s at most), close every socket. Twice is harmless."""
        if self._stopping.is_set():
            return
        hub_of(self.app).stop()
        self._stopping.set()
        self._thread.join()
        self._sockets.task_dispatcher.shutdown(timeout=5)
        wasyncore.close_all(self._channels, ignore_all=True)
        log.info("web stopped port=%s", self.port)


def serve(app: Flask, host: str, port: int, threads: int = THREADS) -> Server:
    """Serve ``app`` on ``host:port`` from now on. Raises WebError ``web.port_in_use`` or ``web.bad_host``."""
    listening = _bound(host, port)
    channels: dict[int, Any] = {}
    sockets = create_server(
        app,
        map=channels,
        sockets=[listening],
        threads=threads,
        ident=None,
        trusted_proxy="127.0.0.1",
        trusted_proxy_count=1,
        trusted_proxy_headers={"x-forwarded-for", "x-forwarded-proto"},
        max_request_body_size=MAX_REQUEST_BYTES,
        channel_request_lookahead=1,  # so that a viewer who left is noticed
        connection_limit=1000,
        asyncore_use_poll=True,
    )
    bound = int(listening.getsockname()[1])
    log.info("web serving host=%s port=%s", host, bound)
    return Server(app, sockets, channels, bound)


def _bound(host: str, port: int) -> socket.socket:
    """A socket at that address, before any thread is started for it."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as wrong:
        in_use = getattr(wrong, "errno", None) == errno.EADDRINUSE
        raise WebError("web.port_in_use" if in_use else "web.bad_host", host=host, port=port) from wrong
