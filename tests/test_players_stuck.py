"""A sound library that hangs, or raises what nobody foresaw: a lost thread is not a device that is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from makers_node import after, make_config, make_job
from makers_radio import Radio
from makers_sound import noise, until, utc_now, wav

from edge_node.players import output, sound_player
from edge_node.players.decoding import Source
from edge_node.players.file_player import FilePlayer
from edge_node.players.player import Take
from edge_node.players.sound_player import SoundPlayer
from edge_node.playout import Playout, Sound
from edge_node.watchdog import BROKEN_EXIT, STALL_SECONDS, Pulse
from wire.errors import Reason


class PortAudioError(Exception):
    """As the library calls it."""


class Library(ModuleType):
    """What is imported as sounddevice. ``ill``: what an act does first; by the act's name."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.ill: dict[str, BaseException | threading.Event] = {}
        self.asked: list[str] = []
        self.RawOutputStream = lambda **_: Stream(self)

    def act(self, name: str) -> None:
        self.asked.append(name)
        ill = self.ill.get(name)
        if isinstance(ill, threading.Event):
            assert ill.wait(300)
        elif ill:
            raise ill

    def _terminate(self) -> None:
        self.act("terminate")

    def _initialize(self) -> None:
        self.act("initialize")

    def query_devices(self, _: object) -> dict[str, str]:
        return {"name": "card"}


