"""A bad road: two network namespaces joined by a pair of TUN devices and, between them, what a far hill does.

- Every packet waits for the rate, then for the delay; some are lost; a partition loses all. In user space, since not
  every kernel has netem. What is counted is counted here, on the air: bytes, and of TCP what came through, once.
- `inside` runs something in one of the namespaces: sockets and threads made there stay there.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import random
import secrets
import select
import shutil
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
NEAR, FAR = "10.67.0.1", "10.67.0.2"  # the station's end, the node's end
_TUNSETIFF, _TUN_WITHOUT_HEAD, _NEW_NET = 0x400454CA, 0x1001, 0x40000000
_MOST_WAITING = 60  # packets: a modem's buffer


def why_not() -> str:
    """Why there is no such road here; empty when there is."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return "only root makes network namespaces (and needs iproute2)"
    if not Path("/dev/net/tun").exists():
        return "this kernel has no TUN"
    name = f"loa-{secrets.token_hex(3)}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "this machine does not let a process make a network namespace"
    subprocess.run(["ip", "netns", "delete", name], check=False)
    return ""


@dataclass
class Flow:
    """One direction of one TCP connection: which bytes came through, as [since, until) relative to its first."""

    first: int
    spans: list[tuple[int, int]] = field(default_factory=list)

    def add(self, sequence: int, length: int) -> None:
        since = (sequence - self.first) & 0xFFFFFFFF
        spans = sorted([*self.spans, (since, since + length)])
        merged = [spans[0]]
        for begin, end in spans[1:]:
            if begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        self.spans = merged

    @property
    def bytes(self) -> int:
        return sum(end - since for since, end in self.spans)


@dataclass
class Way:
    """One direction."""

    sent_bytes: int = 0  # on the air, every packet whole, the lost ones too
    arrived_bytes: int = 0
    sent: int = 0
    lost: int = 0
    flows: dict[bytes, Flow] = field(default_factory=dict)
    free_at: float = 0.0
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)

    @property
    def payload_bytes(self) -> int:
        """Of TCP, what came through, each byte of each connection once."""
        return sum(flow.bytes for flow in self.flows.values())

    def count(self, packet: bytes) -> None:
        """A packet came through."""
        self.arrived_bytes += len(packet)
        head = (packet[0] & 15) * 4
        if packet[0] >> 4 != 4 or packet[9] != 6:
            return
        sequence = struct.unpack_from("!I", packet, head + 4)[0]
        length = struct.unpack_from("!H", packet, 2)[0] - head - (packet[head + 12] >> 4) * 4
        if length:
            flow = self.flows.setdefault(packet[12:20] + packet[head : head + 4], Flow(sequence))
            flow.add(sequence, length)


class Road:
    """Use it in ``with``. ``rate`` in bits a second each way, ``delay`` in seconds one way, ``loss`` from 0 to 1."""

    def __init__(self, rate: int, loss: float, delay: float = 0.02, seed: int = 1) -> None:
        self.rate, self.loss, self.delay = rate, loss, delay
        self.closed = False  # a partition: everything is lost
        self.down, self.up = Way(), Way()  # to the node, from the node
        self._dice = random.Random(seed)
        name = secrets.token_hex(3)
        self.near, self.far = f"loa-near-{name}", f"loa-far-{name}"
        self._ends: list[int] = []
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="road", daemon=True)

    def __enter__(self) -> Road:
        for space, mine, other in ((self.near, NEAR, FAR), (self.far, FAR, NEAR)):
            _ip("netns", "add", space)
            self._ends.append(inside(space, _open_tun))
            _ip("-n", space, "address", "add", mine, "peer", other, "dev", "road")
            _ip("-n", space, "link", "set", "dev", "road", "up", "mtu", "1500")
            _ip("-n", space, "link", "set", "dev", "lo", "up")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join(60)
        for end in (*self._ends, self._stop_read, self._stop_write):
            os.close(end)
        for space in (self.near, self.far):
            subprocess.run(["ip", "netns", "delete", space], check=False)

    def _carry(self) -> None:
        near, far = self._ends
        ways = ((near, far, self.down), (far, near, self.up))
        while True:
            due = [way.waiting[0][0] for _, _, way in ways if way.waiting]
            rest = max(0.0, min(due) - time.monotonic()) if due else None
            ready = select.select([near, far, self._stop_read], [], [], rest)[0]
            if self._stop_read in ready:
                return
            for source, target, way in ways:
                if source in ready:
                    self._take(os.read(source, 2000), way)
                while way.waiting and way.waiting[0][0] <= time.monotonic():
                    packet = way.waiting.popleft()[1]
                    if self.closed:
                        continue
                    way.count(packet)
                    os.write(target, packet)

    def _take(self, packet: bytes, way: Way) -> None:
        if packet[0] >> 4 != 4 or len(way.waiting) >= _MOST_WAITING:
            return
        now = time.monotonic()
        way.sent += 1
        way.sent_bytes += len(packet)
        way.free_at = max(now, way.free_at) + len(packet) * 8 / self.rate
        if self.closed or self._dice.random() < self.loss:
            way.lost += 1
        else:
            way.waiting.append((way.free_at + self.delay, packet))


def inside(space: str, act: Callable[[], T]) -> T:
    """What ``act`` returns, called on a thread in that network namespace; raises what it raises."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            with Path(f"/run/netns/{space}").open("rb") as handle:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(handle.fileno(), _NEW_NET):
                    raise OSError(ctypes.get_errno(), "setns")
            done.set_result(act())
        except BaseException as wrong:  # noqa: BLE001 - raised again where it is awaited
            done.set_exception(wrong)

    thread = threading.Thread(target=run, name=f"in-{space}")
    thread.start()
    thread.join()
    return done.result()


def _open_tun() -> int:
    end = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", b"road", _TUN_WITHOUT_HEAD))
    return end


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
