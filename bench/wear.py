"""Wear: what a node writes to its card in a day on which nothing sounds, and in one with twenty items.

- The real agent, ledger, cache and checkpoint walk through a day by a clock that is turned by hand, on an ext4 file
  system of its own in a loop device. What counts is what reaches the device, journal and all.
- What only real time would bring together or apart is small: all but the checkpoint is synced at once, and the
  checkpoint, written ten times a second, is synced every ten seconds, sooner than the kernel would write it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bench.papers import HOME, PROVINCE, emergency, trust
from bench.results import Figure, Measurement
from edge_node.agent import Agent
from edge_node.cache import Cache
from edge_node.players.null_player import NullPlayer
from edge_node.settings import Settings
from edge_node.wallclock import System, Wallclock
from wire import codec, seal, topics
from wire.config import NodeConfig, QuietHours
from wire.link import Message
from wire.loopback import Loopback
from wire.plan import Asset, BulletinClass, Job, Lane, Late, Plan
from wire.receipt import Ack, Receipts
from wire.seal import Signer

NODE, DAY = "loa-1", timedelta(days=1)
MOST_IDLE_MEGABYTES, MOST_MEGABYTES = 5.0, 50.0
ITEMS, ITEM_MS, DAYS_AHEAD = 20, 300_000, 14
CARD_BYTES = 256 << 20
AUDIO = os.urandom(100_000)
BEGAN = datetime(2026, 11, 24, tzinfo=UTC)


class Hand:
    """A clock that is turned."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        """UTC."""
        return BEGAN + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Seconds."""
        return self.seconds


class Day:
    """A node in ``home``, a station that stores and acknowledges, and ``items`` that sound, spread over the day."""

    def __init__(self, home: Path, items: int) -> None:
        self.hand, self._items, self._serial = Hand(), items, 0
        root, self._signer = Signer.generate(), Signer.generate()
        broker = Loopback()
        self._desk, link = broker.link("station"), broker.link(NODE)
        self._desk.listen([(topics.RECEIPTS.filter(), 1)])
        self._desk.start()
        self._say(topics.TRUST.topic(), trust(root, self._signer, self.hand.now()))
        sha256 = hashlib.sha256(AUDIO).hexdigest()
        self._asset = Asset(sha256, len(AUDIO), ITEM_MS, "audio/ogg", sha256)
        (home / "audio").mkdir(parents=True, exist_ok=True)
        (home / "audio" / sha256).write_bytes(AUDIO)
        clock = Wallclock(home / "clock", True, System(self.hand.now, self.hand.monotonic))
        settings = Settings(NODE, HOME, (root.public.hex,), home, clock="trust", voice="")
        self._here = threading.Event()
        cache = Cache(home / "audio", on_ready=self._here.set)
        self.agent = Agent(settings, link, NullPlayer(self.hand.now), cache, clock)
        self._config()
        self.plan()
        self.agent.start()

    def settle(self) -> None:
        """What the first minutes of a node write is no part of a day."""
        self.run(timedelta(minutes=5))
        assert not self._items or self._here.wait(10)
        self.run(timedelta(minutes=5))

    def run(self, lasts: timedelta) -> None:
        """Let the time pass; the station issues the plan anew whenever a day's item comes into its reach."""
        end, every = self.hand.seconds + lasts.total_seconds(), DAY.total_seconds() / max(self._items, 1)
        while self.hand.seconds < end:
            self.agent.tick()
            for message in self._desk.take(0):
                self._acknowledge(message)
            before = self.hand.seconds
            self.hand.seconds += max(self.agent.rest_seconds(), 0.02)
            if before // every != self.hand.seconds // every:
                self.plan()

    def plan(self) -> None:
        """The plan as of now: yesterday's items and those of the days ahead."""
        self._serial += 1
        now = self.hand.now()
        jobs = [self._job(day, item) for day in range(DAYS_AHEAD + 1) for item in range(self._items)]
        mine = tuple(job for job in jobs if now - DAY < job.start < now + timedelta(days=DAYS_AHEAD))
        plan = Plan(HOME, Lane.PLAN, self._serial, now, now + timedelta(days=15), mine)
        self._say(topics.PLAN.topic(area=HOME), seal.seal("plan", codec.write(plan), self._signer))

    def _job(self, day: int, item: int) -> Job:
        start = BEGAN + day * DAY + timedelta(minutes=30) + item * DAY / self._items
        return msgspec.structs.replace(
            emergency(start),
            id=f"b{day:06d}{item:06d}",
            title="Bản tin",
            bulletin_class=BulletinClass.ORDINARY,
            late=Late.PLAY_LATE,
            asset=self._asset,
        )

    def _config(self) -> None:
        quiet = QuietHours("00:00", "00:00")
        config = NodeConfig(NODE, 1, BEGAN, (NODE, HOME, PROVINCE), "http://127.0.0.1:9/", quiet_hours=quiet)
        self._say(topics.CONFIG.topic(node=NODE), seal.seal("config", codec.write(config), self._signer))

    def _acknowledge(self, message: Message) -> None:
        body = seal.unwrap(message.payload, topics.RECEIPTS.most_bytes).body()
        batch = codec.read(Receipts, body, topics.RECEIPTS.most_bytes)
        ack = Ack(NODE, batch.stream, batch.receipts[-1].number, self.hand.now())
        self._say(topics.ACKS.topic(node=NODE), seal.seal("acks", codec.write(ack), self._signer))

    def _say(self, topic: str, raw: bytes) -> None:
        self._desk.publish(topic, raw, retain=True, qos=1)


