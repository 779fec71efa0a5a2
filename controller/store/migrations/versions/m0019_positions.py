"""Where areas and nodes stand on the earth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, text

revision = "0019"
down_revision = "0024"


def upgrade() -> None:
    """To this shape."""
    degrees = (sa.Column(name, sa.Double, nullable=False) for name in ("latitude", "longitude"))
    op.create_table("positions", key("place"), *degrees, text("set_by"), moment("set_at"))
