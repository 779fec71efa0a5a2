"""Updating, as the agent sees it: the release meant for this node, its bundle, free air, and signs of life on trial.

- Installs nothing: when the bundle is here and the air is free for long it asks the root-owned updater, by the
  statement itself in a file; and lets it restart the node by a lease of seconds, renewed while the air stays free.
- What the updater does it reads in the updater's own state; it writes nothing there and could not.
- On trial it says every few seconds that it lives, and after a long enough walk without a fault that it is well. While
  the other version's trial waits for its restart it says that it is still there.
- A disk that cannot be written to stops no walk: then there is no request, no lease and no sign.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from edge_node.cache import Cache
from edge_node.releases import choice, progress, signs, statement
from edge_node.releases.progress import TRIED, Phase, Progress
from edge_node.report import BOOT_ID, version
from edge_node.settings import Settings
from edge_node.wallclock import Wallclock
from schedules.docket import Situation
from schedules.free_air import free_until
from wire import codec
from wire.config import NodeConfig
from wire.plan import Asset, Job
from wire.release import Hitch, Update, UpdateState
from wire.roots import RootSet

log = logging.getLogger("loa.node.update")

TO_BEGIN = timedelta(minutes=15)  # free air before another environment is made: that takes disk and processor
TO_SWITCH = timedelta(minutes=5)  # before the restart: room for a version that does not start, and for the way back
LEASE_SECONDS = 15.0
LOOK_SECONDS = 2.0
ASK_SECONDS, ASK_AGAIN_SECONDS = 900.0, 120.0  # between two requests to make one, and to switch to what is made

WANTING = (UpdateState.FETCHING, UpdateState.WAITING, UpdateState.BUILDING)


@dataclass(frozen=True)
class Walk:
    """How the walk is, told at every look."""

    connected: bool  # to the broker
    sound: bool  # trust, config and loudspeaker are here, the ledger is whole, no death has left a mark
    planned: Mapping[str, Job]  # all that the plans hold
    roots: RootSet | None = None  # in force; None: as they were
    busy: bool = False  # in safe mode, and not for long enough: nothing is fetched nor asked for


class Updating:
    """``environment``: where this program runs from; beside it lie the other one and the updater's state."""

    def __init__(self, settings: Settings, cache: Cache, clock: Wallclock, environment: Path | None = None) -> None:
        environment = (environment or Path(sys.prefix)).resolve()
        self._prefix, self._name = environment.parent, environment.name
        self._folder = settings.state_dir / signs.FOLDER
        self._cache, self._clock = cache, clock
        self._here, self._roots = statement.here(version()), settings.roots
        self._boot = signs.boot()
        self._config: NodeConfig | None = None
        self._meant = choice.Meant()
        self._state: Progress | None = None
        self._told: Update | None = None
        self._looked = self._beaten = self._asked = float("-inf")
        self._leased = self._said_free = self._busy = False
        self._well_since: float | None = None
        self._forget(signs.LEASE)  # of the run before

    @property
    def bundle(self) -> list[Asset]:
        """What is to be fetched for it, after everything else. Nothing while the walk is busy."""
        wanted = self._told is not None and self._told.state in WANTING and not self._busy
        return [self._meant.release.bundle()] if self._meant.release and wanted else []

    @property
    def told(self) -> Update | None:
        """How far it has come, for health; None when no release is named for this machine."""
        return self._told

    def begin(self) -> None:
        """On trial: a first sign, before anything is taken up that this process may die of: so starts are counted."""
        state = self._read()
        if state and self._on_trial(state):
            self._beat(state, self._clock.monotonic(), free=False)

    def look(self, situation: Situation, config: NodeConfig | None, walk: Walk) -> None:
        """Judge what the config names; every few seconds ask, lease, or give a sign. Asked after every decision."""
        mono = self._clock.monotonic()
        self._busy, well = walk.busy, walk.sound and walk.connected
        self._well_since = (self._well_since if self._well_since is not None else mono) if well else None
        if situation.on_air is not None or walk.busy:
            self._air_is_taken()
        if mono < self._looked + LOOK_SECONDS and config is self._config:
            return
        self._looked = mono
        if config is not self._config or walk.roots not in (None, self._roots):
            self._config, self._roots = config, walk.roots or self._roots
            self._meant = choice.meant(config.releases if config else (), self._roots, self._here)
        free = None if walk.busy else free_until(situation, walk.planned.values(), TO_BEGIN)
        self._state = self._read()
        self._told = self._stand(situation.now, free)
        if self._state and self._on_trial(self._state):
            self._ask(mono, ASK_SECONDS)  # should nobody watch the trial any more
        else:
            self._serve(mono, situation.now, free)
        if self._state and self._state.phase in TRIED:
            self._beat(self._state, mono, _lasts(free, situation.now, TO_SWITCH))

    def _air_is_taken(self) -> None:
        """Whatever was said of free air is taken back at once."""
        if self._leased:
            self._forget(signs.LEASE)
        if self._said_free:
            self._looked = self._beaten = float("-inf")

    def _stand(self, now: datetime, free: datetime | None) -> Update | None:
        release = self._meant.release
        if release is None:
            return self._meant.refused
        found = choice.standing(release, self._state, self._here, now)
        if found.state != UpdateState.FETCHING or self._cache.ready(release.bundle()) is None:
            return found
        why = found.reason or ("" if _lasts(free, now, TO_BEGIN) else Hitch.AIR_TAKEN.value)
        why = Hitch.NO_UPDATER.value if self._state is None else why
        return msgspec.structs.replace(found, state=UpdateState.WAITING, reason=why)

    def _serve(self, mono: float, now: datetime, free: datetime | None) -> None:
        """Ask the updater for what is to be done next, and let it restart the node while the air is free."""
        state = self._state
        switching = state is not None and state.phase in (Phase.BUILT, Phase.TRIAL)
        if switching and _lasts(free, now, TO_SWITCH):
            self._leased = self._say(signs.LEASE, codec.write(signs.Lease(self._boot, mono + LEASE_SECONDS)))
        elif self._leased:
            self._forget(signs.LEASE)
        room, pause = (TO_SWITCH, ASK_AGAIN_SECONDS) if switching else (TO_BEGIN, ASK_SECONDS)
        if state is not None and self._is_next() and _lasts(free, now, room):
            self._ask(mono, pause)

    def _is_next(self) -> bool:
        """Whether the updater has something to do. One that is at work does not hear it; one that was cut off does."""
        told, release = self._told, self._meant.release
        if told is None or release is None:
            return False
        made = self._cache.ready(release.bundle()) is not None and told.state in WANTING
        return made or told.state == UpdateState.READY

    def _ask(self, mono: float, pause: float) -> None:
        if mono >= self._asked + pause and self._meant.release:
            self._asked = mono
            log.info("asking version=%s serial=%d", self._meant.release.version, self._meant.release.serial)
            self._say(signs.REQUEST, self._meant.raw)

    def _on_trial(self, state: Progress) -> bool:
        return state.phase in TRIED and state.target == self._name

    def _beat(self, state: Progress, mono: float, free: bool) -> None:
        if mono < self._beaten + state.beat_seconds:
            return
        self._beaten, self._said_free = mono, free
        well = self._well_since is not None and mono - self._well_since >= state.healthy_seconds
        sign = signs.Sign(self._name, BOOT_ID, self._boot, mono, well, free)
        self._say(signs.SIGN, codec.write(sign))

    def _read(self) -> Progress | None:
        """What the updater says; None when there is none on this machine."""
        if not progress.place(self._prefix).exists():
            return None
        try:
            return progress.load(self._prefix)
        except (OSError, codec.Malformed, codec.TooBig):
            return None

    def _say(self, name: str, content: bytes) -> bool:
        """Replaced whole, not flushed: what it says is worth nothing after a power cut."""
        aside = self._folder / f".{name}.new"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            aside.write_bytes(content)
            aside.replace(self._folder / name)
        except OSError as wrong:
            log.warning("not_said file=%s why=%s", name, wrong)
            return False
        return True

    def _forget(self, name: str) -> None:
        self._leased = self._leased and name != signs.LEASE
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as wrong:
            log.warning("not_taken_back file=%s why=%s", name, wrong)


def _lasts(free: datetime | None, now: datetime, least: timedelta) -> bool:
    return free is not None and free - now >= least
