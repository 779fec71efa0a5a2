"""The updater: `loa node update`, a root-owned program that makes one step after another and survives a cut at any.

- Trusts nothing of the agent's user: the seal is checked against the root keys of the root-owned settings, the bundle
  is copied while it is hashed, and what is asked for is judged anew.
- Runs from ``steady``, the version that was proven last: what goes back is never the version on trial.
- Each phase is on the disk before it begins, and each can be begun again. Whatever phase it finds, it ends it.
- Never during air time: it switches only while the agent's lease holds, asked once more after each write, the last time
  right before the restart. The way back from a version that gives no sign of life waits for nobody.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from edge_node.releases import bundle, environment, foreign, progress, rooting, signs, statement, trial
from edge_node.releases.environment import CURRENT, STEADY, NotMade, Person
from edge_node.releases.machine import Machine
from edge_node.releases.progress import Phase, Progress
from edge_node.settings import Settings
from wire import codec
from wire.release import MOST_STATEMENT_BYTES, Hitch, Release
from words import Said

log = logging.getLogger("loa.node.update")

RESERVE_BYTES = 100_000_000  # stays free for the node's own ledger and audio
POSTPONED = (Hitch.NO_BUNDLE, Hitch.DISK_FULL)


class NoPrefix(Said):
    """The folder of the environments is not as an update needs it."""


@dataclass(frozen=True)
class Place:
    """Where the updater works: ``config`` is the node's settings file, ``prefix`` the folder of the environments."""

    prefix: Path
    config: Path
    settings: Settings
    version: str  # of the program that is the updater: the one that is proven

    @property
    def work(self) -> Path:
        """Where a bundle is unpacked."""
        return self.prefix / progress.FOLDER / "work"


@dataclass(frozen=True)
class Works:
    """The steps that take long, so that a test can do without them."""

    build: Callable[[Path, Path], None] = environment.build
    prove: Callable[[Path, str, Path, Person], None] = environment.prove


