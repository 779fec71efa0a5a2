"""In real time, over a network, into a file: an audio server that is dead, slow or lying, and what is heard then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import makers_media as media
import numpy as np
import pytest
from makers_emergency import SIREN_SECONDS, is_siren, level_dbfs, siren, siren_asset, spoken_emergency
from makers_node import HAMLET, NODE, ROOT, T0, make_config
from makers_radio import Hand, Radio
from makers_sound import RATE, asset_of, heard, noise, opus

from edge_node import stand_in
from edge_node.agent import Agent
from edge_node.cache import Cache
from edge_node.fetch import Patience
from edge_node.players.file_player import FilePlayer
from edge_node.report import Self
from edge_node.settings import Settings
from edge_node.wallclock import Wallclock
from schedules.standing_in import spoken_name
from wire.plan import Asset
from wire.receipt import Receipt, Step

PATIENCE = Patience(connect_seconds=1.0, read_seconds=2.0)


class Running(Hand):
    """A clock that begins at T0 and runs."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = time.monotonic()

    def now(self) -> object:  # type: ignore[override]
        return T0 + timedelta(seconds=time.monotonic() - self._begun)

    def monotonic(self) -> float:
        return time.monotonic()


class Village:
    """One node with a real cache, a real player into a file, and a siren on its disk."""

    def __init__(self, folder: Path, server: media.MediaServer) -> None:
        self.folder, self.server = folder, server
        self.radio = Radio(folder, hand=Running())
        self.radio.agent.close()
        path = siren(folder / "siren.opus")
        self.siren = siren_asset(path, "siren")
        server.files["/siren"] = path.read_bytes()
        self.radio.configure(
            make_config(serial=2, media_url=server.url, standby=(self.siren,), siren=self.siren.sha256)
        )
        self.start()

    def start(self) -> None:
        radio, home = self.radio, self.folder
        settings = Settings(NODE, HAMLET, (ROOT.public.hex,), home, clock="trust")
        clock = Wallclock(home / "clock", trusted=True, system=radio.hand.system())
        link = radio.broker.link(NODE, Self(NODE).will(T0))
        self.cache = Cache(home / "audio", on_ready=link.wake, patience=PATIENCE)
        player = FilePlayer(home / "out.wav", radio.hand.now, fast=True)
        self.agent = Agent(settings, link, player, self.cache, clock)
        radio.agent = self.agent
        self.agent.start()

    def until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not true():
            assert time.monotonic() < deadline, self.radio.received
            self.agent.tick(0.05)
            self.radio.listen()

    def told(self, asset: Asset | None) -> None:
        self.radio.urgent(spoken_emergency(start=self.radio.hand.now(), asset=asset))

    def outcome(self) -> Receipt:
        self.until(lambda: [each for each in self.radio.received.values() if each.step is Step.SOUNDED])
        return self.radio.outcome("e1")


@pytest.fixture
def server() -> Iterator[media.MediaServer]:
    running = media.MediaServer()
    yield running
    running.close()


@pytest.fixture
def village(tmp_path: Path, server: media.MediaServer) -> Iterator[Village]:
    made = Village(tmp_path, server)
    made.until(lambda: made.cache.ready(made.siren))
    yield made
    made.agent.stop()


def voiced(village: Village) -> tuple[Asset, np.ndarray]:
    sound = noise(3, seed=7)
    path = opus(village.folder / "voiced.opus", sound)
    village.server.files["/voiced"] = path.read_bytes()
    return asset_of(path, "voiced", 3000), sound


def heard_as_spoken(village: Village, outcome: Receipt) -> None:
    """On the reel: the siren's tones, then speech, and nothing is silent in between."""
    sound = heard(village.folder / "out.wav")
    assert (outcome.asset, outcome.detail) == (spoken_name(spoken_emergency()), "spoken by the node")
    assert outcome.measured
    assert len(sound) / RATE == pytest.approx(outcome.measured.sounded_ms / 1000, abs=0.1)
    assert is_siren(sound[: int(SIREN_SECONDS * 0.95 * RATE)])
    words = sound[int((SIREN_SECONDS + 0.5) * RATE) :]
    assert not is_siren(words)
    assert level_dbfs(words) == pytest.approx(-19, abs=4)
    seconds = [level_dbfs(words[at : at + 2 * RATE]) for at in range(0, len(words) - 2 * RATE, RATE)]
    assert min(seconds) > -35
    assert outcome.measured.level_dbfs == pytest.approx(level_dbfs(sound), abs=0.2)


@pytest.mark.parametrize("wrong", ["dead", "lying", "slow", "stalled", "none"])
def test_whatever_is_wrong_with_the_audio_the_village_hears_siren_and_words(village: Village, wrong: str) -> None:
    asset: Asset | None = voiced(village)[0]
    behaviour = {
        "dead": media.status(503),
        "lying": media.other(b"x" * (asset.size_bytes if asset else 0)),
        "slow": media.dripping,
        "stalled": media.stalling(500),
    }
    village.server.behaviours["/voiced"] = [behaviour[wrong]] * 50 if wrong in behaviour else []
    village.told(None if wrong == "none" else asset)
    heard_as_spoken(village, village.outcome())


def test_audio_that_comes_just_before_is_all_that_is_heard(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in, "QUIET_SECONDS", 30.0)  # a busy machine may need more than three to fetch it
    monkeypatch.setattr(stand_in, "MOST_SECONDS", 30.0)
    asset, _ = voiced(village)
    village.told(None)
    village.until(lambda: village.radio.steps("e1"))
    village.told(asset)
    outcome = village.outcome()
    assert outcome.asset == asset.sha256
    reel = heard(village.folder / "out.wav")
    assert len(reel) / RATE == pytest.approx(3.0, abs=0.1)
    assert not is_siren(reel)


def test_a_node_without_anybody_to_ask_speaks_what_lies_on_its_disk(village: Village) -> None:
    asset, _ = voiced(village)
    village.server.behaviours["/voiced"] = [media.stalling(500)]
    village.told(asset)
    village.until(lambda: village.radio.steps("e1"))
    village.radio.broker.drop(village.agent._link)
    village.agent.close()
    village.server.close()
    village.start()
    heard_as_spoken(village, village.outcome())
