"""The standing rules of places, by the day they begin; and what waits for a commune to place it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """To this shape."""
    op.create_table("policies", key("area"), key("since"), text("body"), text("set_by"), moment("set_at"))
    op.create_table("programmes", key("area"), key("since"), text("body"), text("applied_by"), moment("applied_at"))
    op.create_table(
        "inbox",
        key("announcement"),
        key("area"),
        text("state"),
        moment("delivered_at"),
        moment("deadline"),
        text("decided_by", nullable=True),
        moment("decided_at", nullable=True),
        text("booking", nullable=True),
        text("reason"),
    )
    op.create_index("inbox_by_state", "inbox", ["state", "area"])
    op.add_column("bookings", sa.Column("before", sa.JSON(none_as_null=True), nullable=True))
