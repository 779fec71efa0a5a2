"""Announce → the last of N: how long after `Desk.announce` an emergency has reached every node, audio finished.

- Against a bare publish of the same bytes through the same broker to the same sockets in the same run, in turns.
- Three ways: the whole station with its metronome as it runs for real; only its work, called by hand; the bare one.
- The harness's own share: the same listeners fed by a bare writer, one write for each socket, no broker at all.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench import packets
from bench.admit import admit_milliseconds
from bench.child import Child, open_files
from bench.papers import PROVINCE
from bench.results import Figure, Measurement, spread
from bench.town import Engine, Town, town
from wire import codec, seal, topics
from wire.plan import Lane, Plan

GOAL, GOAL_NODES = 1.5, 10_000
ROUNDS, UNCOUNTED = 15, 2
MOST_SECONDS = 30.0  # the station has for one publish
SPARE_FILES = 300  # what a process has open beside its connections
QUIET_SECONDS = 0.3  # between two publishes: the broker still takes in acknowledgements of the one before

_TOPIC = topics.URGENT.topic(area=PROVINCE)


@dataclass
class Ways:
    """Milliseconds from the beginning to the last arrival, of every counted round."""

    bare: list[float] = field(default_factory=list)
    works: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    desk: list[float] = field(default_factory=list)  # of `works`: the desk's part
    median: list[float] = field(default_factory=list)  # of `whole`: when half of the nodes had it
    harness: list[float] = field(default_factory=list)  # CPU of the listeners, of `bare`


def measure(quick: bool) -> Measurement:
    """The whole measurement. Raises BrokerError where mosquitto is not installed."""
    most = open_files() - SPARE_FILES
    sizes = [50] if quick else [1000, GOAL_NODES]
    figures: list[Figure] = []
    notes = [f"{size:,} connections do not fit: this machine lets a process open {most + SPARE_FILES:,} files"
             for size in sizes if size > most]  # fmt: skip
    for size in sizes:
        figures += _of_size(min(size, most), "mosquitto", 0 if quick else ROUNDS)
    if not quick:
        figures += _of_size(1000, "nats", ROUNDS)
    figures.append(Figure("Gate.admit of such a plan, one node", admit_milliseconds(20 if quick else 500), "ms"))
    notes.append("median first; x bare: the median of the ratios of neighbouring rounds")
    return Measurement("announce", tuple(figures), tuple(notes))


def _of_size(nodes: int, engine: Engine, rounds: int) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as folder,
        town(Path(folder), nodes, engine) as place,
        Child("bench.listeners", place.broker.port, _TOPIC, nodes) as listeners,
    ):
        listeners.hear()
        ways = _Runs(place, listeners).run(rounds)
    named = f"{engine} {nodes:,}"
    whole = [a / b for a, b in zip(ways.whole, ways.bare, strict=True)]
    works = [a / b for a, b in zip(ways.works, ways.bare, strict=True)]
    goal = GOAL if (engine, nodes) == ("mosquitto", GOAL_NODES) else None
    figures = spread(f"{named}: bare publish → last", ways.bare, "ms")
    figures += spread(f"{named}: announce → last", ways.whole, "ms")
    figures += spread(f"{named}: announce, x bare", whole, "x", most=goal)
    figures += spread(f"{named}: the same called by hand → last", ways.works, "ms")
    figures += [
        Figure(f"{named}: called by hand, x bare", statistics.median(works), "x"),
        Figure(f"{named}: of that, the desk", statistics.median(ways.desk), "ms"),
        Figure(f"{named}: announce → half of them", statistics.median(ways.median), "ms"),
        Figure(f"{named}: CPU of the listeners, bare", statistics.median(ways.harness), "ms"),
        Figure(f"{named}: bare writer, no broker → last", _bare_writer(nodes, max(rounds, 1)), "ms"),
        Figure(f"{named}: station starts with as many nodes", place.start_seconds, "s"),
    ]
    return figures


class _Runs:
    """Rounds of the three ways, in turns."""

    def __init__(self, place: Town, listeners: Child) -> None:
        self._place, self._listeners = place, listeners
        self._publisher = packets.open_client(place.broker.port, "bare")
        self._issued = b""
        self._count = self._published = 0  # messages heard by all listeners; those published past the station
        self._ways = Ways()

    def run(self, rounds: int) -> Ways:
        """``rounds`` counted ones, after some that are not."""
        station = self._place.station
        while not station.link.connected():
            time.sleep(0.01)
        station.plan(datetime.now(UTC))  # says all it has at its first connection
        self._count = self._place.urgent.count
        try:
            for number in range(UNCOUNTED + rounds):
                if number == UNCOUNTED:
                    self._ways = Ways()
                self._by_hand()
                self._bare()
                self._as_it_runs()
        finally:
            self._publisher.close()
        return self._ways

    def _by_hand(self) -> None:
        place = self._place
        began = self._begin()
        announced = place.announce()
        at_desk = time.monotonic_ns()
        place.station.voice_emergencies(datetime.now(UTC))
        place.station.plan(datetime.now(UTC))
        self._ways.works.append(self._heard(began)["last"])
        self._hear_the_rest()
        self._ways.desk.append((at_desk - began) / 1e6)
        issued = place.store.plans.of(PROVINCE, Lane.URGENT)
        assert issued
        self._issued = issued.envelope
        place.withdraw(announced)
        place.station.plan(datetime.now(UTC))
        self._hear_the_rest()

    def _bare(self) -> None:
        packet = packets.publish(_TOPIC, self._issued, 1, retain=True)
        began = self._begin()
        self._publisher.sendall(packet)
        self._published += 1
        heard = self._heard(began)
        self._ways.bare.append(heard["last"])
        self._ways.harness.append(heard["cpu"])
        packets.await_packet(self._publisher, packets.PUBACK)

    def _as_it_runs(self) -> None:
        place = self._place
        with place.running():
            time.sleep(1.0)  # every tick has run, and waits for its time or for the bell
            began = self._begin()
            announced = place.announce()
            heard = self._heard(began)
            self._ways.whole.append(heard["last"])
            self._ways.median.append(heard["median"])
            self._await(self._is_whole)
            said = place.urgent.count
            place.withdraw(announced)
            self._await(lambda: place.urgent.count > said)
        self._hear_the_rest()

    def _hear_the_rest(self) -> None:
        """An emergency's words may go out before its audio: hear every message that was published."""
        while self._count < self._place.urgent.count + self._published:
            self._listeners.hear()
            self._count += 1

    @staticmethod
    def _await(wish: Callable[[], bool]) -> None:
        """Wait until ``wish`` holds. Raises TimeoutError."""
        until = time.monotonic() + MOST_SECONDS
        while not wish():
            if time.monotonic() > until:
                raise TimeoutError("the station did not publish what it was asked for")
            time.sleep(0.01)

    def _is_whole(self) -> bool:
        """Whether what was published last has the audio."""
        issued = self._place.store.plans.of(PROVINCE, Lane.URGENT)
        if issued is None or self._place.urgent.last != issued.envelope:
            return False
        most = topics.PLAN.most_bytes
        plan = codec.read(Plan, seal.unwrap(issued.envelope, most).body(), most)
        return any(job.asset for job in plan.jobs)

    @staticmethod
    def _begin() -> int:
        time.sleep(QUIET_SECONDS)
        gc.collect()
        return time.monotonic_ns()

    def _heard(self, began: int) -> dict[str, float]:
        """What the listeners say of one publish, in milliseconds since ``began``."""
        said = self._listeners.hear()
        self._count += 1
        since = {name: (said[name] - began) / 1e6 for name in ("first", "median", "p99", "last")}
        return since | {"cpu": said["cpu"] * 1000}


def _bare_writer(nodes: int, rounds: int) -> float:
    """The median of milliseconds until the last listener has what a bare writer wrote to every socket."""
    packet = packets.publish(_TOPIC, bytes(1500), 1).hex()
    lasted: list[float] = []
    with (
        Child("bench.bare_writer", nodes) as writer,
        Child("bench.listeners", writer.hear()["port"], _TOPIC, nodes) as listeners,
    ):
        listeners.hear()
        writer.hear()
        for _ in range(UNCOUNTED + rounds):
            time.sleep(QUIET_SECONDS)
            writer.tell({"packet": packet})
            lasted.append((listeners.hear()["last"] - writer.hear()["began"]) / 1e6)
    return statistics.median(lasted[UNCOUNTED:])
