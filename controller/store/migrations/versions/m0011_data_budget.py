"""How much data a node may use a day, where that is another than the station's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """To this shape."""
    op.add_column("nodes", sa.Column("data_budget_bytes_per_day", sa.BigInteger, nullable=True))
