"""A station whose broker is a cluster of three NATS servers, each as `deploy/nats.conf` makes it on its own machine.

A machine is a folder (``LOA_ROOT``) and an address of the loopback; ssh to it is a program that runs there what ssh
would be allowed to run.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from makers_enrolment import TOP, Commune, eventually
from ports import free_port

from controller.cluster import AUTHORITY
from fleet import nats

NAME = "loa.test"  # of all three
ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
SCRIPT = TOP / "deploy" / "nats-files.sh"
_SSH = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
test ! -e {folder}/$2/unreachable || exit 255
shift; LOA_ROOT={folder}/$1 exec {script} $3
"""


@contextmanager
def named(port: int, first: str = ADDRESSES[0]) -> Iterator[None]:
    """`NAME` leads to all three servers, as a name with three addresses does; ``first`` comes first."""
    real = socket.getaddrinfo

    def resolve(host: object, *arguments: object, **more: object) -> list[object]:
        if host != NAME:
            return real(host, *arguments, **more)  # type: ignore[arg-type, return-value]
        ordered = sorted(ADDRESSES, key=lambda each: each != first)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ordered]

    socket.getaddrinfo = resolve  # type: ignore[assignment]
    try:
        yield
    finally:
        socket.getaddrinfo = real


class Machine:
    """One server; ``number`` from 1."""

    def __init__(self, number: int, folder: Path, mqtt_port: int, cluster_port: int) -> None:
        self.address, self.root = ADDRESSES[number - 1], folder / f"loa-{number}"
        self.own_port = free_port()
        for place in ("etc/loa/broker", "run/loa-nats", "var/lib/loa-nats"):
            (self.root / place).mkdir(parents=True)
        text = (
            (TOP / "deploy" / "nats.conf")
            .read_text("utf-8")
            .replace("server_name: loa-1", f"server_name: loa-{number}")
        )
        text = text.replace("4222", str(self.own_port)).replace("0.0.0.0:8883", f"{self.address}:{mqtt_port}")
        text = text.replace("0.0.0.0:6222", f"{self.address}:{cluster_port}")
        for each, address in enumerate(ADDRESSES, 1):
            text = text.replace(f"loa-{each}.example.vn:6222", f"{address}:{cluster_port}")
        for place in ("/etc/loa/", "/run/loa-nats", "/var/lib/loa-nats"):
            text = text.replace(f'"{place}', f'"{self.root}{place}')
        (self.root / "etc/loa/nats.conf").write_text(text)

    def start(self) -> None:
        program = nats.find()
        assert program
        with (self.root / "log").open("ab") as log:
            arguments = [program, "-c", str(self.root / "etc/loa/nats.conf")]
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def log(self) -> str:
        return (self.root / "log").read_text("utf-8", "replace")


@contextmanager
def plain_cluster(folder: Path, rules: str) -> Iterator[int]:
    """Three servers that keep ``rules`` and know nobody by certificate; their port for MQTT."""
    port, cluster_port = free_port(), free_port()
    machines = [Machine(number, folder, port, cluster_port) for number in (1, 2, 3)]
    for each in machines:
        settings = each.root / "etc/loa/nats.conf"
        settings.write_text(re.sub(r" *tls {[^}]*}", "", settings.read_text()))
        (each.root / "etc/loa/broker/access.nats").write_text(rules)
    try:
        start_all(machines)
        yield port
    finally:
        stop_all(machines)


def start_all(machines: list[Machine]) -> None:
    """Until they are a cluster."""
    for each in machines:
        each.start()
    eventually(lambda: all("Server is ready" in each.log() for each in machines))
    eventually(lambda: any("JetStream cluster new metadata leader" in each.log() for each in machines))


def stop_all(machines: list[Machine]) -> None:
    for each in machines:
        each.process.terminate()
    for each in machines:
        each.process.wait()


class ClusteredCommune(Commune):
    """A `Commune` with that broker; the station meets server 1 first."""

    hosts = (NAME, *ADDRESSES)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.settings = replace(self.settings, broker_kind="nats", broker_host=NAME)
        self.cluster_port = cluster_port = free_port()
        self.check = True
        self.machines = [Machine(number, folder, self.broker_port, cluster_port) for number in (1, 2, 3)]
        first = self.machines[0].root
        (first / "var/lib/loa").symlink_to(folder / "station")
        (first / "etc/loa/nats-servers").write_text("# the others\nloa-2\nloa-3\n")
        (folder / "bin").mkdir()
        (folder / "bin" / "ssh").write_text(_SSH.format(folder=folder, script=SCRIPT))
        (folder / "bin" / "ssh").chmod(0o755)

    def take_over(self) -> None:
        """What `loa-nats-files.service` does."""
        self.give(check=self.check)

    def give(self, *, check: bool = False) -> subprocess.CompletedProcess[bytes]:
        """`nats-files give` at the station's machine."""
        paths = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "LOA_ROOT": str(self.machines[0].root)}
        return subprocess.run([str(SCRIPT), "give"], env={**os.environ, **paths}, capture_output=True, check=check)

    def _start_broker(self) -> None:
        self.take_over()
        assert (self.machines[2].root / "etc/loa/broker" / AUTHORITY).exists()
        start_all(self.machines)

    def _stop_broker(self) -> None:
        stop_all(self.machines)
