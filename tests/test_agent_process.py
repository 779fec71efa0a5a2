"""A real node process with the file player: no broker, its documents and audio on disk, killed while it sounds."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from makers_node import (
    HAMLET,
    NODE,
    ROOT,
    config_message,
    make_config,
    make_job,
    make_plan,
    plan_message,
    trust_message,
)
from makers_sound import asset_of, find, heard, noise, wav

from edge_node.held import Held
from edge_node.ledger import Ledger
from wire.config import QuietHours
from wire.receipt import OUTCOMES, Receipt

PROJECT = Path(__file__).parent.parent
NODE_PROCESS = (
    "import os, sys; from edge_node import radio, settings; sys.exit(radio.run(settings.load(None, os.environ)))"
)


class Process:
    """One life after another of the same node."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        names = {"NODE": NODE, "HOME": HAMLET, "ROOT_KEYS": ROOT.public.hex, "STATE_DIR": str(self.folder)}
        names |= {"PLAYER": "file", "CLOCK": "trust", "BROKER_PORT": "1"}
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)} | {f"LOA_NODE_{k}": v for k, v in names.items()}
        self.running = subprocess.Popen([sys.executable, "-c", NODE_PROCESS], env=environment)

    def end(self, number: signal.Signals) -> int:
        assert self.running
        self.running.send_signal(number)
        return self.running.wait(60)

    def outcomes(self) -> int:
        try:
            database = sqlite3.connect(f"file:{self.folder}/ledger.sqlite?mode=ro", uri=True)
        except sqlite3.OperationalError:
            return 0
        try:
            return int(database.execute("SELECT count(outcome) FROM jobs").fetchone()[0])
        except sqlite3.OperationalError:
            return 0
        finally:
            database.close()

    def receipts(self) -> list[Receipt]:
        ledger = Ledger(self.folder / "ledger.sqlite")
        try:
            return ledger.receipts_after(0, 1000)
        finally:
            ledger.close()

    def wav_bytes(self) -> int:
        path = self.folder / "out.wav"
        return path.stat().st_size if path.exists() else 0


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    yield process
    if process.running and process.running.poll() is None:
        process.end(signal.SIGKILL)


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_node_killed_while_it_sounds_goes_on_where_it_stopped(
    process: Process, tmp_path: Path, number: signal.Signals
) -> None:
    sound = noise(6)
    source = wav(tmp_path / "source.wav", sound)
    asset = msgspec.structs.replace(asset_of(source, duration_ms=6000), media_type="audio/wav")
    (tmp_path / "audio").mkdir()
    source.rename(tmp_path / "audio" / asset.sha256)
    now = datetime.now(UTC)
    job = make_job(start=now + timedelta(seconds=3), asset=asset)
    held = Held(tmp_path / "held")
    config = make_config(issued_at=now, quiet_hours=QuietHours("00:00", "00:00"))
    trust = trust_message(valid_until=now + timedelta(days=9), issued_at=now)
    for topic, raw in (trust, config_message(config), plan_message(make_plan(job, issued_at=now))):
        held.keep(topic, raw)

    process.start()
    wait_until(lambda: process.wav_bytes() > 200_000)  # two seconds of it
    code = process.end(number)
    assert code == (0 if number is signal.SIGTERM else -signal.SIGKILL)
    process.start()
    wait_until(lambda: process.outcomes() == 1)
    assert process.end(signal.SIGTERM) == 0

    receipts = process.receipts()
    assert [receipt.step.value for receipt in receipts] == ["accepted", "started", "resumed", "sounded"]
    assert [receipt.number for receipt in receipts] == [1, 2, 3, 4]
    measured = next(receipt.measured for receipt in receipts if receipt.step in OUTCOMES)
    assert measured
    assert measured.sounded_ms == pytest.approx(6000, abs=400)
    recording = heard(tmp_path / "out.wav")
    pieces = [sound[at : at + 12_000] for at in range(0, len(sound), 12_000)]
    found = [find(piece, recording) for piece in pieces]
    whole = [place for place, alike in found if alike > 0.95]
    assert len(whole) >= len(pieces) - 2, "only what the cut ran through may be torn"
    assert whole == sorted(whole)
