"""Makers of a node's past: days online with gaps, jobs that sounded and some that did not, hours of health."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from makers_web import Town

from controller.store.fact_tables import MEASUREMENTS, health_hours, outcomes, spells
from wire import codec
from wire.receipt import Measured, Receipt, Step

HOUR = timedelta(hours=1)
AWAY = (3, 17, 18, 40)  # days before today on which it was away for a time


def a_year(town: Town, node: str, days: int, jobs_a_day: int = 3) -> None:
    """``days`` that end half a day before the town's now, written as the logbook would have."""
    begin = town.now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
    told = [each for day in range(days) for each in _jobs(node, begin + timedelta(days=day, hours=1), jobs_a_day)]
    hours = [_hour(node, begin, number) for number in range(days * 24 - 12)]
    online = _spells(node, town, days)
    with town.store.database.writing() as connection:
        for table, rows in ((outcomes, told), (health_hours, hours), (spells, online)):
            for first in range(0, len(rows), 1000):
                connection.execute(sa.insert(table), rows[first : first + 1000])


def _jobs(node: str, day: Any, count: int) -> list[dict[str, Any]]:
    rows = []
    for number in range(count):
        start = day + timedelta(minutes=30 * number)
        lost = (day.day * 7 + number) % 23 == 0
        measured = None if lost else Measured(start, start + HOUR / 60, 4.0 + number, 60_000, -18.0, -3.0, "USB Audio")
        step = Step.MISSED if lost else Step.SOUNDED
        line = Receipt(1, f"b{day:%Y%m%d}{number:03}", step, start, start, "", "no_audio" if lost else "", "", measured)
        rows.append(
            {"job": line.job, "node": node, "booking": line.job, "step": step.value}
            | {"body": codec.write(line).decode(), "received_at": start + timedelta(minutes=2)}
        )
    return rows


def _hour(node: str, begin: Any, number: int) -> dict[str, Any]:
    wave = math.sin(2 * math.pi * number / 24)
    values = {"cpu_celsius": 52 + 9 * wave, "load_1m": 0.4 + 0.2 * wave, "memory_used_ratio": 0.35}
    values["disk_used_ratio"] = min(0.2 + number / 20_000, 0.95)
    row: dict[str, Any] = {"node": node, "hour": begin + number * HOUR, "count": 60}
    for name in MEASUREMENTS:
        value = values[name]
        row |= {f"{name}_count": 60, f"{name}_least": value * 0.92, f"{name}_most": value * 1.08}
        row[f"{name}_sum"] = value * 60
    return row


def _spells(node: str, town: Town, days: int) -> list[dict[str, Any]]:
    since, rows = town.now - timedelta(days=days), []
    for away in sorted(AWAY, reverse=True):
        if away < days:
            end = town.now - timedelta(days=away)
            rows.append({"node": node, "since": since, "until": end})
            since = end + 5 * HOUR
    return [*rows, {"node": node, "since": since, "until": town.now - 6 * HOUR}]
