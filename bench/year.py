"""A year of as-run log: ten million receipts of ten thousand nodes, written by the database itself.

- Each commune has a bulletin a day; each of its nodes has fetched, begun and ended it: three receipts and one outcome.
- Indexes that are no keys are made afterwards, which is quicker than keeping them on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bench import timetable
from bench.papers import PROVINCE
from controller.store import Store, fact_tables, tables
from wire import codec
from wire.receipt import Measured, Receipt, Step

DAYS = 334  # times 10,000 nodes times 3 are 10 million
STEPS = (Step.FETCHED, Step.STARTED, Step.SOUNDED)
AT_ONCE = 20_000

_WRITTEN = fact_tables.receipts.to_metadata(type(tables.metadata)(), name="bench_year")  # ``node`` names a commune
_WRITTEN.indexes.clear()


def fill(store: Store, communes: int, now: datetime, days: int = DAYS) -> int:
    """Enter ``days`` of it, the last one yesterday; how many receipts there are."""
    engine, receipts, outcomes = store.database.engine, fact_tables.receipts, fact_tables.outcomes
    with engine.begin() as connection:
        _WRITTEN.create(connection)
        rows = list(_rows(communes, days, now))
        for first in range(0, len(rows), AT_ONCE):
            connection.execute(_WRITTEN.insert(), rows[first : first + AT_ONCE])
        for index in (*receipts.indexes, *outcomes.indexes):
            index.drop(connection)
        for statement in _STATEMENTS:
            connection.exec_driver_sql(statement)
        for index in (*receipts.indexes, *outcomes.indexes):
            index.create(connection)
        _WRITTEN.drop(connection)
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM receipts").scalar_one())


_HOMES = "(n.home = y.node OR substr(n.home, 1, length(y.node) + 1) = y.node || ':')"
_STATEMENTS = (
    "CREATE TABLE bench_hung AS SELECT n.id AS node, y.node AS commune FROM nodes n"
    f" JOIN (SELECT DISTINCT node FROM bench_year) y ON {_HOMES}",
    "INSERT INTO receipts (node, stream, number, job, step, at, body, received_at)"
    " SELECT h.node, y.stream, y.number, y.job, y.step, y.at, y.body, y.at"
    " FROM bench_hung h JOIN bench_year y ON y.node = h.commune ORDER BY h.node, y.number",
    "INSERT INTO outcomes (job, node, booking, step, body, received_at)"
    " SELECT y.job, h.node, substr(y.job, 1, 7), y.step, y.body, y.at"
    " FROM bench_year y JOIN bench_hung h ON y.node = h.commune WHERE y.step = 'sounded' ORDER BY y.job, h.node",
    "INSERT INTO streams (node, stream, upto) SELECT h.node, y.stream, max(y.number)"
    " FROM bench_hung h JOIN bench_year y ON y.node = h.commune GROUP BY h.node, y.stream",
    "DROP TABLE bench_hung",
)


def _rows(communes: int, days: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Each step of each commune's bulletin of each day; the booking is one of `bench.province`'s that come daily."""
    for commune in range(communes):
        booking = f"b{commune * 10:06d}"
        for day in range(days):
            start = (now - timedelta(days=days - day)).replace(minute=commune % 60, second=0, microsecond=0)
            job = f"{booking}:{start:%Y%m%dt%H%M%S}"
            proof = Measured(start, start + timedelta(minutes=1), 3.5, 60_000, -20.1, -3.0, "USB Audio")
            for place, step in enumerate(STEPS):
                number = day * len(STEPS) + place + 1
                measured = proof if step is Step.SOUNDED else None
                receipt = Receipt(number, job, step, start, start, asset=timetable.sha(commune), measured=measured)
                row = {"node": f"{PROVINCE}:xa-{commune:02d}", "stream": "year", "number": number, "job": job}
                row |= {"step": step.value, "at": start, "received_at": start}
                yield row | {"body": codec.write(receipt).decode()}
