"""A whole node without hardware: a hand-turned clock, a loudspeaker that keeps its time, a shelf, a station."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
from edge_node.meter import Meter
from edge_node.players.player import RATE, Progress, Take
from edge_node.report import Self
from edge_node.settings import Settings
from edge_node.wallclock import System, Wallclock
from wire import codec, seal
from wire.config import NodeConfig
from wire.errors import Reason
from wire.health import Health
from wire.loopback import Loopback
from wire.plan import Asset, Job, Lane
from wire.presence import Presence
from wire.receipt import OUTCOMES, Ack, Receipt, Receipts, Step
from wire.topics import ACKS, HEALTH, PRESENCE, RECEIPTS


class Hand:
    """A clock that moves when it is told to."""

    def __init__(self, now: datetime = T0) -> None:
        self.moment, self.seconds = now, 1000.0
        self.astray = timedelta(0)
        self.boot = "boot-1"
        self.synchronised, self.battery = True, False

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def truth(self) -> datetime:
        """What the time is, whatever this clock shows."""
        return self.moment - self.astray

    def jump(self, ahead: timedelta) -> None:
        """The clock is set to so much ahead of the truth; no time passes."""
        self.moment, self.astray = self.truth() + ahead, ahead

    def system(self) -> System:
        """The machine whose clock this is."""
        return System(self.now, self.monotonic, lambda: self.synchronised, lambda: self.battery, lambda: self.boot)

    def turn(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds


class PretendPlayer:
    """Begins by the hand-turned clock, and then goes on by the one that no jump moves, as a sound card does.

    ``heard``: every stretch that left the loudspeaker, over all its lives.
    """

    def __init__(self, hand: Hand, durations: dict[str, int], heard: list[tuple[str, int, int]]) -> None:
        self._hand, self._durations, self.heard = hand, durations, heard
        self._take: Take | None = None
        self._under: Take | None = None
        self._covered_ms = 0  # of the one beneath, by those that are over
        self._began: dict[str, float] = {}  # by job, monotonic
        self._looked = 0.0
        self.device, self.device_ok, self.can_relay, self.stuck = "pretend", True, True, False
        self.overrun_ms = 0  # how much longer than it was told it sounds a stream
        self.relayed_ms: int | None = None  # how much of a relay its stream gives; None: all
        self.fails: Reason | None = None

    def prime(self, take: Take) -> None:
        self.stop_beneath()
        self.stop()
        self._put_on(take)

    def _put_on(self, take: Take) -> None:
        self._take, self._looked = take, self._hand.monotonic()
        self._began.pop(take.job_id, None)

    def _elapsed_ms(self, take: Take) -> float:
        """Since its first sample left; negative before."""
        elapsed, mono = (self._hand.now() - take.at) / timedelta(milliseconds=1), self._hand.monotonic()
        if take.job_id not in self._began and elapsed >= 0:
            self._began[take.job_id] = mono - min(elapsed / 1000, mono - self._looked)
        self._looked = mono
        began = self._began.get(take.job_id)
        return elapsed if began is None else round((mono - began) * 1000, 3)

    def cross(self, take: Take) -> Progress | None:
        last = self.stop() if self._under is None else self._left(self._take, self.progress())
        self._put_on(take)
        return last

    def lay_over(self, take: Take) -> None:
        self._under = self._take
        self._put_on(take)

    def beneath(self) -> Progress | None:
        last = self._of(self._under)
        return replace(last, beneath_ms=self._covered_ms + self._covers()) if last else None

    def stop_beneath(self, fade_ms: int = 50) -> Progress | None:
        last, take = self.beneath(), self._under
        self._under, self._covered_ms = None, 0
        return self._left(take, last)

    def progress(self) -> Progress | None:
        last = self._of(self._take)
        covered = self._covered_ms if self._under is None else 0
        return replace(last, beneath_ms=covered) if last and covered else last

    def _covers(self) -> int:
        assert self._take
        upper = self._of(self._take)
        return upper.sounded_ms if upper else 0

    def _left(self, take: Take | None, last: Progress | None) -> Progress | None:
        if last and take and last.sounded_ms:
            self.heard.append((last.job_id, take.from_ms, last.position_ms))
        return last

    def _of(self, take: Take | None) -> Progress | None:
        if take is None:
            return None
        if self.fails:
            return Progress(take.job_id, position_ms=take.from_ms, failed=self.fails)
        length = take.duration_ms + self.overrun_ms
        if take.path and not take.stream:
            length = self._durations.get(take.path.name, take.duration_ms)  # what stands in says its length
        length -= take.from_ms
        elapsed = self._elapsed_ms(take)
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
        if self._under:
            self._covered_ms += self._covers()
        else:
            self._covered_ms = 0
        self._take, self._under = self._under, None
        return self._left(take, progress)

    def close(self) -> None:
        self.stop_beneath()
        self.stop()


class PretendCache:
    """Everything is there, but what is in ``missing``."""

    def __init__(self) -> None:
        self.missing: dict[str, Reason] = {}
        self.spoilt: set[str] = set()
        self.came: dict[str, int] = {}  # bytes so far of what is missing; what is not here has failed
        self.wanted: list[str] = []
        self.hurries = 0
        self.ceilings: dict[str, int] = {}
        self.meter, self.arrivals = Meter(), 0
        self.shunned: set[str] = set()
        self.last: Sequence[Asset] = ()

    def hurry(self) -> None:
        self.hurries += 1

    def shun(self, sha256s: set[str]) -> None:
        self.shunned = sha256s

    def want(
        self,
        assets: list[Asset],
        standby: tuple[Asset, ...] = (),
        media_url: str = "",
        ceilings: dict[str, int] | None = None,
        last: Sequence[Asset] = (),
    ) -> None:
        self.wanted, self.ceilings, self.last = [asset.sha256 for asset in assets], ceilings or {}, last

    def ready(self, asset: Asset) -> Path | None:
        return None if asset.sha256 in self.missing or asset.sha256 in self.shunned else Path(asset.sha256)

    def verified(self, asset: Asset) -> Path | None:
        if asset.sha256 in self.spoilt:
            self.missing[asset.sha256] = Reason.BAD_HASH
        return self.ready(asset)

    def why_not(self, asset: Asset) -> Reason:
        return Reason.SET_ASIDE if asset.sha256 in self.shunned else self.missing[asset.sha256]

    def came_bytes(self, asset: Asset) -> int | None:
        return None if asset.sha256 in self.shunned else self.came.get(asset.sha256)

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
    trusted: bool = True  # the node believes its system's clock

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
        message = plan_message(make_plan(*jobs, area=area, serial=serial, lane=lane, issued_at=self.hand.truth()))
        self.say(message)
        return message

    def urgent(self, *jobs: Job, area: str = COMMUNE) -> tuple[str, bytes]:
        return self.plan(*jobs, area=area, lane=Lane.URGENT)

    def new_node(self) -> Agent:
        """A process begins (on what the one before left)."""
        settings = Settings(NODE, HAMLET, (ROOT.public.hex,), self.folder, clock="trust" if self.trusted else "auto")
        clock = Wallclock(self.folder / "clock", trusted=self.trusted, system=self.hand.system())
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
        self.player.close()
        self.broker.drop(self.link)
        self.agent.ledger.book.database.close()
        self.agent._checkpoint.close()
        self.agent.lives.close()

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
            self.say((ACKS.topic(node=NODE), sealed("acks", Ack(NODE, batch.stream, numbers[-1], self.hand.truth()))))

    def steps(self, job: str) -> list[str]:
        """The steps of a job, as the station knows them, but for what is told of its audio in batches (`fetched`)."""
        mine = [receipt for _, receipt in sorted(self.received.items()) if receipt.job == job]
        return [receipt.step.value for receipt in mine if receipt.step is not Step.FETCHED]

    def fetched(self, job: str) -> list[str]:
        """The audio of a job of which the node said that it is there, in order."""
        mine = [receipt for _, receipt in sorted(self.received.items()) if receipt.job == job]
        return [receipt.asset for receipt in mine if receipt.step is Step.FETCHED]

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
