"""When announcements and bookings were changed last, counted in wishes: so that a look reads only what is new."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """To this shape."""
    for table in ("announcements", "bookings"):
        op.add_column(table, sa.Column("touched", sa.BigInteger, nullable=False, server_default="0"))
        op.create_index(f"{table}_by_touch", table, ["touched"])