def measure(quick: bool) -> Measurement:
    """The whole measurement; nothing but a note where no loop device can be had."""
    figures = []
    lasts = timedelta(minutes=20) if quick else DAY
    try:
        for items, most in ((0, MOST_IDLE_MEGABYTES), (ITEMS, MOST_MEGABYTES)):
            written, writes = _measured(items, lasts)
            named = f"a day with {items} items of five minutes" if items else "a day on which nothing sounds"
            times = DAY / lasts
            figures += [
                Figure(f"{named}: written to the card", written * times / 1e6, "MB", most),
                Figure(f"{named}: writes", writes * times, ""),
            ]
    except (OSError, subprocess.CalledProcessError) as wrong:
        return Measurement("wear", notes=(f"not measured: needs root, mkfs.ext4 and a loop device ({wrong})",))
    note = f"{lasts} of simulated time each; ext4 with its journal, plans of {DAYS_AHEAD} days, receipts acknowledged"
    return Measurement("wear", tuple(figures), (note,))


def _measured(items: int, lasts: timedelta) -> tuple[int, int]:
    """(bytes, requests) that reached the device."""
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as place, _card(Path(place)) as (home, device):
        day = Day(home, items)
        day.settle()
        os.sync()
        before = _written(device)
        day.run(lasts)
        os.sync()
        after = _written(device)
        day.agent.stop()
    return after[0] - before[0], after[1] - before[1]


def _written(device: str) -> tuple[int, int]:
    told = Path(f"/sys/block/{device}/stat").read_text("ascii").split()
    return int(told[6]) * 512, int(told[4])


@contextmanager
def _card(place: Path) -> Iterator[tuple[Path, str]]:
    """(folder, device): an ext4 file system of its own. Raises OSError, subprocess.CalledProcessError."""
    image, home = place / "card", place / "home"
    with image.open("wb") as file:
        file.truncate(CARD_BYTES)
    home.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "4096", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop,noatime", str(image), str(home)], check=True)
    try:
        source = subprocess.run(["findmnt", "-no", "SOURCE", str(home)], check=True, capture_output=True, text=True)
        yield home, Path(source.stdout.strip()).name
    finally:
        subprocess.run(["umount", str(home)], check=True)
