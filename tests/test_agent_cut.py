"""The whole node before brokers that accept and never answer: it goes on sounding, and goes on trying. In real time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers_desk import trust_of_today
from makers_node import HAMLET, NODE, ROOT, config_message, make_asset, make_config, make_job, make_plan, plan_message
from makers_radio import PretendCache
from makers_sound import until, utc_now
from test_link_hostile import CONNACK, Liar
from test_link_slow import HALF

from edge_node.agent import Agent
from edge_node.held import Held
from edge_node.players.null_player import NullPlayer
from edge_node.settings import Settings
from edge_node.wallclock import Wallclock
from wire.config import QuietHours
from wire.mqtt import MqttLink
from wire.mqtt import link as mqtt_link
from wire.receipt import OUTCOMES, Receipt, Step
from wire.topics import TRUST


def lets_in(*more: bytes) -> Callable[[socket.socket], None]:
    def lie(taken: socket.socket) -> None:
        taken.recv(1000)
        taken.sendall(CONNACK)
        for some in more:
            taken.sendall(some)

    return lie


LIES: dict[str, Callable[[socket.socket], None]] = {
    "accepts and never answers": lambda taken: None,
    "hangs up at once": lambda taken: taken.close(),
    "lets it in and says nothing more": lets_in(),
    "stops in the middle of a message": lets_in(HALF[:900]),
}


class Cut:
    """A node that holds a plan from before, and meets nothing but ``lie`` where its broker was."""

    def __init__(self, folder: Path, lie: Callable[[socket.socket], None]) -> None:
        now = utc_now()
        self.liar, self.stop = Liar(lie), threading.Event()
        held = Held(folder / "held")
        config = make_config(issued_at=now, quiet_hours=QuietHours("00:00", "00:00"))
        jobs = [make_job(f"b{n}", now + timedelta(seconds=2.2 + n), asset=make_asset(f"{n}", 700)) for n in range(3)]
        for topic, sealed in (
            (TRUST.topic(), trust_of_today()),
            config_message(config),
            plan_message(make_plan(*jobs, issued_at=now)),
        ):
            held.keep(topic, sealed)
        settings = Settings(NODE, HAMLET, (ROOT.public.hex,), folder, clock="trust")
        clock = Wallclock(folder / "clock", trusted=True)
        self.link = MqttLink(NODE, "127.0.0.1", self.liar.port)
        self.link._keepalive = 1
        self.agent = Agent(settings, self.link, NullPlayer(clock.now), PretendCache(), clock)  # type: ignore[arg-type]
        self.thread = threading.Thread(target=self.agent.run, args=(self.stop,))
        self.thread.start()

    def outcomes(self) -> list[Receipt]:
        return [each for each in self.agent.ledger.receipts_after(0, 100) if each.step in OUTCOMES]

    def close(self) -> None:
        self.stop.set()
        self.link.wake()
        self.thread.join(60)
        self.liar.close()


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Cut]]:
    """One node before each lie, all at once."""
    monkeypatch.setattr(mqtt_link, "CONNACK_SECONDS", 1.0)
    nodes = {name: Cut(tmp_path / f"{at}", lie) for at, (name, lie) in enumerate(LIES.items())}
    yield nodes
    for node in nodes.values():
        node.close()


def test_a_node_sounds_its_plan_whatever_its_broker_does(nodes: dict[str, Cut]) -> None:
    for name, node in nodes.items():
        until(lambda some=node: len(some.outcomes()) == 3, 60)  # type: ignore[misc]
        assert [each.step for each in node.outcomes()] == [Step.SOUNDED] * 3, name
        assert [each.measured.sounded_ms for each in node.outcomes() if each.measured] == [700] * 3, name
        until(lambda some=node: some.liar.met >= 2)  # type: ignore[misc]
        assert node.agent.ledger.waiting() > 0, "nobody has taken its receipts"
        assert node.thread.is_alive()
