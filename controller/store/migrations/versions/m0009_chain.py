"""The audit log becomes a chain: what it holds already is numbered and hashed in the order in which it was written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.chain import BEFORE_ALL, link_of
from controller.store.columns import Moment, moment, octets, text, whole
from controller.store.rows import Act

revision = "0009"
down_revision = "0008"

_ACTS = sa.table(
    "acts",
    *(sa.column(name) for name in ("id", "who", "what", "subject", "detail", "number", "hash")),
    sa.column("at", Moment),
)


def upgrade() -> None:
    """To this shape."""
    op.add_column("acts", sa.Column("number", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("acts", sa.Column("hash", sa.Text, nullable=False, server_default=""))
    number, newest = _chain()
    op.create_index("acts_by_number", "acts", ["number"], unique=True)
    head = op.create_table("act_head", whole("id", key=True), whole("number"), text("hash"))
    op.bulk_insert(head, [{"id": 1, "number": number, "hash": newest}])
    op.create_table("checkpoints", whole("number", key=True), octets("envelope"), moment("at"))


def _chain() -> tuple[int, str]:
    """Number and hash every line; the last of both."""
    connection, number, newest = op.get_bind(), 0, BEFORE_ALL
    for row in connection.execute(sa.select(_ACTS).order_by(_ACTS.c.id)).all():
        number += 1
        newest = link_of(newest, number, Act(row.who, row.what, row.subject, row.detail, row.at))
        put = sa.update(_ACTS).where(_ACTS.c.id == row.id).values(number=number, hash=newest)
        connection.execute(put)
    return number, newest
