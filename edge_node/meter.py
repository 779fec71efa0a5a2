"""The meter: how many bytes of audio and streams came over the network, by local day and month, kept over restarts.

- Counts what was taken, also what was of no use: a body that was cut off, a file that was not the one that was sealed.
- Not counted: headers, and what the broker sends (a few kilobytes a minute).
- Written down when the day has grown by a step, and at a clean end: a power cut forgets less than a step.
- While the time is unknown the day is taken to be the one that was written last.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from edge_node import disk
from schedules import fetching, moments
from wire import codec

log = logging.getLogger("loa.node.meter")

LEAST_STEP_BYTES = 1_000_000
STEPS_A_DAY = 50  # writes that a budget may cost a day, where it is large
MOST_FILE_BYTES = 1000

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 60)]


class Reading(msgspec.Struct, frozen=True):
    """What came on the local ``day`` (ISO), and in its month, in bytes."""

    day: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""
    day_bytes: Count = 0
    month_bytes: Count = 0

    def on(self, day: str) -> Reading:
        """The same on another day: it has used nothing, and its month what it has used so far."""
        if day == self.day:
            return self
        return Reading(day, 0, self.month_bytes if day[:7] == self.day[:7] else 0)

    def more(self, count_bytes: int) -> Reading:
        """With so many bytes more."""
        return Reading(self.day, self.day_bytes + count_bytes, self.month_bytes + count_bytes)


class Meter:
    """Thread-safe. ``path``: where it is written down; None: nowhere."""

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._lock = path, threading.Lock()
        self._reading = self._written = _read(path) if path else Reading()
        self.budget_bytes = 0  # a day; 0: none

    @property
    def reading(self) -> Reading:
        """What has come so far."""
        return self._reading

    def count(self, taken_bytes: int) -> None:
        """So many bytes came."""
        with self._lock:
            self._reading = self._reading.more(taken_bytes)

    def allows(self, ceiling_bytes: int | None, more_bytes: int) -> bool:
        """Whether the day may take so many bytes more, up to ``ceiling_bytes``; None: whatever was used."""
        return ceiling_bytes is None or self._reading.day_bytes + more_bytes <= ceiling_bytes

    def may_stream(self) -> bool:
        """Whether a relay may be called up, or go on."""
        return self.allows(fetching.stream_ceiling(self.budget_bytes), 1)

    def turn(self, now: datetime, zone: str) -> None:
        """The time is known to be ``now``: a new day has used nothing. Writes when it is worth it."""
        with self._lock:
            self._reading = self._reading.on(moments.local(now, zone).date().isoformat())
            grown = self._reading.day_bytes - self._written.on(self._reading.day).day_bytes
        if grown >= max(LEAST_STEP_BYTES, self.budget_bytes // STEPS_A_DAY):
            self.save()

    def save(self) -> None:
        """Write it down, if it has changed. A disk that refuses is logged."""
        reading = self._reading
        if self._path is None or reading == self._written:
            return
        try:
            disk.write(self._path, codec.write(reading))
            self._written = reading
        except OSError as wrong:
            log.warning("data_used_not_written error=%s", wrong)


def _read(path: Path) -> Reading:
    try:
        return codec.read(Reading, path.read_bytes()[: MOST_FILE_BYTES + 1], MOST_FILE_BYTES)
    except FileNotFoundError:
        return Reading()
    except (OSError, codec.Malformed, codec.TooBig) as wrong:
        log.warning("data_used_unreadable error=%s", wrong)
        return Reading()
