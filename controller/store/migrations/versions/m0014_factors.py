"""Second factors: codes of an app, passkeys, recovery codes; and when a session's person was last proven."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, octets, text, whole

revision = "0014"
down_revision = "0015"


def upgrade() -> None:
    """To this shape."""
    op.add_column("sessions", moment("proven_at", nullable=True))
    op.create_table(
        "code_apps",
        sa.Column("user", sa.Text, sa.ForeignKey("users.id"), primary_key=True),
        text("locked"),
        moment("made_at"),
        moment("confirmed_at", nullable=True),
        whole("last_step"),
    )
    op.create_table(
        "passkeys",
        key("id"),
        text("user", sa.ForeignKey("users.id")),
        text("name"),
        octets("public_key"),
        whole("uses"),
        moment("made_at"),
        moment("used_at", nullable=True),
        sa.Index("passkeys_by_user", "user"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user", sa.Text, sa.ForeignKey("users.id"), primary_key=True),
        key("mark"),
        moment("used_at", nullable=True),
    )
    op.create_table(
        "asked",
        key("token_hash"),
        text("purpose"),
        text("user", nullable=True),
        text("challenge"),
        moment("expires_at"),
    )
