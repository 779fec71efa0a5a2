"""Each table that is written seldom has a number, by which open pages are told only of what concerns them."""

from __future__ import annotations

from alembic import op

from controller.store.columns import key, whole

revision = "0031"
down_revision = "0027"


def upgrade() -> None:
    """To this shape."""
    op.create_table("written", key("subject"), whole("number"))
