"""A node's identity at a real broker: who is revoked is out within a minute, alone; who was copied is noticed."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers_enrolment import HOME, HOST, Commune, eventually, utc_now

from controller.guestlist import ACCESS, REVOKED
from fleet import mosquitto
from wire import topics
from wire.mqtt import MqttLink, tls

pytestmark = pytest.mark.skipif(
    mosquitto.find() is None, reason="mosquitto is not installed: apt-get install mosquitto"
)
NODES = ("loa-01", "loa-02", "loa-03")


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[Commune]:
    with Commune(tmp_path) as made, Watched(made):
        yield made


class Watched:
    """What `loa-broker-files.path` and its service do: the broker gets the files when they change."""

    def __init__(self, commune: Commune, names: tuple[str, ...] = (ACCESS, REVOKED)) -> None:
        self._names = names
        self._commune, self._over = commune, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        folder, before = self._commune.settings.broker_dir, tuple(b"" for _ in self._names)
        while not self._over.wait(0.2):
            now = tuple((folder / name).read_bytes() for name in self._names)
            if now != before:
                self._commune.take_over()
            before = now


def link(commune: Commune, device: str) -> MqttLink:
    """A connection as that device's, with what its enrolment gave it."""
    state = commune.folder / device / "state"
    files = tls(*(str(state / name) for name in ("broker-ca.pem", "broker.pem", "broker.key")))
    made = MqttLink(device, HOST, commune.broker_port, tls=files)
    made.listen([("radio/v1/#", 1)])
    return made


def through(link: MqttLink, topic: str, payload: bytes) -> None:
    """Published, and the broker has said that it has it."""
    assert link.publish(topic, payload, retain=False, qos=1)
    eventually(lambda: link._unsent == 0)


def test_who_is_revoked_is_out_within_a_minute_and_nobody_else(commune: Commune) -> None:
    for node in NODES:
        assert commune.enrol(commune.code(node).shown(), node).returncode == 0
    eventually(lambda: "user loa-03" in (commune.folder / "etc" / "broker" / ACCESS).read_text())
    nodes = {node: link(commune, node) for node in NODES}
    for each in nodes.values():
        each.start()
    eventually(lambda: all(each.connected() for each in nodes.values()))
    began = utc_now()
    commune.desk.revoke_node("loa-01", commune.boss, began)
    assert commune.store.enrolments.certificate("loa-01") is None
    eventually(lambda: not nodes["loa-01"].connected() and nodes["loa-01"]._attempt >= 2)
    assert utc_now() - began < timedelta(minutes=1)
    assert nodes["loa-01"].connections() <= 2  # it may have come back once, before the list was there
    eventually(lambda: "user loa-01\ntopic deny" in (commune.folder / "etc" / "broker" / ACCESS).read_text())

    topic = topics.URGENT.topic(area=HOME)
    for each in nodes.values():
        each.take(0.0)
    commune.running.station.link.publish(topic, b"x", retain=False, qos=1)
    got: dict[str, set[str]] = {node: set() for node in NODES}

    def take() -> bool:
        for node, each in nodes.items():
            got[node].update(message.topic for message in each.take(0.05))
        return all(topic in got[node] for node in NODES[1:])

    eventually(take)
    assert got["loa-01"] == set()
    assert [nodes[node].connections() for node in NODES[1:]] == [1, 1]
    for each in nodes.values():
        each.stop()


def test_a_session_that_goes_on_may_do_nothing_once_the_rules_are_without_it(commune: Commune) -> None:
    """Before it is thrown off: the rules alone, and the station, which knows its key no more."""
    assert commune.enrol(commune.code().shown(), "loa-01").returncode == 0
    eventually(lambda: "user loa-01" in (commune.folder / "etc" / "broker" / ACCESS).read_text())
    node = link(commune, "loa-01")
    node.start()
    eventually(node.connected)
    commune.running.station._eviction.throw_out = lambda nodes, now: []
    commune.desk.revoke_node("loa-01", commune.boss, utc_now())
    eventually(lambda: "loa-01\ntopic deny" in (commune.folder / "etc" / "broker" / ACCESS).read_text())

    def hears() -> bool:
        node.take(0.0)
        through(commune.running.station.link, topics.URGENT.topic(area=HOME), b"x")
        through(node, "nobody/listens", b"")  # answered after everything the broker had for the node before
        return any(message.payload == b"x" for message in node.take(0.0))

    def refused() -> int:
        return sum(each.count for each in commune.store.refusals.all() if each.reason == "not_enrolled")

    eventually(lambda: not hears())  # until the broker has read its rules
    assert not any(hears() for _ in range(3))
    before = refused()
    node.publish(topics.HEALTH.topic(node="loa-01"), b"{}", retain=False, qos=1)
    node.take(1.0)
    assert refused() == before
    assert node.connected()
    assert node.connections() == 1
    node.stop()


def test_a_copied_device_is_noticed_and_a_restarted_one_is_not(commune: Commune) -> None:
    assert commune.enrol(commune.code().shown(), "first").returncode == 0
    eventually(lambda: "user loa-01" in (commune.folder / "etc" / "broker" / ACCESS).read_text())
    for _ in range(3):
        commune.run("first")
        eventually(lambda: commune.online("loa-01"))
        commune.kill("first")
        eventually(lambda: not commune.online("loa-01"))
    shutil.copytree(commune.folder / "first", commune.folder / "copy")
    settings = commune.folder / "copy" / "node.toml"
    settings.write_text(settings.read_text().replace("/first/", "/copy/"))
    assert commune.store.doubles.since(utc_now() - timedelta(days=1)) == {}
    for device in ("first", "copy"):
        commune.run(device)
    eventually(lambda: commune.store.doubles.since(utc_now() - timedelta(days=1)))
    double = commune.store.doubles.since(utc_now() - timedelta(days=1))["loa-01"]
    assert double.boot_id != double.other_boot_id
