"""https on the same port as http: whoever begins to speak TLS gets TLS, everybody else is handed on as he came.

- TLS ends in this process, in one thread that runs no view; what is inside is handed to waitress through a socket
  pair, with the visitor's own address: nothing is put into requests that a visitor could forge.
- The certificate is read again when its file changes; connections that stand are not touched, and one that cannot be
  used is logged while the old one goes on.
- Everything has an end: the first byte, the handshake, a reader who does not read.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from controller.web.language import WebError
from wire import closed
from words import Said

log = logging.getLogger(__name__)

FIRST_BYTE_SECONDS = 20.0
HANDSHAKE_SECONDS = 15.0
STUCK_SECONDS = 60.0  # how long one piece may wait to be taken by the other side
GOODBYE_SECONDS = 3.0
DRAIN_SECONDS = 1.0
LOOK_SECONDS = 30.0  # how often the certificate's file is looked at
PIECE_BYTES = 64 * 1024
_HANDSHAKE = b"\x16"  # a TLS record that begins one; no HTTP method begins so

Papers = Callable[[], tuple[Path, Path | None]]
Opened = Callable[[str], bytes | None]  # what a file holds that is not to be read as it lies; None: read it so
Deliver = Callable[[socket.socket, Any, bool], None]


def context(certificate: Path, key: Path | None, opened: Opened = lambda _path: None) -> ssl.SSLContext:
    """TLS 1.2 and newer with that certificate. Raises WebError ``web.bad_certificate``, and as ``opened``."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION
    made.set_alpn_protocols(["http/1.1"])
    try:
        with _readable(certificate, opened) as path, _readable(key or certificate, opened) as key_path:
            made.load_cert_chain(path, key_path, password="")  # an encrypted key must not ask on the terminal
    except (OSError, ValueError) as wrong:  # ssl.SSLError is an OSError
        raise WebError("web.bad_certificate", path=certificate, why=getattr(wrong, "strerror", None) or wrong) from None
    return made


@contextmanager
def _readable(path: Path, opened: Opened) -> Iterator[Path | str]:
    content = opened(str(path))
    if content is None:
        yield path
        return
    with closed.in_memory(content) as shown:
        yield shown


class Encryption:
    """TLS for a server. ``papers`` tells the files of the certificate that is good now, and may make them.

    ``take`` is called with each connection; ``deliver(connection, address, secure)`` gets what waitress is to serve,
    ``left(address)`` is called for those that ended before, ``opened`` opens a locked key. Raises WebError where there
    is nothing to begin with.
    """

    def __init__(self, papers: Papers, deliver: Deliver, left: Callable[[Any], None], opened: Opened) -> None:
        self._papers, self._deliver, self._left, self._opened = papers, deliver, left, opened
        self._seen: object = None
        self._context = self._read()
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="web-tls", daemon=True)
        self._thread.start()

    def take(self, connection: socket.socket, address: Any) -> None:
        """A connection that was just accepted. From any thread."""
        connection.setblocking(False)
        self._loop.call_soon_threadsafe(self._begin, connection, address)

    def stop(self) -> None:
        """End every connection, once what was answered on it is gone (a second at most), and the thread."""
        asyncio.run_coroutine_threadsafe(self._drained(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def look(self) -> None:
        """Read the certificate again if its files changed; a bad one is logged and the old one stays."""
        try:
            self._context = self._read()
        except (Said, OSError) as wrong:
            log.warning("web certificate not renewed why=%s", wrong)

    def _read(self) -> ssl.SSLContext:
        certificate, key = self._papers()
        try:
            seen = [(path, path.stat().st_mtime_ns, path.stat().st_ino) for path in (certificate, key) if path]
        except OSError as wrong:
            raise WebError("web.bad_certificate", path=certificate, why=wrong.strerror or wrong) from None
        if seen == self._seen:
            return self._context
        made = context(certificate, key, self._opened)
        self._seen = seen
        log.info("web certificate read path=%s", certificate)
        return made

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        watch = self._loop.create_task(self._watch())
        self._loop.run_forever()
        left = [watch, *self._tasks]
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _drained(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def _begin(self, connection: socket.socket, address: Any) -> None:
        task = self._loop.create_task(self._sort(connection, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sort(self, connection: socket.socket, address: Any) -> None:
        """Hand on what speaks plainly; serve the rest here until it ends."""
        try:
            first = await self._first_byte(connection)
            if first and first != _HANDSHAKE:
                self._deliver(connection, address, False)  # its place is given back when waitress closes it
                return
            if first:
                await self._serve(connection, address)
        except (OSError, TimeoutError):  # a visitor who left, or speaks no TLS that we do
            pass
        except asyncio.CancelledError:
            connection.close()
            raise
        connection.close()
        self._left(address)

    async def _first_byte(self, connection: socket.socket) -> bytes:
        came: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(connection, _set, came)
        try:
            async with asyncio.timeout(FIRST_BYTE_SECONDS):
                await came
        finally:
            self._loop.remove_reader(connection)
        return connection.recv(1, socket.MSG_PEEK)

    async def _serve(self, connection: socket.socket, address: Any) -> None:
        near, far = socket.socketpair()
        outside: asyncio.StreamWriter | None = None
        try:
            reader = asyncio.StreamReader(limit=PIECE_BYTES, loop=self._loop)
            transport, protocol = await self._loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader, loop=self._loop),
                connection,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=GOODBYE_SECONDS,
            )
            outside = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        finally:
            if outside is None:
                near.close()
                far.close()
        try:
            self._deliver(near, address, True)
        except OSError:  # the server is ending
            near.close()
            raise
        inner, inside = await asyncio.open_connection(sock=far, limit=PIECE_BYTES)
        await self._between((reader, outside), (inner, inside))

    async def _between(self, *sides: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Carry both ways until one side ends; then what is on its way still arrives, and all is closed."""
        (outer, outside), (inner, inside) = sides
        up, down = (asyncio.create_task(_carry(*each)) for each in ((outer, inside), (inner, outside)))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (up, down):
                task.cancel()
            for writer in (inside, outside):
                writer.close()
                with suppress(OSError, TimeoutError, asyncio.CancelledError):
                    async with asyncio.timeout(GOODBYE_SECONDS + 1):
                        await writer.wait_closed()
                writer.transport.abort()


def _set(came: asyncio.Future[None]) -> None:
    if not came.done():
        came.set_result(None)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """From one to the other until the end, at the pace of whoever takes."""
    with suppress(OSError, TimeoutError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            async with asyncio.timeout(STUCK_SECONDS):
                await writer.drain()
