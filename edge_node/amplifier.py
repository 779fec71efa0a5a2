"""The amplifier's relay: on before the first sample, off some seconds after the last one. One GPIO line, or none.

- The line is held at either level for as long as the node lives.
- A relay that does not answer is told in health and tried again; the sound goes on, for the amplifier may be on.
- The lead is at most half a second less than `schedules.due.PRIME`: so long before its second a planned job is handed
  over, and it is written down before the relay is asked. What starts at once, an emergency too, waits for the lead:
  its first words would be lost otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from edge_node import gpio
from edge_node.wiring import Line
from wire.health import Relay

log = logging.getLogger("loa.node.amplifier")

Monotonic = Callable[[], float]

AFTER_SECONDS = 5.0  # what follows closely finds it on
AGAIN_SECONDS = 10.0  # after a failure


class Holds(Protocol):
    """`gpio.Holder`."""

    @property
    def holds(self) -> bool:
        """Whether the level last asked for is held."""

    def hold(self, active: bool) -> None:
        """Hold this level."""

    def let_go(self) -> None:
        """Hold nothing."""


class Amplifier:
    """``holder`` None: nothing is wired. ``monotonic`` and ``now`` are the node's clock."""

    def __init__(
        self,
        holder: Holds | None = None,
        lead_seconds: float = 0.0,
        now: Callable[[], datetime] | None = None,
        monotonic: Monotonic = lambda: 0.0,
    ) -> None:
        self._holder, self._lead = holder, lead_seconds
        self._now, self._monotonic = now, monotonic
        self._on = self._ailing = False
        self._switched_at = self._needed_at = 0.0
        if holder:
            self._switch(False)

    @property
    def state(self) -> Relay | None:
        """None where nothing is wired."""
        if self._holder is None:
            return None
        if not self._holder.holds:
            return Relay.FAILED
        return Relay.ON if self._on else Relay.OFF

    def on(self, at: datetime) -> datetime:
        """Something is to sound at ``at``; the moment at which its first sample may leave."""
        if self._holder is None or self._now is None:
            return at
        mono = self._needed_at = self._monotonic()
        if not self._on or not self._holder.holds:
            self._switch(True)
        left = self._switched_at + self._lead - mono
        return at if left <= 0 or not self._holder.holds else max(at, self._now() + timedelta(seconds=left))

    def look(self, needed: bool) -> None:
        """Asked at every tick; ``needed``: something holds the loudspeaker."""
        if self._holder is None:
            return
        mono = self._monotonic()
        self._needed_at = mono if needed else self._needed_at
        if self._on and mono - self._needed_at >= AFTER_SECONDS:
            self._switch(False)
        failed = not self._holder.holds
        if failed != self._ailing:
            log.log(logging.WARNING if failed else logging.INFO, "amplifier_relay failed=%s on=%s", failed, self._on)
        self._ailing = failed
        if failed and mono - self._switched_at >= AGAIN_SECONDS:
            self._switch(self._on)

    def close(self) -> None:
        """Off, and the line is let go."""
        if self._holder:
            self._holder.hold(False)
            self._holder.let_go()

    def _switch(self, on: bool) -> None:
        assert self._holder
        self._on, self._switched_at = on, self._monotonic()
        self._holder.hold(on)


def wired(line: Line | None, lead_seconds: float, now: Callable[[], datetime], monotonic: Monotonic) -> Amplifier:
    """The amplifier behind ``line``, switched off."""
    holder = gpio.Holder(line, gpio.version()) if line else None
    return Amplifier(holder, lead_seconds, now, monotonic)
