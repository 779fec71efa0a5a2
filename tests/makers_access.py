"""A province of 10,000 nodes, what each may hear and say by a table of its own, and MQTT packets made by hand."""

from __future__ import annotations

import random
import re
import socket
import struct
from dataclasses import dataclass, field

PROVINCE, COMMUNES, NODES, SAMPLE = "lang-son", 66, 10_000, 200
GROUPS = ("truong-hoc", "cho-bien-gioi", "tram-y-te")
STATION = "station"
KINDS_OF_AREA, KINDS_OF_NODE = (
    ("plan", "urgent", "live/b1"),
    (
        *("config", "acks", "certificate"),
        *("presence", "health", "receipts", "renewal", "mail"),
    ),
)
ELSEWHERE = ("radio/v1/trust", "radio/v1/station", "radio/v1", "radio/v2/trust", "$SYS/broker/version", "anything")


@dataclass(frozen=True)
class Place:
    """A node, where it hangs, and its groups."""

    node: str
    home: str
    groups: tuple[str, ...]

    @property
    def areas(self) -> list[str]:
        """What the station's roster would say."""
        parts = self.home.split(":")
        return [":".join(parts[: depth + 1]) for depth in range(len(parts))] + [*self.groups, self.node]


def province(chance: random.Random) -> list[Place]:
    """Every node, in ten hamlets of each commune."""
    made = []
    for number in range(NODES):
        home = f"{PROVINCE}:xa-{number % COMMUNES:02d}:thon-{chance.randrange(10)}"
        groups = tuple(each for each in GROUPS if chance.random() < 0.1)
        made.append(Place(f"loa-{number:05d}", home, groups))
    return made


def may_hear(place: Place, topic: str) -> bool:
    """The rule as a person would say it: its own three, trust, and all that is said to a place it lies in."""
    if topic == "radio/v1/trust":
        return True
    if own := re.fullmatch(r"radio/v1/nodes/([^/]+)/(config|acks|certificate)", topic):
        return own[1] == place.node
    area = re.fullmatch(r"radio/v1/areas/([^/]+)/(plan|urgent|live/[^/]+)", topic)
    if area is None:
        return False
    lies_in = f"{place.home}:".startswith(f"{area[1]}:")
    return lies_in or area[1] in place.groups or area[1] == place.node


def may_say(place: Place, topic: str) -> bool:
    """Its own four topics."""
    return bool(re.fullmatch(rf"radio/v1/nodes/{place.node}/(presence|health|receipts|renewal)", topic))


def topics_around(place: Place, everybody: list[Place], chance: random.Random) -> list[str]:
    """Of every kind: its own, a sibling's of the same hamlet, a stranger's, and what is nobody's."""
    sibling = chance.choice([each for each in everybody if each.home == place.home and each != place])
    stranger = chance.choice([each for each in everybody if each.home.split(":")[1] != place.home.split(":")[1]])
    nodes, areas = (place.node, sibling.node, stranger.node, STATION), {*place.areas, *stranger.areas, sibling.node}
    said = [f"radio/v1/areas/{area}/{kind}" for area in sorted({*areas, *GROUPS}) for kind in KINDS_OF_AREA]
    return said + [f"radio/v1/nodes/{node}/{kind}" for node in nodes for kind in KINDS_OF_NODE] + list(ELSEWHERE)


@dataclass
class Client:
    """One MQTT 3.1.1 connection, blocking."""

    name: str
    port: int
    password: str = "p"
    host: str = "127.0.0.1"
    heard: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_connection((self.host, self.port), timeout=60)
        self._file = self._socket.makefile("rb")
        body = b"\x00\x04MQTT\x04\xc2\x00\x00" + b"".join(map(_text, (self.name, self.name, self.password)))
        self._send(0x10, body)
        assert self._until(0x20)[1] == 0, f"{self.name} is not let in"

    def subscribe(self, *filters: str) -> list[int]:
        """The broker's codes, one for each filter."""
        codes: list[int] = []
        for first in range(0, len(filters), 100):
            some = filters[first : first + 100]
            self._send(0x82, b"\x00\x01" + b"".join(_text(each) + b"\x00" for each in some))
            codes += self._until(0x90)[2:]
        return codes

    def say(self, topic: str) -> None:
        """QoS 0, its own name as the payload."""
        self._send(0x30, _text(topic) + self.name.encode())

    def settle(self) -> None:
        """Return when the broker has worked through all that was sent, and take what has come."""
        self._send(0xC0, b"")
        self._until(0xD0)

    def close(self) -> None:
        self._socket.close()

    def _send(self, kind: int, body: bytes) -> None:
        length, left = b"", len(body)
        while True:
            left, digit = divmod(left, 128)
            length += bytes([digit | (0x80 if left else 0)])
            if not left:
                break
        self._socket.sendall(bytes([kind]) + length + body)

    def _until(self, wanted: int) -> bytes:
        """The body of the next packet of that kind; messages before it are kept."""
        while True:
            kind, size, shift = self._file.read(1)[0], 0, 0
            while True:
                digit = self._file.read(1)[0]
                size, shift = size | (digit & 127) << shift, shift + 7
                if digit < 128:
                    break
            body = self._file.read(size)
            if kind & 0xF0 == 0x30:
                length = struct.unpack(">H", body[:2])[0]
                self.heard.append((body[2 : 2 + length].decode(), body[2 + length :]))
            elif kind & 0xF0 == wanted:
                return body


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()
