"""A relay as samples: as many as are asked for, until its time is over. The stream's; or what stands in for it.

- Asked at the pace at which it is heard, and little ahead: what is not there in time is silence for `PATIENCE_SECONDS`,
  then the fallback, once through. When the stream is back it goes on with the stream.
- Keeps account of what came from where, by place, so that what was delivered can be told apart.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from edge_node.players.decoding import BadAudio, Source
from edge_node.players.player import RATE, Take
from edge_node.tuner.receiver import Receiver, Tuner

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 3.0  # of silence, before the fallback sounds
FIRST_SECONDS, AGAIN_SECONDS = (
    0.3,
    2.0,
)  # of sound that must be held before the stream sounds: at first, and after a loss
FADE_SAMPLES = RATE // 50

SILENCE, STREAM, FALLBACK = "silence", "stream", "fallback"


class Account:
    """What a relay gave, in order: so many samples from here, so many from there."""

    def __init__(self) -> None:
        self._runs: list[tuple[str, int]] = []
        self._lock = threading.Lock()
        self.trouble = ""  # why the stream was lost last

    def add(self, origin: str, samples: int) -> None:
        """So many more."""
        with self._lock:
            if self._runs and self._runs[-1][0] == origin:
                samples += self._runs.pop()[1]
            self._runs.append((origin, samples))

    def upto(self, samples: int) -> dict[str, int]:
        """Of the first ``samples`` of them: how many from where, in milliseconds."""
        found = dict.fromkeys((SILENCE, STREAM, FALLBACK), 0)
        with self._lock:
            for origin, length in self._runs:
                found[origin] += min(length, samples)
                samples -= min(length, samples)
        return {origin: count * 1000 // RATE for origin, count in found.items()}


class RelaySource:
    """The samples of one take of a relay, mono int16 at 48 kHz. Calls the stream up when it is made."""

    def __init__(self, take: Take, tuner: Tuner, account: Account) -> None:
        import numpy as np

        self._np, self._take, self._account = np, take, account
        self._gain = 10 ** (min(take.volume_dbfs, 0.0) / 20)
        self._left = max(0, take.duration_ms - take.from_ms) * RATE // 1000
        self._receiver: Receiver | None = tuner.tune(take.stream) if tuner.works else None
        self._fallback: Source | None = None
        self._has_fallback = take.path is not None
        self._on_air, self._needs = False, FIRST_SECONDS
        self._dry = 0 if self._receiver else round(PATIENCE_SECONDS * RATE)  # samples since the stream sounded
        self._before = SILENCE

    def read(self, samples: int) -> Any:
        """The next block: int16, shape (``samples``,), shorter only at the end of its time, then empty."""
        samples = min(samples, self._left)
        self._left -= samples
        blocks = [self._stream(samples)]
        if len(blocks[0]) < samples:
            blocks.append(self._stand_in(samples - len(blocks[0])))
        missing = samples - sum(map(len, blocks))
        if missing:
            blocks.append(self._counted(SILENCE, self._np.zeros(missing, self._np.int16)))
        return self._np.concatenate(blocks)

    def close(self) -> None:
        """Hang up."""
        if self._receiver:
            self._receiver.close()
        if self._fallback:
            self._fallback.close()

    def _stream(self, samples: int) -> Any:
        receiver = self._receiver
        if receiver is None or not (self._on_air or receiver.held >= self._needs * RATE):
            self._account.trouble = receiver.trouble if receiver else "no decoder"
            return self._np.zeros(0, self._np.int16)
        heard = self._np.frombuffer(receiver.take(samples), self._np.int16)
        block = self._np.rint(heard * self._gain).astype(self._np.int16)
        self._on_air = len(block) == samples
        self._needs, self._dry = AGAIN_SECONDS, 0
        return self._counted(STREAM, block)

    def _stand_in(self, samples: int) -> Any:
        """What sounds while there is no stream: nothing for a while, then the fallback while it lasts."""
        self._dry += samples
        none = self._np.zeros(0, self._np.int16)
        if self._dry <= PATIENCE_SECONDS * RATE or not self._has_fallback:
            return none
        try:
            if self._fallback is None:
                assert self._take.path
                self._fallback = Source(self._take.path, 0, self._take.volume_dbfs)
            block = self._fallback.read(samples)
        except BadAudio as wrong:
            log.warning("fallback unusable job=%s detail=%s", self._take.job_id, wrong)
            block = none
        self._has_fallback = len(block) > 0
        return self._counted(FALLBACK, block)

    def _counted(self, origin: str, block: Any) -> Any:
        """``block``, noted down, and faded in where it follows something else."""
        if not len(block):
            return block
        if origin != self._before:
            length = min(FADE_SAMPLES, len(block))
            ramp = self._np.linspace(0.0, 1.0, length)
            block = self._np.concatenate([(block[:length] * ramp).astype(self._np.int16), block[length:]])
        self._before = origin
        self._account.add(origin, len(block))
        return block


def open_take(take: Take, tuner: Tuner, account: Account, from_ms: int) -> Source | RelaySource:
    """The samples of ``take`` from a position on. Raises BadAudio for a file that cannot be read."""
    if take.stream:
        return RelaySource(take, tuner, account)
    assert take.path
    return Source(take.path, from_ms, take.volume_dbfs)