class Updater:
    """One pass. Everything it knows lies in the folder."""

    def __init__(self, place: Place, machine: Machine, pace: trial.Pace, works: Works | None = None) -> None:
        """Raises OSError, ValueError when ``place`` has no link `current` to a or b."""
        self._place, self._machine, self._pace = place, machine, pace
        self._works = works or Works()
        self._prefix, self._home = place.prefix, place.settings.state_dir
        environment.led_to(self._prefix, CURRENT)

    def run(self, now: datetime) -> None:
        """Finish what was begun, then do what is asked for, if it may be done. Raises OSError."""
        held = self._held()
        if held.phase is Phase.TRIAL and environment.led_to(self._prefix, CURRENT) != held.target:
            held = self._save(replace(held, phase=Phase.BUILT))  # cut before the switch
        if held.phase is Phase.RETURNING:
            return self._return(held, Hitch(held.reason), held.detail)
        if held.phase is Phase.TRIAL:
            return self._watch(held, resumed=True)
        release = self._asked(held, now)
        if release is None:
            return None
        if not self._is_made(held, release):
            held = self._make(release)
        if held.phase is Phase.BUILT:
            self._switch(held)
        return None

    def _held(self) -> Progress:
        """The state on disk. What cannot be read is as nothing, after the way back to what is proven."""
        try:
            found = progress.load(self._prefix)
            return found if progress.place(self._prefix).exists() else self._save(found)  # says that we are here
        except (codec.Malformed, codec.TooBig) as wrong:
            log.error("update_state_spoilt why=%s", wrong)
            proven = self._proven()
            on_trial = proven != environment.led_to(self._prefix, CURRENT)
            environment.lead(self._prefix, CURRENT, proven)
            found = self._save(Progress())
            if on_trial:
                self._machine.restart()
            return found

    def _proven(self) -> str:
        """The environment that was proven last; before the first update, the one that runs."""
        return environment.led_to(self._prefix, STEADY if (self._prefix / STEADY).is_symlink() else CURRENT)

    def _asked(self, held: Progress, now: datetime) -> Release | None:
        """The release of the request; None when there is none to obey. Why not stands in the log, and in health."""
        unfinished = held.phase in (Phase.BUILDING, Phase.BUILT)
        here = statement.here(self._place.version, held.serial - 1 if unfinished else held.serial)
        try:
            raw = foreign.read(self._home, signs.FOLDER, signs.REQUEST, MOST_STATEMENT_BYTES)
            release = statement.opened(raw, rooting.roots_of(self._prefix, self._place.settings))
            statement.judge(release, here, now)
        except foreign.NotTaken as wrong:
            log.info("nothing_asked why=%s", wrong)
            return None
        except statement.Refused as wrong:
            log.warning("update_refused reason=%s detail=%s", wrong.hitch.value, wrong)
            return None
        return release

    def _is_made(self, held: Progress, release: Release) -> bool:
        """Whether the target holds the release; a machine that was set up anew by hand meanwhile may have taken it."""
        same = (held.phase, held.serial, held.sha256) == (Phase.BUILT, release.serial, release.sha256)
        return same and environment.led_to(self._prefix, CURRENT) == held.previous

    def _make(self, release: Release) -> Progress:
        """The other environment with the release in it; the state afterwards. BUILDING then means: try again."""
        previous = environment.led_to(self._prefix, CURRENT)
        told = {"serial": release.serial, "version": release.version, "sha256": release.sha256}
        begun = Progress(Phase.BUILDING, target=environment.other(previous), previous=previous, **told)  # type: ignore[arg-type]
        self._save(begun)
        log.info("building version=%s serial=%d environment=%s", release.version, release.serial, begun.target)
        environment.lead(self._prefix, STEADY, previous)
        try:
            self._build(release, self._prefix / begun.target)
        except foreign.NotTaken as wrong:
            return self._not_made(begun, Hitch.NO_BUNDLE, str(wrong))
        except bundle.BadBundle as wrong:
            return self._not_made(begun, Hitch.BAD_BUNDLE, str(wrong))
        except NotMade as wrong:
            return self._not_made(begun, Hitch.DISK_FULL if self._lacks(0) else wrong.hitch, str(wrong))
        except OSError as wrong:
            full = wrong.errno in (errno.ENOSPC, errno.EDQUOT)
            return self._not_made(begun, Hitch.DISK_FULL if full else Hitch.NOT_BUILT, str(wrong))
        finally:
            environment.remove(self._place.work)
        return self._save(replace(begun, phase=Phase.BUILT))

    def _build(self, release: Release, target: Path) -> None:
        work = self._place.work
        environment.remove(work)
        environment.remove(target)
        work.mkdir(mode=0o700, parents=True)
        self._need(2 * release.size_bytes)
        tar = work / "bundle.tar"
        foreign.copy(self._home, "audio", release.sha256, release.size_bytes, tar)
        installed = bundle.unpack(tar, release, work / "unpacked")
        tar.unlink()
        self._need(installed + installed // 2)  # compiled, it is a third more
        self._works.build(work / "unpacked", target)
        self._works.prove(target, release.version, self._place.config, self._person())

    def _need(self, size_bytes: int) -> None:
        if self._lacks(size_bytes):
            raise OSError(errno.ENOSPC, f"no room for {size_bytes} bytes")

    def _lacks(self, size_bytes: int) -> bool:
        return shutil.disk_usage(self._prefix).free < size_bytes + RESERVE_BYTES

    def _person(self) -> Person:
        """As whom the new version is tried: as the one whom the node's folder belongs to."""
        owner = self._home.stat()
        return Person(owner.st_uid, owner.st_gid) if os.geteuid() == 0 and owner.st_uid != 0 else Person()

    def _not_made(self, begun: Progress, hitch: Hitch, detail: str) -> Progress:
        log.warning("not_made version=%s reason=%s detail=%s", begun.version, hitch.value, detail)
        environment.remove(self._place.work)  # first: on a full disk what follows needs the room
        environment.remove(self._prefix / begun.target)
        phase = Phase.BUILDING if hitch in POSTPONED else Phase.FAILED
        return self._save(replace(begun, phase=phase, reason=hitch.value, detail=detail))

    def _switch(self, held: Progress) -> None:
        """Let the target run, in free air. Without any for a while it stays BUILT: the agent asks again."""
        end = self._machine.monotonic() + self._pace.lease_seconds
        held = replace(held, healthy_seconds=self._pace.healthy_seconds, beat_seconds=self._pace.beat_seconds)
        while self._machine.monotonic() < end:
            if self._may():
                trying = replace(held, phase=Phase.TRIAL, boot=self._machine.boot(), tries=1, ran=True, reason="")
                progress.keep_room(self._prefix)
                environment.keep_way(self._prefix, held.previous)
                trying = self._save(replace(trying, since=self._machine.monotonic()))
                if self._may() and self._leads_over(held):  # writing may have taken its time
                    log.info("switched environment=%s version=%s", held.target, held.version)
                    self._machine.restart()
                    return self._watch(trying, resumed=False)
                self._save(replace(held, phase=Phase.BUILT))
            self._machine.wait(self._pace.look_seconds)
        self._save(replace(held, phase=Phase.BUILT, reason=Hitch.AIR_TAKEN.value))
        return None

    def _leads_over(self, held: Progress) -> bool:
        """Whether the next process will be the target's. Led back when the air was taken meanwhile: one that starts
        for another reason is to be the proven one."""
        environment.lead(self._prefix, CURRENT, held.target)
        if self._may():
            return True
        environment.lead(self._prefix, CURRENT, held.previous)
        return False

    def _may(self) -> bool:
        lease = signs.read(signs.Lease, self._home, signs.LEASE)
        return signs.holds(lease, self._machine.boot(), self._machine.monotonic())

    def _watch(self, held: Progress, resumed: bool) -> None:
        """Wait until the target has proven itself, or go back."""
        if held.boot != self._machine.boot():
            held = replace(held, boot=self._machine.boot(), since=self._machine.monotonic(), tries=held.tries + 1)
            held, resumed = self._save(held), False
        watched = trial.Trial(held, self._pace)
        while (verdict := watched.look(self._sign(), self._machine.monotonic())) is None:
            if resumed and not watched.lives and self._may():  # cut between the switch and the restart
                held = self._save(replace(held, since=self._machine.monotonic()))
                watched = trial.Trial(held, self._pace)
                if self._may():
                    resumed = False
                    self._machine.restart()
            self._machine.wait(self._pace.look_seconds)
        if verdict.hitch:
            return self._return(held, verdict.hitch, verdict.detail)
        environment.lead(self._prefix, STEADY, held.target)
        self._save(replace(held, phase=Phase.DONE))
        log.info("proven environment=%s version=%s", held.target, held.version)
        return None

    def _sign(self) -> signs.Sign | None:
        return signs.read(signs.Sign, self._home, signs.SIGN)

    def _return(self, held: Progress, hitch: Hitch, detail: str) -> None:
        log.error("returning to=%s reason=%s detail=%s", held.previous, hitch.value, detail)
        held = replace(held, phase=Phase.RETURNING, reason=hitch.value, detail=detail)
        try:
            self._save(held)
        except OSError as wrong:  # a disk that takes nothing is no reason to stay
            log.error("return_not_written why=%s", wrong)
        environment.lead(self._prefix, STEADY, held.previous)
        environment.lead(self._prefix, CURRENT, held.previous)
        while trial.holds_up(held, self._sign(), self._second(), self._pace):
            self._machine.wait(self._pace.look_seconds)
        back = trial.lives(held.previous, self._sign(), self._second())  # when this is not the first attempt
        if not (back or self._machine.restart()):
            raise OSError(errno.EAGAIN, "the node was not restarted")  # what is given up still runs: tried again
        self._save(replace(held, phase=Phase.FAILED))

    def _second(self) -> tuple[str, float]:
        return self._machine.boot(), self._machine.monotonic()

    def _save(self, state: Progress) -> Progress:
        progress.save(self._prefix, state)
        return state


def open_at(place: Place, machine: Machine, pace: trial.Pace, works: Works | None = None) -> Updater:
    """The updater of ``place``. Raises NoPrefix when there is no link `current` to one of two environments."""
    try:
        return Updater(place, machine, pace, works)
    except (OSError, ValueError) as wrong:
        raise NoPrefix("node.update_no_place", path=place.prefix / CURRENT, why=wrong) from None


@contextmanager
def alone(prefix: Path) -> Iterator[None]:
    """Be the only updater of ``prefix``. Raises NoPrefix when there is another, or it is not root's; OSError."""
    folder = prefix / progress.FOLDER
    folder.mkdir(mode=0o755, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NoPrefix("node.update_runs", path=prefix) from None
        yield


def guarded(path: Path) -> None:
    """Raises NoPrefix unless ``path`` is there and only root (or whoever runs this) can write to it."""
    try:
        found = path.stat()
    except OSError as wrong:
        raise NoPrefix("node.update_no_place", path=path, why=wrong.strerror or wrong) from None
    if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
        raise NoPrefix("node.update_not_roots", path=path)
