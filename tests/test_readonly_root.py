"""Real node processes, each in a mount namespace of its own: everything read-only but the state folder; the state
folder read-only too; the state folder full. All of them sound what they hold and say what is wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from makers_node import HAMLET, ROOT, STATION, make_config, make_job, make_plan, plan_message, sealed, trust_message
from makers_sound import asset_of, noise, wav

from edge_node.held import Held
from edge_node.ledger import Ledger
from fleet.broker import EmbeddedBroker
from wire import codec, seal
from wire.config import QuietHours
from wire.health import Health
from wire.mqtt import MqttLink
from wire.receipt import Receipts, Step
from wire.topics import CONFIG, HEALTH, RECEIPTS

PROJECT = Path(__file__).parent.parent
NODE_PROCESS = "import os; from edge_node import radio, settings; exit(radio.run(settings.load(None, os.environ)))"
READONLY_ROOT, READONLY_DISK, FULL_DISK = "readonly-root", "readonly-disk", "full-disk"
PASSING = "mount -t tmpfs tmpfs /dev/shm"  # as every system has one, whatever its disks do
MOUNTS = {
    READONLY_ROOT: 'mount --bind "$1" /media',
    READONLY_DISK: 'mount --bind "$1" /media && mount -o remount,bind,ro /media && ' + PASSING,
    FULL_DISK: 'mount -t tmpfs -o size=700k tmpfs /media && cp -a "$1"/. /media && '
    + "! cat /dev/zero 2>&- >/media/filling && "
    + PASSING,
}
NAMESPACE = """
set -e
mount --make-rprivate /
{mounts}
for place in $(awk '{{ print $5 }}' /proc/self/mountinfo); do
  case $place in
    /media|{writable}|/proc*|/sys*|/dev|/dev/pts) ;;
    *) mount -o remount,bind,ro "$place" 2>&- || : ;;  # one that another hides has no place
  esac
done
! touch /etc/loa-was-here 2>&-
shift
exec "$@"
"""


def why_not() -> str:
    """Why no namespace can be made here; empty when it can."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return "needs root and unshare: it mounts in a namespace of its own"
    tried = subprocess.run(["unshare", "-m", "mount", "--make-rprivate", "/"], check=False, capture_output=True)
    return "" if tried.returncode == 0 else f"no mount namespace: {tried.stderr.decode().strip()}"


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")


@dataclass
class Heard:
    """What the station has heard of one node, and how the node ended."""

    receipts: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)  # told again until acknowledged
    health: Health | None = None
    exit_code: int | None = None

    @property
    def steps(self) -> list[tuple[str, str]]:
        return list(self.receipts.values())

    @property
    def streams(self) -> set[str]:
        return {stream for stream, _ in self.receipts}


def furnish(home: Path, node: str, now: datetime) -> None:
    """A state folder as a kill left it: a plan of two jobs, one of which has sounded; the audio of both."""
    sound = wav(home.parent / f"{node}.wav", noise(1))
    asset = msgspec.structs.replace(asset_of(sound, duration_ms=1000), media_type="audio/wav")
    (home / "audio").mkdir(parents=True)
    sound.rename(home / "audio" / asset.sha256)
    old = make_job("old", start=now - timedelta(seconds=60), asset=asset)
    jobs = (old, make_job("new", start=now + timedelta(seconds=2), asset=asset))
    config = make_config(
        issued_at=now, node=node, quiet_hours=QuietHours("00:00", "00:00"), health_seconds=5, areas=(HAMLET,)
    )
    held = Held(home / "held")
    held.keep(*trust_message(valid_until=now + timedelta(days=9), issued_at=now))
    held.keep(CONFIG.topic(node=node), sealed("config", config))
    held.keep(*plan_message(make_plan(*jobs, area=HAMLET, issued_at=now), STATION))
    written = Ledger(home.parent / f"{node}.sqlite")
    written.accept(old, now)
    written.end("old", Step.SOUNDED, now)
    for tail in ("", "-wal"):
        shutil.copyfile(home.parent / f"{node}.sqlite{tail}", home / f"ledger.sqlite{tail}")
    written.close()


