"""What each setting was at the last start; second people's keys that are out of force before the roots said so."""

from __future__ import annotations

from alembic import op

from controller.store.columns import key, moment, text

revision = "0022"
down_revision = "0023"


def upgrade() -> None:
    """To this shape."""
    op.create_table("settings_known", key("part"), key("name"), text("shown"), text("mark"))
    op.create_table("cosigners_out", key("public_key"), text("holder"), moment("since"))
