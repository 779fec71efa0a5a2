"""How a place says its own words."""

from __future__ import annotations

from alembic import op

from controller.store.columns import key, moment, text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """To this shape."""
    op.create_table("lexicon", key("area"), key("written"), text("spoken"), text("taught_by"), moment("taught_at"))
