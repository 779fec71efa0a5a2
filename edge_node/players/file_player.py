"""A player into a file: exactly what the loudspeaker would have sounded, on one reel (`reel`).

- Paced: a block is written when its first sample would leave. ``fast``: a take begins at its second and is then
  written as fast as it decodes; its times in the progress are those it would have had.
- A relay is live and never ahead of the clock.
- After a crash the reel knows better than the caller where a part was cut: a take that resumes the torn part goes
  on exactly there, and what the caller had not counted yet is counted now.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from pathlib import Path

from edge_node.players.changing import Changing
from edge_node.players.decoding import Source
from edge_node.players.part import Part
from edge_node.players.player import FADE_MS, RATE, Now, Progress, Take
from edge_node.players.reel import Reel
from edge_node.players.relaying import RelaySource, open_take
from edge_node.players.voice import Voice
from edge_node.tuner.receiver import Tuner
from wire.errors import Reason

log = logging.getLogger(__name__)

BLOCK = RATE // 25  # samples, 40 ms: what a kill can lose
FAST_BLOCK = RATE
LOOK_SECONDS = 0.25  # how often a waiting take looks at a clock that may hop


class FilePlayer:
    """See `Player`. ``out_wav`` is created with the first take; one process at a time may write it."""

    def __init__(self, out_wav: Path, now: Now, fast: bool = False, tuner: Tuner | None = None) -> None:
        self._path, self._now, self._fast = out_wav, now, fast
        self._tuner = tuner or Tuner()
        self._reel: Reel | None = None
        self._thread: threading.Thread | None = None
        self._takes = Changing(now, self._open, lambda: self.device_ok is not False)
        self._sounding: dict[Voice, str] = {}  # what has an open cue on the reel, and its job
        self.device = f"file {out_wav.name}{' (fast)' if fast else ''}"[:120]
        self.device_ok: bool | None = None

    @property
    def can_relay(self) -> bool:
        """See `Player`."""
        return self._tuner.works

    @property
    def stuck(self) -> bool:
        """See `Player`. One that hangs writes no more and says nothing of a fault, which is seen without this."""
        return self._thread is not None and not self._takes.closed and not self._thread.is_alive()

    def prime(self, take: Take) -> None:
        """See `Player`."""
        self._begin()
        self._takes.prime(take)

    def cross(self, take: Take) -> Progress | None:
        """See `Player`."""
        self._begin()
        return self._takes.cross(take)

    def lay_over(self, take: Take) -> None:
        """See `Player`."""
        self._begin()
        self._takes.lay_over(take)

    def progress(self) -> Progress | None:
        """See `Player`."""
        return self._takes.progress()

    def beneath(self) -> Progress | None:
        """See `Player`."""
        return self._takes.beneath()

    def stop(self, fade_ms: int = FADE_MS) -> Progress | None:
        """See `Player`."""
        return self._takes.stop(fade_ms)

    def stop_beneath(self, fade_ms: int = FADE_MS) -> Progress | None:
        """See `Player`."""
        return self._takes.stop_beneath(fade_ms)

    def close(self) -> None:
        """See `Player`."""
        self._takes.close()
        if self._thread:
            self._thread.join()

    def _begin(self) -> None:
        if self._thread is None and not self._takes.closed:
            self._thread = threading.Thread(target=self._work, name="file-player", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """The player's thread: what sounds is written, block by block, at its pace."""
        pace = _Pace()
        while not self._takes.closed:
            asked = self._takes.asked
            voices = self._takes.console.voices()
            try:
                rest = self._step(voices, pace)
            except OSError as wrong:
                self._is_lost(voices, wrong)
                rest = None
            with self._takes.wake:
                if self._takes.asked == asked and (rest is None or rest > 0):
                    self._takes.wake.wait(rest)
        self._takes.console.close()
        self._end_parts()
        if self._reel:
            self._reel.close()
            self._reel = None

    def _step(self, voices: list[Voice], pace: _Pace) -> float | None:
        """One block, if there is one to write now. How long to rest then; None: until something is asked."""
        self._end_parts()
        if not voices:
            return None
        self._reel = self._reel or Reel(self._path)
        fast = self._fast and not any(voice.part.take.stream for voice in voices)
        for voice in voices:
            voice.fill(self._now(), FAST_BLOCK if fast else BLOCK, BLOCK)
            voice.settle()
        if not self._takes.console.sounds:
            waiting = [
                voice.begins_in(self._now()) / RATE for voice in voices if voice.ready and not voice.part.started
            ]
            if not waiting or min(waiting) > 0:
                return min([*waiting, pace.left_seconds or LOOK_SECONDS, LOOK_SECONDS])
            pace.begin()
        pace.written += self._write(FAST_BLOCK if fast else BLOCK, 0.0 if fast else pace.left_seconds)
        return 0.0 if fast else pace.left_seconds

    def _write(self, size: int, leaves_in_seconds: float) -> int:
        """The next samples, ``size`` or, where everything ends, fewer. How many."""
        import numpy as np

        assert self._reel is not None
        block = np.zeros(size, np.int16)
        pieces = self._takes.console.take(block, leaves_in_seconds)
        grown: dict[str, int] = {}
        for voice, since, samples in pieces:
            if voice not in self._sounding:
                self._begin_part(voice, since)
            grown[self._sounding[voice]] = grown.get(self._sounding[voice], 0) + samples
        used = max((piece.since + piece.samples for piece in pieces), default=0)
        self._reel.write(block[:used], grown)
        if size == FAST_BLOCK:  # what is written is over, whenever it would have left
            for voice in {piece.voice for piece in pieces}:
                voice.leaves(0.0)
                voice.settle()
        self._end_parts()
        self.device_ok = True
        return used

    def _begin_part(self, voice: Voice, since: int) -> None:
        assert self._reel is not None
        part = voice.part
        at_ms = _resumes_at(self._reel, part.take)
        self._count_torn(part, at_ms)
        self._sounding[voice] = part.take.job_id
        self._reel.begin(part.take.job_id, at_ms, part.progress().started_at or self._now(), since)

    def _end_parts(self) -> None:
        """The cues of what is over are closed."""
        for voice in [voice for voice in self._sounding if voice.ended or voice.gone.is_set()]:
            job = self._sounding.pop(voice)
            if self._reel:
                self._reel.end(job)

    def _open(self, part: Part) -> Source | RelaySource:
        at_ms = _resumes_at(self._reel, part.take) if self._reel else part.take.from_ms
        return open_take(part.take, self._tuner, part.account, at_ms)

    def _count_torn(self, part: Part, at_ms: int) -> None:
        """Count what had sounded before a crash after the caller last wrote its count down."""
        import numpy as np

        torn = self._reel.torn(part.take.job_id) if self._reel else None
        missing = (at_ms - part.take.from_ms) * RATE // 1000
        if self._reel and torn and missing > 0:
            end = torn.end  # a part cut twice lies on the reel in pieces, one behind the other
            part.deliver(np.frombuffer(self._reel.read(max(0, end - missing), min(missing, end)), "<i2"))

    def _is_lost(self, voices: list[Voice], wrong: OSError) -> None:
        log.warning("output file failed detail=%s", wrong)
        self.device_ok = False
        for voice in voices:
            voice.part.fail(Reason.DISK_FULL if wrong.errno in (errno.ENOSPC, errno.EDQUOT) else Reason.AUDIO_DEVICE)
            voice.gone.set()


class _Pace:
    """Where the reel stands in time."""

    def __init__(self) -> None:
        self._begun, self.written = 0.0, 0

    def begin(self) -> None:
        """The next sample leaves now."""
        self._begun, self.written = time.monotonic(), 0

    @property
    def left_seconds(self) -> float:
        """Until what has been written has left; 0 when it has."""
        return max(0.0, self._begun + self.written / RATE - time.monotonic())


def _resumes_at(reel: Reel, take: Take) -> int:
    """The position to go on from, in ms: the torn place if the take resumes it, else what the take says.

    The caller's count may be older than the torn part's beginning: two crashes, and none counted between them.
    """
    torn = reel.torn(take.job_id)
    if torn is None or take.from_ms == 0 or take.stream:
        return take.from_ms
    return max(take.from_ms, torn.from_ms + torn.samples * 1000 // RATE)
