"""What was aired, added up by day, commune and kind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, text, whole

revision = "0026"
down_revision = "0020"


def upgrade() -> None:
    """To this shape."""
    op.create_table(
        "aired_jobs",
        key("job"),
        key("area"),
        text("day"),
        text("kind"),
        whole("sounded"),
        whole("longest_ms"),
        sa.Index("aired_jobs_by_day", "day"),
    )
    op.create_table(
        "aired_days",
        key("day"),
        key("area"),
        key("kind"),
        *map(whole, ("jobs", "jobs_sounded", "sounded", "missed", "otherwise", "longest_ms")),
    )
    op.create_table("aired_upto", key("one"), moment("at"), text("job"), text("node"))
