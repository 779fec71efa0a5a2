"""Nodes that are let in by a one-time code, and the certificates that they were given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, structure, text, whole

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """To this shape."""
    op.create_table(
        "enrolments",
        key("code"),
        text("node"),
        text("name"),
        text("home"),
        structure("groups"),
        sa.Column("replaces", sa.Boolean, nullable=False),
        text("kept", nullable=True),
        text("made_by"),
        moment("made_at"),
        moment("expires_at"),
        whole("tries"),
        moment("used_at", nullable=True),
        text("public_key", nullable=True),
        text("certificate", nullable=True),
        sa.Index("enrolments_by_node", "node"),
    )
    op.create_table(
        "certificates",
        key("serial"),
        text("node"),
        moment("issued_at"),
        moment("valid_until"),
        moment("revoked_at", nullable=True),
        sa.Index("certificates_by_node", "node"),
    )
