"""What the store knows of nodes and of what was issued to them: frozen, complete rows, as those in `rows`.

- Every datetime is aware and UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from wire.health import Health
from wire.plan import Lane
from wire.receipt import Measured, Step

SILENT_AFTER = timedelta(minutes=5)  # no health for so long: said to be there, but not heard of


@dataclass(frozen=True)
class IssuedPlan:
    """The newest sealed plan of an area in one lane."""

    area: str
    lane: Lane
    serial: int
    digest: str
    issued_at: datetime
    valid_until: datetime
    envelope: bytes


@dataclass(frozen=True)
class IssuedConfig:
    """The newest sealed config of a node."""

    node: str
    serial: int
    digest: str
    issued_at: datetime
    envelope: bytes


@dataclass(frozen=True)
class Document:
    """A sealed document that is kept by name, such as ``trust``."""

    name: str
    serial: int
    envelope: bytes
    stored_at: datetime


@dataclass(frozen=True)
class Outcome:
    """The one end of a job on a node. ``node_name`` and ``title`` are empty when no longer (or never) known."""

    job: str
    node: str
    node_name: str
    title: str
    step: Step
    at: datetime
    planned_start: datetime
    asset: str
    reason: str
    detail: str
    measured: Measured | None
    received_at: datetime


@dataclass(frozen=True)
class Fetched:
    """The audio of a job that a node has, as it said ``at`` a moment of its own clock."""

    asset: str
    at: datetime


@dataclass(frozen=True)
class Condition:
    """What is known of a node's state: presence and newest health; None where it never spoke."""

    node: str
    online: bool | None = None
    presence_since: datetime | None = None  # when the present state was learnt
    boot_id: str = ""
    version: str = ""
    health: Health | None = None
    health_received_at: datetime | None = None


@dataclass(frozen=True)
class Spread:
    """One measurement over an hour; all None with ``count`` 0."""

    count: int
    least: float | None
    most: float | None
    mean: float | None


@dataclass(frozen=True)
class HealthHour:
    """One node's health over one hour, which begins at ``hour``."""

    node: str
    hour: datetime
    count: int
    cpu_celsius: Spread
    load_1m: Spread
    memory_used_ratio: Spread
    disk_used_ratio: Spread


@dataclass(frozen=True)
class RefusalCount:
    """How often one reason was met at one place, and the newest instance."""

    reason: str
    where: str
    count: int
    detail: str
    first_at: datetime
    last_at: datetime
