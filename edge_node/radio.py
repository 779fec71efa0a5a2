"""The node as a program: the concretes wired together, started, and ended by a signal.

- The one file of the node that names which link, player and cache are used.
- `check` tells an installer under the pole, in sentences, what works and what does not.
"""

from __future__ import annotations

import importlib.util
import logging
import shutil
import signal
import socket
import sqlite3
import threading
from pathlib import Path

from edge_node import disk, identity
from edge_node.agent import Agent
from edge_node.cache import Cache
from edge_node.own_voice import OwnVoice
from edge_node.players.player import Player
from edge_node.report import Self
from edge_node.settings import Settings, SettingsError
from edge_node.tuner.receiver import Tuner
from edge_node.wallclock import Wallclock
from schedules import moments
from wire.mqtt import MqttLink, Options, Tls
from words import Said, say

log = logging.getLogger("loa.node")

KEEPALIVE_SECONDS = 30
LIBRARIES = {"sound": ("numpy", "soundfile", "sounddevice"), "file": ("numpy", "soundfile"), "null": ()}


def run(settings: Settings) -> int:
    """Be a node until SIGTERM or SIGINT. The exit code: 0, or `restart.RESTART_EXIT`. Raises Said."""
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    clock = wallclock(settings)
    link = make_link(settings, clock)
    agent = make_agent(settings, link, clock)

    def end(*_: object) -> None:
        stop.set()
        link.wake()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return agent.run(stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_agent(settings: Settings, link: MqttLink, clock: Wallclock) -> Agent:
    """A node with the player and cache that ``settings`` ask for. Raises Said when its folder cannot be used."""
    try:
        cache = Cache(settings.state_dir / "audio", on_ready=link.wake)
        return Agent(settings, link, player(settings, clock), cache, clock)
    except (OSError, sqlite3.Error) as wrong:
        raise SettingsError("node.state_unusable", path=settings.state_dir, why=wrong) from wrong


def wallclock(settings: Settings) -> Wallclock:
    """The node's clock."""
    return Wallclock(settings.state_dir / "clock", trusted=settings.clock == "trust")


def make_link(settings: Settings, clock: Wallclock) -> MqttLink:
    """The link, not yet started; its will says that this node is offline. Raises SettingsError for a bad CA file."""
    options = Options(keepalive=KEEPALIVE_SECONDS)
    if settings.broker_user:
        options["username"], options["password"] = settings.broker_user, settings.broker_password
    if settings.broker_ca:
        options["tls"] = Tls(ca_certs=settings.broker_ca)
    will = Self(settings.node).will(clock.now())
    try:
        return MqttLink(settings.node, settings.broker_host, settings.broker_port, will=will, **options)
    except OSError as wrong:
        raise SettingsError("node.bad_ca", path=settings.broker_ca, why=wrong.strerror or wrong) from wrong


def player(settings: Settings, clock: Wallclock) -> Player:
    """The player that ``settings`` name; its libraries are only imported when it first sounds.

    Raises ModuleNotFoundError at once when one of them is not installed.
    """
    for library in LIBRARIES[settings.player]:
        if importlib.util.find_spec(library) is None:
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)
    tuner = Tuner(settings.private_relays)
    if settings.player == "file":
        from edge_node.players.file_player import FilePlayer

        return FilePlayer(settings.wav, clock.now, fast=settings.fast, tuner=tuner)
    if settings.player == "null":
        from edge_node.players.null_player import NullPlayer

        return NullPlayer(clock.now)
    from edge_node.players.sound_player import SoundPlayer

    return SoundPlayer(clock.now, device=settings.sound_device, tuner=tuner)


def check(settings: Settings, language: str) -> tuple[list[str], bool]:
    """One sentence for each thing a node needs, and whether all of them work."""
    found = [_clock(settings), _disk(settings), _key(settings), _broker(settings), _device(settings), _audio(settings)]
    found += [_relays(), _voice(settings)]
    return [say(key, language, **facts) for _, key, facts in found], all(good for good, _, _ in found)


Finding = tuple[bool, str, dict[str, object]]


def _clock(settings: Settings) -> Finding:
    clock = wallclock(settings)
    if clock.known():
        here = moments.local(clock.now(), moments.DEFAULT_ZONE)
        return True, "node.check_clock_known", {"time": f"{here:%H:%M:%S %d/%m/%Y}"}
    return False, "node.check_clock_unknown", {}


def _disk(settings: Settings) -> Finding:
    probe = settings.state_dir / "probe"
    try:
        disk.write(probe, b"x")
        disk.remove(probe)
        free = shutil.disk_usage(settings.state_dir).free // 1_000_000
    except OSError as wrong:
        return False, "node.check_disk_bad", {"path": settings.state_dir, "why": wrong}
    return True, "node.check_disk_ok", {"path": settings.state_dir, "free": free}


def _key(settings: Settings) -> Finding:
    try:
        signer = identity.load_or_make(settings.state_dir / "node.key")
    except (Said, OSError) as wrong:
        return False, "node.check_key_bad", {"why": wrong}
    return True, "node.check_key", {"public": signer.public.hex}


def _broker(settings: Settings) -> Finding:
    facts: dict[str, object] = {"host": settings.broker_host, "port": settings.broker_port}
    try:
        socket.create_connection((settings.broker_host, settings.broker_port), timeout=5).close()
    except OSError as wrong:
        return False, "node.check_broker_bad", {**facts, "why": wrong}
    return True, "node.check_broker_ok", facts


def _device(settings: Settings) -> Finding:
    if settings.player != "sound":
        return True, "node.check_device_ok", {"device": settings.wav if settings.player == "file" else settings.player}
    named = settings.sound_device or "default"
    try:
        import sounddevice  # what the sound player needs, and the system's PortAudio with it
    except (ImportError, OSError) as wrong:
        return False, "node.check_device_bad", {"device": named, "why": wrong}
    try:
        device = sounddevice.query_devices(settings.sound_device or None, "output")
    except (ValueError, sounddevice.PortAudioError) as wrong:
        return False, "node.check_device_bad", {"device": named, "why": wrong}
    return True, "node.check_device_ok", {"device": device["name"]}


def _audio(settings: Settings) -> Finding:
    folder: Path = settings.state_dir / "audio"
    files = sum(1 for path in folder.glob("*") if path.is_file()) if folder.is_dir() else 0
    return True, "node.check_audio_ok" if files else "node.check_audio_none", {"files": files, "path": folder}


def _relays() -> Finding:
    """A node that is asked for no relay needs no decoder: without one nothing is wrong yet."""
    return True, "node.check_relay_ok" if Tuner().works else "node.check_relay_none", {}


def _voice(settings: Settings) -> Finding:
    """A node without a voice still sounds what it is sent; it only cannot speak an emergency itself."""
    works = OwnVoice(settings.voice, settings.voice_wpm).works
    return True, "node.check_voice_ok" if works else "node.check_voice_none", {}
