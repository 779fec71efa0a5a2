"""The roster has a number of its own, by which it is known whether what is held of it in memory is still right."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0025"


def upgrade() -> None:
    """To this shape."""
    op.add_column("tidings", sa.Column("roster", sa.BigInteger, nullable=False, server_default="0"))
