"""A voice: one take on its way from its file or stream to the mix.

- The player's thread fills it and closes it, whoever mixes pulls from it; neither waits for the other.
- What is live is taken only shortly before it is heard.
- Audio that cannot be decoded is told in the part's progress, and the voice ends there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from edge_node.players.decoding import BadAudio, Source
from edge_node.players.part import Part
from edge_node.players.player import RATE
from edge_node.players.relaying import RelaySource
from wire.errors import Reason

log = logging.getLogger(__name__)

BLOCK = RATE // 5  # decoded at once


class Voice:
    """The samples of one take. ``open_source`` is called by `fill`, once."""

    def __init__(self, part: Part, open_source: Callable[[], Source | RelaySource]) -> None:
        self.part = part
        self.gone = threading.Event()  # nothing more of it will leave
        self.underruns = 0
        self._open = open_source
        self._source: Source | RelaySource | None = None
        self._blocks: deque[Any] = deque()
        self._ahead = 0
        self._dry = False  # the source has no more
        self._spoilt = False
        self._lock = threading.Lock()
        self._leaves_at = 0.0  # monotonic, the last sample that was pulled

    @property
    def ready(self) -> bool:
        """Whether it can begin: something is decoded, or it is known that there is nothing."""
        return self._ahead > 0 or (self._dry and not self._spoilt)

    @property
    def ended(self) -> bool:
        """Whether everything of it was pulled."""
        return self._dry and not self._ahead

    @property
    def left(self) -> int | None:
        """How many samples there are still, once that is known."""
        return self._ahead if self._dry else None

    @property
    def sounds(self) -> bool:
        """Whether its first sample was given and its last was not."""
        return self.part.started and not self.ended and not self.gone.is_set()

    def begins_in(self, heard_at: datetime) -> int:
        """How many samples after ``heard_at`` it begins; 0 when its second has passed."""
        return max(0, round((self.part.take.at - heard_at) / timedelta(seconds=1) * RATE))

    def fill(self, now: datetime, ahead: int, live_ahead: int) -> None:
        """Decode until so many samples lie ahead; of what is live fewer, and none long before its second."""
        take = self.part.take
        if take.stream:
            early = (take.at - now) / timedelta(seconds=1) * RATE
            ahead = live_ahead if self.part.started or early <= live_ahead else 0
        try:
            self._source = self._source or self._open()
            while self._ahead < ahead and not self._dry:
                self._append(self._source.read(min(BLOCK, ahead)))
        except BadAudio as wrong:
            log.warning("bad audio job=%s detail=%s", self.part.take.job_id, wrong)
            self.spoil(wrong.reason)

    def pull(self, samples: int) -> Any:
        """The next int16 block, shape (n,), n <= ``samples``: shorter when there is no more, or not yet."""
        import numpy as np

        got, wanted = [], samples
        with self._lock:
            while wanted and self._blocks:
                block = self._blocks.popleft()
                if len(block) > wanted:
                    self._blocks.appendleft(block[wanted:])
                    block = block[:wanted]
                got.append(block)
                wanted -= len(block)
                self._ahead -= len(block)
        if wanted and not self._dry:
            self.underruns += 1
        return np.concatenate(got) if got else np.zeros(0, np.int16)

    def leaves(self, in_seconds: float) -> None:
        """When the last sample that was pulled is heard."""
        self._leaves_at = time.monotonic() + in_seconds

    def settle(self) -> None:
        """See whether its last sample has left by now."""
        over = self.ended and self.part.started and time.monotonic() >= self._leaves_at
        if over and not self.gone.is_set():
            if not self._spoilt:
                self.part.finish()
            self.gone.set()

    def spoil(self, reason: Reason = Reason.BAD_AUDIO) -> None:
        """Nothing more of it can be decoded."""
        self.part.fail(reason)
        self._dry = self._spoilt = True

    def close(self) -> None:
        """Close the file, or hang up."""
        source, self._source = self._source, None
        if source:
            source.close()

    def _append(self, block: Any) -> None:
        with self._lock:
            self._dry = len(block) == 0
            if len(block):
                self._blocks.append(block)
                self._ahead += len(block)