def start(home: Path, node: str, port: int) -> subprocess.Popen[bytes]:
    names = {"NODE": node, "HOME": HAMLET, "ROOT_KEYS": ROOT.public.hex, "STATE_DIR": "/media", "PLAYER": "null"}
    names |= {"CLOCK": "trust", "BROKER_PORT": str(port)}
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)} | {f"LOA_NODE_{k}": v for k, v in names.items()}
    script = NAMESPACE.format(mounts=MOUNTS[node], writable="/dev/shm" if PASSING in MOUNTS[node] else "-")
    command = ["unshare", "-m", "bash", "-c", script, "namespace", str(home), sys.executable, "-c", NODE_PROCESS]
    return subprocess.Popen(command, env=environment, cwd="/")


def listen(link: MqttLink, heard: dict[str, Heard], seconds: float) -> None:
    """Take in what nodes say until each of them has sounded."""
    until = time.monotonic() + seconds
    while not all(each.health and each.health.last_sounded for each in heard.values()):
        assert time.monotonic() < until, heard
        for message in link.take(0.5):
            if message.topic.endswith("/health"):
                health = codec.read(Health, message.payload, HEALTH.most_bytes)
                heard[health.node].health = health
            else:
                body = seal.unwrap(message.payload, RECEIPTS.most_bytes).body()
                batch = codec.read(Receipts, body, RECEIPTS.most_bytes)
                told = {(batch.stream, each.number): (each.job, each.step.value) for each in batch.receipts}
                heard[batch.node].receipts |= told


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Heard]:
    """All three nodes at once, on one broker."""
    folder = tmp_path_factory.mktemp("nodes")
    heard = {node: Heard() for node in MOUNTS}
    with EmbeddedBroker(folder / "broker", engine="mosquitto") as broker:
        link = MqttLink("station", "127.0.0.1", broker.port, clean=True)
        link.listen([(line.filter(), 1) for line in (RECEIPTS, HEALTH)])
        link.start()
        now = datetime.now(UTC)
        for node in MOUNTS:
            furnish(folder / node, node, now)
        processes = {node: start(folder / node, node, broker.port) for node in MOUNTS}
        try:
            listen(link, heard, 180)
        finally:
            for process in processes.values():
                process.send_signal(signal.SIGTERM)
            for node, process in processes.items():
                heard[node].exit_code = process.wait(60)
            link.stop()
    return heard


SOUNDED = [("old", "accepted"), ("old", "sounded"), ("new", "accepted"), ("new", "started"), ("new", "sounded")]


def test_with_a_read_only_root_a_node_lacks_nothing(heard: dict[str, Heard]) -> None:
    node = heard[READONLY_ROOT]
    assert node.health
    assert (node.health.refusals, node.exit_code) == ({}, 0)
    assert node.steps == SOUNDED


def test_with_a_read_only_disk_it_sounds_what_it_holds_and_proves_it_from_memory(heard: dict[str, Heard]) -> None:
    node = heard[READONLY_DISK]
    assert node.health
    assert node.health.refusals["ledger_in_memory"] == 1
    assert "ledger_spoilt" not in node.health.refusals
    assert node.steps == SOUNDED, "what the WAL of the disk held was known"
    assert node.streams.isdisjoint(heard[READONLY_ROOT].streams)
    assert node.exit_code == 0


def test_with_a_full_disk_it_sounds_what_it_holds_and_says_so(heard: dict[str, Heard]) -> None:
    node = heard[FULL_DISK]
    assert node.health
    assert node.health.refusals.get("disk_full") or node.health.refusals.get("ledger_in_memory")
    assert node.health.receipts_waiting == len(SOUNDED), "what had sounded was known"
    assert node.exit_code == 0
