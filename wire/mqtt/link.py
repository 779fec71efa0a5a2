"""A link over MQTT 3.1.1 that connects, heals itself and never blocks its owner.

- One thread per link owns the network; it only fills the inbox, none of the owner's code runs on it.
- Every connection gets a fresh client: nothing queued for the last one can go out on the next.
- What the broker announces is measured before it is read: a packet too large ends the connection, its body
  never enters memory.
- Reconnecting backs off, spread by client id so that a province does not return in one second.
- Idle, the thread wakes a few times a minute, for the keepalive.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol, TypedDict, Unpack

from wire import topics
from wire.errors import Reason, Refusal
from wire.inbox import Inbox
from wire.link import Message, Will
from wire.mqtt.client import ConnectionLost, Wakeable, WireClient
from wire.mqtt.subscriptions import Subscriptions
from wire.mqtt.tls_files import Tls, context

FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 0.5, 60.0
CONNACK_SECONDS = 10.0  # a broker that accepts and says nothing is left after this
SILENT_KEEPALIVES = 3  # it is pinged once a keepalive: paho counts every byte as an answer, we do not
SUBACK_SECONDS = 60.0  # and one that lets us in and answers no SUBSCRIBE, while nothing large is coming
STEADY_SECONDS = 20.0  # a connection that held this long begins the next back-off from its start
STOP_SECONDS = 5.0  # the most that stop waits for what is on its way
MOST_UNSENT = 50_000  # messages handed over and not yet confirmed

_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python does not name

log = logging.getLogger(__name__)


def _yes() -> bool:
    return True


class Credentials(Protocol):
    """Chooses the files for TLS anew at every connection, and hears what came of it; asked by the link's thread."""

    def files(self) -> Tls:
        """What the next connection shows and trusts."""

    def worked(self) -> None:
        """The broker let us in."""

    def failed(self, why: str) -> None:
        """There was no connection."""

    def fresher(self) -> bool:
        """Whether to leave, and come back with other files."""


class Options(TypedDict, total=False):
    """What a link may be told beside where the broker is."""

    clean: bool  # True: the broker forgets this client between connections; False (default): it keeps QoS 1 for it
    username: str | None
    password: str | None
    tls: Tls | None
    credentials: Credentials  # in place of ``tls``
    clock_known: Callable[[], bool]  # False: a certificate's dates are not looked at, its signature is; default True
    keepalive: int  # seconds, 5 or more; default 30
    inbox_messages: int  # default 50,000
    inbox_bytes: int  # default 32 MiB


