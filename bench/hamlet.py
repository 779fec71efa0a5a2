"""A hamlet: real node processes with a sound card each, a station's link that feeds them, and sounds to find again."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import wave
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from bench.child import HOUSE
from bench.loudspeakers import RATE
from bench.papers import HOME, PROVINCE, emergency, trust
from wire import codec, seal, topics
from wire.config import NodeConfig, QuietHours
from wire.health import Health
from wire.mqtt import MqttLink
from wire.plan import Asset, BulletinClass, Job, Lane, Late, Plan
from wire.receipt import OUTCOMES, Ack, Receipts
from wire.seal import Signer

if TYPE_CHECKING:
    import numpy as np

_ITEM_SECONDS, _SIREN_SECONDS = 8.0, 1.0
_NODE = "import os, sys; from edge_node import radio, settings; sys.exit(radio.run(settings.load(None, os.environ)))"


@dataclass(frozen=True)
class Sound:
    """Noise like no other: as a file, as an asset, and as samples of full scale 1."""

    path: Path
    asset: Asset
    samples: np.ndarray


class Hamlet:
    """``count`` nodes on the broker at ``port``; use it in ``with``, and each `node` in another."""

    def __init__(self, folder: Path, port: int, count: int) -> None:
        self._folder, self._port = folder, port
        self.names = [f"loa-{number}" for number in range(count)]
        self._root, self._signer = Signer.generate(), Signer.generate()
        self._serials: dict[tuple[str, Lane], int] = {}
        self._made = 0
        self._ended: dict[str, set[str]] = {}  # by job: the nodes on which it has its outcome
        self._skews_ms: dict[tuple[str, str], float] = {}
        self.item, self.siren = self.sound(_ITEM_SECONDS), self.sound(_SIREN_SECONDS)

    @property
    def skews_ms(self) -> list[float]:
        """What the nodes said of every start so far."""
        return list(self._skews_ms.values())

    def sound(self, seconds: float) -> Sound:
        """Another one, on the disk of every node."""
        import numpy as np

        self._made += 1
        noise = np.random.default_rng(self._made).standard_normal(int(seconds * RATE))
        samples = np.round(np.clip(noise * 3000, -32000, 32000)).astype("<i2")
        path = self._folder / f"{self._made}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as out:
            out.setparams((1, 2, RATE, 0, "NONE", ""))
            out.writeframes(samples.tobytes())
        audio = path.read_bytes()
        sha256 = hashlib.sha256(audio).hexdigest()
        for name in self.names:
            shelf = self._folder / name / "audio"
            shelf.mkdir(parents=True, exist_ok=True)
            (shelf / sha256).write_bytes(audio)
        asset = Asset(sha256, len(audio), round(seconds * 1000), "audio/wav", sha256)
        return Sound(path, asset, samples.astype(np.float32) / 32768)

    def job(self, job_id: str, start: datetime, sound: Sound, late: Late = Late.PLAY_LATE) -> Job:
        """An ordinary item."""
        times = {"deadline": start + timedelta(minutes=5), "late": late}
        plain = {"id": job_id, "bulletin_class": BulletinClass.ORDINARY, "asset": sound.asset, "spoken": ""}
        return msgspec.structs.replace(emergency(start), **plain, **times)

    def publish(self, lane: Lane, jobs: Sequence[Job], area: str = HOME) -> None:
        """The next plan of everybody, or of the one node whose name is ``area``."""
        serial = self._serials[area, lane] = self._serials.get((area, lane), 0) + 1
        now, line = datetime.now(UTC), topics.URGENT if lane is Lane.URGENT else topics.PLAN
        plan = Plan(area, lane, serial, now, now + timedelta(days=1), tuple(jobs))
        self._say(line.topic(area=area), seal.seal(line.name, codec.write(plan), self._signer))

    @contextmanager
    def node(self, number: int, alsa_config: Path) -> Iterator[None]:
        """The node of that number, as a process of its own."""
        name = self.names[number]
        told = {"BROKER_PORT": str(self._port), "ROOT_KEYS": self._root.public.hex, "PLAYER": "sound", "NODE": name}
        told |= {"STATE_DIR": str(self._folder / name), "HOME": HOME, "CLOCK": "trust", "LOG_LEVEL": "warning"}
        environment = {**os.environ, "PYTHONPATH": str(HOUSE), "ALSA_CONFIG_PATH": str(alsa_config)}
        environment |= {f"LOA_NODE_{key}": value for key, value in told.items()}
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-c", _NODE], env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    def await_nodes(self, seconds: float) -> None:
        """Until every node has told its health. Raises TimeoutError."""
        seen: set[str] = set()
        until = time.monotonic() + seconds
        while len(seen) < len(self.names):
            for message in self._link.take(0.2):
                if message.topic in {topics.HEALTH.topic(node=name) for name in self.names}:
                    seen.add(codec.read(Health, message.payload, topics.HEALTH.most_bytes).node)
            if time.monotonic() > until:
                raise TimeoutError(f"only {sorted(seen)} are there")

    def await_outcomes(self, jobs: Collection[str], seconds: float, nodes: int = 0) -> None:
        """Until each of ``jobs`` has ended on so many nodes, on every one for 0. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while any(len(self._ended.get(job, ())) < (nodes or len(self.names)) for job in jobs):
            for message in self._link.take(0.2):
                if message.topic in {topics.RECEIPTS.topic(node=name) for name in self.names}:
                    self._hear(message.payload)
            if time.monotonic() > until:
                ended = {job: sorted(self._ended.get(job, ())) for job in jobs}
                raise TimeoutError(f"not ended everywhere: {ended}; {self._logs()}")

    def _hear(self, raw: bytes) -> None:
        most = topics.RECEIPTS.most_bytes
        batch = codec.read(Receipts, seal.unwrap(raw, most).body(), most)
        ack = Ack(batch.node, batch.stream, batch.receipts[-1].number, datetime.now(UTC))
        line = topics.ACKS
        self._say(line.topic(node=batch.node), seal.seal(line.name, codec.write(ack), self._signer))
        for receipt in batch.receipts:
            if receipt.step in OUTCOMES:
                self._ended.setdefault(receipt.job, set()).add(batch.node)
            if receipt.measured and receipt.job.startswith("b"):
                self._skews_ms[batch.node, receipt.job] = receipt.measured.skew_ms

    def _logs(self) -> str:
        """The end of what the nodes wrote."""
        return " ".join((self._folder / f"{name}.log").read_text("utf-8", "replace")[-300:] for name in self.names)

    def _say(self, topic: str, raw: bytes) -> None:
        self._link.publish(topic, raw, retain=True, qos=1)

    def __enter__(self) -> Self:
        self._link = MqttLink("bench-station", "127.0.0.1", self._port, clean=True)
        self._link.listen([(topics.HEALTH.filter(), 1), (topics.RECEIPTS.filter(), 1)])
        self._link.start()
        until = time.monotonic() + 10
        while not self._link.connected() and time.monotonic() < until:
            self._link.take(0.1)
        now = datetime.now(UTC)
        self._say(topics.TRUST.topic(), trust(self._root, self._signer, now))
        for name in self.names:
            areas, kept = (name, HOME, PROVINCE), (self.siren.asset, self.item.asset)
            config = NodeConfig(name, 1, now, areas, "http://127.0.0.1:9/", quiet_hours=QuietHours("00:00", "00:00"))
            config = msgspec.structs.replace(config, standby=kept)
            self._say(topics.CONFIG.topic(node=name), seal.seal("config", codec.write(config), self._signer))
        return self

    def __exit__(self, *_: object) -> None:
        self._link.stop()
