"""The config of one node: which areas it listens to, how loud, when silent. Sealed, numbered, retained."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from wire.plan import END, Asset, Moment, Name, Sha256
from wire.release import MOST_RELEASES
from wire.seal import Envelope

LocalTime = Annotated[str, Meta(pattern=f"^([01][0-9]|2[0-3]):[0-5][0-9]{END}")]  # HH:MM in the node's zone
Dbfs = Annotated[float, Meta(ge=-60.0, le=0.0)]


class VolumeBand(msgspec.Struct, frozen=True):
    """From this local time on (until the next band), audio is attenuated to this level; 0 is full scale."""

    since: LocalTime
    volume_dbfs: Dbfs


class QuietHours(msgspec.Struct, frozen=True):
    """Local times between which only an emergency may sound; may span midnight; equal ends mean never quiet."""

    since: LocalTime = "21:00"
    until: LocalTime = "05:00"


class Weekend(StrEnum):
    """What may sound on a Saturday and a Sunday."""

    AS_USUAL = "as_usual"
    PRIORITY = "priority"  # priority items and emergencies
    NONE = "none"  # emergencies only


Count = Annotated[int, Meta(ge=0, le=1440)]
Week = Annotated[tuple[Count | None, ...], Meta(max_length=7)]  # Monday to Sunday; what is null or missing has no limit


class Limits(msgspec.Struct, frozen=True):
    """How much may sound in a day where a node hangs. An emergency is never held back, and counts."""

    gap_minutes: Count = 10  # what begins within this after the last sound belongs to the same session
    sessions: Week = ()  # sessions a day, Monday first
    session_minutes: Week = ()  # from the first sound of a session to its last
    day_minutes: Week = ()  # sound in a day
    weekend: Weekend = Weekend.AS_USUAL


class NodeConfig(msgspec.Struct, frozen=True):
    """What the station wants of one node."""

    node: Name
    serial: Annotated[int, Meta(ge=1)]
    issued_at: Moment
    areas: Annotated[tuple[Name, ...], Meta(max_length=100)]
    media_url: Annotated[str, Meta(max_length=500)]  # where relative asset URLs start
    zone: Annotated[str, Meta(max_length=60)] = "Asia/Ho_Chi_Minh"
    quiet_hours: QuietHours = QuietHours()
    volumes: Annotated[tuple[VolumeBand, ...], Meta(max_length=48)] = ()
    emergency_volume_dbfs: Dbfs = 0.0
    offset_ms: Annotated[int, Meta(ge=-2000, le=2000)] = 0  # added to every start on this node
    standby: Annotated[tuple[Asset, ...], Meta(max_length=20)] = ()  # kept at all times: siren, prepared texts
    maintenance: bool = False
    restart_request: Annotated[str, Meta(max_length=40)] = ""  # a new value asks for one restart
    health_seconds: Annotated[int, Meta(ge=5, le=3600)] = 60
    disk_budget_bytes: Annotated[int, Meta(ge=1_000_000)] = 2_000_000_000
    data_budget_bytes_per_day: Annotated[int, Meta(ge=0)] = 0  # audio and streams over the network; 0: no budget
    limits: Limits | None = None  # how much may sound in a day; null: as much as the plan says
    siren: Sha256 | None = None  # which of ``standby`` a node sounds before an emergency that it speaks itself
    releases: Annotated[tuple[Envelope, ...], Meta(max_length=MOST_RELEASES)] = ()  # root-sealed: what it is to run
