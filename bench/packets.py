"""MQTT 3.1.1 on the wire, just enough for a harness: what the measured code uses is never used to measure it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9


def connect(client_id: str) -> bytes:
    """CONNECT: a clean session, no keepalive."""
    return _packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00" + _text(client_id))


def subscribe(topic: str, qos: int) -> bytes:
    """SUBSCRIBE to one filter."""
    return _packet(0x82, b"\x00\x01" + _text(topic) + bytes([qos]))


def publish(topic: str, payload: bytes, qos: int, retain: bool = False) -> bytes:
    """PUBLISH; packet id 1 where the QoS needs one."""
    return _packet(0x30 | qos << 1 | retain, _text(topic) + (b"\x00\x01" if qos else b"") + payload)


class Packets:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(first byte, body) of every packet that ``data`` completes."""
        stream, at = self._rest + data, 0
        while (found := _whole(stream, at)) is not None:
            begin, end = found
            yield stream[at], stream[begin:end]
            at = end
        self._rest = stream[at:]


def content(first: int, body: bytes) -> tuple[bytes, bytes, bytes]:
    """(topic, packet id or nothing, payload) of a PUBLISH."""
    at = 2 + int.from_bytes(body[:2], "big")
    until = at + (2 if first & 0x06 else 0)
    return body[2:at], body[at:until], body[until:]


def open_client(port: int, client_id: str) -> socket.socket:
    """A blocking connection to the broker on loopback that has been accepted."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(connect(client_id))
    await_packet(sock, CONNACK)
    return sock


def await_packet(sock: socket.socket, kind: int) -> None:
    """Read until one packet of ``kind`` has come; a broker that closes instead is a ConnectionError."""
    packets = Packets()
    while True:
        data = sock.recv(4096)
        if not data:
            raise ConnectionError("the broker closed the connection")
        if any(first >> 4 == kind for first, _ in packets.feed(data)):
            return


def _packet(first: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while True:
        size, digit = size >> 7, size & 0x7F
        length.append(digit | (0x80 if size else 0))
        if not size:
            return bytes([first]) + bytes(length) + body


def _text(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw


def _whole(stream: bytes, at: int) -> tuple[int, int] | None:
    """(where the body begins, where it ends), None while the packet at ``at`` is not complete."""
    size = shift = 0
    for place in range(at + 1, min(at + 5, len(stream))):
        size |= (stream[place] & 0x7F) << shift
        shift += 7
        if stream[place] < 0x80:
            end = place + 1 + size
            return (place + 1, end) if end <= len(stream) else None
    return None
