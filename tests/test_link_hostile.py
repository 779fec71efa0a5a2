"""A link to brokers that lie, babble, or never answer: it refuses, says so, and goes on."""

from __future__ import annotations

import resource
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from makers_wire import eventually

from wire import topics
from wire.errors import Reason
from wire.mqtt import MqttLink
from wire.mqtt import link as mqtt_link
from wire.mqtt.client import WireClient
from wire.mqtt.tls_files import Tls

CONNACK = b"\x20\x02\x00\x00"
SUBSCRIBE = b"\x82"
SUBACK_REFUSED = b"\x90\x03\x00%c\x80"
TOPIC = b"\x00\x01t"


def remaining(length: int) -> bytes:
    """An MQTT remaining length."""
    digits = bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(digits)


def publish(body: bytes, topic: bytes = TOPIC, head: int = 0x30) -> bytes:
    return bytes([head]) + remaining(len(topic) + len(body)) + topic + body


class Liar:
    """A TCP server that treats every connection with ``lie``."""

    def __init__(self, lie: Callable[[socket.socket], None]) -> None:
        self.lie, self.met = lie, 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.taken: list[socket.socket] = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            try:
                taken, _ = self.server.accept()
            except OSError:
                return
            self.met += 1
            self.taken.append(taken)
            try:
                self.lie(taken)
            except OSError:
                continue

    def close(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for taken in self.taken:
            taken.close()
        self.thread.join(10)


Meet = Callable[..., tuple[MqttLink, Liar]]


@pytest.fixture
def meet() -> Iterator[Meet]:
    """Let a link meet a liar."""
    made: list[tuple[MqttLink, Liar]] = []

    def begin(lie: Callable[[socket.socket], None], **options: int) -> tuple[MqttLink, Liar]:
        liar = Liar(lie)
        link = MqttLink("loa-01", "127.0.0.1", liar.port, **options)  # type: ignore[arg-type]
        made.append((link, liar))
        link.start()
        return link, liar

    yield begin
    for link, liar in made:
        link.stop()
        liar.close()


def after_connack(*packets: bytes) -> Callable[[socket.socket], None]:
    def lie(taken: socket.socket) -> None:
        taken.recv(1000)
        taken.sendall(CONNACK)
        for packet in packets:
            taken.sendall(packet)

    return lie


def test_a_packet_announced_too_large_ends_the_connection_before_its_body_is_read(meet: Meet) -> None:
    announced = 250 * 1024 * 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    link, liar = meet(after_connack(b"\x30" + remaining(announced), b"x" * 8_000_000))
    noted = []
    eventually(lambda: noted.extend(link.refusals()) or noted)
    assert noted[0].reason == Reason.TOO_BIG
    assert str(announced) in noted[0].detail
    assert str(liar.port) in noted[0].where
    assert link.take(0) == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB
    eventually(lambda: liar.met >= 2)  # and it comes back


def test_the_announced_length_is_the_limit_and_not_one_byte_less(meet: Meet) -> None:
    link, _ = meet(after_connack(publish(b"x" * topics.MOST_BYTES)))
    got = []
    eventually(lambda: got.extend(link.take(0.2)) or got)
    assert len(got[0].payload) == topics.MOST_BYTES
    assert link.refusals() == []


def test_a_body_over_the_limit_inside_a_small_enough_packet_is_refused_alone(meet: Meet) -> None:
    link, liar = meet(after_connack(publish(b"x" * (topics.MOST_BYTES + 1)), publish(b"next")))
    got = []
    eventually(lambda: got.extend(link.take(0.2)) or got)
    assert [message.payload for message in got] == [b"next"]
    assert [refusal.reason for refusal in link.refusals()] == [Reason.TOO_BIG]
    assert liar.met == 1


@pytest.mark.parametrize(
    "babble",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00" * 64,
        b"\xff" * 64,
        CONNACK + b"\x30\xff\xff\xff\xff\xff\x7f",  # a remaining length of too many bytes
        CONNACK + b"\x30\x02\x00\xff",  # a topic longer than its packet
        CONNACK + b"\x30\x00",  # a message without a topic
        CONNACK + b"\x40\x01\x00",  # half a PUBACK
        CONNACK + b"\x90\x02\x00\x01",  # a SUBACK for nothing
        CONNACK + b"\x90\x03\x77\x77\x05",  # a SUBACK never asked for, with a code that is none
        CONNACK + b"\xf0\x00",  # no such packet
        b"\x20\x02\x00\x05",  # not authorised
        b"\x20\x02\x00\x01",  # another protocol, please
        b"\x20\x02\x00\xaa",  # a code that is none
        b"\x20\x00",
        b"",
    ],
)
def test_a_broker_that_babbles_is_left_and_tried_again(meet: Meet, babble: bytes) -> None:
    def lie(taken: socket.socket) -> None:
        taken.recv(1000)
        taken.sendall(babble)
        taken.shutdown(socket.SHUT_WR)

    link, liar = meet(lie)
    eventually(lambda: liar.met >= 2)
    assert link.take(0) == []


