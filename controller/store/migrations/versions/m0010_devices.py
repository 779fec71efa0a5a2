"""Sessions know on what device they were begun and when they were last used; those from before must begin anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import moment, text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """To this shape."""
    op.drop_table("sessions")
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.Text, primary_key=True),
        text("user", sa.ForeignKey("users.id")),
        moment("created_at"),
        moment("expires_at"),
        text("device"),
        moment("seen_at"),
    )
    op.create_index("sessions_by_user", "sessions", ["user"])
