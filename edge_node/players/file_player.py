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
from datetime import timedelta
from pathlib import Path
from typing import Any

from edge_node.players.decoding import BadAudio, Source
from edge_node.players.fading import fade_out
from edge_node.players.part import Part
from edge_node.players.player import FADE_MS, RATE, Now, Progress, Take
from edge_node.players.reel import Reel
from edge_node.players.relaying import RelaySource
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
        self._part: Part | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._fade_ms = 0
        self._closed = False
        self.device = f"file {out_wav.name}{' (fast)' if fast else ''}"[:120]
        self.device_ok: bool | None = None

    @property
    def can_relay(self) -> bool:
        """See `Player`."""
        return self._tuner.works

    def prime(self, take: Take) -> None:
        """See `Player`."""
        self.stop(0)
        if self._closed:
            return
        self._stop.clear()
        self._part = Part(take)
        self._thread = threading.Thread(target=self._play, args=(self._part,), name="file-player", daemon=True)
        self._thread.start()

    def progress(self) -> Progress | None:
        """See `Player`."""
        return self._part.progress() if self._part else None

    def stop(self, fade_ms: int = FADE_MS) -> Progress | None:
        """See `Player`."""
        part, self._part = self._part, None
        if part is None:
            return None
        self._fade_ms = fade_ms
        self._stop.set()
        if self._thread:
            self._thread.join()
        part.let_go()
        return part.progress()

    def close(self) -> None:
        """See `Player`."""
        self._closed = True
        self.stop(0)
        if self._reel:
            self._reel.close()
            self._reel = None

    def _play(self, part: Part) -> None:
        source = None
        try:
            self._reel = self._reel or Reel(self._path)
            at_ms = _resumes_at(self._reel, part.take)
            source = self._source(part, at_ms)
            first = None if part.take.stream else source.read(BLOCK)  # what is live is not there yet
            if self._wait_for(part.take):
                self._write(part, source, source.read(BLOCK) if first is None else first, at_ms)
        except BadAudio as wrong:
            log.warning("bad audio job=%s detail=%s", part.take.job_id, wrong)
            part.fail(Reason.BAD_AUDIO)
        except OSError as wrong:
            log.warning("output file failed job=%s detail=%s", part.take.job_id, wrong)
            self.device_ok = False
            part.fail(Reason.DISK_FULL if wrong.errno in (errno.ENOSPC, errno.EDQUOT) else Reason.AUDIO_DEVICE)
        finally:
            if source:
                source.close()

    def _source(self, part: Part, at_ms: int) -> Source | RelaySource:
        if part.take.stream:
            return RelaySource(part.take, self._tuner, part.account)
        assert part.take.path
        return Source(part.take.path, at_ms, part.take.volume_dbfs)

    def _wait_for(self, take: Take) -> bool:
        """Until the take's second; False when stopped before."""
        while not self._stop.is_set():
            left = (take.at - self._now()) / timedelta(seconds=1)
            if left <= 0:
                return True
            self._stop.wait(min(left, LOOK_SECONDS))
        return False

    def _write(self, part: Part, source: Source | RelaySource, block: Any, at_ms: int) -> None:
        assert self._reel is not None
        fast = self._fast and not part.take.stream
        started_at, begun = self._now(), time.monotonic()
        part.start(started_at)
        self._count_torn(part, at_ms)
        self._reel.begin(part.take.job_id, at_ms, started_at)
        written = 0
        while len(block) and not self._stop.is_set():
            self._deliver(part, block)
            written += len(block)
            block = source.read(FAST_BLOCK if fast else BLOCK)
            if not fast:
                self._stop.wait(max(0.0, begun + written / RATE - time.monotonic()))
        if len(block):
            self._deliver(part, fade_out(_at_least(self._fade_ms, block, source), self._fade_ms))
        else:
            part.finish()
        self._reel.end()
        self.device_ok = True

    def _count_torn(self, part: Part, at_ms: int) -> None:
        """Count what had sounded before a crash after the caller last wrote its count down."""
        import numpy as np

        torn = self._reel.torn if self._reel else None
        missing = (at_ms - part.take.from_ms) * RATE // 1000
        if self._reel and torn and missing > 0:
            end = torn.offset + torn.samples  # a part cut twice lies on the reel in pieces, one behind the other
            part.deliver(np.frombuffer(self._reel.read(max(0, end - missing), min(missing, end)), "<i2"))

    def _deliver(self, part: Part, block: Any) -> None:
        assert self._reel is not None
        self._reel.write(block)
        part.deliver(block)


def _resumes_at(reel: Reel, take: Take) -> int:
    """The position to go on from, in ms: the torn place if the take resumes it, else what the take says.

    The caller's count may be older than the torn part's beginning: two crashes, and none counted between them.
    """
    torn = reel.torn
    if torn is None or torn.job != take.job_id or take.from_ms == 0 or take.stream:
        return take.from_ms
    return max(take.from_ms, torn.from_ms + torn.samples * 1000 // RATE)


def _at_least(length_ms: int, block: Any, source: Source | RelaySource) -> Any:
    """``block``, longer by what the source still has if it is shorter than ``length_ms``."""
    import numpy as np

    more = length_ms * RATE // 1000 - len(block)
    return np.concatenate([block, source.read(more)]) if more > 0 else block
