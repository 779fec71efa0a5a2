"""Health: what a node measured of itself, and the plan serials it holds. Absent values are null, never invented."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from wire.plan import Moment, Name


class Held(msgspec.Struct, frozen=True):
    """The serials a node holds for one area: this is how the station sees that a node lags."""

    area: Name
    plan: int = 0
    urgent: int = 0


class Vitals(msgspec.Struct, frozen=True):
    """Measurements of the machine; ``None`` where the machine has no such sensor."""

    cpu_celsius: float | None = None
    throttled: int | None = None  # bit field of vcgencmd get_throttled
    load_1m: float | None = None
    memory_used_ratio: float | None = None
    memory_rss_bytes: int | None = None
    disk_free_bytes: int | None = None
    disk_used_ratio: float | None = None
    uptime_seconds: float | None = None
    clock_source: Annotated[str, Meta(max_length=40)] | None = None  # ntp, none, …
    clock_offset_ms: float | None = None
    clock_known: bool = True
    network: Annotated[str, Meta(max_length=120)] | None = None  # interface and, if known, signal
    audio_device: Annotated[str, Meta(max_length=120)] | None = None
    audio_ok: bool | None = None


class Health(msgspec.Struct, frozen=True):
    """One health message."""

    node: Name
    at: Moment
    boot_id: Annotated[str, Meta(max_length=64)]
    version: Annotated[str, Meta(max_length=40)]
    vitals: Vitals
    config_serial: int = 0
    trust_serial: int = 0
    held: Annotated[tuple[Held, ...], Meta(max_length=100)] = ()
    jobs_ahead: int = 0
    audio_ready: int = 0  # of jobs_ahead, how many have their audio on disk, checked
    receipts_waiting: int = 0
    refusals: dict[str, int] = {}  # reason code -> count since boot
    last_sounded: Moment | None = None
