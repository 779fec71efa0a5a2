"""Since when an area has an official code, and until when; what became of the units of before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, text

revision = "0027"
down_revision = "0030"


def upgrade() -> None:
    """To this shape."""
    op.add_column("area_codes", sa.Column("since", sa.Text, nullable=True))
    op.add_column("area_codes", sa.Column("until", sa.Text, nullable=True))
    op.create_index("area_codes_by_area", "area_codes", ["area"])
    op.create_table(
        "area_heirs",
        key("former"),
        key("heir"),
        sa.Column("whole", sa.Boolean, nullable=False),
        text("name"),
    )
