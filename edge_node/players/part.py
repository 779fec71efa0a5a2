"""One take in the making: what a player has delivered of it, counted sample by sample."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

from edge_node.players.player import RATE, Progress, Take
from edge_node.players.relaying import FALLBACK, STREAM, Account
from wire.errors import Reason


class Part:
    """The state of the take a player holds. The player's thread writes, anybody reads `progress`."""

    def __init__(self, take: Take) -> None:
        self.take = take
        self.account = Account()  # of a relay
        self._lock = threading.Lock()
        self._samples, self._energy, self._peak = 0, 0.0, 0.0
        self._beneath = 0  # samples
        self._started_at: datetime | None = None
        self._finished = self._let_go = False
        self._failed: Reason | None = None

    def start(self, at: datetime) -> None:
        """The first sample leaves at ``at``; a later call (after a lost device) changes nothing."""
        with self._lock:
            self._started_at = self._started_at or at

    def deliver(self, block: Any, beneath: bool = False) -> None:
        """Count an int16 block, shape (n,), that was given to the device, perhaps ``beneath`` another take."""
        if not len(block):
            return
        scaled = block.astype("float32") / 32768.0
        energy, peak = float(scaled @ scaled), float(abs(scaled).max())
        with self._lock:
            self._samples += len(block)
            self._energy += energy
            self._peak = max(self._peak, peak)
            self._beneath += len(block) if beneath else 0

    def finish(self) -> None:
        """Every sample of the file has left."""
        with self._lock:
            self._finished = True

    def let_go(self) -> None:
        """Nothing more of it will sound."""
        with self._lock:
            self._let_go = True

    def fail(self, reason: Reason | None) -> None:
        """Why it does not sound; None when it does again."""
        with self._lock:
            self._failed = reason

    @property
    def started(self) -> bool:
        """Whether the first sample has left."""
        return self._started_at is not None

    def progress(self) -> Progress:
        """The state as the protocol tells it."""
        with self._lock:
            sounded_ms = self._samples * 1000 // RATE
            started = self._started_at
            came = self.account.upto(self._samples)
            return Progress(
                self.take.job_id,
                sounding=started is not None and not (self._finished or self._let_go or self._failed),
                finished=self._finished,
                position_ms=self.take.from_ms + sounded_ms,
                sounded_ms=sounded_ms,
                energy_sum=self._energy,
                samples=self._samples,
                peak=self._peak,
                started_at=started,
                ended_at=started + timedelta(milliseconds=sounded_ms) if started else None,
                skew_ms=(started - self.take.at) / timedelta(milliseconds=1) if started else 0.0,
                failed=self._failed,
                relayed_ms=came[STREAM],
                fallback_ms=came[FALLBACK],
                trouble=self.account.trouble,
                beneath_ms=self._beneath * 1000 // RATE,
            )
