"""Playout: volume by band, proof summed over all parts of a job."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from makers_sound import RATE, asset_of, heard, noise, until, wav

from edge_node.players.file_player import FilePlayer
from edge_node.players.null_player import NullPlayer
from edge_node.playout import Playout, Sound
from edge_node.tally import Tally, measured
from wire import codec
from wire.config import NodeConfig, VolumeBand
from wire.errors import Reason
from wire.plan import AfterCut, Asset, BulletinClass, Job, Late, Level
from wire.receipt import Measured

T0 = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # 17:00 in Hanoi
BANDS = (VolumeBand("06:00", -6.0), VolumeBand("16:00", -20.0))


def config(**changes: object) -> NodeConfig:
    settings = {"node": "n1", "serial": 1, "issued_at": T0, "areas": ("n1",), "media_url": "http://media"}
    return NodeConfig(**{**settings, **changes})  # type: ignore[arg-type]


def job(asset: Asset | None = None, start: datetime = T0, job_id: str = "b1", **changes: object) -> Job:
    settings = {"bulletin_class": BulletinClass.ORDINARY, "level": Level.COMMUNE, "late": Late.PLAY_LATE}
    times = {"start": start, "deadline": start + timedelta(minutes=30), "after_cut": AfterCut.RESUME, "asset": asset}
    return Job(job_id, "A notice", **{**settings, **times, **changes})  # type: ignore[arg-type]


def proven(playout: Playout, job_id: str) -> Measured:
    proof = playout.measured(job_id)
    assert proof
    return proof


class Hand:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.now = T0 - timedelta(seconds=2)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def silent(hand: Hand) -> Playout:
    return Playout(NullPlayer(hand))


def sound(name: str = "a") -> Sound:
    return Sound(name, Path(name), 60_000)


ASSET = Asset("0" * 64, 1, 60_000, "audio/ogg", "a")


def test_nothing_held_is_nothing_heard(silent: Playout) -> None:
    assert silent.observe() is None
    assert silent.cut() is None
    assert silent.measured("b1") is None


def test_a_job_is_primed_sounds_and_finishes(silent: Playout, hand: Hand) -> None:
    silent.begin(job(ASSET), sound(), T0, 0, config())
    before = silent.observe()
    assert before
    assert (before.sounding, before.finished, before.position_ms) == (False, False, 0)
    hand.turn(12)
    during = silent.observe()
    assert during
    assert (during.sounding, during.position_ms, during.tally.sounded_ms) == (True, 10_000, 10_000)
    hand.turn(51)
    after = silent.observe()
    assert after
    assert (after.finished, after.sounding) == (True, False)
    silent.cut()
    assert silent.observe() is None
    proof = silent.measured("b1")
    assert proof
    assert (proof.sounded_ms, proof.started_at, proof.ended_at) == (60_000, T0, T0 + timedelta(seconds=60))
    assert proof.samples == 60 * RATE
    assert (proof.level_dbfs, proof.peak_dbfs, proof.device) == (None, None, "none")
    silent.forget("b1")
    assert silent.measured("b1") is None


def test_a_paused_job_counts_both_parts_and_keeps_its_first_start(silent: Playout, hand: Hand) -> None:
    first, siren = job(ASSET), job(ASSET, job_id="b2", bulletin_class=BulletinClass.EMERGENCY)
    silent.begin(first, sound(), T0, 0, config())
    hand.turn(22)
    cut = silent.cut()
    assert cut
    assert (cut.sounding, cut.position_ms) == (False, 20_000)
    silent.begin(siren, sound("b"), hand.now, 0, config())
    hand.turn(61)
    silent.begin(first, sound(), hand.now, cut.position_ms, config())
    hand.turn(30)
    assert proven(silent, "b1").sounded_ms == 50_000
    hand.turn(30)
    proof = silent.measured("b1")
    assert proof
    assert (proof.sounded_ms, proof.started_at, proof.skew_ms) == (60_000, T0, 0)
    assert proof.ended_at == hand.now - timedelta(seconds=20)
    assert proven(silent, "b2").sounded_ms == 60_000


def test_what_sounded_before_a_crash_is_carried(hand: Hand) -> None:
    before = Tally(RATE * 20, RATE * 20 * 0.01, 0.5, T0, T0 + timedelta(seconds=20), 3.0)
    kept = codec.read(Tally, codec.write(before), 1000)  # as it was written down
    playout = Playout(NullPlayer(hand))
    playout.carry("b1", kept)
    hand.turn(100)
    playout.begin(job(ASSET), sound(), hand.now, 20_000, config())
    hand.turn(20)
    proof = playout.measured("b1")
    assert proof
    assert (proof.sounded_ms, proof.started_at, proof.skew_ms) == (40_000, T0, 3.0)
    assert proof.peak_dbfs == pytest.approx(20 * math.log10(0.5), abs=0.1)
    assert proof.level_dbfs == pytest.approx(10 * math.log10(0.01 / 2), abs=0.1)


def test_the_skew_is_against_the_planned_start_with_the_nodes_offset(silent: Playout, hand: Hand) -> None:
    hand.turn(7)
    silent.begin(job(ASSET), sound(), hand.now, 0, config(offset_ms=150))
    hand.turn(1)
    assert proven(silent, "b1").skew_ms == 4850


def test_digital_silence_has_no_level() -> None:
    proof = measured(Tally(RATE, 0.0, 0.0, T0, T0 + timedelta(seconds=1)), "x" * 300)
    assert proof
    assert (proof.level_dbfs, proof.peak_dbfs, len(proof.device)) == (None, None, 120)


@pytest.mark.parametrize(
    ("bulletin_class", "expected"), [(BulletinClass.ORDINARY, -20.0), (BulletinClass.EMERGENCY, -3.0)]
)
def test_the_volume_is_the_bands_or_the_emergencys(
    tmp_path: Path, bulletin_class: BulletinClass, expected: float
) -> None:
    audio = noise(0.5)
    path = wav(tmp_path / "a.wav", audio)
    playout = Playout(FilePlayer(tmp_path / "out.wav", lambda: T0, fast=True))
    loud = config(volumes=BANDS, emergency_volume_dbfs=-3.0)
    playout.begin(job(asset_of(path), bulletin_class=bulletin_class), Sound("a", path, 500), T0, 0, loud)
    until(lambda: (state := playout.observe()) and state.finished)
    proof = playout.measured("b1")
    playout.close()
    assert proof
    level = 20 * math.log10(float(np.sqrt(np.mean(audio**2)))) + expected
    assert proof.level_dbfs == pytest.approx(level, abs=0.1)
    assert proof.peak_dbfs == pytest.approx(20 * math.log10(float(np.abs(heard(tmp_path / "out.wav")).max())), abs=0.1)
    assert proof.device == "file out.wav (fast)"


def test_audio_that_cannot_be_decoded_is_a_state_not_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"not audio")
    playout = Playout(FilePlayer(tmp_path / "out.wav", lambda: T0))
    playout.begin(job(ASSET), Sound("bad", tmp_path / "bad", 60_000), T0, 0, config())
    until(lambda: (state := playout.observe()) and state.failed is Reason.BAD_AUDIO)
    assert playout.cut()
    assert playout.measured("b1") is None
    playout.close()
