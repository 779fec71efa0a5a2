"""A link to brokers that are slow, fall silent, or answer half: what is alive is kept, what is dead is left."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from makers_wire import eventually
from test_link_hostile import CONNACK, Liar, publish

from wire.mqtt import MqttLink
from wire.mqtt import link as mqtt_link

PINGREQ, PINGRESP, SUBSCRIBE = b"\xc0\x00", b"\xd0\x00", 0x82
Meet = Callable[..., tuple[MqttLink, Liar]]


@pytest.fixture
def meet() -> Iterator[Meet]:
    """Let a link whose keepalive is a second meet a liar."""
    made: list[tuple[MqttLink, Liar]] = []

    def begin(lie: Callable[[socket.socket], None]) -> tuple[MqttLink, Liar]:
        liar = Liar(lie)
        link = MqttLink("loa-01", "127.0.0.1", liar.port)
        link._keepalive = 1
        made.append((link, liar))
        link.listen([("t", 1)])
        link.start()
        return link, liar

    yield begin
    for link, liar in made:
        link.stop()
        liar.close()


def silent_after(*packets: bytes) -> Callable[[socket.socket], None]:
    def lie(taken: socket.socket) -> None:
        taken.recv(1000)
        for packet in packets:
            taken.sendall(packet)

    return lie


HALF = publish(b"x" * 5000)
SILENCES = {
    "nothing more": (CONNACK,),
    "half a message": (CONNACK, HALF[:900]),
    "half a head": (CONNACK, HALF[:2]),
    "half a CONNACK": (CONNACK[:3],),
}


def test_a_broker_that_falls_silent_is_left_and_tried_again(meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_link, "CONNACK_SECONDS", 1.0)
    met = {name: meet(silent_after(*packets)) for name, packets in SILENCES.items()}
    for name, (link, liar) in met.items():
        eventually(lambda some=liar: some.met >= 2)  # type: ignore[misc]
        assert link.take(0) == [], name


def test_a_broker_that_drips_is_left(meet: Meet) -> None:
    """A byte now and then is no sign of life, or one broken broker would hold a node for ever."""

    def lie(taken: socket.socket) -> None:
        taken.recv(1000)
        taken.sendall(CONNACK)
        for at in range(200):
            taken.sendall(HALF[at : at + 1])
            time.sleep(0.1)

    _, liar = meet(lie)
    eventually(lambda: liar.met >= 2)


def test_a_broker_that_answers_pings_and_no_subscribe_is_left(meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_link, "SUBACK_SECONDS", 1.5)
    pings: list[bytes] = []

    def lie(taken: socket.socket) -> None:
        taken.recv(1000)
        taken.sendall(CONNACK)
        while packet := taken.recv(1000):
            if PINGREQ in packet:
                pings.append(packet)
                taken.sendall(PINGRESP)

    _, liar = meet(lie)
    eventually(lambda: liar.met >= 2)
    assert pings


def test_a_plan_that_takes_longer_than_any_ping_may_wait_arrives(meet: Meet) -> None:
    """64 kbit/s: half a megabyte takes a minute, and the answer to the ping waits behind it."""
    body = b"x" * 60_000

    def lie(taken: socket.socket) -> None:
        packet = taken.recv(1000)
        taken.sendall(CONNACK)
        while packet and packet[0] != SUBSCRIBE:
            packet = taken.recv(1000)
        taken.sendall(b"\x90\x03" + packet[2:4] + b"\x01")
        message = publish(body)
        for at in range(0, len(message), 2000):  # three seconds of it, and no ping is answered on the way
            taken.sendall(message[at : at + 2000])
            time.sleep(0.1)
        taken.sendall(PINGRESP)

    link, liar = meet(lie)
    got = []
    eventually(lambda: got.extend(link.take(0.2)) or got)
    assert got[0].payload == body
    assert liar.met == 1
