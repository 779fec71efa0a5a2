"""What the rules of places held back from plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """To this shape."""
    op.create_table(
        "held_back",
        key("job"),
        key("area"),
        text("booking"),
        text("title"),
        moment("start"),
        text("reason"),
        moment("held_at"),
        moment("released_at", nullable=True),
        sa.Index("held_back_by_booking", "booking"),
        sa.Index("held_back_by_start", "start"),
    )