class MqttLink:
    """A connection to an MQTT broker that heals itself; a `wire.link.Link`."""

    def __init__(
        self, client_id: str, host: str, port: int, *, will: Will | None = None, **options: Unpack[Options]
    ) -> None:
        """``client_id`` is unique on the broker; ``will`` is published retained, QoS 1. Connects to nothing yet.

        Raises OSError (`ssl.SSLError` is one) for files of ``tls`` that cannot be used; read again at every connection.
        """
        self._credentials = options.get("credentials")
        if tls := options.get("tls"):
            context(tls)
        self._client_id, self._host, self._port = client_id, host, port
        self._will, self._options = will, options
        self._keepalive = max(5, options.get("keepalive", 30))
        self._inbox = Inbox(options.get("inbox_messages", 50_000), options.get("inbox_bytes", 32 * 1024 * 1024))
        self._subscriptions = Subscriptions()
        self._client: WireClient | None = None  # the connected one
        self._connections = self._attempt = 0
        self._unsent = 0
        self._why = ""  # the connection ended last time
        self._confirmed = threading.Condition()  # guards client, connections and unsent
        self._stopping = threading.Event()
        self._wakeable: Wakeable | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """As `Link.start`."""
        if self._thread is None:
            self._stopping.clear()
            self._wakeable = Wakeable()
            self._thread = threading.Thread(target=self._run, args=(self._wakeable,), name=f"mqtt-{self._client_id}")
            self._thread.daemon = True
            self._thread.start()

    def stop(self) -> None:
        """As `Link.stop`; waits up to 5 s for what was handed over to be confirmed."""
        thread, wakeable = self._thread, self._wakeable
        if thread is None or wakeable is None:
            return
        with self._confirmed:
            self._confirmed.wait_for(lambda: self._client is None or self._unsent == 0, STOP_SECONDS)
        self._stopping.set()
        wakeable.wake()
        thread.join(STOP_SECONDS + CONNACK_SECONDS)
        self._thread = None

    def publish(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> bool:
        """As `Link.publish`; also False, and a refusal, when larger than `topics.MOST_BYTES`.

        Raises ValueError for a topic that MQTT does not carry (empty, a wildcard in it) and for a QoS above 2.
        """
        if len(payload) > topics.MOST_BYTES:
            self._inbox.refuse(Refusal(Reason.TOO_BIG, topic, f"{len(payload)} bytes, not sent"))
            return False
        with self._confirmed:
            client = self._client
            if client is None or self._unsent >= MOST_UNSENT:
                return False
            self._unsent += 1
        handed = False
        try:
            handed = client.send(Message(topic, payload, retain), qos)
        finally:
            if not handed:
                self._published(client)
        return handed

    def listen(self, filters: Iterable[tuple[str, int]]) -> None:
        """As `Link.listen`."""
        self._subscriptions.want(filters)
        if self._wakeable is not None:
            self._wakeable.wake()

    def take(self, timeout_seconds: float) -> list[Message]:
        """As `Link.take`."""
        return self._inbox.take(timeout_seconds)

    def wake(self) -> None:
        """As `Link.wake`; the network's thread looks at once too."""
        self._inbox.stir()
        if self._wakeable is not None:
            self._wakeable.wake()

    def connections(self) -> int:
        """As `Link.connections`."""
        return self._connections

    def connected(self) -> bool:
        """As `Link.connected`."""
        return self._client is not None

    def refusals(self) -> list[Refusal]:
        """As `Link.refusals`."""
        return self._inbox.refusals()

    # ---- the network's thread -------------------------------------------------------------------------------

    def _run(self, wakeable: Wakeable) -> None:
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                try:
                    self._connect_and_serve(wakeable)
                except Exception:
                    log.exception("link=failed client=%s", self._client_id)
                if time.monotonic() - began > STEADY_SECONDS:
                    self._attempt = 0
                pause = self._pause_seconds()
                self._attempt += 1
                self._stopping.wait(pause)
        finally:
            wakeable.close()

    def _connect_and_serve(self, wakeable: Wakeable) -> None:
        """One connection from its beginning to its end."""
        client = WireClient(self._client_id, clean=self._options.get("clean", False), wakeable=wakeable)
        why = "stopped"
        try:
            self._prepare(client)
            client.connect_async(self._host, self._port, self._keepalive)
            client.reconnect()
            self._serve(client, wakeable)
        except (OSError, ConnectionLost) as lost:
            why = str(lost) or type(lost).__name__
        except Exception as wrong:  # noqa: BLE001 - around one message: what broke the library must not end the link
            why = f"{type(wrong).__name__}: {wrong}"
        was_connected = self._disconnected(client)
        if client.announced_bytes:
            detail = f"a packet of {client.announced_bytes} bytes was announced"
            self._inbox.refuse(Refusal(Reason.TOO_BIG, f"{self._host}:{self._port}", detail))
        client.close()
        if not was_connected and self._credentials:
            self._credentials.failed(why)
        level = logging.DEBUG if why == self._why or self._stopping.is_set() else logging.WARNING
        log.log(level, "link=down client=%s broker=%s:%d why=%r", self._client_id, self._host, self._port, why[:200])
        self._why = why

    def _prepare(self, client: WireClient) -> None:
        username, tls = self._options.get("username"), self._options.get("tls")
        tls = self._credentials.files() if self._credentials else tls
        if username is not None:
            client.username_pw_set(username, self._options.get("password"))
        if tls is not None:
            trusted = context(tls)
            if not self._options.get(
                "clock_known", _yes
            )():  # in 1970 no certificate is valid yet, and alarms must come
                trusted.verify_flags |= _NO_CHECK_TIME
            client.trust(trusted)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=True)
        client.when_connected = self._connected
        client.when_published = self._published
        client.when_arrived = self._arrived
        client.when_answered = self._subscriptions.answered

    def _serve(self, client: WireClient, wakeable: Wakeable) -> None:
        """Carry packets until the connection ends or `stop` is called. Raises ConnectionLost, OSError."""
        began = time.monotonic()
        while not self._stopping.is_set():
            up = client.is_connected()
            wait = min(self._keepalive / 3, 10.0) if up else 0.5
            if up:
                wait = min(wait, self._subscriptions.bring_about(client, time.monotonic()))
                self._check_alive(client, time.monotonic())
                if self._credentials and self._credentials.fresher():
                    break
            elif time.monotonic() - began > CONNACK_SECONDS:
                raise ConnectionLost("no answer to CONNECT")
            wakeable.wait(client, wait)
            client.step()
        client.say_goodbye(wakeable)

    def _check_alive(self, client: WireClient, now: float) -> None:
        """Raises ConnectionLost for a broker that only drips, or lets us in and leaves SUBSCRIBE without answer."""
        if now - max(client.packet_at, client.progress_at) > SILENT_KEEPALIVES * self._keepalive:
            raise ConnectionLost("only drips come")
        asked_at = self._subscriptions.unanswered_since()
        if asked_at is not None and now - max(asked_at, client.progress_at) > SUBACK_SECONDS:
            raise ConnectionLost("no answer to SUBSCRIBE")

    def _connected(self, client: WireClient) -> None:
        self._subscriptions.begin()
        with self._confirmed:
            self._client, self._unsent = client, 0
            self._connections += 1
        log.info("link=up client=%s broker=%s:%d", self._client_id, self._host, self._port)
        if self._credentials:
            self._credentials.worked()
        self._inbox.stir()

    def _disconnected(self, client: WireClient) -> bool:
        """Whether it had ever been connected."""
        with self._confirmed:
            was_connected = self._client is client
            self._client, self._unsent = None, 0
            self._confirmed.notify_all()
        if was_connected:
            self._inbox.stir()
        return was_connected

    def _published(self, client: WireClient) -> None:
        with self._confirmed:
            if self._client is client and self._unsent > 0:
                self._unsent -= 1
                if self._unsent == 0:
                    self._confirmed.notify_all()

    def _arrived(self, topic: bytes, payload: bytes, retained: bool) -> None:
        with suppress(UnicodeDecodeError):
            name = topic.decode()
            if len(payload) > topics.MOST_BYTES:
                self._inbox.refuse(Refusal(Reason.TOO_BIG, name[:200], f"{len(payload)} bytes"))
            elif self._subscriptions.covers(name):
                self._inbox.put(Message(name, payload, retained))
            return
        self._inbox.refuse(Refusal(Reason.UNKNOWN_TOPIC, repr(topic[:100]), "not UTF-8"))

    def _pause_seconds(self) -> float:
        """0.5 s doubling to 60 s, times 0.5 to 1.5 by client id and attempt."""
        spread = 0.5 + zlib.crc32(f"{self._client_id}:{self._attempt}".encode()) / 2**32
        return min(MOST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._attempt, 10)) * spread
