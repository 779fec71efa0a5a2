"""The forms that look after a node: what was typed, what may be chosen, and what it means. Reads only the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from controller.roster import Node
from controller.web.forms import fresh_key
from controller.web.times import HOURS, MINUTES, moment, written_day
from wire.config import VolumeBand

END_HOURS = (1, 2, 4, 8, 24, 72, 168)  # how long maintenance may be chosen to last
USUAL_HOURS = 4
OTHER = "other"
LEVELS = (0.0, -3.0, -6.0, -9.0, -12.0, -15.0, -18.0, -24.0, -30.0)  # dBFS
ROWS, SPARE, MOST_ROWS = 4, 2, 24
MOST_CHARS = 300


@dataclass(frozen=True)
class Row:
    """A band as it stands in the form; without an hour it is none."""

    hour: str = ""
    minute: str = "00"
    level: float = 0.0


@dataclass(frozen=True)
class Typed:
    """Both forms as they were typed. ``key`` lets a double tap try once."""

    reason: str = ""
    hours: str = str(USUAL_HOURS)
    day: str = ""
    hour: str = "17"
    minute: str = "00"
    rows: tuple[Row, ...] = ()
    key: str = field(default_factory=fresh_key)


def blank(node: Node) -> Typed:
    """The forms as they open: the bands that the node has, and the reason of the maintenance that it is in."""
    return Typed(node.maintenance_reason, rows=tuple(_row(band) for band in node.volumes))


def maintenance(form: Mapping[str, str], node: Node) -> Typed:
    """What was typed of maintenance."""
    told = {name: form.get(name, "")[:MOST_CHARS] for name in ("reason", "hours", "day", "hour", "minute")}
    return Typed(**told, rows=blank(node).rows)


def volumes(form: Any, node: Node) -> Typed:
    """What was typed of volumes (a `MultiDict`): three lists side by side. A level that is no number is refused."""
    columns = [form.getlist(name)[:MOST_ROWS] for name in ("since_hour", "since_minute", "level")]
    rows = tuple(Row(hour[:5], minute[:5], _number(level)) for hour, minute, level in zip(*columns, strict=False))
    return Typed(node.maintenance_reason, rows=rows)


def bands(typed: Typed) -> tuple[VolumeBand, ...]:
    """The bands of the rows that have an hour."""
    return tuple(VolumeBand(f"{row.hour}:{row.minute}", row.level) for row in typed.rows if row.hour)


def until(typed: Typed, now: datetime, zone: str) -> datetime | None:
    """When maintenance is to end; None where that cannot be read."""
    if typed.hours == OTHER:
        day = written_day(typed.day)
        return moment(day, typed.hour, typed.minute, zone) if day else None
    known = typed.hours in {str(each) for each in END_HOURS}
    return now + timedelta(hours=int(typed.hours)) if known else None


def offered(node: Node, typed: Typed) -> dict[str, Any]:
    """What the lists of both forms offer; whatever the node has, or was typed, is among it."""
    rows = (*typed.rows, *[Row()] * max(SPARE, ROWS - len(typed.rows)))[:MOST_ROWS]
    minutes = sorted({*MINUTES, *(row.minute for row in rows if row.minute.isdigit() and len(row.minute) == 2)})
    held = {band.volume_dbfs for band in node.volumes}
    levels: Sequence[float] = sorted({*LEVELS, *held}, reverse=True)
    return {"rows": rows, "band_minutes": minutes, "levels": levels, "end_hours": END_HOURS, "hours": HOURS} | {
        "minutes": MINUTES
    }


def _row(band: VolumeBand) -> Row:
    hour, minute = band.since.split(":")
    return Row(hour, minute, band.volume_dbfs)


def _number(text: str) -> float:
    try:
        return float(text[:10])
    except ValueError:
        return 1.0
