"""The station put together: which store, link, studio and web are used, started in order, stopped in reverse.

- The one file of the controller that names the concretes. A process is the web, the station, or both.
- Only a process with the station runs ticks; there is one such process for a database.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import cage
from controller import clock, keyring, setting_changes, succession, web_certificates
from controller.clock import Clock, Tick
from controller.cosigning import Cosigning
from controller.desk import Desk, OwnApproval, ProofRules, SecondFactor
from controller.gauges import Gauges, Inside
from controller.guestlist import Guestlist
from controller.newsroom import has_words, spoken
from controller.reception import Reception
from controller.renewals import Renewals
from controller.safe import Safe
from controller.setting_origins import Origins
from controller.settings import Settings, SettingsError
from controller.station import Station
from controller.store import Store
from controller.studio import Archive, Shelf, Studio, Style, make_chain
from controller.studio.peaks import Outlines
from controller.studio.sampling import Sampler
from controller.transmitter import Transmitter
from controller.vault import Lockbox
from wire.link import Link
from wire.mqtt import MqttLink, Options, tls

if TYPE_CHECKING:  # a process without the web, each `loa` that asks the store among them, begins in half the time
    from controller.web import Window
    from controller.web.server import Server

log = logging.getLogger("loa.controller")

LINK_NAME = "loa-station"
KEEPALIVE_SECONDS = 20

FIRST_LINK = timedelta(hours=24)  # the next start prints another


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
    desk = Desk(store, settings.zone, bell, settings.quiet, OwnApproval(settings.own_approval))
    desk.second = Cosigning(store, keyring.of(settings))
    desk.alert_senders = frozenset(settings.cap_senders)
    return desk.proving_by(proof_rules(settings))


def proof_rules(settings: Settings) -> ProofRules:
    """How people prove who they are; the key that locks their secrets is made when it is first needed."""
    fresh_for = timedelta(minutes=settings.step_up_minutes)
    return ProofRules(fresh_for, SecondFactor(settings.second_factor), Lockbox(settings.keys_dir))


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
        files = tls(settings.broker_ca, settings.broker_cert, settings.broker_key)
        options["tls"] = files | {"opened": Safe(settings.keys_dir).opened}
    try:
        return MqttLink(LINK_NAME, settings.broker_host, settings.broker_port, **options)
    except OSError as wrong:
        raise SettingsError("settings.bad_ca", path=settings.broker_ca, why=wrong.strerror or wrong) from wrong


def make_station(settings: Settings, store: Store, link: Link) -> Station:
    """The station over ``store`` and ``link``. Raises KeyTrouble, TokenTrouble, VoiceError, ShelfError."""
    ring = keyring.of(settings)
    if succession.finish(ring, store):
        log.warning("finished_key_change key=%s: it was cut before the new key was taken", ring.station().public.id)
    transmitter = Transmitter(store, link, ring.station(), settings)
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
        Tick("work over", 5.0, station.work_over),
        Tick("judge", 5.0, station.judge),
        Tick("add up", 60.0, station.add_up),
        Tick("stand by", 60.0, station.stand_by),
        Tick("evict", 5.0, station.evict),
        Tick("certify", 600.0, station.certify),
        Tick("testify", 300.0, station.testify),
        Tick("publish days", 600.0, station.publish_days),
    ]


def make_clock(station: Station) -> Clock:
    """The station's metronome, not yet started; what the station itself changed rings its bell too."""
    clock = Clock(ticks(station))
    station.bell, station.late = clock.ring, clock.late
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


def start(settings: Settings, *, web: bool = True, station: bool = True, origins: Origins | None = None) -> Running:
    """Start this process's part of the controller. What cannot start leaves nothing behind.

    ``origins``: where the settings come from, None where they were put together.
    Raises Said: a sentence about the store, the keys, the voices, the port or the settings.
    """
    cage.protection()  # says in the log how what decodes is kept apart
    Safe(settings.keys_dir).check()  # whoever must type a passphrase does it first
    with ExitStack() as begun:
        store = open_store(settings)
        begun.callback(store.close)
        if station:
            begun.callback(store.claim_station())
        part = ("controller" if web else "station") if station else "web"
        setting_changes.note(store, settings, part, Lockbox(settings.keys_dir).mark, clock.now())
        works = make_station(settings, store, make_link(settings)) if station else None
        metronome = make_clock(works) if works else None
        server, first_key = None, None
        if web:
            until = clock.now() + FIRST_LINK
            first_key = (secrets.token_urlsafe(24), until) if store.people.count() == 0 else None
            desk = make_desk(settings, store, metronome.ring if metronome else lambda: None)
            begun.callback(lambda: desk.turned_away.close(clock.now()))
            server = _open_web(settings, replace(_window(settings, store, desk, works, first_key), origins=origins))
            begun.callback(server.stop)
        if works and metronome:
            works.start(clock.now())
            begun.callback(works.stop)
            metronome.start()
            begun.callback(metronome.stop)
        link = f"{settings.web_url(server.port)}/chao/{first_key[0]}" if server and first_key else ""
        return Running(server, works, link, begun.pop_all())


def _open_web(settings: Settings, window: Window) -> Server:
    """The pages, answering. Raises Said where the port is taken."""
    from controller.web import create_app
    from controller.web.server import serve

    papers = (lambda: web_papers(settings)) if settings.web_secure else None
    return serve(create_app(window), settings.web_host, settings.web_port, papers=papers)


def _window(
    settings: Settings, store: Store, desk: Desk, works: Station | None, first_key: tuple[str, datetime] | None
) -> Window:
    from controller.web import Window

    sampler = make_sampler(settings)
    gauges = Gauges(settings, store, _inside(works) if works else Inside(sampler.voices))
    return Window(
        *(desk, store, settings.shelf_dir, settings, clock.now, _beat(works), first_key),
        sampler=sampler,
        condition=gauges.condition,
        outlines=Outlines(settings.state_dir / "outlines"),
        archive=Archive(settings.recordings_dir),
        broker=works.link.connected if works else lambda: None,
        roots=keyring.of(settings).roots,
        receive=make_reception(settings, store).receive,
        renew=Renewals(store, settings).receive,
        ending=Guestlist(store, settings).ending,
    )


def web_papers(settings: Settings) -> tuple[Path, Path | None]:
    """The files of the web's certificate: what was given, or the station's own, renewed in time. Raises KeyTrouble."""
    if settings.web_certificate:
        return Path(settings.web_certificate), Path(settings.web_key)
    return web_certificates.keep(settings, clock.now()), None


def make_reception(settings: Settings, store: Store) -> Reception:
    """Where nodes are let in by a one-time code."""
    return Reception(store, settings)


def _inside(works: Station) -> Inside:
    """What the station of this process knows of itself, from now on."""
    heard = _beat(works), works.link.connected, works.listening_since
    return Inside(works.studio.voices, True, clock.now(), *heard)


def make_gauges(settings: Settings, store: Store) -> Gauges:
    """What reads the station's parts from another process. Raises VoiceError for a voice that is none."""
    chain = make_chain(settings.voice_chain, settings.voices_dir)
    return Gauges(settings, store, Inside(chain.states))


def _beat(station: Station | None) -> Callable[[], datetime | None]:
    return lambda: station.heartbeat if station else None