def test_a_broker_that_accepts_and_never_answers_is_left(meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_link, "CONNACK_SECONDS", 0.3)
    link, liar = meet(lambda taken: None)
    eventually(lambda: liar.met >= 2)
    assert not link.connected()
    assert link.connections() == 0
    assert link.publish("t", b"", retain=False, qos=1) is False


def test_a_topic_that_is_not_text_is_refused_and_the_next_message_arrives(meet: Meet) -> None:
    link, _ = meet(after_connack(publish(b"?", b"\x00\x02\xff\xfe"), publish(b"next")))
    got = []
    eventually(lambda: got.extend(link.take(0.2)) or got)
    assert [message.payload for message in got] == [b"next"]
    assert [refusal.reason for refusal in link.refusals()] == [Reason.UNKNOWN_TOPIC]


def test_what_was_never_confirmed_does_not_go_out_on_the_next_connection(meet: Meet) -> None:
    heard: list[bytes] = []

    def lie(taken: socket.socket) -> None:
        taken.recv(1000)
        taken.sendall(CONNACK)
        heard.append(taken.recv(1000))
        if len(heard) == 1:
            taken.close()

    link, _ = meet(lie)
    eventually(link.connected)
    assert link.publish("t", b"an old alarm", retain=False, qos=1)
    eventually(lambda: link.connections() == 2)
    link.publish("t", b"new", retain=False, qos=0)
    eventually(lambda: len(heard) == 2)
    assert b"an old alarm" in heard[0]
    assert b"an old alarm" not in heard[1]


def test_what_was_never_asked_for_is_not_let_in(meet: Meet) -> None:
    link, liar = meet(after_connack())
    link.listen([("wanted", 1)])
    eventually(link.connected)
    liar.taken[0].sendall(publish(b"no", b"\x00\x08unwanted") + publish(b"yes", b"\x00\x06wanted"))
    got = []
    eventually(lambda: got.extend(link.take(0.2)) or got)
    assert [message.topic for message in got] == ["wanted"]


def test_a_full_inbox_refuses_and_keeps_the_connection(meet: Meet) -> None:
    link, liar = meet(after_connack(*[publish(b"%d" % at) for at in range(30)]), inbox_messages=10)
    noted = []
    eventually(lambda: noted.extend(link.refusals()) or len(noted) == 20)
    assert {refusal.reason for refusal in noted} == {Reason.INBOX_FULL}
    assert [message.payload for message in link.take(0)] == [b"%d" % at for at in range(10)]
    assert liar.met == 1
    assert link.connected()


def test_the_inbox_is_bounded_in_bytes_too(meet: Meet) -> None:
    link, _ = meet(after_connack(*[publish(b"x" * 1000) for _ in range(30)]), inbox_bytes=10_000)
    noted = []
    eventually(lambda: noted.extend(link.refusals()) or len(noted) > 20)
    assert sum(len(message.payload) for message in link.take(0)) <= 10_000


