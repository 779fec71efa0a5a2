"""A station over an in-memory broker, with nodes that listen through real gates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import makers_store as made

from controller import keys
from controller.settings import Settings
from controller.station import Station
from controller.store import Store
from controller.studio import Chain, Shelf, Studio, Voice, make_chain
from controller.transmitter import Transmitter
from edge_node.gate import Admitted, Gate
from wire import codec, topics
from wire.health import Health, Held, Vitals
from wire.link import Link, Message
from wire.loopback import Loopback
from wire.plan import Job
from wire.presence import Presence, State
from wire.seal import Signer

ROOT, STATION = made.signer("root"), made.signer("station")


class BrittleLink:
    """A link over `Loopback` that takes only so many more messages when told to."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.takes: int | None = None
        self.published: list[str] = []

    def publish(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> bool:
        if self.takes is not None:
            if self.takes == 0:
                return False
            self.takes -= 1
        taken = self._link.publish(topic, payload, retain=retain, qos=qos)
        if taken:
            self.published.append(topic)
        return taken

    def __getattr__(self, name: str) -> object:
        return getattr(self._link, name)


@dataclass
class Radio:
    """A station, its broker and what it is made of."""

    store: Store
    folder: Path
    broker: Loopback = field(default_factory=Loopback)
    signer: Signer = STATION
    settings: Settings = field(default_factory=Settings)
    voices: tuple[Voice, ...] = ()

    def __post_init__(self) -> None:
        if self.settings.state_dir == Settings.state_dir:
            self.settings = replace(self.settings, state_dir=self.folder)
        self.link = BrittleLink(self.broker.link("station"))
        self.transmitter = Transmitter(self.store, self.link, self.signer, self.settings)
        chain = Chain(self.voices) if self.voices else make_chain(("espeak",))
        self.studio = Studio(Shelf(self.folder / "shelf"), chain, self.folder / "work")
        self.station = Station(self.store, self.link, self.studio, self.transmitter, self.settings)

    def restarted(self) -> Radio:
        """The station ended and began again, over the same store and broker."""
        self.station.stop()
        return Radio(self.store, self.folder, self.broker, self.signer, self.settings, self.voices)

    def gate(self, node: str = "loa-1", now: datetime = made.NOW) -> Gate:
        """What a node that just came would hold, of all that the broker retains."""
        gate = Gate(node, made.HAMLET, (ROOT.public.hex,))
        for _ in range(2):  # its areas are known once its config is
            for topic in [each for each in gate.listens_to() if each in self.broker.retained]:
                gate.admit(topic, self.broker.retained[topic], now)
        return gate

    def jobs(self, node: str = "loa-1", now: datetime = made.NOW) -> dict[str, Job]:
        """What that node would sound."""
        return self.gate(node, now).jobs(now)


def ring_of(folder: Path) -> keys.Keyring:
    """A key ring with the root's and the station's keys of these tests."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, signer in ((keys.ROOT, ROOT), (keys.STATION, STATION)):
        (folder / f"{name}.key").write_text(signer.secret.hex())
    return keys.Keyring(folder)


def furnished(store: Store, folder: Path, **rest: object) -> Radio:
    """A started station with areas, nodes, people, and a trust document in the store."""
    made.furnish(store)
    keys.establish(ring_of(folder / "keys"), store, ("*",), made.NOW)
    radio = Radio(store, folder, **rest)  # type: ignore[arg-type]
    radio.station.start(made.NOW)
    radio.station.plan(made.NOW)
    return radio


def online(radio: Radio, gate: Gate, node: str, at: datetime) -> None:
    """The node says, over the broker, that it is there and what it holds."""
    trust, config = gate.trust, gate.config
    health = Health(
        node,
        at,
        "boot-1",
        "0.1.0",
        Vitals(),
        config_serial=config.serial if config else 0,
        trust_serial=trust.serial if trust else 0,
        held=tuple(Held(each.area, each.plan, each.urgent) for each in gate.serials()),
    )
    presence = Presence(node, State.ONLINE, "boot-1", at, "0.1.0")
    radio.broker.publish(Message(topics.PRESENCE.topic(node=node), codec.write(presence), retained=True))
    radio.broker.publish(Message(topics.HEALTH.topic(node=node), codec.write(health)))


__all__ = ["ROOT", "STATION", "Admitted", "Radio", "furnished", "online", "ring_of"]
