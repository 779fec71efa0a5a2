"""What stands in for an emergency's audio that cannot be had in time: siren and text in the node's own voice.

- Audio that is there is always preferred, up to the moment at which something begins to sound.
- Patience has an end (`speaks_now`): a failed fetch ends it at once, a silent network soon, a slow one a little later.
- The words are made ready meanwhile, on a thread of their own. Where that fails the siren alone sounds, once, and the
  job goes on waiting for its words. A drill never sounds the siren.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge_node.cache import Cache
from edge_node.mixing import Mixed, mix
from edge_node.own_voice import NoVoice, OwnVoice
from edge_node.players.decoding import BadAudio
from edge_node.playout import Sound
from schedules import standing_in
from schedules.situation import Phase, Record
from wire.config import NodeConfig
from wire.errors import Reason
from wire.plan import Asset, Job
from words import say

log = logging.getLogger("loa.node.stand_in")

QUIET_SECONDS = 3.0  # without one byte more: a station voices in a second, and a 4G link wakes in two
MOST_SECONDS = 8.0  # while bytes come: half a minute of speech at 120 kbit/s
PREPARED_AFTER_SECONDS = 1.0  # most audio is there by then, and a small computer spares itself the work
AGAIN_SECONDS = 30.0  # after the words could not be made
SPOKEN = "spoken by the node"
SPOKEN_IN_PART = "spoken by the node, not to the end of the text"
SIREN_ALONE = "the siren alone"
LANGUAGE = "vi"


@dataclass
class Waiting:
    """How long an emergency has had no audio, in seconds of the monotonic clock."""

    since: float | None = None  # its second had come
    came_bytes: int | None = None
    moved_at: float = 0.0  # when bytes came last


@dataclass(frozen=True)
class Failed:
    """Why the words could not be made, and when that is tried again."""

    reason: Reason
    again_at: float


def speaks_now(waiting: Waiting, mono: float) -> bool:
    """Whether the patience for an emergency's audio is at its end. Pure."""
    if waiting.since is None:
        return False
    if waiting.came_bytes is None:  # the fetch has failed
        return True
    return mono - waiting.since >= MOST_SECONDS or mono - max(waiting.since, waiting.moved_at) >= QUIET_SECONDS


