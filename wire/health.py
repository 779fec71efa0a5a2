"""Health: what a node measured of itself, and the plan serials it holds. Absent values are null, never invented."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from wire.plan import Moment, Name
from wire.release import Update


class Held(msgspec.Struct, frozen=True):
    """The serials a node holds for one area: this is how the station sees that a node lags."""

    area: Name
    plan: int = 0
    urgent: int = 0


class Modem(msgspec.Struct, frozen=True):
    """A modem as ModemManager knows it."""

    operator: Annotated[str, Meta(max_length=40)] | None = None
    signal_percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    technology: Annotated[str, Meta(max_length=40)] | None = None  # lte, umts, …
    state: Annotated[str, Meta(max_length=40)] | None = None  # connected, registered, searching, locked, failed, …


class Storage(msgspec.Struct, frozen=True):
    """The card or disk that the node keeps everything on."""

    file_system_errors: int | None = None  # that ext4 has met since it was last checked
    disk_errors: int | None = None  # that a USB or SATA disk has given since the machine was started
    worn_percent: Annotated[int, Meta(ge=0, le=110)] | None = None  # of an eMMC's life; above 100: past it
    end_of_life: int | None = None  # an eMMC's own word: 1 well, 2 its reserve is low, 3 it is nearly used up
    read_only: bool | None = None  # it, or the root where that is meant to be written, takes nothing any more


class Relay(StrEnum):
    """The amplifier's relay, as far as the node knows."""

    ON = "on"
    OFF = "off"
    FAILED = "failed"  # it could not be switched; the sound goes on


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
    network: Annotated[str, Meta(max_length=120)] | None = None  # interface of the default route
    audio_device: Annotated[str, Meta(max_length=120)] | None = None
    audio_ok: bool | None = None
    swap_used_ratio: float | None = None
    storage: Storage | None = None
    modem: Modem | None = None
    wifi_dbm: int | None = None
    mains: bool | None = None  # by GPIO, where wired
    battery: bool | None = None  # in use, by GPIO, where wired
    amplifier: Relay | None = None


class Lacking(msgspec.Struct, frozen=True):
    """A job ahead whose audio is not on the node's disk."""

    job: Name
    reason: Annotated[str, Meta(max_length=40)] = ""  # why not; empty: it has only not come yet


MOST_LACKING = 30


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
    safe_mode: bool = False
    set_aside: Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=10)] = ()  # see ADR 17
    watched: bool | None = None  # whether the system's watchdog restarts a node that hangs
    lacking: Annotated[tuple[Lacking, ...], Meta(max_length=MOST_LACKING)] | None = None  # the most urgent first
    lacking_from: Moment | None = None  # of the jobs that start from here on, more lack than ``lacking`` names
    data_used_day_bytes: int | None = None  # audio and streams over the network, since the local midnight
    data_used_month_bytes: int | None = None
    update: Update | None = None  # null: no release is named for this kind of machine
    certificate_until: Moment | None = None  # of what the broker knows it by; null: it has none
