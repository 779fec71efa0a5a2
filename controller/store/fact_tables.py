"""The tables of what nodes report: receipts, outcomes, presence, health. No foreign keys: they outlive the roster."""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.columns import Moment, key, moment, real, text, whole
from controller.store.tables import metadata

streams = sa.Table("streams", metadata, key("node"), key("stream"), whole("upto"))

receipts = sa.Table(
    "receipts",
    metadata,
    key("node"),
    key("stream"),
    whole("number", key=True),
    text("job"),
    text("step"),
    moment("at"),
    text("body"),  # the receipt as it was sealed, JSON
    moment("received_at"),
    sa.Index("receipts_by_job", "job", "node"),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    key("job"),
    key("node"),
    text("booking"),  # the job's first part: what it is an occurrence of
    text("step"),
    text("body"),
    moment("received_at"),
    sa.Index("outcomes_by_booking", "booking", "received_at"),
    sa.Index("outcomes_by_age", "received_at"),
    sa.Index("outcomes_by_node", "node", "received_at"),
)

sounded = sa.Table("sounded", metadata, key("node"), moment("received_at"))  # the last job that did

presence = sa.Table(
    "presence",
    metadata,
    key("node"),
    text("state"),
    text("boot_id"),
    text("version"),
    moment("at"),
    moment("since"),
)

spells = sa.Table(  # intervals in which a node was online; the open one has no end
    "spells",
    metadata,
    key("node"),
    sa.Column("since", Moment, primary_key=True),
    moment("until", nullable=True),
    sa.Index("spells_by_beginning", "since"),
    sa.Index("spells_by_end", "until"),
)

health = sa.Table("health", metadata, key("node"), moment("at"), moment("received_at"), text("body"))

doubles = sa.Table(  # nodes that seem to live twice
    "doubles",
    metadata,
    key("node"),
    text("boot_id"),
    text("other_boot_id"),
    text("address"),
    text("other_address"),
    moment("first_at"),
    moment("last_at"),
    whole("count"),
)

MEASUREMENTS = ("cpu_celsius", "load_1m", "memory_used_ratio", "disk_used_ratio")

health_hours = sa.Table(
    "health_hours",
    metadata,
    key("node"),
    sa.Column("hour", Moment, primary_key=True),
    whole("count"),
    *(
        column
        for each in MEASUREMENTS
        for column in (
            whole(f"{each}_count"),
            real(f"{each}_least"),
            real(f"{each}_most"),
            sa.Column(f"{each}_sum", sa.Double, nullable=False),
        )
    ),
)

refusals = sa.Table(
    "refusals",
    metadata,
    key("reason"),
    key("place"),
    whole("count"),
    text("detail"),
    moment("first_at"),
    moment("last_at"),
)
