"""Health: when to say it, and what: measurements, the serials held, how much is ahead, what was refused.

- Every ``config.health_seconds``; soon after a connection and after what is held has changed, so that the station
  sees what arrived. Spread by the node's name: thousands of nodes that got one plan do not answer in one instant.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from datetime import datetime

from edge_node.gate import Gate
from edge_node.report import Self
from wire import codec
from wire.health import Health, Vitals

SPREAD_SECONDS = 2.0
DEFAULT_SECONDS = 60


class Reporter:
    """Knows when health is due and what is in it; ``vitals`` measures the machine when asked."""

    def __init__(self, itself: Self, gate: Gate, vitals: Callable[[], Vitals]) -> None:
        self._itself, self._gate, self._vitals = itself, gate, vitals
        self._delay = (zlib.crc32(itself.node.encode()) % 1000) / 1000 * SPREAD_SECONDS
        self._at = 0.0
        self._held: object = None

    def soon(self, mono: float) -> None:
        """Something changed: say it after this node's own delay."""
        self._at = min(self._at, mono + self._delay)

    def is_due(self, mono: float) -> bool:
        """Whether to say it now. Asked at every tick."""
        gate = self._gate
        held = (gate.serials(), gate.config and gate.config.serial, gate.trust and gate.trust.serial)
        if held != self._held:
            self._held = held
            self.soon(mono)
        return mono >= self._at

    def said(self, mono: float) -> None:
        """It was said; the next one in `health_seconds`."""
        config = self._gate.config
        self._at = mono + (config.health_seconds if config else DEFAULT_SECONDS)

    def message(
        self, now: datetime, counts: Mapping[str, int], refusals: dict[str, int], last: datetime | None
    ) -> bytes:
        """The health message. ``counts``: jobs_ahead, audio_ready, receipts_waiting."""
        gate = self._gate
        health = Health(
            node=self._itself.node,
            at=now,
            boot_id=self._itself.boot_id,
            version=self._itself.version,
            vitals=self._vitals(),
            config_serial=gate.config.serial if gate.config else 0,
            trust_serial=gate.trust.serial if gate.trust else 0,
            held=gate.serials()[:100],
            refusals=refusals,
            last_sounded=last,
            **counts,
        )
        return codec.write(health)
