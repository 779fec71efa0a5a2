"""What a second person agreed to, kept with the booking."""

from __future__ import annotations

from alembic import op

from controller.store.columns import structure

revision = "0015"
down_revision = "0017"


def upgrade() -> None:
    """To this shape."""
    op.add_column("bookings", structure("cosigned"))
