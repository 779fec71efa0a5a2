"""What is read of the station before it is judged (`controller.gauges` reads, `controller.condition` judges). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from words import Said


@dataclass(frozen=True)
class Life:
    """Of the station's process. ``here``: it is this one; ``tick_at``: its last tick (here) or when it last judged."""

    version: str
    here: bool
    since: datetime | None = None
    tick_at: datetime | None = None


@dataclass(frozen=True)
class Line:
    """To the broker. ``connected``: None where only the station knows; ``lost_at``: an alarm says so."""

    kind: str
    host: str
    port: int
    tls: bool
    connected: bool | None = None
    since: datetime | None = None
    lost_at: datetime | None = None


@dataclass(frozen=True)
class ClockFacts:
    """``source``: ntp, none, or None where the system does not say. ``apart``: seconds by which this clock is ahead
    of the loudspeakers', the middle of ``compared`` of them that know the time.
    """

    source: str | None = None
    offset_ms: float | None = None
    apart: float | None = None
    compared: int = 0


@dataclass(frozen=True)
class Room:
    """Of a disk. ``what``: state, shelf or backup."""

    what: str
    path: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class Voice:
    """A voice of the chain. ``why`` it does not read, or rests; None for a voice that can."""

    name: str
    resting: bool = False
    why: Said | None = None


@dataclass(frozen=True)
class Keys:
    """``locked``: kinds of keys that are locked; ``token``: the station's lies in one; ``second``: how many second
    people have a key, ``second_wanted``: whether a wide emergency wants one. ``trust_until``: None for no trust.
    ``named``: whether the trust counts the station's key now (true where that cannot be seen); ``cut``: whether it
    names one that the station has not taken yet.
    """

    locked: tuple[str, ...] | None = ()
    token: bool = False
    here: bool = True
    second: int = 0
    second_wanted: bool = False
    trust_until: datetime | None = None
    named: bool = True
    cut: bool = False


@dataclass(frozen=True)
class Kept:
    """The newest backup."""

    name: str
    at: datetime
    folder: str = ""


@dataclass(frozen=True)
class Readings:
    """All that was read. ``database``: kind and bytes; ``papers``: certificate -> until when, None: cannot be read."""

    life: Life
    line: Line
    clock: ClockFacts
    rooms: Sequence[Room]
    database: tuple[str, int]
    voices: Sequence[Voice]
    papers: Mapping[str, datetime | None]
    keys: Keys
    backup: Kept | None = None
