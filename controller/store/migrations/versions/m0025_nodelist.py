"""Nodes are found by their words, by what they did and when they sounded last; maintenance has an end and a reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment
from controller.store.finding import plain

revision = "0025"
down_revision = "0021"


def upgrade() -> None:
    """To this shape."""
    op.add_column("nodes", sa.Column("words", sa.Text, nullable=False, server_default=""))
    op.add_column("nodes", moment("maintenance_until", nullable=True))
    op.add_column("nodes", sa.Column("maintenance_reason", sa.Text, nullable=False, server_default=""))
    op.add_column("nodes", sa.Column("maintenance_by", sa.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    named = connection.execute(sa.text("SELECT id, name FROM nodes")).all()
    if named:
        rows = [{"id": id_, "words": plain(f"{name} {id_}")} for id_, name in named]
        connection.execute(sa.text("UPDATE nodes SET words = :words WHERE id = :id"), rows)
    op.create_table("sounded", key("node"), moment("received_at"))
    op.execute(
        "INSERT INTO sounded (node, received_at)"
        " SELECT node, max(received_at) FROM outcomes WHERE step = 'sounded' GROUP BY node"
    )
