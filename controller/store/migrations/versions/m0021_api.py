"""Programs act by tokens, a request that is sent twice does one thing, and a loudspeaker's log is read page by page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, text, whole

revision = "0021"
down_revision = "0019"


def upgrade() -> None:
    """To this shape."""
    op.create_table(
        "api_tokens",
        key("id"),
        text("user", sa.ForeignKey("users.id")),
        text("name"),
        text("token_hash", unique=True),
        text("role"),
        text("area"),
        moment("made_at"),
        moment("until"),
        moment("used_at", nullable=True),
        moment("ended_at", nullable=True),
        sa.Index("api_tokens_by_user", "user"),
    )
    op.create_table(
        "api_answers",
        key("token"),
        key("key"),
        text("digest"),
        moment("asked_at"),
        whole("status"),
        text("headers"),
        text("body"),
        sa.Index("api_answers_by_age", "asked_at"),
    )
    op.create_index("outcomes_by_node", "outcomes", ["node", "received_at"])