class Stream:
    """A stream that opens and starts; nobody calls it back."""

    device = 0

    def __init__(self, library: Library) -> None:
        self._library = library
        library.act("open")

    def start(self) -> None:
        self._library.act("start")

    @property
    def active(self) -> bool:
        self._library.act("active")
        return True

    def close(self, ignore_errors: bool) -> None:
        assert ignore_errors
        self._library.act("close")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", made)
    monkeypatch.setattr(sound_player, "STUCK_SECONDS", 0.5)
    monkeypatch.setattr(sound_player, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(sound_player, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(output, "STALE_SECONDS", 0.3)
    monkeypatch.setattr(output, "MOST_BACK_OFF", 0.5)
    return made


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def player(library: Library, hang: threading.Event) -> Iterator[SoundPlayer]:
    made = SoundPlayer(utc_now)
    yield made
    hang.set()
    library.ill.clear()
    made.close()
    until(lambda: made._thread is None or not made._thread.is_alive())


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    return wav(tmp_path / "a.wav", noise(30.0))


def reason(player: SoundPlayer) -> Reason | None:
    progress = player.progress()
    assert progress
    return progress.failed


def held(player: SoundPlayer, audio: Path, job: str = "b1") -> Playout:
    playout = Playout(player)
    at = utc_now() - timedelta(seconds=1)
    playout.begin(make_job(job, at), Sound("a", audio, 30_000), at, 0, make_config())
    return playout


def test_a_device_that_never_comes_back_from_being_opened_is_no_device_that_is_away(
    player: SoundPlayer, library: Library, hang: threading.Event, audio: Path
) -> None:
    library.ill["open"] = hang
    playout, pulse = held(player, audio), Pulse()
    until(lambda: reason(player) is Reason.AUDIO_DEVICE)
    assert player.stuck
    assert pulse.beat(playout.moving(utc_now()), 0.0)
    playout.begin(make_job("e1"), Sound("a", audio, 30_000), utc_now(), 0, make_config())
    assert player.stuck, "whatever it is given, the thread hangs"
    assert pulse.beat(playout.moving(utc_now()), STALL_SECONDS / 2)
    playout.stop()
    assert not pulse.beat(playout.moving(utc_now()), STALL_SECONDS), "nor does it help that nothing is held"
    assert pulse.beyond_repair
    hang.set()
    until(lambda: not player.stuck)


def test_a_device_that_hangs_while_it_is_closed_is_noticed_before_the_next_job(
    player: SoundPlayer, library: Library, hang: threading.Event, audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "STALE_SECONDS", 600.0)
    playout = held(player, audio)
    until(lambda: player._output.is_open)
    assert not player.stuck
    library.ill["close"] = hang
    playout.stop()
    until(lambda: player.stuck)
    assert playout.observe() is None
    assert (moving := playout.moving(utc_now()))
    assert not moving.excused


def test_a_thread_that_died_is_no_device_that_is_away(
    player: SoundPlayer, audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player, "_look_after", lambda: None)
    playout = held(player, audio)
    until(lambda: player.stuck)
    assert (moving := playout.moving(utc_now()))
    assert not moving.excused


def test_a_device_that_is_away_is_excused_and_looked_for(player: SoundPlayer, library: Library, audio: Path) -> None:
    library.ill["open"] = PortAudioError("no such device")
    playout = held(player, audio)
    until(lambda: reason(player) is Reason.AUDIO_DEVICE)
    until(lambda: library.asked.count("open") > 3)
    assert not player.stuck
    assert (moving := playout.moving(utc_now()))
    assert moving.excused
    del library.ill["open"]
    until(lambda: player._output.is_open)


def test_a_player_that_rests_is_not_stuck(player: SoundPlayer, audio: Path) -> None:
    playout = held(player, audio)
    until(lambda: player._output.is_open)
    playout.stop()
    until(lambda: not player._output.is_open)
    since = time.monotonic()
    until(lambda: time.monotonic() - since > 3 * sound_player.STUCK_SECONDS)
    assert not player.stuck
    assert playout.moving(utc_now()) is None
    held(player, audio, "b2")
    until(lambda: player._output.is_open)


@pytest.mark.parametrize("act", ["open", "start", "active", "close", "terminate", "initialize"])
def test_what_the_library_raises_and_nobody_foresaw_does_not_end_the_player(
    player: SoundPlayer, library: Library, audio: Path, act: str, caplog: pytest.LogCaptureFixture
) -> None:
    library.ill[act] = RuntimeError("something unforeseen")
    playout = held(player, audio)
    until(lambda: "something unforeseen" in caplog.text)
    assert any(record.exc_info for record in caplog.records), "where it was is told"
    until(lambda: reason(player) is Reason.AUDIO_DEVICE)
    assert not player.stuck
    assert (moving := playout.moving(utc_now()))
    assert moving.excused
    library.ill.clear()
    asked = len(library.asked)
    until(lambda: "initialize" in library.asked[asked:] and player._output.is_open)


def test_a_decoder_that_raises_what_nobody_foresaw_spoils_its_own_take_only(
    player: SoundPlayer, audio: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def reading(*_: object) -> None:
        raise RuntimeError("a decoder's own")

    with monkeypatch.context() as patch:
        patch.setattr(Source, "read", reading)
        held(player, audio)
        until(lambda: reason(player) is Reason.BAD_AUDIO)
    assert "a decoder's own" in caplog.text
    player.prime(Take("b2", audio, utc_now()))
    until(lambda: (voice := player._takes.console.on) and voice.ready)
    assert not player.stuck


def test_a_file_player_whose_thread_died_is_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player = FilePlayer(tmp_path / "out.wav", utc_now)
    assert not player.stuck
    monkeypatch.setattr(player, "_work", lambda: None)
    player.prime(Take("b1", tmp_path / "a.wav", utc_now()))
    until(lambda: player.stuck)
    player.close()
    assert not player.stuck


def test_a_node_whose_player_is_stuck_gives_up_and_blames_no_audio(tmp_path: Path) -> None:
    radio = Radio(tmp_path)
    radio.plan(make_job("b1", after(5)))
    radio.start()
    radio.run(5.5, step=0.5)
    radio.player.device_ok, radio.player.stuck, radio.player.fails = False, True, Reason.AUDIO_DEVICE

    class Hurried(threading.Event):
        def is_set(self) -> bool:
            radio.hand.turn(1.0)
            return False

    assert radio.agent.run(Hurried()) == BROKEN_EXIT
    assert radio.agent.lives.hand._top == ""
