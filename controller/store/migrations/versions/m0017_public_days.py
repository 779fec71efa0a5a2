"""The days of the public log that were closed, under the station's seal."""

from __future__ import annotations

from alembic import op

from controller.store.columns import key, moment, octets, whole

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """To this shape."""
    op.create_table("public_days", key("day"), whole("number"), octets("envelope"), moment("closed_at"))
