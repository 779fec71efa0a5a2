"""Idle: what one real node process costs while nothing sounds: connected, trusting, its plan and its audio held.

- One node has just started; another has sounded a bulletin, so that all that sounding needs has been loaded.
- Against a peer on the same broker at the same time: a process with paho-mqtt's own client, connected and idle.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psutil

from bench.child import HOUSE
from bench.papers import HOME, PROVINCE, emergency, trust
from bench.results import Figure, Measurement
from fleet.broker import EmbeddedBroker
from wire import codec, seal, topics
from wire.config import NodeConfig, QuietHours
from wire.health import Health
from wire.mqtt import MqttLink
from wire.plan import Asset, BulletinClass, Job, Lane, Late, Plan
from wire.seal import Signer

MOST_CPU_PERCENT, MOST_MEGABYTES = 1.0, 60.0
SECONDS, QUICK_SECONDS, SETTLE_SECONDS, WAIT_SECONDS = 60.0, 10.0, 10.0, 120.0
JOBS, AUDIO_SECONDS, LEAD_SECONDS = 20, 3, 8
RATE = 48_000
STARTED, SOUNDED = "loa-1", "loa-2"
PLAYERS = {STARTED: "sound", SOUNDED: "file"}

_NODE = "import os, sys; from edge_node import radio, settings; sys.exit(radio.run(settings.load(None, os.environ)))"
# a stranger's program: nothing of ours is in it, so that it can be the peer
_PEER = """
import sys
from paho.mqtt.client import CallbackAPIVersion, Client
client = Client(CallbackAPIVersion.VERSION2, "peer")
client.on_connect = lambda client, *_: client.subscribe("radio/v1/areas/lang-son/plan", 1)
client.connect("127.0.0.1", int(sys.argv[1]), 30)
client.loop_forever()
"""


def measure(quick: bool) -> Measurement:
    """The whole measurement. Raises BrokerError where mosquitto is not installed."""
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as place, ExitStack() as begun:
        folder = Path(place)
        broker = begun.enter_context(EmbeddedBroker(folder / "broker", engine="mosquitto"))
        root = Signer.generate()
        link = begun.enter_context(_station(broker.port, root, folder))
        processes = {"paho client": begun.enter_context(_process(_PEER, {}, str(broker.port)))}
        for node, player in PLAYERS.items():
            names = {"BROKER_PORT": str(broker.port), "ROOT_KEYS": root.public.hex, "PLAYER": player}
            names |= {"STATE_DIR": str(folder / node), "NODE": node, "HOME": HOME, "CLOCK": "trust"}
            named = "node that has sounded" if node == SOUNDED else "node just started"
            processes[named] = begun.enter_context(_process(_NODE, names))
        _await_health(link)
        time.sleep(SETTLE_SECONDS)
        figures = _watch(processes, QUICK_SECONDS if quick else SECONDS)
    note = f"{JOBS} jobs ahead, their audio on disk; a health report a minute; CPU as the kernel's scheduler counts it"
    return Measurement("idle", tuple(figures), (note,))


def _watch(processes: dict[str, psutil.Process], seconds: float) -> list[Figure]:
    before = {name: _cpu_seconds(each) for name, each in processes.items()}
    written = {name: each.io_counters().write_bytes for name, each in processes.items()}
    began = time.monotonic()
    time.sleep(seconds)
    lasted = time.monotonic() - began
    figures = []
    for name, each in processes.items():
        node = name.startswith("node")
        share = (_cpu_seconds(each) - before[name]) / lasted * 100
        rss = each.memory_info().rss / 1e6
        figures += [
            Figure(f"{name}: CPU of one core, over {lasted:.0f} s", share, "%", MOST_CPU_PERCENT if node else None),
            Figure(f"{name}: memory (RSS)", rss, "MB", MOST_MEGABYTES if node else None),
            Figure(f"{name}: given to the disk", (each.io_counters().write_bytes - written[name]) / 1000, "kB"),
        ]
    return figures


def _cpu_seconds(process: psutil.Process) -> float:
    """Time on a core of all its threads: the scheduler counts nanoseconds, `cpu_times` only hundredths."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


@contextmanager
def _process(program: str, names: dict[str, str], *arguments: str) -> Iterator[psutil.Process]:
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)} | {f"LOA_NODE_{key}": value for key, value in names.items()}
    process = subprocess.Popen([sys.executable, "-c", program, *arguments], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _station(port: int, root: Signer, folder: Path) -> Iterator[MqttLink]:
    """A link that has said all that the nodes must hold, and hears their health."""
    now, signer = datetime.now(UTC), Signer.generate()
    link = MqttLink("bench-station", "127.0.0.1", port, clean=True)
    link.listen([(topics.HEALTH.filter(), 1)])
    link.start()
    until = time.monotonic() + 10
    while not link.connected() and time.monotonic() < until:
        link.take(0.1)
    said = [(topics.TRUST.topic(), trust(root, signer, now))]
    for node in PLAYERS:
        config = NodeConfig(
            node, 1, now, (node, HOME, PROVINCE), "http://127.0.0.1:9/", quiet_hours=QuietHours("00:00", "00:00")
        )
        said.append((topics.CONFIG.topic(node=node), seal.seal("config", codec.write(config), signer)))
    ahead = tuple(_job(f"b{each}", now + timedelta(hours=2 + 6 * each), folder) for each in range(JOBS))
    soon = (_job("b-soon", now + timedelta(seconds=LEAD_SECONDS), folder),)
    for area, jobs in ((HOME, ahead), (SOUNDED, soon)):
        plan = Plan(area, Lane.PLAN, 1, now, now + timedelta(days=15), jobs)
        said.append((topics.PLAN.topic(area=area), seal.seal("plan", codec.write(plan), signer)))
    for topic, raw in said:
        link.publish(topic, raw, retain=True, qos=1)
    try:
        yield link
    finally:
        link.stop()


def _job(job_id: str, start: datetime, folder: Path) -> Job:
    """A bulletin of a quiet tone, whose audio lies on every node's disk already."""
    tone = os.urandom(64) * (RATE // 32 * AUDIO_SECONDS)  # another for each job: 16 bit, low and dull
    path = folder / f"{job_id}.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(tone)
    audio = path.read_bytes()
    sha256 = hashlib.sha256(audio).hexdigest()
    for node in PLAYERS:
        shelf = folder / node / "audio"
        shelf.mkdir(parents=True, exist_ok=True)
        (shelf / sha256).write_bytes(audio)
    return msgspec.structs.replace(
        emergency(start),
        id=job_id,
        bulletin_class=BulletinClass.ORDINARY,
        late=Late.PLAY_LATE,
        asset=Asset(sha256, len(audio), AUDIO_SECONDS * 1000, "audio/wav", sha256),
    )


def _await_health(link: MqttLink) -> None:
    """Wait until every node holds the plan and its audio, and the one has sounded. Raises TimeoutError."""
    ready: set[str] = set()
    until = time.monotonic() + WAIT_SECONDS
    while len(ready) < len(PLAYERS):
        for message in link.take(0.5):
            said = codec.read(Health, message.payload, topics.HEALTH.most_bytes)
            if said.jobs_ahead == said.audio_ready == JOBS and (said.last_sounded or said.node == STARTED):
                ready.add(said.node)
        if time.monotonic() > until:
            raise TimeoutError(f"only {sorted(ready)} hold their plan and its audio")
