"""paho-mqtt's client, held short: its packets are measured before they are read, its callbacks are ours.

- The client's own thread is not used: it wakes every second, selects on at most 1,024 descriptors, dies of an
  exception in a callback, and sends everything queued anew after a reconnect.
"""

from __future__ import annotations

import logging
import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from wire import topics
from wire.link import Message

MOST_PACKET_BYTES = topics.MOST_BYTES + 1024  # the body and its topic
HANDSHAKE_SECONDS = 10.0
PROGRESS_BYTES = 1024  # so much of a packet under way is a sign of life; a byte now and then is none
_READ_BYTES = 64 * 1024
_MOST_UNFINISHED, _MOST_UNWRITTEN = 1000, 200_000

log = logging.getLogger(__name__)
_paho_log = log.getChild("paho")
_paho_log.setLevel(logging.WARNING)  # it says every packet, and building that sentence costs


class ConnectionLost(Exception):
    """The connection ended; the message says why."""


class Wakeable:
    """Waits for a socket, or for `wake` from another thread."""

    def __init__(self) -> None:
        self._mine, self._theirs = socket.socketpair()
        self._mine.setblocking(False)
        self._theirs.setblocking(False)

    def wake(self) -> None:
        """Make `wait` return. Safe from any thread; does nothing once closed."""
        with suppress(OSError):  # full: it will wake anyhow; closed: nobody waits
            self._theirs.send(b"w")

    def wait(self, client: WireClient, most_seconds: float) -> None:
        """Return when ``client`` can be read, can be written if it has to, was woken, or the time is up."""
        sock = client.socket()
        if sock is None or client.unread():
            return
        poll = select.poll()
        poll.register(sock, select.POLLIN | (select.POLLOUT if client.want_write() else 0))
        poll.register(self._mine, select.POLLIN)
        poll.poll(most_seconds * 1000)
        with suppress(BlockingIOError):
            self._mine.recv(4096)

    def close(self) -> None:
        """Give both sockets back."""
        self._mine.close()
        self._theirs.close()


class WireClient(Client):
    """One MQTT 3.1.1 connection; the four ``when_…`` are called on the thread that calls `step`."""

    when_connected: Callable[[WireClient], None]
    when_published: Callable[[WireClient], None]
    when_arrived: Callable[[bytes, bytes, bool], None]  # topic, payload, retained
    when_answered: Callable[[int, list[bool]], None]  # packet id, granted

    def __init__(self, client_id: str, *, clean: bool, wakeable: Wakeable) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=clean,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self.announced_bytes = 0  # of a packet too large to be read
        self._read, self._read_at = b"", 0
        self._came_bytes = 0
        self.progress_at = self.packet_at = time.monotonic()  # when much, or a whole packet, came last
        self._lost_because = ""
        self._wakeable = wakeable
        self.suppress_exceptions = True
        self.enable_logger(_paho_log)
        self.on_connect = self._on_connect_answer
        self.on_message = lambda _client, _data, message: self._deliver(message)
        self.on_publish = lambda *_: self.when_published(self)
        self.on_subscribe = lambda _client, _data, mid, codes, _properties: self.when_answered(
            mid, [not code.is_failure for code in codes]
        )
        self.on_socket_open = lambda _client, _data, sock: _no_delay(sock)
        # paho writes in the publisher's thread unless somebody says that they do the writing
        self.on_socket_register_write = lambda *_: wakeable.wake()

    def ask(self, filters: list[tuple[str, int]]) -> int:
        """Send SUBSCRIBE for (filter, QoS); its packet id."""
        return self.subscribe(filters)[1] or 0

    def ask_no_more(self, filters: list[str]) -> int:
        """Send UNSUBSCRIBE; its packet id."""
        return self.unsubscribe(filters)[1] or 0

    def send(self, message: Message, qos: int) -> bool:
        """Hand over one message, to be retained if it says so; False when it was not taken. Safe from any thread.

        Raises ValueError for a topic or a QoS that MQTT does not have.
        """
        taken = self.publish(message.topic, message.payload, qos, message.retained).rc
        self._wakeable.wake()
        return taken == MQTTErrorCode.MQTT_ERR_SUCCESS

    def unread(self) -> bool:
        """Whether bytes lie here that no poll would tell of."""
        sock = self.socket()
        pending = getattr(sock, "pending", None)  # TLS keeps some
        return self._read_at < len(self._read) or (pending is not None and pending() > 0)

    def step(self) -> None:
        """Write and read what there is, and see to the keepalive. Raises ConnectionLost."""
        if self.want_write():
            self._check(self.loop_write())
        self._check(self.loop_read())
        while self.unread() and self.socket() is not None:
            self._check(self.loop_read())
        self._check(self.loop_misc())
        if len(self._in_messages) > _MOST_UNFINISHED or len(self._out_packet) > _MOST_UNWRITTEN:
            raise ConnectionLost("the broker leaves more unfinished than can be held")

    def say_goodbye(self, wakeable: Wakeable) -> None:
        """Send DISCONNECT, so that the will is not said; tries for 2 s."""
        if not self.is_connected():
            return
        self.disconnect()
        until = time.monotonic() + 2.0
        while self.socket() is not None and self.want_write() and time.monotonic() < until:
            wakeable.wait(self, 0.2)
            self.loop_write()

    def close(self) -> None:
        """Give the socket back."""
        self._sock_close()
        self._read, self._read_at = b"", 0

    def _check(self, code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or self.socket() is None:
            raise ConnectionLost(self._lost_because or f"{code.name}")

    def trust(self, context: ssl.SSLContext) -> None:
        """Speak TLS."""
        self.tls_set_context(context)
        self._context = context

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """As paho does it, and closed when the handshake fails or takes too long."""
        wrapped = self._context.wrap_socket(tcp_sock, server_hostname=self._host, do_handshake_on_connect=False)
        try:
            wrapped.settimeout(HANDSHAKE_SECONDS)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def _on_connect_answer(
        self, _client: Client, _data: object, _flags: object, code: Any, _properties: object
    ) -> None:
        if code.is_failure:
            self._lost_because = f"the broker refused: {code}"
        else:
            self.when_connected(self)

    def _deliver(self, message: MQTTMessage) -> None:
        self.when_arrived(message._topic, bytes(message.payload), bool(message.retain))

    def _sock_recv(self, bufsize: int) -> bytes:
        """Read ahead, so that small packets cost one call each; refuse a body that was announced too large."""
        if bufsize > MOST_PACKET_BYTES:
            self.announced_bytes = bufsize
            raise ConnectionRefusedError(f"a packet of {bufsize} bytes was announced")
        if self._read_at >= len(self._read):
            self._read, self._read_at = b"", 0
            try:
                self._read = super()._sock_recv(_READ_BYTES)
            except BlockingIOError:
                raise
            except OSError as lost:
                self._lost_because = str(lost)
                raise
            self._note_progress(len(self._read))
        taken = self._read[self._read_at : self._read_at + bufsize]
        self._read_at += len(taken)
        return taken

    def _note_progress(self, came_bytes: int) -> None:
        """On a slow line an answer waits behind a large plan: while that comes, the line is alive."""
        self._came_bytes += came_bytes
        if self._came_bytes >= PROGRESS_BYTES:
            self._came_bytes, self.progress_at = 0, time.monotonic()

    def _packet_handle(self) -> MQTTErrorCode:
        """Every whole packet is a sign of life."""
        self.packet_at = time.monotonic()
        return super()._packet_handle()


def _no_delay(sock: Any) -> None:
    with suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
