"""The node as a program: the concretes wired together, started, and ended by a signal.

- The one file of the node that names which link, player and cache are used.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import logging
import os
import signal
import sqlite3
import threading
from pathlib import Path

from edge_node import disk
from edge_node.agent import Agent
from edge_node.badge import KEY_FILES, Badge
from edge_node.cache import Cache
from edge_node.keep import Keep
from edge_node.meter import Meter
from edge_node.players.player import Player
from edge_node.report import Self
from edge_node.settings import Settings, SettingsError, tls_fault
from edge_node.tuner.receiver import Tuner
from edge_node.wallclock import Wallclock
from edge_node.watchdog import BROKEN_EXIT
from wire.mqtt import MqttLink, Options, Tls, context, tls
from words import discretion

log = logging.getLogger("loa.node")

KEEPALIVE_SECONDS = 30
RUNNING = "running"  # a file in the state folder that a running node holds
LIBRARIES = {"sound": ("numpy", "soundfile", "sounddevice"), "file": ("numpy", "soundfile"), "null": ()}


def run(settings: Settings) -> int:
    """Be a node until SIGTERM or SIGINT. The exit code: 0, or `restart.RESTART_EXIT`. Raises Said.

    A node beyond repair ends the process at once, with `watchdog.BROKEN_EXIT`.
    """
    discretion.start_log(settings.log_level.upper(), (settings.broker_password,))
    discretion.leave_no_core()
    stop = threading.Event()
    clock = wallclock(settings)
    close_keys(settings)
    link = make_link(settings, clock)
    agent = make_agent(settings, link, clock)

    def end(*_: object) -> None:
        stop.set()
        link.wake()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    faulthandler.enable()  # the watchdog ends a walk that hangs with SIGABRT: then the journal shows where it hung
    try:
        with disk.held(settings.state_dir / RUNNING) as mine:
            if not mine:
                log.warning("state_shared folder=%s", settings.state_dir)
            code = agent.run(stop)
        if code == BROKEN_EXIT:  # what hangs may hang the way out too
            logging.shutdown()
            os._exit(code)
        return code
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_agent(settings: Settings, link: MqttLink, clock: Wallclock) -> Agent:
    """A node with the player and cache that ``settings`` ask for. Raises Said when its folder cannot be used."""
    try:
        meter = Meter(settings.state_dir / "data_used")
        cache = Cache(settings.state_dir / "audio", on_ready=link.wake, meter=meter)
        return Agent(settings, link, player(settings, clock, meter), cache, clock)
    except (OSError, sqlite3.Error) as wrong:
        raise SettingsError("node.state_unusable", path=settings.state_dir, why=wrong) from wrong


def close_keys(settings: Settings) -> None:
    """Close the keys that lie open, where the settings say under what. Raises keep.Sealed."""
    own = [settings.state_dir / name for name in ("node.key", *KEY_FILES)]
    named = [Path(settings.broker_key)] if settings.broker_key else []
    for path in Keep(settings).close_all(dict.fromkeys([*own, *named])):
        log.info("key_sealed path=%s", path)


def wallclock(settings: Settings) -> Wallclock:
    """The node's clock."""
    return Wallclock(settings.state_dir / "clock", trusted=settings.clock == "trust")


def make_link(settings: Settings, clock: Wallclock) -> MqttLink:
    """The link, not yet started; its will says that this node is offline. Raises SettingsError for a bad TLS file."""
    options = Options(keepalive=KEEPALIVE_SECONDS)
    if settings.broker_user:
        options["username"], options["password"] = settings.broker_user, settings.broker_password
    if settings.broker_ca:
        files, badge = tls(settings.broker_ca, settings.broker_cert, settings.broker_key), Badge(settings)
        files["opened"] = badge.keep.opened
        if not settings.broker_cert:
            options["tls"] = files
        elif badge.is_renewed or _usable(settings, files):
            options["credentials"] = badge
        options["clock_known"] = lambda: clock.was_known
    will = Self(settings.node).will(clock.now())
    try:
        return MqttLink(settings.node, settings.broker_host, settings.broker_port, will=will, **options)
    except OSError as wrong:
        raise tls_fault(settings, wrong) from wrong


def _usable(settings: Settings, files: Tls) -> bool:
    """True. Raises SettingsError for files that are not."""
    try:
        context(files)
    except OSError as wrong:
        raise tls_fault(settings, wrong) from wrong
    return True


def player(settings: Settings, clock: Wallclock, meter: Meter | None = None) -> Player:
    """The player that ``settings`` name; its libraries are only imported when it first sounds. ``meter``: of relays.

    Raises ModuleNotFoundError at once when one of them is not installed.
    """
    for library in LIBRARIES[settings.player]:
        if importlib.util.find_spec(library) is None:
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)
    tuner = Tuner(settings.private_relays, meter=meter)
    if settings.player == "file":
        from edge_node.players.file_player import FilePlayer

        return FilePlayer(settings.wav, clock.now, fast=settings.fast, tuner=tuner)
    if settings.player == "null":
        from edge_node.players.null_player import NullPlayer

        return NullPlayer(clock.now)
    from edge_node.players.sound_player import SoundPlayer

    return SoundPlayer(clock.now, device=settings.sound_device, tuner=tuner)
