"""A desk before a real broker: it plans for one real node process, each the only one in its hamlet, and hears it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec
from makers_node import (
    COMMUNE,
    ROOT,
    STATION,
    make_config,
    make_emergency,
    make_grant,
    make_job,
    make_plan,
    make_trust,
    plan_message,
    sealed,
)
from makers_sound import RATE, asset_of, noise, until, utc_now, wav

from wire import codec, seal
from wire.config import QuietHours
from wire.health import Health
from wire.mqtt import MqttLink
from wire.plan import Asset, Job, Lane
from wire.receipt import OUTCOMES, Ack, Receipt, Receipts, Step
from wire.topics import ACKS, CONFIG, HEALTH, RECEIPTS, TRUST

PROJECT = Path(__file__).parent.parent
MOST_SECONDS = 240.0  # a fifth of all packets lost may hold TCP up for a while


def trust_of_today() -> bytes:
    now, some = utc_now(), timedelta(days=9)
    grant = msgspec.structs.replace(make_grant(STATION), not_before=now - some, until=now + some)
    return sealed("trust", make_trust(grant, issued_at=now, valid_until=now + some), ROOT)


@dataclass
class Post:
    """One node, its folder, the broker that it and the desk speak through; `start_node` is the test's matter."""

    name: str
    folder: Path
    port: int
    trust: bytes
    host: str = "127.0.0.1"
    media_url: str = "http://127.0.0.1:1/"
    process: subprocess.Popen[bytes] | None = None
    received: dict[int, Receipt] = field(default_factory=dict)
    health: list[Health] = field(default_factory=list)
    serial: int = 0
    jobs: dict[Lane, list[Job]] = field(default_factory=lambda: {lane: [] for lane in Lane})

    def __post_init__(self) -> None:
        (self.folder / "state" / "audio").mkdir(parents=True)
        self.home = f"{COMMUNE}:{self.name}"
        self.desk = MqttLink(f"desk-{self.name}", self.host, self.port)

    def open(self) -> None:
        """The desk is connected and has said what every node must know first."""
        self.desk.listen([(line.topic(node=self.name), 1) for line in (RECEIPTS, HEALTH)])
        self.desk.start()
        until(self.desk.connected)
        self._furnish()

    def environment(self) -> dict[str, str]:
        """What the node process is told."""
        told = {"NODE": self.name, "HOME": self.home, "ROOT_KEYS": ROOT.public.hex, "PLAYER": "file"}
        told |= {"STATE_DIR": str(self.folder / "state"), "LOG_LEVEL": "info"}
        told |= {"BROKER_HOST": self.host, "BROKER_PORT": str(self.port)}
        return {**os.environ, "PYTHONPATH": str(PROJECT)} | {f"LOA_NODE_{key}": value for key, value in told.items()}

    def run(self, command: list[str], environment: dict[str, str]) -> None:
        """Start the node process; what it logs lies in ``log``."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def end(self) -> None:
        self.desk.stop()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def item(self, name: str, seconds: float = 1.0, begins_in: float = 0.0) -> Job:
        """An ordinary item, to sound then, or within half an hour after."""
        start = utc_now() + timedelta(seconds=begins_in)
        return self._plan(make_job(name, start, asset=self._asset(name, seconds)), Lane.PLAN)

    def alarm(self, name: str) -> Job:
        """An emergency, to sound now, or within half an hour."""
        return self._plan(make_emergency(name, utc_now(), asset=self._asset(name, 0.5)), Lane.URGENT)

    def outcome(self, job: Job) -> Receipt:
        """The one outcome of a job, once it has come."""
        self.wait(lambda: self.outcomes(job))
        (found,) = self.outcomes(job)
        return found

    def outcomes(self, job: Job) -> list[Receipt]:
        return [each for each in self.received.values() if each.job == job.id and each.step in OUTCOMES]

    def steps(self, job: Job) -> list[str]:
        """What the node has told of the job's life, whatever it told of its audio."""
        self.listen()
        mine = [each for _, each in sorted(self.received.items()) if each.job == job.id]
        return [each.step.value for each in mine if each.step is not Step.FETCHED]

    def wait_for_word(self, known: bool) -> None:
        """Until the newest health says so."""
        self.wait(lambda: self.health and self.health[-1].vitals.clock_known is known)

    def wait(self, true: object) -> None:
        def heard() -> object:
            self.listen()
            return true()  # type: ignore[operator]

        try:
            until(heard, MOST_SECONDS)
        except AssertionError:
            log = (self.folder / "log").read_text(errors="replace")
            raise AssertionError(f"{self.name} waited in vain\n{log[-3000:]}") from None

    def parts(self, job: Job) -> list[int]:
        """The parts of the job on the node's reel, in ms."""
        cues = self.folder / "state" / "out.cues.jsonl"
        lines = cues.read_text("ascii").splitlines() if cues.exists() else []
        found = [json.loads(line) for line in lines if line.endswith("}")]
        return [each["samples"] * 1000 // RATE for each in found if each["job"] == job.id]

    def listen(self) -> None:
        for message in self.desk.take(0):
            if message.topic.endswith("health"):
                self.health.append(codec.read(Health, message.payload, HEALTH.most_bytes))
                continue
            body = seal.unwrap(message.payload, RECEIPTS.most_bytes).body()
            batch = codec.read(Receipts, body, RECEIPTS.most_bytes)
            for receipt in batch.receipts:
                assert self.received.setdefault(receipt.number, receipt) == receipt, "a number was used twice"
            assert sorted(self.received) == list(range(1, len(self.received) + 1)), "a gap in the numbers"
            self._say(ACKS.topic(node=self.name), "acks", Ack(self.name, batch.stream, max(self.received), utc_now()))

    def _furnish(self) -> None:
        now = utc_now()
        self.desk.publish(TRUST.topic(), self.trust, retain=True, qos=1)
        never = QuietHours("00:00", "00:00")
        config = make_config(node=self.name, areas=(self.home,), issued_at=now, quiet_hours=never)
        config = msgspec.structs.replace(config, media_url=self.media_url, health_seconds=5)
        self._say(CONFIG.topic(node=self.name), "config", config)

    def _asset(self, name: str, seconds: float) -> Asset:
        aside = wav(self.folder / f"{name}.wav", noise(seconds, seed=len(name) + int(seconds * 10)))
        asset = msgspec.structs.replace(asset_of(aside, duration_ms=int(seconds * 1000)), media_type="audio/wav")
        aside.replace(self.folder / "state" / "audio" / asset.sha256)
        return asset

    def _plan(self, job: Job, lane: Lane) -> Job:
        self.serial += 1
        self.jobs[lane].append(job)
        plan = make_plan(*self.jobs[lane], area=self.home, serial=self.serial, lane=lane, issued_at=utc_now())
        topic, raw = plan_message(plan)
        assert self.desk.publish(topic, raw, retain=True, qos=1)
        return job

    def _say(self, topic: str, kind: str, document: msgspec.Struct) -> None:
        assert self.desk.publish(topic, sealed(kind, document), retain=True, qos=1)
