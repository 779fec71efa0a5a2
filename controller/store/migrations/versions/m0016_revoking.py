"""Nodes may be revoked, certificates are renewed, and nodes that live twice are noted."""

from __future__ import annotations

from alembic import op

from controller.store.columns import key, moment, text, whole

revision = "0016"
down_revision = "0013"


def upgrade() -> None:
    """To this shape."""
    op.add_column("nodes", moment("revoked_at", nullable=True))
    op.add_column("certificates", text("public_key", nullable=True))
    op.add_column("certificates", text("pem", nullable=True))
    op.create_index("certificates_by_key", "certificates", ["public_key"])
    op.create_table(
        "doubles",
        key("node"),
        text("boot_id"),
        text("other_boot_id"),
        text("address"),
        text("other_address"),
        moment("first_at"),
        moment("last_at"),
        whole("count"),
    )
