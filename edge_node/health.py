"""Presence and health: when to say them and what is in them.

- Presence on every connection, before anything else.
- Health every ``config.health_seconds``; soon after a connection, and after what is held or whether the time is
  known has changed, so that the station sees it. Spread by the node's name: thousands that got one plan do not
  answer in one instant.
- What one run says is never older than what it said before, though its clock was set back: the station takes only
  what is newer.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge_node.gate import Gate
from edge_node.meter import Reading
from edge_node.report import Self
from edge_node.stock import Stocktaking
from edge_node.wallclock import Wallclock
from wire import codec
from wire.health import Health, Vitals
from wire.link import Link
from wire.presence import State
from wire.release import Update
from wire.topics import HEALTH, PRESENCE

SPREAD_SECONDS = 2.0
DEFAULT_SECONDS = 60


@dataclass(frozen=True)
class Measures:
    """What only the agent knows, asked for when health is due."""

    vitals: Vitals
    jobs_ahead: int
    stock: Stocktaking
    data_used: Reading
    receipts_waiting: int
    refusals: dict[str, int]
    last_sounded: datetime | None
    set_aside: tuple[str, ...] = ()
    watched: bool | None = None
    update: Update | None = None
    certificate_until: datetime | None = None


class Reporter:
    """Says presence and health of ``itself`` over a link."""

    def __init__(self, itself: Self, gate: Gate) -> None:
        self._itself, self._gate = itself, gate
        self._topic = HEALTH.topic(node=itself.node)
        self._delay = zlib.crc32(itself.node.encode()) % 1000 / 1000 * SPREAD_SECONDS
        self._connections = 0
        self._at = 0.0
        self._held: object = None
        self._said: datetime | None = None

    def greet(self, link: Link, clock: Wallclock) -> bool:
        """On a new connection: say that we are there. True when there was one."""
        if not link.connected() or link.connections() == self._connections:
            return False
        self._connections = link.connections()
        self._say(link, State.ONLINE, clock.now())
        self._soon(clock.monotonic())
        return True

    def say_goodbye(self, link: Link, clock: Wallclock) -> None:
        """A clean stop: offline by our own word, not by the will."""
        self._say(link, State.OFFLINE, clock.now(), clean=True)

    def report(self, link: Link, clock: Wallclock, measure: Callable[[datetime], Measures]) -> None:
        """Say health if it is due. Asked at every tick."""
        mono, now = clock.monotonic(), clock.now()
        self._note_changes(mono, clock.known())
        if mono < self._at or not link.connected():
            return
        config = self._gate.config
        self._at = mono + (config.health_seconds if config else DEFAULT_SECONDS)
        self._said = now if self._said is None else max(now, self._said + timedelta(milliseconds=1))
        message = self._message(self._said, measure(now))
        link.publish(self._topic, message, retain=HEALTH.retained, qos=HEALTH.qos)

    def seconds_left(self, link: Link, mono: float) -> float:
        """How long until health is due: 0 when overdue, without end while nobody could hear it."""
        return max(0.0, self._at - mono) if link.connected() else math.inf

    def _soon(self, mono: float) -> None:
        self._at = min(self._at, mono + self._delay)

    def _note_changes(self, mono: float, clock_known: bool) -> None:
        gate = self._gate
        held = (gate.serials(), gate.config and gate.config.serial, gate.trust and gate.trust.serial, clock_known)
        if held != self._held:
            self._held = held
            self._soon(mono)

    def _say(self, link: Link, state: State, at: datetime, clean: bool = False) -> None:
        said = self._itself.presence(state, at, clean)
        link.publish(self._itself.presence_topic, said, retain=PRESENCE.retained, qos=PRESENCE.qos)

    def _message(self, now: datetime, measures: Measures) -> bytes:
        gate, itself = self._gate, self._itself
        health = Health(
            node=itself.node,
            at=now,
            boot_id=itself.boot_id,
            version=itself.version,
            vitals=measures.vitals,
            config_serial=gate.config.serial if gate.config else 0,
            trust_serial=gate.trust.serial if gate.trust else 0,
            held=gate.serials()[:100],
            jobs_ahead=measures.jobs_ahead,
            audio_ready=measures.stock.ready_count,
            receipts_waiting=measures.receipts_waiting,
            refusals=measures.refusals,
            last_sounded=measures.last_sounded,
            safe_mode=itself.safe_mode,
            set_aside=measures.set_aside,
            watched=measures.watched,
            lacking=measures.stock.lacking,
            lacking_from=measures.stock.lacking_from,
            data_used_day_bytes=measures.data_used.day_bytes,
            data_used_month_bytes=measures.data_used.month_bytes,
            update=measures.update,
            certificate_until=measures.certificate_until,
        )
        return codec.write(health)