def test_a_refused_subscription_is_asked_for_again(meet: Meet) -> None:
    asked: list[bytes] = []

    def lie(taken: socket.socket) -> None:
        taken.recv(1000)
        taken.sendall(CONNACK)
        while (packet := taken.recv(1000))[:1] == SUBSCRIBE:
            asked.append(packet)
            taken.sendall(SUBACK_REFUSED % packet[3])

    link, _ = meet(lie)
    link.listen([("radio/v1/trust", 1)])
    eventually(lambda: len(asked) >= 2)
    assert link.connected()
    assert all(b"radio/v1/trust" in packet for packet in asked)


def test_a_subscribe_answered_for_too_few_counts_as_refused(meet: Meet) -> None:
    asked: list[bytes] = []

    def lie(taken: socket.socket) -> None:
        taken.recv(1000)
        taken.sendall(CONNACK)
        while (packet := taken.recv(1000))[:1] == SUBSCRIBE:
            asked.append(packet)
            taken.sendall(b"\x90\x03\x00%c\x01" % packet[3])

    link, _ = meet(lie)
    link.listen([("a", 1), ("b", 1)])
    eventually(lambda: len(asked) >= 2)
    assert b"\x01b" in asked[1]
    assert b"\x01a" not in asked[1]


def test_messages_left_unfinished_by_the_thousand_end_the_connection(meet: Meet) -> None:
    qos_2 = b"".join(publish(b"%c%c?" % divmod(at, 256), head=0x34) for at in range(1, 3000))
    _, liar = meet(after_connack(qos_2))
    eventually(lambda: liar.met >= 2)


def test_a_stop_returns_while_a_broker_stays_silent(meet: Meet) -> None:
    others = set(threading.enumerate())  # what other tests left behind in this process
    link, liar = meet(lambda taken: None)
    eventually(lambda: liar.met == 1)
    link.stop()
    left = set(threading.enumerate()) - others
    assert not any(thread.name == "mqtt-loa-01" and thread.is_alive() for thread in left)


def test_what_mqtt_cannot_carry_is_the_callers_mistake(meet: Meet) -> None:
    link, _ = meet(after_connack())
    eventually(link.connected)
    for topic in ("", "a/+/b", "#"):
        with pytest.raises(ValueError, match="topic"):
            link.publish(topic, b"", retain=False, qos=0)


class Trouble:
    """Credentials that raise, whatever they are told of a connection that did not come about."""

    def __init__(self) -> None:
        self.told = 0

    def files(self) -> Tls:
        raise KeyError("nobody foresaw it")

    def worked(self) -> None:
        raise AssertionError

    def failed(self, why: str) -> None:
        self.told += 1
        raise RuntimeError(f"nor this, after {why}")

    def fresher(self) -> bool:
        raise AssertionError


def test_a_link_outlives_what_nobody_foresaw_of_its_credentials(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mqtt_link, "FIRST_PAUSE_SECONDS", 0.01)
    trouble = Trouble()
    link = MqttLink("loa-01", "127.0.0.1", 1, credentials=trouble)
    link.start()
    eventually(lambda: trouble.told >= 3)
    link.stop()
    assert "nobody foresaw it" in caplog.text
    assert caplog.text.count("Traceback") >= 2


def test_a_client_that_cannot_be_closed_is_gone_all_the_same(meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_link, "FIRST_PAUSE_SECONDS", 0.01)
    real, hang_up = WireClient.close, threading.Event()

    def close(client: WireClient) -> None:
        real(client)
        raise OSError("nor this")

    def lie(taken: socket.socket) -> None:
        if hang_up.is_set():
            taken.close()
            return
        after_connack()(taken)

    monkeypatch.setattr(WireClient, "close", close)
    link, liar = meet(lie)
    eventually(link.connected)
    hang_up.set()
    liar.taken[0].shutdown(socket.SHUT_RDWR)
    eventually(lambda: liar.met >= 3)
    assert not link.connected()