class StandIns:
    """``folder`` is its own: what lies there from before is removed. ``on_ready`` must only wake somebody."""

    def __init__(self, cache: Cache, voice: OwnVoice, folder: Path, on_ready: Callable[[], None]) -> None:
        self._cache, self._voice, self._folder, self._on_ready = cache, voice, folder, on_ready
        self._siren: Asset | None = None
        self._waiting: dict[str, Waiting] = {}  # by job
        self._sirened: set[str] = set()  # jobs whose siren has sounded already
        self._speaking: set[str] = set()  # jobs whose patience is at its end
        self._made: dict[str, Mixed] = {}  # by the name of the words
        self._failed: dict[str, Failed] = {}
        self._busy: threading.Thread | None = None
        self._elsewhere: Path | None = None
        shutil.rmtree(folder, ignore_errors=True)

    @property
    def is_waiting(self) -> bool:
        """Whether something may change without a message."""
        return bool(self._waiting)

    def look(
        self, near: Iterable[Job], records: Mapping[str, Record], config: NodeConfig, now: datetime, mono: float
    ) -> None:
        """Asked at every tick. ``near``: the jobs at or near their second; ``records``: what the ledger has of them."""
        mine = [job for job in near if standing_in.may(job)]
        if not (mine or self._waiting or self._made):
            return
        lacking = [job for job in mine if job.asset is None or self._cache.ready(job.asset) is None]
        self._siren = next((each for each in config.standby if each.sha256 == config.siren), None)
        self._sirened = {job.id for job in lacking if job.id in records and _has_had_its_siren(records[job.id])}
        self._waiting = {job.id: self._waited(job, now, mono) for job in lacking}
        self._speaking = {name for name, waiting in self._waiting.items() if speaks_now(waiting, mono)}
        self._forget({standing_in.spoken_name(job) for job in mine})
        self._prepare(lacking, mono)

    def of(self, job: Job) -> Sound | None:
        """What stands in for the job's audio now; None while there is something to wait for, or nothing at all."""
        if job.id not in self._speaking:
            return None
        made = self._made.get(standing_in.spoken_name(job))
        if made is not None and made.path.is_file():
            detail = SPOKEN if made.complete else SPOKEN_IN_PART
            return Sound(standing_in.spoken_name(job), made.path, made.duration_ms, detail=detail)
        return self._alone(job) if standing_in.spoken_name(job) in self._failed else None

    def why_not(self, job: Job) -> Reason:
        """Why a job without audio of its own is not ready."""
        failed = self._failed.get(standing_in.spoken_name(job))
        return failed.reason if failed else Reason.NO_AUDIO

    def close(self) -> None:
        """Wait for the work that is being done; it ends by itself."""
        if self._busy:
            self._busy.join()
        if self._elsewhere:
            shutil.rmtree(self._elsewhere, ignore_errors=True)

    def _alone(self, job: Job) -> Sound | None:
        """The siren without words, once."""
        if job.drill or self._siren is None or job.id in self._sirened:
            return None
        path = self._cache.ready(self._siren)
        name = standing_in.siren_name(job)
        return Sound(name, path, self._siren.duration_ms, whole=False, detail=SIREN_ALONE) if path else None

    def _waited(self, job: Job, now: datetime, mono: float) -> Waiting:
        waiting = self._waiting.get(job.id) or Waiting()
        if waiting.since is None and now >= job.start:
            waiting.since = mono
        came = self._cache.came_bytes(job.asset) if job.asset else 0
        if came != waiting.came_bytes:
            waiting.came_bytes, waiting.moved_at = came, mono
        return waiting

    def _prepare(self, lacking: Sequence[Job], mono: float) -> None:
        """Have the words of one job made, if one is to be made and none is being."""
        if self._busy and self._busy.is_alive():
            return
        for job in sorted(lacking, key=lambda each: (each.start, each.id)):
            waiting, name = self._waiting[job.id], standing_in.spoken_name(job)
            failed = self._failed.get(name)
            at_once = waiting.since is None or waiting.came_bytes is None
            due = at_once or mono - (waiting.since or 0.0) >= PREPARED_AFTER_SECONDS
            if due and name not in self._made and (failed is None or failed.again_at <= mono):
                self._begin(job, mono)
                return

    def _begin(self, job: Job, mono: float) -> None:
        siren = self._cache.ready(self._siren) if self._siren else None
        making = threading.Thread(target=self._make, args=(job, siren, mono), name="own-voice", daemon=True)
        try:
            making.start()
        except RuntimeError as wrong:  # the machine has no thread to give: then the siren must do
            log.error("not_spoken job=%s why=%s", job.id, wrong)
            self._failed[standing_in.spoken_name(job)] = Failed(Reason.NO_VOICE, mono + AGAIN_SECONDS)
            return
        self._busy = making

    def _make(self, job: Job, siren: Path | None, mono: float) -> None:
        name, reason = standing_in.spoken_name(job), Reason.NO_VOICE
        try:
            self._made[name] = self._mixed(job, siren)
            self._failed.pop(name, None)
            log.info("spoken job=%s ms=%d siren=%s", job.id, self._made[name].duration_ms, siren is not None)
        except (NoVoice, BadAudio, ImportError) as wrong:
            log.warning("not_spoken job=%s why=%s", job.id, wrong)
        except OSError as wrong:
            log.warning("not_spoken job=%s disk=%s", job.id, wrong)
            reason = Reason.DISK_FULL
        finally:
            if name not in self._made:  # whatever it was: then the siren must do
                self._failed[name] = Failed(reason, mono + AGAIN_SECONDS)
            self._on_ready()

    def _mixed(self, job: Job, siren: Path | None) -> Mixed:
        """Words and siren as a file: in the node's folder, else, on a disk that refuses, where passing files lie."""
        try:
            return self._mixed_in(self._folder, job, siren)
        except OSError as wrong:
            log.warning("spoken_elsewhere job=%s disk=%s", job.id, wrong)
            self._elsewhere = self._elsewhere or Path(tempfile.mkdtemp(prefix="loa-spoken-"))
            return self._mixed_in(self._elsewhere, job, siren)

    def _mixed_in(self, folder: Path, job: Job, siren: Path | None) -> Mixed:
        name = standing_in.spoken_name(job)
        folder.mkdir(parents=True, exist_ok=True)
        speech = folder / f"{name}.speech"
        try:
            speech.write_bytes(b"-")  # the voice is a program of its own, and does not say why it failed
            self._voice.speak(_words(job), speech)
            return mix(speech, siren, job.drill, folder / f"{name}.wav")
        finally:
            speech.unlink(missing_ok=True)

    def _forget(self, wanted: set[str]) -> None:
        """Remove what no job near its second needs."""
        for name in [name for name in (*self._made, *self._failed) if name not in wanted]:
            self._failed.pop(name, None)
            if name in self._made:
                self._made.pop(name).path.unlink(missing_ok=True)


def _has_had_its_siren(record: Record) -> bool:
    return standing_in.is_siren(record.asset) and record.position_ms > 0 and record.phase is not Phase.ON_AIR


def _words(job: Job) -> str:
    """What is to be said. A drill says that it is one, before and after."""
    notice = say("studio.drill_notice", LANGUAGE)
    return f"{notice}\n\n{job.spoken}\n\n{notice}" if job.drill else job.spoken
