"""The tables of the audit log: lines chained to one another, the newest of them, sealed checkpoints."""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.columns import moment, octets, text, whole
from controller.store.tables import metadata

acts = sa.Table(
    "acts",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    text("who"),
    text("what"),
    text("subject"),
    text("detail"),
    moment("at"),
    sa.Column("number", sa.BigInteger, nullable=False, server_default="0"),  # 1, 2, 3 …: no gap, no two alike
    sa.Column("hash", sa.Text, nullable=False, server_default=""),  # of this line and the hash before it
    sa.Index("acts_by_number", "number", unique=True),
)

act_head = sa.Table("act_head", metadata, whole("id", key=True), whole("number"), text("hash"))  # one row

checkpoints = sa.Table("checkpoints", metadata, whole("number", key=True), octets("envelope"), moment("at"))
