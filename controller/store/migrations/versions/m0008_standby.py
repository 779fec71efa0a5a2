"""What nodes keep at all times: announcements kept ready, and the siren."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """To this shape."""
    op.create_table(
        "standby",
        key("area"),
        key("announcement"),
        text("kept_by"),
        moment("kept_at"),
    )
    op.create_table("sirens", key("recipe"), text("asset", sa.ForeignKey("assets.sha256")), moment("made_at"))
