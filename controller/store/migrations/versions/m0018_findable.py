"""Announcements can be found by their words and by where they were placed; those from before too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import text, whole
from controller.store.finding import marks_of, words_of

revision = "0018"
down_revision = "0014"


def upgrade() -> None:
    """To this shape."""
    table = op.create_table(
        "findable",
        whole("number", key=True),
        text("announcement", sa.ForeignKey("announcements.id"), unique=True),
        text("words"),
        text("places"),
    )
    assert table is not None
    _index(op.get_bind())
    _enter_all(op.get_bind(), table)


def _index(connection: sa.Connection) -> None:
    if connection.dialect.name != "sqlite":
        op.execute("CREATE INDEX findable_words ON findable USING gin (to_tsvector('simple', words || ' ' || places))")
        return
    op.execute(
        "CREATE VIRTUAL TABLE findable_text USING fts5"
        "(words, places, content='findable', content_rowid='number', tokenize='ascii')"
    )
    gone = (
        "INSERT INTO findable_text(findable_text, rowid, words, places)"
        " VALUES('delete', old.number, old.words, old.places);"
    )
    come = "INSERT INTO findable_text(rowid, words, places) VALUES(new.number, new.words, new.places);"
    op.execute(f"CREATE TRIGGER findable_come AFTER INSERT ON findable BEGIN {come} END")
    op.execute(f"CREATE TRIGGER findable_gone AFTER DELETE ON findable BEGIN {gone} END")
    op.execute(f"CREATE TRIGGER findable_else AFTER UPDATE ON findable BEGIN {gone} {come} END")


def _enter_all(connection: sa.Connection, table: sa.Table) -> None:
    """What there is already, oldest first."""
    homes = {row.id: row.home for row in connection.execute(sa.text("SELECT id, home FROM nodes"))}
    booked = sa.text("SELECT announcement, areas FROM bookings").columns(announcement=sa.Text, areas=sa.JSON)
    placed: dict[str, set[str]] = {}
    for announcement, areas in connection.execute(booked):
        named = set(areas or ())
        placed.setdefault(announcement, set()).update(named | {homes[each] for each in named if each in homes})
    held = connection.execute(
        sa.text("SELECT id, title, text, author FROM announcements ORDER BY created_at, id")
    ).all()
    for number, (announcement, title, written, author) in enumerate(held, start=1):
        values = {"number": number, "announcement": announcement, "words": words_of(title, written)}
        connection.execute(sa.insert(table), values | {"places": marks_of(placed.get(announcement, ()), author)})
