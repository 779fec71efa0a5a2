"""A town to measure in: a store with N enrolled nodes, a real broker, and the station over both, as it runs for real.

- The one thing that is not real is the studio: the recording is finished before it is asked for.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

from bench.papers import PROVINCE
from controller import bootstrap
from controller.desk import Desk
from controller.desk.wishes import Wish
from controller.rights import EVERYWHERE, Grant, Role
from controller.roster import Area, AreaKind, Node
from controller.settings import Settings
from controller.station import Station
from controller.store import Store
from controller.store.rows import Announced, User
from controller.studio import Finished, Recording, ShelfError, Studio, Wanted
from controller.transmitter import Transmitter
from fleet.broker import EmbeddedBroker
from wire import topics
from wire.link import Link
from wire.names import AssetId
from wire.plan import BulletinClass
from wire.seal import Signer

COMMUNE_NODES = 50
Engine = Literal["mosquitto", "nats"]

_TEXT = "Khẩn cấp: lũ quét đang về. Bà con thôn Một di chuyển ngay lên nhà văn hóa xã."


class FinishedStudio(Studio):
    """Hands out a recording that was finished before."""

    def __init__(self, folder: Path) -> None:
        sha256 = AssetId(hashlib.sha256(b"finished").hexdigest())
        path = folder / sha256
        self._finished = Finished(sha256, 48_000, 12_000, "audio/ogg", -16.0, -1.5, "espeak", path)

    @property
    def siren_recipe(self) -> str:
        """Of a siren that it cannot make."""
        return ""

    def make_siren(self) -> Finished:
        """None: the configs of thousands of nodes are not part of what is measured. Raises ShelfError."""
        raise ShelfError("studio.recording_gone", folder="–")

    def make(self, said: str | Recording, wanted: Wanted) -> Finished:  # noqa: ARG002
        """The same for every text."""
        return self._finished


class CountedLink:
    """A link that counts what it published on one topic, and keeps the last of it."""

    def __init__(self, link: Link, topic: str) -> None:
        self._link, self._topic = link, topic
        self.count, self.last = 0, b""

    def publish(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> bool:
        """As the link does."""
        taken = self._link.publish(topic, payload, retain=retain, qos=qos)
        if taken and topic == self._topic:
            self.count, self.last = self.count + 1, payload
        return taken

    def __getattr__(self, name: str) -> object:
        return getattr(self._link, name)


@dataclass(frozen=True)
class Town:
    """What stands. The station's ticks are called by hand, but while it is `running`."""

    broker: EmbeddedBroker
    store: Store
    station: Station
    desk: Desk
    bell: _Bell
    urgent: CountedLink
    approver: User
    furnish_seconds: float
    start_seconds: float

    def announce(self) -> Announced:
        """An emergency for the whole province, now."""
        wish = Wish(_TEXT, (PROVINCE,), bulletin_class=BulletinClass.EMERGENCY)
        return self.desk.announce(wish, self.approver, datetime.now(UTC))

    def withdraw(self, announced: Announced) -> None:
        """Take it back."""
        assert announced.booking_id
        self.desk.withdraw(announced.booking_id, self.approver, datetime.now(UTC))

    @contextmanager
    def running(self) -> Iterator[None]:
        """The metronome turns the ticks, and the desk's bell brings them forward."""
        clock = bootstrap.make_clock(self.station)
        clock.start()
        self.bell.ring = clock.ring
        try:
            yield
        finally:
            self.bell.ring = _silent
            clock.stop()


def _silent() -> None:
    """A bell that nobody hears."""


@dataclass
class _Bell:
    ring: Callable[[], None] = _silent

    def __call__(self) -> None:
        self.ring()


@contextmanager
def town(folder: Path, nodes: int, engine: Engine = "mosquitto") -> Iterator[Town]:
    """A town of ``nodes`` nodes whose station is connected. Raises BrokerError where there is no such broker."""
    with EmbeddedBroker(folder / "broker", engine=engine) as broker:
        settings = Settings(state_dir=folder, broker_port=broker.port)
        store = bootstrap.open_store(settings)
        began = time.monotonic()
        approver = furnish(store, nodes)
        furnished = time.monotonic()
        counted = CountedLink(bootstrap.make_link(settings), topics.URGENT.topic(area=PROVINCE))
        link = cast(Link, counted)
        transmitter = Transmitter(store, link, Signer.generate(), settings)
        station = Station(store, link, FinishedStudio(folder), transmitter, settings)
        station.start(datetime.now(UTC))
        started = time.monotonic()
        bell = _Bell()
        desk = Desk(store, settings.zone, bell, settings.quiet)
        try:
            yield Town(broker, store, station, desk, bell, counted, approver, furnished - began, started - furnished)
        finally:
            station.stop()
            store.close()


def furnish(store: Store, nodes: int) -> User:
    """Enter a province, its communes and ``nodes`` nodes; gives an approver."""
    now = datetime.now(UTC)
    store.roster.add_area(Area(PROVINCE, "Lạng Sơn", AreaKind.PROVINCE))
    communes = [f"{PROVINCE}:xa-{each}" for each in range(-(-nodes // COMMUNE_NODES))]
    for commune in communes:
        store.roster.add_area(Area(commune, commune, AreaKind.COMMUNE))
    for number in range(nodes):
        name = node_name(number)
        key = hashlib.sha256(name.encode()).hexdigest()  # any 32 bytes are a public key; nothing is sealed by it
        store.roster.add_node(Node(name, f"Cụm {name}", communes[number // COMMUNE_NODES], key, now))
    roles = (Role.APPROVER, Role.EMERGENCY)
    grants = tuple(Grant(f"g-{role}", role, EVERYWHERE, "u1", now) for role in roles)
    approver = User("u1", "hoa", "*", now, grants=grants)
    store.people.add(approver)
    return approver


def node_name(number: int) -> str:
    """The name of one of the town's nodes."""
    return f"loa-{number:05d}"
