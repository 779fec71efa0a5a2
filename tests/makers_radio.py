"""A whole node without hardware: a hand-turned clock, a loudspeaker that keeps its time, a shelf, a station."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from makers_node import (
    COMMUNE,
    HAMLET,
    NODE,
    ROOT,
    STATION,
    T0,
    config_message,
    make_plan,
    plan_message,
    sealed,
    trust_message,
)

from edge_node.agent import Agent
from edge_node.players.player import RATE, Progress, Take
from edge_node.report import Self
from edge_node.settings import Settings
from edge_node.wallclock import Wallclock
from wire import codec, seal
from wire.config import NodeConfig
from wire.errors import Reason
from wire.health import Health
from wire.loopback import Loopback
from wire.plan import Asset, Job, Lane
from wire.presence import Presence
from wire.receipt import OUTCOMES, Ack, Receipt, Receipts
from wire.topics import ACKS, HEALTH, PRESENCE, RECEIPTS


class Hand:
    """A clock that moves when it is told to."""

    def __init__(self, now: datetime = T0) -> None:
        self.moment, self.seconds = now, 1000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def turn(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds


class PretendPlayer:
    """Sounds by the hand-turned clock. ``heard``: every stretch that left the loudspeaker, over all its lives."""

    def __init__(self, hand: Hand, durations: dict[str, int], heard: list[tuple[str, int, int]]) -> None:
        self._hand, self._durations, self.heard = hand, durations, heard
        self._take: Take | None = None
        self.device, self.device_ok, self.can_relay = "pretend", True, True
        self.overrun_ms = 0  # how much longer than it was told it sounds a stream
        self.relayed_ms: int | None = None  # how much of a relay its stream gives; None: all
        self.fails: Reason | None = None

    def prime(self, take: Take) -> None:
        self.stop()
        self._take = take

    def progress(self) -> Progress | None:
        take = self._take
        if take is None:
            return None
        if self.fails:
            return Progress(take.job_id, position_ms=take.from_ms, failed=self.fails)
        length = take.duration_ms + self.overrun_ms
        if take.path and not take.stream:
            length = self._durations.get(take.path.name, take.duration_ms)  # what stands in says its length
        length -= take.from_ms
        elapsed = (self._hand.now() - take.at) / timedelta(milliseconds=1)
        if elapsed < 0:
            return Progress(take.job_id, position_ms=take.from_ms)
        ms = min(int(elapsed), length)
        return Progress(
            take.job_id,
            sounding=ms < length,
            finished=ms >= length,
            position_ms=take.from_ms + ms,
            sounded_ms=ms,
            energy_sum=ms * 0.01,
            samples=ms * RATE // 1000,
            peak=0.5,
            started_at=take.at,
            ended_at=take.at + timedelta(milliseconds=ms),
            relayed_ms=(ms if self.relayed_ms is None else min(ms, self.relayed_ms)) if take.stream else 0,
        )

    def stop(self, fade_ms: int = 50) -> Progress | None:
        progress, take = self.progress(), self._take
        if progress and take and progress.sounded_ms:
            self.heard.append((progress.job_id, take.from_ms, progress.position_ms))
        self._take = None
        return progress

    def close(self) -> None:
        self.stop()


class PretendCache:
    """Everything is there, but what is in ``missing``."""

    def __init__(self) -> None:
        self.missing: dict[str, Reason] = {}
        self.spoilt: set[str] = set()
        self.came: dict[str, int] = {}  # bytes so far of what is missing; what is not here has failed
        self.wanted: list[str] = []

    def want(self, assets: list[Asset], standby: tuple[Asset, ...] = (), media_url: str = "") -> None:
        self.wanted = [asset.sha256 for asset in assets]

    def ready(self, asset: Asset) -> Path | None:
        return None if asset.sha256 in self.missing else Path(asset.sha256)

    def verified(self, asset: Asset) -> Path | None:
        if asset.sha256 in self.spoilt:
            self.missing[asset.sha256] = Reason.BAD_HASH
        return self.ready(asset)

    def why_not(self, asset: Asset) -> Reason:
        return self.missing[asset.sha256]

    def came_bytes(self, asset: Asset) -> int | None:
        return self.came.get(asset.sha256)

    def set_budget(self, budget_bytes: int) -> None:
        pass

    def counts(self) -> dict[str, int]:
        return {}

    def close(self) -> None:
        pass


@dataclass
class Radio:
    """A station on a loopback broker, and one node that may die and come back."""

    folder: Path
    hand: Hand = field(default_factory=Hand)
    broker: Loopback = field(default_factory=Loopback)
    cache: PretendCache = field(default_factory=PretendCache)
    durations: dict[str, int] = field(default_factory=dict)
    heard: list[tuple[str, int, int]] = field(default_factory=list)
    serials: dict[tuple[str, Lane], int] = field(default_factory=dict)
    received: dict[tuple[str, int], Receipt] = field(default_factory=dict)
    acks: bool = True

    def __post_init__(self) -> None:
        self.desk = self.broker.link("station")
        self.desk.listen([(line.filter(), 1) for line in (RECEIPTS, HEALTH, PRESENCE)])
        self.desk.start()
        self.health: list[Health] = []
        self.presence: list[Presence] = []
        self.say(trust_message())
        self.say(config_message())
        self.new_node()

    def say(self, message: tuple[str, bytes]) -> None:
        self.desk.publish(*message, retain=True, qos=1)

    def configure(self, config: NodeConfig) -> None:
        self.say(config_message(config))

    def plan(self, *jobs: Job, area: str = COMMUNE, lane: Lane = Lane.PLAN) -> tuple[str, bytes]:
        """Publish the area's next plan; the message, for replays."""
        serial = self.serials.get((area, lane), 0) + 1
        self.serials[area, lane] = serial
        for job in jobs:
            if job.asset:
                self.durations[job.asset.sha256] = job.asset.duration_ms
        message = plan_message(make_plan(*jobs, area=area, serial=serial, lane=lane, issued_at=self.hand.now()))
        self.say(message)
        return message

    def urgent(self, *jobs: Job, area: str = COMMUNE) -> tuple[str, bytes]:
        return self.plan(*jobs, area=area, lane=Lane.URGENT)

    def new_node(self) -> Agent:
        """A process begins (on what the one before left)."""
        settings = Settings(NODE, HAMLET, (ROOT.public.hex,), self.folder, clock="trust")
        clock = Wallclock(self.folder / "clock", trusted=True, reading=self.hand.now, monotonic=self.hand.monotonic)
        self.player = PretendPlayer(self.hand, self.durations, self.heard)
        link = self.broker.link(NODE, Self(NODE).will(self.hand.now()))
        self.link = link
        self.agent = Agent(settings, link, self.player, self.cache, clock)  # type: ignore[arg-type]
        return self.agent

    def start(self) -> None:
        self.agent.start()
        self.run(0)

    def die(self) -> None:
        """kill -9: the sound stops where it is, the broker says the will."""
        self.player.stop()
        self.broker.drop(self.link)
        self.agent.ledger._database.close()
        self.agent._checkpoint.close()

    def restart(self) -> None:
        self.die()
        self.new_node()
        self.start()

    def run(self, seconds: float, step: float = 0.1) -> None:
        """Time passes; the node ticks, the station listens."""
        end = self.hand.moment + timedelta(seconds=seconds)
        while True:
            self.agent.tick()
            self.listen()
            if self.hand.moment >= end:
                break
            self.hand.turn(min(step, (end - self.hand.moment).total_seconds()))
        self.agent.tick()
        self.listen()

    def listen(self) -> None:
        for message in self.desk.take(0):
            if message.topic == RECEIPTS.topic(node=NODE):
                self._store(message.payload)
            elif message.topic == HEALTH.topic(node=NODE):
                self.health.append(codec.read(Health, message.payload, HEALTH.most_bytes))
            elif message.topic == PRESENCE.topic(node=NODE):
                self.presence.append(codec.read(Presence, message.payload, PRESENCE.most_bytes))

    def _store(self, raw: bytes) -> None:
        envelope = seal.unwrap(raw, RECEIPTS.most_bytes)
        key = self.agent.signer.public
        assert seal.sealed_by(envelope, {key.id: key}) == [key.id]
        batch = codec.read(Receipts, envelope.body(), RECEIPTS.most_bytes)
        for receipt in batch.receipts:
            known = self.received.setdefault((batch.stream, receipt.number), receipt)
            assert known == receipt, "a number was used twice"
        numbers = sorted(number for stream, number in self.received if stream == batch.stream)
        assert numbers == list(range(1, len(numbers) + 1)), "a gap in the numbers"
        if self.acks:
            self.say((ACKS.topic(node=NODE), sealed("acks", Ack(NODE, batch.stream, numbers[-1], self.hand.now()))))

    def steps(self, job: str) -> list[str]:
        """The steps of a job, as the station knows them."""
        return [receipt.step.value for _, receipt in sorted(self.received.items()) if receipt.job == job]

    def outcome(self, job: str) -> Receipt:
        found = [receipt for receipt in self.received.values() if receipt.job == job and receipt.step in OUTCOMES]
        assert len(found) == 1, f"{job}: {self.steps(job)}"
        return found[0]

    def stretches(self, job: str) -> list[tuple[int, int]]:
        """What was heard of a job, in ms of its audio."""
        return [(since, until) for name, since, until in self.heard if name == job]


def changed(job: Job, **fields: object) -> Job:
    return msgspec.structs.replace(job, **fields)


__all__ = ["STATION", "Hand", "PretendCache", "PretendPlayer", "Radio", "changed"]
