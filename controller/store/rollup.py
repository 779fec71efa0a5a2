"""Hours of health: many measurements become one row for each node and hour, and one row takes in another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.store.database import Upsert
from controller.store.fact_tables import MEASUREMENTS, health_hours
from controller.store.facts import HealthHour, Spread
from wire.health import Health

_EMPTY = {
    key: value
    for each in MEASUREMENTS
    for key, value in ((f"{each}_count", 0), (f"{each}_least", None), (f"{each}_most", None), (f"{each}_sum", 0.0))
}
_NAMES = tuple((each, f"{each}_count", f"{each}_least", f"{each}_most", f"{each}_sum") for each in MEASUREMENTS)


def hour_of(moment: datetime) -> datetime:
    """The beginning of the UTC hour that ``moment`` lies in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def rolled_up(messages: Iterable[Health], hour: datetime) -> list[dict[str, Any]]:
    """One row for each node, in order of name."""
    rows: dict[str, dict[str, Any]] = {}
    for message in messages:
        row = rows.get(message.node)
        if row is None:
            row = rows[message.node] = {"node": message.node, "hour": hour, "count": 0, **_EMPTY}
        row["count"] += 1
        for name, count, least, most, total in _NAMES:
            value = getattr(message.vitals, name)
            if value is None:
                continue
            row[least] = value if row[count] == 0 else min(row[least], value)
            row[most] = value if row[count] == 0 else max(row[most], value)
            row[count] += 1
            row[total] += value
    return [rows[node] for node in sorted(rows)]


def taking_in(insert: Upsert) -> sa.Insert:
    """``insert`` such that a row of the same node and hour takes the new one in."""
    held, new = health_hours.c, insert.excluded
    together: dict[str, sa.ColumnElement[Any]] = {"count": held["count"] + new["count"]}
    for _, count, least, most, total in _NAMES:
        together[count] = held[count] + new[count]
        together[total] = held[total] + new[total]
        # a comparison with an absent value is neither true nor false: then the value that is there stays
        together[least] = sa.case((held[least].is_(None) | (new[least] < held[least]), new[least]), else_=held[least])
        together[most] = sa.case((held[most].is_(None) | (new[most] > held[most]), new[most]), else_=held[most])
    return insert.on_conflict_do_update(index_elements=["node", "hour"], set_=together)


def to_hour(row: sa.RowMapping) -> HealthHour:
    """A row as what it means."""
    spreads = {
        name: Spread(row[count], row[least], row[most], row[total] / row[count] if row[count] else None)
        for name, count, least, most, total in _NAMES
    }
    return HealthHour(node=row["node"], hour=row["hour"], count=row["count"], **spreads)
