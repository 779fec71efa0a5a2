"""A booking (lịch phát): one announcement placed in time, on areas. What the planner is fed."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from wire.plan import AfterCut, Asset, BulletinClass, Cosigned, Late, Level, Relay

SKIP_GRACE = timedelta(seconds=30)


class WhenCut(StrEnum):
    """What a person wants of an item that an emergency cuts into. The wire says it as `AfterCut` and ``duck``."""

    RESUME = "resume"  # goes on where it was cut
    RESTART = "restart"  # begins again
    DROP = "drop"  # is over
    DUCK = "duck"  # goes on beneath, quieter; a node that does not know it resumes

    @property
    def on_wire(self) -> tuple[AfterCut, bool]:
        """``after_cut`` and ``duck`` of its jobs."""
        return (AfterCut.RESUME, True) if self is WhenCut.DUCK else (AfterCut(self.value), False)


class Booking(msgspec.Struct, frozen=True):
    """One announcement, its areas and its starts (aware datetimes). Finished audio, a relay, or urgent words.

    ``id`` is one slug of at most 64 characters, so that every job's id is a name the wire carries.
    """

    id: str
    title: str
    areas: tuple[str, ...]
    starts: tuple[datetime, ...]
    asset: Asset | None  # None for a relay, and for an emergency that is only words yet
    bulletin_class: BulletinClass = BulletinClass.ORDINARY
    level: Level = Level.COMMUNE
    late: Late = Late.PLAY_LATE
    late_for: timedelta = timedelta(minutes=30)  # how long after its start a job may still begin
    after_cut: AfterCut = AfterCut.RESUME
    spoken: str = ""
    drill: bool = False
    before: tuple[str, ...] = ()  # bookings that it goes ahead of, by a commune's order
    series: str = ""  # it stands in a slot of the programme, of this series
    repeats: bool = False  # its starts may grow or shrink: every job is then named by its start, even the only one
    relay: Relay | None = None
    duck: bool = False
    cosigned: Cosigned | None = None  # of a wide emergency: a second person's seal over its one job

    @property
    def length(self) -> timedelta:
        """How long it sounds."""
        told = self.relay or self.asset
        return timedelta(milliseconds=told.duration_ms if told else 0)

    def deadline(self, start: datetime) -> datetime:
        """The last moment at which the occurrence of ``start`` may begin."""
        return start + (SKIP_GRACE if self.late is Late.SKIP else self.late_for)
