"""The harness's nodes: one process that publishes health of N nodes at a steady rate, over a few plain sockets.

``python -m bench.reporters PORT NODES RATE SECONDS``: says ``{"sent": …, "seconds": …}`` when it has sent all.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from bench import packets
from bench.child import say
from bench.town import node_name
from wire import codec, topics
from wire.health import Health, Held, Vitals

SOCKETS = 10
SLICE_SECONDS = 0.02

_VITALS = Vitals(51.5, 0, 0.25, 0.5, 60_000_000, 10**9, 0.4, 86_400.0, "ntp", 1.5, True, "eth0", "USB Audio", True)


def main(port: int, nodes: int, rate: int, seconds: float) -> None:
    """Send ``rate`` messages a second; what is late is made up for, so the rate holds over the whole time."""
    sockets = [packets.open_client(port, f"reporters-{each}") for each in range(SOCKETS)]
    began, sent, total = time.monotonic(), 0, int(rate * seconds)
    while sent < total:
        due = min(total, int((time.monotonic() - began + SLICE_SECONDS) * rate))
        now = datetime.now(UTC)
        for at, sock in enumerate(sockets):
            numbers = range(sent + at, due, SOCKETS)
            sock.sendall(b"".join(_packet(number % nodes, now) for number in numbers))
        sent = due
        time.sleep(SLICE_SECONDS)
    say(sent=sent, seconds=time.monotonic() - began)
    for sock in sockets:
        sock.close()


def _packet(number: int, now: datetime) -> bytes:
    said = message(number, now)
    return packets.publish(topics.HEALTH.topic(node=said.node), codec.write(said), topics.HEALTH.qos)


def message(number: int, now: datetime) -> Health:
    """What a healthy node says."""
    held = (Held("lang-son", 12, 3), Held("lang-son:dong-dang", 40, 1))
    return Health(node_name(number), now, "4f1c2d3e", "0.1.0", _VITALS, 3, 1, held, 4, 4, 0, {"bad_seal": 1}, now)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
