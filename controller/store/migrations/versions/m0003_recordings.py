"""What people recorded; and how an announcement is made: of which recording, how often heard, as a drill."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, real, text, whole

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """To this shape."""
    op.create_table(
        "recordings",
        key("sha256"),
        whole("size_bytes"),
        whole("duration_ms"),
        real("lufs"),
        text("language"),
        text("file_name"),
        text("admitted_by", sa.ForeignKey("users.id")),
        moment("admitted_at"),
    )
    op.add_column("announcements", text("recording", nullable=True))
    op.add_column("announcements", sa.Column("language", sa.Text, nullable=False, server_default="vi"))
    op.add_column("announcements", sa.Column("times", sa.BigInteger, nullable=False, server_default="1"))
    op.add_column("announcements", sa.Column("drill", sa.Boolean, nullable=False, server_default=sa.false()))
