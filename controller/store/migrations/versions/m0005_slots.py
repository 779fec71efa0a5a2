"""Bookings that ask for a slot of the programme instead of a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """To this shape."""
    op.add_column("bookings", sa.Column("slot", sa.Text, nullable=True))
    op.add_column("bookings", sa.Column("slot_note", sa.Text, nullable=True))
