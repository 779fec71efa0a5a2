"""What many loudspeakers are to sound is counted by the station; a booking's newest outcomes are found by one index."""

from __future__ import annotations

from alembic import op

from controller.store.columns import key, moment, structure, text, whole

revision = "0030"
down_revision = "0028"


def upgrade() -> None:
    """To this shape."""
    op.create_table(
        "arrivals",
        key("job"),
        text("asset"),
        structure("areas"),
        moment("start"),
        whole("expected"),
        whole("lacking"),
        structure("first"),
        moment("counted_at"),
    )
    op.drop_index("outcomes_by_booking", "outcomes")
    op.create_index("outcomes_by_booking", "outcomes", ["booking", "received_at"])
