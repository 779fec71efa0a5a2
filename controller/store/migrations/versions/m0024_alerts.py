"""Alerts of the Common Alerting Protocol that were taken in, and the official codes of areas."""

from __future__ import annotations

from alembic import op

from controller.store.columns import key, moment, structure, text

revision = "0024"
down_revision = "0026"


def upgrade() -> None:
    """To this shape."""
    op.create_table(
        "alerts",
        key("sender"),
        key("identifier"),
        text("kind"),
        text("sender_name"),
        moment("sent"),
        moment("expires"),
        structure("references"),
        text("announcement", nullable=True),
        structure("areas"),
        structure("unknown"),
        structure("outside"),
        structure("notes"),
        text("digest"),
        text("taken_by"),
        moment("taken_at"),
    )
    op.create_index("alerts_by_announcement", "alerts", ["announcement"])
    op.create_index("alerts_by_age", "alerts", ["taken_at"])
    op.create_table("area_codes", key("code"), text("area"))
