"""The config of one node: which areas it listens to, how loud, when silent. Sealed, numbered, retained."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from wire.plan import END, Asset, Moment, Name

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
    standby: Annotated[tuple[Asset, ...], Meta(max_length=20)] = ()  # kept at all times: siren, templates
    maintenance: bool = False
    restart_request: Annotated[str, Meta(max_length=40)] = ""  # a new value asks for one restart
    health_seconds: Annotated[int, Meta(ge=5, le=3600)] = 60
    disk_budget_bytes: Annotated[int, Meta(ge=1_000_000)] = 2_000_000_000
