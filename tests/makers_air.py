"""Brokers as the contract of a link needs them: in memory, and real ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Protocol

from fleet.broker import EmbeddedBroker
from wire.link import Link, Will
from wire.loopback import Loopback
from wire.mqtt import MqttLink

ROOT = Path(__file__).parent.parent
DYING_CLIENT = """
import sys
from wire.link import Will
from wire.mqtt import MqttLink
link = MqttLink("dying", "127.0.0.1", int(sys.argv[1]), will=Will(sys.argv[2], b"offline"))
link.start()
while not link.connected():
    link.take(1.0)
print("up", flush=True)
sys.stdin.read()
"""


class Air(Protocol):
    """A broker as the contract needs it."""

    def link(self, client_id: str, will: Will | None = None) -> Link: ...

    def say_a_will(self, topic: str) -> None:
        """Let a client with this will connect and die."""

    def down(self) -> None: ...

    def up(self) -> None: ...

    def wipe(self) -> None:
        """Lose everything, while clients are there."""

    def close(self) -> None: ...


class LoopbackAir:
    def __init__(self) -> None:
        self.broker = Loopback()
        self.link, self.down, self.up = self.broker.link, self.broker.down, self.broker.up

    def say_a_will(self, topic: str) -> None:
        dying = self.broker.link("dying", Will(topic, b"offline"))
        dying.start()
        self.broker.drop(dying)

    def wipe(self) -> None:
        self.down()
        self.broker.forget()
        self.up()

    def close(self) -> None:
        pass


class RealAir:
    def __init__(self, broker: EmbeddedBroker) -> None:
        self.broker = broker
        self.down, self.up, self.wipe = broker.stop, broker.start, broker.wipe

    def link(self, client_id: str, will: Will | None = None) -> Link:
        return MqttLink(client_id, self.broker.host, self.broker.port, will=will)

    def say_a_will(self, topic: str) -> None:
        command = [sys.executable, "-c", DYING_CLIENT, str(self.broker.port), topic]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as dying:
            assert dying.stdout is not None
            assert dying.stdout.readline() == b"up\n"
            dying.kill()

    def close(self) -> None:
        self.broker.stop()
