"""Messages from a broker: through the link of the house, or through one plain socket that does nothing else."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from bench import packets
from bench.child import Child
from wire import codec, topics
from wire.health import Health
from wire.link import Message
from wire.mqtt import MqttLink

NODES = 10_000
PATIENCE_SECONDS = 1.0  # after the last message was sent, all must be stored
PAUSE_SECONDS = 0.1  # between two takes, as the station's `hear` tick has it


class Stream(Protocol):
    """Where messages come from: the broker at ``port``."""

    port: int

    def take(self) -> list[Message]:
        """What has come since the last call; waits a moment when there is nothing."""

    def close(self) -> None:
        """Give the connection back."""


class LinkStream:
    """`wire.mqtt`, as the station uses it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._link = MqttLink("bench-station", "127.0.0.1", port, clean=True)
        self._link.listen([(topics.HEALTH.filter(), topics.HEALTH.qos)])
        self._link.start()
        until = time.monotonic() + 10
        while not self._link.connected() and time.monotonic() < until:
            self._link.take(0.1)
        time.sleep(0.3)  # the subscription is granted meanwhile

    def take(self) -> list[Message]:
        """As `Stream.take`."""
        time.sleep(PAUSE_SECONDS)
        return self._link.take(0.0)

    def close(self) -> None:
        """As `Stream.close`."""
        self._link.stop()


class BareStream:
    """One socket."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket = packets.open_client(port, "bench-plain")
        self._socket.sendall(packets.subscribe(topics.HEALTH.filter(), topics.HEALTH.qos))
        packets.await_packet(self._socket, packets.SUBACK)
        self._socket.settimeout(PAUSE_SECONDS)
        self._packets = packets.Packets()

    def take(self) -> list[Message]:
        """As `Stream.take`: up to 0.1 s of messages, so that batches are as large as the link's."""
        until = time.monotonic() + PAUSE_SECONDS
        messages = []
        while time.monotonic() < until:
            try:
                data = self._socket.recv(1 << 20)
            except TimeoutError:
                break
            for first, body in self._packets.feed(data):
                topic, _, payload = packets.content(first, body)
                messages.append(Message(topic.decode(), payload))
        return messages

    def close(self) -> None:
        """As `Stream.close`."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@dataclass(frozen=True)
class Flow:
    """How one rate went."""

    sent: int
    stored: int
    seconds: float  # of sending
    longest_lag_seconds: float
    cpu_share: float  # of one core, ours
    kept: bool


def flow(stream: Stream, take: Callable[[list[Message]], object], rate: int, seconds: float) -> Flow:
    """``rate`` messages a second for so long, from ``stream`` into ``take``."""
    while stream.take():
        pass  # what an earlier rate has left
    stored, sent, lag, sending = 0, 0, 0.0, seconds
    began = before = until = 0.0
    with Child("bench.reporters", stream.port, NODES, rate, seconds) as reporters:
        while not sent or (stored < sent and time.monotonic() < until):
            messages = stream.take()
            began, before = began or time.monotonic(), before or time.process_time()
            if messages:
                take(messages)
                stored += len(messages)
                lag = max(lag, _age_seconds(messages[0]))
            if not sent and reporters.has_said():
                said = reporters.hear()
                sent, sending, until = said["sent"], said["seconds"], time.monotonic() + PATIENCE_SECONDS
    share = (time.process_time() - before) / (time.monotonic() - began)
    return Flow(sent, stored, sending, lag, share, kept=stored == sent and sending < seconds * 1.05 + 0.2)


def _age_seconds(message: Message) -> float:
    said = codec.read(Health, message.payload, topics.HEALTH.most_bytes)
    return (datetime.now(UTC) - said.at).total_seconds()
