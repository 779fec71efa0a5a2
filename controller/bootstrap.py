"""The station put together: which store, link, studio and web are used, started in order, stopped in reverse.

- The one file of the controller that names the concretes. A process is the web, the station, or both.
- Only a process with the station runs ticks; there is one such process for a database.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from controller import clock
from controller.clock import Clock, Tick
from controller.desk import Desk, OwnApproval
from controller.keys import Keyring
from controller.newsroom import has_words, spoken
from controller.settings import Settings, SettingsError
from controller.station import Station
from controller.store import Store
from controller.studio import Archive, Shelf, Studio, Style, make_chain
from controller.studio.peaks import Outlines
from controller.studio.sampling import Sampler
from controller.transmitter import Transmitter
from controller.web import Window, create_app
from controller.web.server import Server, serve
from wire.link import Link
from wire.mqtt import MqttLink, Options, Tls

log = logging.getLogger("loa.controller")

LINK_NAME = "loa-station"
KEEPALIVE_SECONDS = 20


def open_store(settings: Settings) -> Store:
    """The store, its shape brought up to date. Raises StoreError (from the future, not reachable …), SettingsError."""
    try:
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as wrong:
        raise SettingsError("settings.state_unusable", path=settings.state_dir, why=wrong.strerror or wrong) from wrong
    store = Store(settings.store_url, settings.relays)
    store.migrate()
    return store


def make_desk(settings: Settings, store: Store, bell: Callable[[], None] = lambda: None) -> Desk:
    """The desk over ``store``; ``bell`` tells a station in this process, any other finds the wish by itself."""
    return Desk(store, settings.zone, bell, settings.quiet, OwnApproval(settings.own_approval))


def make_studio(settings: Settings) -> Studio:
    """The studio with the voices that ``settings`` name. Raises VoiceError, ShelfError."""
    chain, archive = make_chain(settings.voice_chain, settings.voices_dir), Archive(settings.recordings_dir)
    return Studio(Shelf(settings.shelf_dir), chain, settings.state_dir / "studio", style_of(settings), archive)


def make_sampler(settings: Settings) -> Sampler:
    """For the web: one sentence as the studio would make it. Raises VoiceError for a voice that is none."""
    chain = make_chain(settings.voice_chain, settings.voices_dir)
    return Sampler(chain, style_of(settings), settings.state_dir / "samples")


def style_of(settings: Settings) -> Style:
    """How everything of this station sounds; its own words are read as any text is."""
    return Style(
        opening=_around(settings.opening, settings),
        closing=_around(settings.closing, settings),
        preset=settings.sound_preset,
        gap_ms=settings.repeat_gap_ms,
        lead_in_ms=settings.lead_in_ms,
    )


def _around(words: str, settings: Settings) -> str:
    written = words.replace("{station}", settings.station_name)
    return spoken(written).text.strip() if has_words(written) else ""


def make_link(settings: Settings) -> MqttLink:
    """The station's link, not yet started. The broker keeps nothing for it: what matters is said again.

    Raises SettingsError for a CA file that cannot be used.
    """
    options = Options(keepalive=KEEPALIVE_SECONDS, clean=True)
    if settings.broker_user:
        options["username"], options["password"] = settings.broker_user, settings.broker_password
    if settings.broker_ca:
        options["tls"] = Tls(ca_certs=settings.broker_ca)
    try:
        return MqttLink(LINK_NAME, settings.broker_host, settings.broker_port, **options)
    except OSError as wrong:
        raise SettingsError("settings.bad_ca", path=settings.broker_ca, why=wrong.strerror or wrong) from wrong


def make_station(settings: Settings, store: Store, link: Link) -> Station:
    """The station over ``store`` and ``link``. Raises KeyTrouble, VoiceError, ShelfError."""
    transmitter = Transmitter(store, link, Keyring(settings.keys_dir).station(), settings)
    return Station(store, link, make_studio(settings), transmitter, settings)


def ticks(station: Station) -> list[Tick]:
    """The station's table: what is done, how often, and what a new wish brings forward."""
    return [
        Tick("voice emergencies", 0.25, station.voice_emergencies, on_bell=True),
        Tick("voice", 0.5, station.voice, on_bell=True),
        Tick("plan", 0.25, station.plan, on_bell=True),
        Tick("enrol", 1.0, station.enrol),
        Tick("hear", 0.1, station.hear),
        Tick("sweep", 10.0, station.sweep),
        Tick("lapse", 10.0, station.lapse),
        Tick("settle", 15.0, station.settle),
        Tick("stand by", 60.0, station.stand_by),
    ]


def make_clock(station: Station) -> Clock:
    """The station's metronome, not yet started; what the station itself changed rings its bell too."""
    clock = Clock(ticks(station))
    station.bell = clock.ring
    return clock


@dataclass(frozen=True)
class Running:
    """What was started. ``first_link``: the way in for the first administrator, empty when there is somebody."""

    server: Server | None
    station: Station | None
    first_link: str
    _started: ExitStack

    def stop(self) -> None:
        """Stop everything, the last started first. Idempotent."""
        self._started.close()


def start(settings: Settings, *, web: bool = True, station: bool = True) -> Running:
    """Start this process's part of the controller. What cannot start leaves nothing behind.

    Raises Said: a sentence about the store, the keys, the voices, the port or the settings.
    """
    with ExitStack() as begun:
        store = open_store(settings)
        begun.callback(store.close)
        if station:
            begun.callback(store.claim_station())
        works = make_station(settings, store, make_link(settings)) if station else None
        metronome = make_clock(works) if works else None
        server, first_token = None, ""
        if web:
            first_token = secrets.token_urlsafe(24) if store.people.count() == 0 else ""
            desk = make_desk(settings, store, metronome.ring if metronome else lambda: None)
            window = Window(
                *(desk, store, settings.shelf_dir, settings, clock.now, _beat(works), first_token),
                sampler=make_sampler(settings),
                outlines=Outlines(settings.state_dir / "outlines"),
                archive=Archive(settings.recordings_dir),
                broker=works.link.connected if works else lambda: None,
            )
            server = serve(create_app(window), settings.web_host, settings.web_port)
            begun.callback(server.stop)
        if works and metronome:
            works.start(clock.now())
            begun.callback(works.stop)
            metronome.start()
            begun.callback(metronome.stop)
        link = f"{settings.web_url(server.port)}/chao/{first_token}" if server and first_token else ""
        return Running(server, works, link, begun.pop_all())


def _beat(station: Station | None) -> Callable[[], datetime | None]:
    return lambda: station.heartbeat if station else None
