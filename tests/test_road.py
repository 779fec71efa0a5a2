"""64 kbit/s with one packet in five lost: audio arrives, and hardly anything of it crosses the air twice by our doing.

What is counted: the TCP payload that came through to the node, each byte of each connection once. That is what the
node asked for: the file, and what it had to ask for again. What TCP itself sends again, and heads, is the road's.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from makers_desk import Post, trust_of_today
from makers_media import MediaServer
from makers_road import NEAR, Road, inside, why_not
from makers_sound import until

from edge_node import troubles
from edge_node.cache import Cache
from edge_node.fetch import Patience
from fleet.broker import EmbeddedBroker
from wire.errors import Reason
from wire.plan import Asset, Job
from wire.receipt import Step

WHY_NOT = why_not()
pytestmark = [pytest.mark.realtime, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]
RATE = 64_000  # bits a second
TWICE_AT_MOST = 1.1  # of what the file has
IN_FLIGHT = 12_000  # bytes: what the server goes on sending into a connection that is gone, until it learns of that


def put(server: MediaServer, size: int) -> Asset:
    body = hashlib.shake_128(b"road").digest(size)
    server.files["/a"] = body
    return Asset(hashlib.sha256(body).hexdigest(), size, 1000, "audio/ogg", "a")


def test_a_partition_in_the_middle_costs_time_and_no_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than the node's patience: it hangs up, tries, and goes on with the byte it lacks."""
    monkeypatch.setattr(troubles, "MOST_BACK_OFF", 0.3)
    with Road(RATE, loss=0.0) as road:
        server = inside(road.near, lambda: MediaServer(NEAR))
        asset = put(server, 24_000)
        cache = Cache(tmp_path, patience=Patience(connect_seconds=0.5, read_seconds=1.0))
        inside(road.far, lambda: cache.want([asset], media_url=server.url))
        part, broken_at = cache._rack.part(asset), []
        for already in (4000, 16_000):
            until(lambda some=already: part.exists() and part.stat().st_size > some)  # type: ignore[misc]
            road.closed = True
            before = cache.counts().get(Reason.NO_AUDIO, 0)
            until(lambda some=before: cache.counts().get(Reason.NO_AUDIO, 0) > some)  # type: ignore[misc]
            broken_at.append(part.stat().st_size)
            road.closed = False
        until(lambda: cache.verified(asset))
        cache.close()
        server.close()
    first, *more = (span for _, span in server.asked)
    begun = [int(span.removeprefix("bytes=").removesuffix("-")) for span in more]
    assert first == ""
    assert begun == sorted(begun)
    assert set(broken_at) <= set(begun), "it asks for what it lacks, to the byte"
    assert road.down.payload_bytes <= TWICE_AT_MOST * asset.size_bytes + len(begun) * IN_FLIGHT


# -- a whole node at the end of the road -------------------------------------------------------------------------


@dataclass
class FarNode(Post):
    """A node process in the far namespace; station, broker and media are in the near one."""

    road: Road | None = None

    def start(self) -> None:
        assert self.road
        command = ["ip", "netns", "exec", self.road.far, sys.executable, "-m", "loa", "node", "run"]
        self.run(command, self.environment() | {"LOA_NODE_CLOCK": "trust"})

    def onto(self, server: MediaServer, job: Job) -> Asset:
        """The job's audio is the media server's to give, not on the node's disk."""
        assert job.asset
        path = self.folder / "state" / "audio" / job.asset.sha256
        server.files[f"/{job.asset.url}"] = path.read_bytes()
        path.unlink()
        return job.asset


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FarNode, Road, MediaServer]]:
    monkeypatch.setattr("fleet.broker.HOST", NEAR)
    with Road(RATE, loss=0.2) as road:
        server = inside(road.near, lambda: MediaServer(NEAR))
        broker = EmbeddedBroker(tmp_path / "broker", engine="mosquitto")
        inside(road.near, broker.start)
        node = FarNode("far-01", tmp_path / "node", broker.port, trust_of_today(), NEAR, server.url, road=road)
        try:
            inside(road.near, node.open)
            yield node, road, server
        finally:
            node.end()
            broker.stop()
            server.close()


def test_a_node_at_the_end_of_a_bad_road_has_its_audio_in_time_sounds_it_and_tells_once(
    far: tuple[FarNode, Road, MediaServer],
) -> None:
    node, road, server = far
    job = node.item("item", seconds=0.5, begins_in=6.0)
    asset = node.onto(server, job)
    assert asset.size_bytes > 45_000
    node.start()
    outcome = node.outcome(job)
    assert outcome.step is Step.SOUNDED
    assert node.parts(job) == [500]
    assert outcome.measured
    assert outcome.measured.sounded_ms == 500
    assert node.steps(job) == ["accepted", "started", "sounded"]
    port = int(server.url.rpartition(":")[2]).to_bytes(2, "big")
    payload = sum(flow.bytes for name, flow in road.down.flows.items() if name[8:10] == port)
    assert asset.size_bytes <= payload <= TWICE_AT_MOST * asset.size_bytes, server.asked
    assert road.down.lost > 5
    assert subprocess.run(["ip", "netns", "pids", road.far], capture_output=True, check=True).stdout.strip()
