"""What listeners could not hear, what is kept off the public page, and marks of the very areas of a booking."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, text
from controller.store.finding import marks_of

revision = "0023"
down_revision = "0018"


def upgrade() -> None:
    """To this shape."""
    op.create_table("unlisted", key("announcement"), text("by"), moment("at"))
    op.create_table(
        "unheard",
        key("id"),
        text("area"),
        text("announcement", nullable=True),
        text("kind"),
        text("words"),
        moment("told_at"),
        text("answered_by", nullable=True),
        moment("answered_at", nullable=True),
        text("answer"),
        sa.Index("unheard_by_time", "told_at"),
        sa.Index("unheard_by_area", "area", "told_at"),
    )
    _mark_anew(op.get_bind())


def _mark_anew(connection: sa.Connection) -> None:
    """Every announcement's marks, with those of the very areas that it was placed on."""
    homes = {row.id: row.home for row in connection.execute(sa.text("SELECT id, home FROM nodes"))}
    booked = sa.text("SELECT announcement, areas FROM bookings").columns(announcement=sa.Text, areas=sa.JSON)
    placed: dict[str, set[str]] = {}
    for announcement, areas in connection.execute(booked):
        named = set(areas or ())
        placed.setdefault(announcement, set()).update(named | {homes[each] for each in named if each in homes})
    authors = connection.execute(sa.text("SELECT id, author FROM announcements")).all()
    marked = [{"id": id_, "places": marks_of(placed.get(id_, ()), author)} for id_, author in authors]
    if marked:
        connection.execute(sa.text("UPDATE findable SET places = :places WHERE announcement = :id"), marked)
