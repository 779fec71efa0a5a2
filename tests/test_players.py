"""One suite over every player: paced file, fast file, null, and a real sound card's stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from makers_sound import noise, opus, until, utc_now
from pulse import Pulse, missing

from edge_node.players.file_player import FilePlayer
from edge_node.players.null_player import NullPlayer
from edge_node.players.player import Player, Take

KINDS = ["file", "fast", "null", "sound"]
SECONDS = 1.5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulse]:
    pulse = Pulse(tmp_path_factory.mktemp("pulse"))
    pulse.start()
    yield pulse
    pulse.kill()


@pytest.fixture(params=KINDS)
def player(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Player]:
    made: Player
    if request.param == "sound":
        if missing():
            pytest.skip(missing() or "")
        from edge_node.players.sound_player import SoundPlayer

        server: Pulse = request.getfixturevalue("server")
        monkeypatch.setenv("ALSA_CONFIG_PATH", str(server.alsa_config))
        made = SoundPlayer(utc_now)
    elif request.param == "null":
        made = NullPlayer(utc_now)
    else:
        made = FilePlayer(tmp_path / "out.wav", utc_now, fast=request.param == "fast")
    yield made
    made.close()


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    return opus(tmp_path / "a.ogg", noise(SECONDS))


def take(audio: Path, seconds: float = 0.3, job: str = "b1", from_ms: int = 0) -> Take:
    at = utc_now() + timedelta(seconds=seconds)
    return Take(job, audio, at, from_ms, duration_ms=round(SECONDS * 1000))


def finished(player: Player) -> bool:
    progress = player.progress()
    return progress is not None and progress.finished


def sounding(player: Player) -> bool:
    progress = player.progress()
    return progress is not None and progress.started_at is not None


def test_a_player_that_was_given_nothing_has_no_progress(player: Player) -> None:
    assert player.progress() is None
    assert player.stop() is None


def test_a_primed_take_has_not_started(player: Player, audio: Path) -> None:
    player.prime(take(audio, 60))
    progress = player.progress()
    assert progress
    assert (progress.sounding, progress.finished, progress.started_at, progress.samples) == (False, False, None, 0)
    last = player.stop()
    assert last
    assert last.started_at is None
    assert player.progress() is None


def test_a_take_starts_by_itself_on_its_second_and_sounds_to_its_end(player: Player, audio: Path) -> None:
    given = take(audio, 1.0)
    player.prime(given)
    until(lambda: finished(player))
    progress = player.progress()
    assert progress
    assert progress.started_at
    assert progress.started_at >= given.at - timedelta(milliseconds=1)
    assert progress.skew_ms == pytest.approx((progress.started_at - given.at).total_seconds() * 1000)
    assert progress.sounded_ms == pytest.approx(SECONDS * 1000, abs=20)
    assert progress.position_ms == progress.sounded_ms
    assert not progress.sounding
    assert progress.failed is None
    assert (progress.ended_at or given.at) - progress.started_at == timedelta(milliseconds=progress.sounded_ms)


def test_a_take_from_the_middle_sounds_the_rest(player: Player, audio: Path) -> None:
    player.prime(take(audio, 0.0, from_ms=1000))
    until(lambda: finished(player))
    progress = player.progress()
    assert progress
    assert progress.sounded_ms == pytest.approx(500, abs=20)
    assert progress.position_ms == pytest.approx(1500, abs=20)


def test_a_take_whose_second_has_passed_starts_at_once_and_is_late(player: Player, audio: Path) -> None:
    player.prime(take(audio, -5.0))
    until(lambda: sounding(player))
    progress = player.stop()
    assert progress
    assert progress.skew_ms >= 5000


def test_a_stop_lets_go_and_tells_how_far_it_came(player: Player, audio: Path) -> None:
    player.prime(take(audio, 0.0))
    until(lambda: sounding(player))
    last = player.stop(40)
    assert last
    assert not last.sounding
    assert last.job_id == "b1"
    assert player.progress() is None
    assert player.stop() is None


def test_with_nothing_on_air_crossing_and_laying_over_are_priming(player: Player, audio: Path) -> None:
    assert player.cross(take(audio, 0.0, "b1")) is None
    until(lambda: sounding(player))
    player.stop(0)
    player.lay_over(take(audio, 0.0, "b2"))
    assert player.beneath() is None
    until(lambda: sounding(player))


def test_a_second_take_replaces_the_first(player: Player, audio: Path) -> None:
    player.prime(take(audio, 60, "b1"))
    player.prime(take(audio, 0, "b2"))
    until(lambda: finished(player))
    progress = player.progress()
    assert progress
    assert progress.job_id == "b2"


def test_closing_twice_is_allowed_and_a_closed_player_takes_nothing_that_sounds(player: Player, audio: Path) -> None:
    player.prime(take(audio, 0.0))
    until(lambda: sounding(player))
    player.close()
    player.close()
    assert player.progress() is None


def test_what_is_on_air_lets_go_when_the_next_begins_and_tells_how_far_it_came(player: Player, audio: Path) -> None:
    player.prime(take(audio, 0.0, "b1"))
    until(lambda: sounding(player))
    given = take(audio, 0.3, "b2")
    last = player.cross(given)
    assert last
    assert (last.job_id, last.sounding) == ("b1", False)
    assert last.sounded_ms > 0
    assert last.position_ms == last.sounded_ms
    until(lambda: finished(player))
    progress = player.progress()
    assert progress
    assert progress.job_id == "b2"
    assert progress.sounded_ms == pytest.approx(SECONDS * 1000, abs=20)
    assert (progress.started_at or given.at) >= given.at - timedelta(milliseconds=1)
    assert player.stop()
    assert player.progress() is None


def test_what_is_crossed_by_a_take_that_never_begins_lets_go_all_the_same(player: Player, tmp_path: Path) -> None:
    player.prime(take(opus(tmp_path / "long.ogg", noise(6.0)), 0.0, "b1"))
    until(lambda: sounding(player))
    last = player.cross(take(tmp_path / "nothing", 0.0, "b2"))
    assert last
    assert last.job_id == "b1"
    progress = player.progress()
    assert progress
    assert progress.job_id == "b2"


def test_a_take_lies_beneath_another_and_is_on_air_again_afterwards(player: Player, tmp_path: Path) -> None:
    lower, upper = opus(tmp_path / "l.ogg", noise(2.5)), opus(tmp_path / "u.ogg", noise(0.6, seed=2))
    player.prime(replace(take(lower, 0.0, "b1"), duration_ms=2500))
    until(lambda: sounding(player))
    assert player.beneath() is None
    player.lay_over(replace(take(upper, 0.1, "e1"), duration_ms=600))
    under, over = player.beneath(), player.progress()
    assert under
    assert over
    assert (under.job_id, over.job_id) == ("b1", "e1")
    until(lambda: finished(player))
    player.stop()
    assert player.beneath() is None
    until(lambda: finished(player))
    progress = player.progress()
    assert progress
    assert progress.job_id == "b1"
    assert progress.sounded_ms == pytest.approx(2500, abs=20)
    ahead = player.device.endswith("(fast)")  # the lower was partly written before the upper began
    assert (0 if ahead else 540) <= progress.beneath_ms <= 660


def test_the_one_beneath_can_be_taken_away_alone(player: Player, tmp_path: Path) -> None:
    player.prime(take(opus(tmp_path / "l.ogg", noise(6.0)), 0.0, "b1"))
    until(lambda: sounding(player))
    player.lay_over(take(opus(tmp_path / "u.ogg", noise(SECONDS)), 0.0, "e1"))
    until(lambda: sounding(player))
    last = player.stop_beneath()
    assert last
    assert (last.job_id, last.sounding) == ("b1", False)
    assert player.beneath() is None
    assert player.stop_beneath() is None
    until(lambda: finished(player))
    assert player.stop()
    assert player.progress() is None


def test_the_upper_one_can_be_cut_and_the_lower_goes_on(player: Player, tmp_path: Path) -> None:
    player.prime(take(opus(tmp_path / "l.ogg", noise(6.0)), 0.0, "b1"))
    until(lambda: sounding(player))
    player.lay_over(take(opus(tmp_path / "u.ogg", noise(6.0)), 0.0, "e1"))
    until(lambda: sounding(player))
    last = player.stop()
    assert last
    assert last.job_id == "e1"
    progress = player.progress()
    assert progress
    assert progress.job_id == "b1"
    player.stop()
    assert player.progress() is None
