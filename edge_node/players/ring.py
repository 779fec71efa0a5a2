"""The ring: decoded samples on their way to the device, and the moment they leave.

- The player's thread fills it, the device's callback empties it; neither waits for the other.
- What is live is taken only shortly before it is heard.
- Knows when each block will be heard, and so starts the first sample on its second, to the sample.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from edge_node.players.decoding import Source
from edge_node.players.fading import fade_out
from edge_node.players.part import Part
from edge_node.players.player import RATE, Now
from edge_node.players.relaying import RelaySource

AHEAD = 2 * RATE  # samples decoded ahead
LIVE_AHEAD = RATE * 6 // 10  # of a stream: three looks of the player's thread
BLOCK = RATE // 5


class Ring:
    """The samples of one take. `fill` by one thread, `take` by one callback, `cut` by anybody."""

    def __init__(self, part: Part, now: Now) -> None:
        self._part, self._now = part, now
        self._blocks: deque[Any] = deque()
        self._ahead = 0
        self._ended = False  # the source has no more
        self._fade_ms: int | None = None
        self._faded = 0
        self._lock = threading.Lock()
        self._last_leaves: float | None = None  # monotonic
        self.gone = threading.Event()  # nothing more will leave
        self.underruns = 0

    def fill(self, source: Source | RelaySource) -> None:
        """Decode until two seconds lie ahead, or less of what is live. Raises BadAudio."""
        while self._ahead < self._wanted() and not self._ended:
            block = source.read(BLOCK)
            with self._lock:
                self._ended = len(block) == 0
                if len(block):
                    self._blocks.append(block)
                    self._ahead += len(block)
        if self._last_leaves is not None and time.monotonic() >= self._last_leaves:
            self._part.finish()
            self.gone.set()

    def cut(self, fade_ms: int) -> None:
        """Fade out from the next block on, then give nothing more."""
        with self._lock:
            self._fade_ms = fade_ms if self._part.started else 0
            if not self._part.started:
                self.gone.set()

    def take(self, out: Any, leaves_in_seconds: float) -> None:
        """Fill ``out`` (int16, shape (n,)), whose first sample is heard in ``leaves_in_seconds``."""
        out[:] = 0
        if self.gone.is_set() or self._last_leaves is not None:
            return
        begin = 0
        if not self._part.started:
            heard_at = self._now() + timedelta(seconds=leaves_in_seconds)
            begin = self._begins(heard_at)
            if begin >= len(out) or not self._ahead:
                return
            self._part.start(heard_at + timedelta(seconds=begin / RATE))
        block = self._next(len(out) - begin)
        out[begin : begin + len(block)] = block
        self._part.deliver(block)
        if begin + len(block) < len(out):
            self._ran_dry(leaves_in_seconds + (begin + len(block)) / RATE)

    def _wanted(self) -> int:
        """How many samples should lie ahead."""
        take = self._part.take
        if not take.stream:
            return AHEAD
        early = (take.at - self._now()) / timedelta(seconds=1)
        return LIVE_AHEAD if self._part.started or early * RATE <= LIVE_AHEAD else 0

    def _begins(self, heard_at: datetime) -> int:
        """In how many samples from the block's first the take begins; 0 when its second has passed."""
        early = (self._part.take.at - heard_at) / timedelta(seconds=1)
        return max(0, round(early * RATE))

    def _next(self, samples: int) -> Any:
        import numpy as np

        got = []
        with self._lock:
            while samples and self._blocks:
                block = self._blocks.popleft()
                if len(block) > samples:
                    self._blocks.appendleft(block[samples:])
                    block = block[:samples]
                got.append(block)
                samples -= len(block)
                self._ahead -= len(block)
            fade_ms = self._fade_ms
        joined = np.concatenate(got) if got else np.zeros(0, np.int16)
        if fade_ms is None:
            return joined
        faded = fade_out(joined, fade_ms, self._faded)
        self._faded += len(faded)
        if self._faded >= fade_ms * RATE // 1000:
            self.gone.set()
        return faded

    def _ran_dry(self, last_leaves_in_seconds: float) -> None:
        if self._fade_ms is not None:
            self.gone.set()
        elif self._ended:
            self._last_leaves = time.monotonic() + max(0.0, last_leaves_in_seconds)
        else:
            self.underruns += 1
