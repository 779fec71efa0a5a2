"""The harness's subscribers: N connections in one process, each only fast enough to say when a message arrived.

``python -m bench.listeners PORT TOPIC COUNT``: says ``{"ready": …}`` when all are subscribed, then one line for every
message that has reached all of them. Times are CLOCK_MONOTONIC in nanoseconds, the same clock in every process.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time

from bench import packets
from bench.child import say

WINDOW = 50  # connections asked for at once: a broker's backlog is small
QOS = 1


def main(port: int, topic: str, count: int) -> None:
    """Connect, subscribe, and report until standard input ends."""
    began = time.monotonic()
    sockets: list[socket.socket] = []
    while len(sockets) < count:
        window = range(len(sockets), min(count, len(sockets) + WINDOW))
        sockets += _subscribed(port, topic, [f"listener-{os.getpid()}-{each}" for each in window])
    say(ready=len(sockets), seconds=time.monotonic() - began)
    _count({sock.fileno(): packets.Packets() for sock in sockets})


def _subscribed(port: int, topic: str, names: list[str]) -> list[socket.socket]:
    opened = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in names]
    for sock, name in zip(opened, names, strict=True):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(packets.connect(name))
    for sock in opened:
        packets.await_packet(sock, packets.CONNACK)
        sock.sendall(packets.subscribe(topic, QOS))
    for sock in opened:
        packets.await_packet(sock, packets.SUBACK)
        sock.setblocking(False)
    return opened


def _count(streams: dict[int, packets.Packets]) -> None:
    poll = select.epoll()
    for handle in (0, *streams):
        poll.register(handle, select.EPOLLIN)
    arrivals: list[int] = []
    spent = time.process_time()
    while True:
        for handle, _ in poll.poll():
            if handle == 0:
                return  # the parent has closed our input
            data = os.read(handle, 65536)
            if not data:
                raise ConnectionError("the broker closed a listener's connection")
            for first, body in streams[handle].feed(data):
                if first >> 4 == packets.PUBLISH:
                    arrivals.append(time.monotonic_ns())
                    os.write(handle, b"\x40\x02" + packets.content(first, body)[1])
        while len(arrivals) >= len(streams):  # several messages may have come before anybody looked
            now = time.process_time()
            _report(arrivals[: len(streams)], now - spent)
            arrivals, spent = arrivals[len(streams) :], now


def _report(arrivals: list[int], cpu_seconds: float) -> None:
    ordered = sorted(arrivals)
    last = len(ordered) - 1
    say(first=ordered[0], median=ordered[last // 2], p99=ordered[last * 99 // 100], last=ordered[last], cpu=cpu_seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
