"""The first shape."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from controller.store.tables import Moment

revision = "0001"
down_revision = None

MEASUREMENTS = ("cpu_celsius", "load_1m", "memory_used_ratio", "disk_used_ratio")


def upgrade() -> None:
    """To this shape."""
    for create in (
        _tidings_table,
        _areas_table,
        _nodes_table,
        _node_groups_table,
        _users_table,
        _sessions_table,
        _links_table,
        _assets_table,
        _announcements_table,
        _bookings_table,
        _serials_table,
        _plans_table,
        _configs_table,
        _documents_table,
        _streams_table,
        _receipts_table,
        _outcomes_table,
        _presence_table,
        _spells_table,
        _health_table,
        _health_hours_table,
        _acts_table,
        _refusals_table,
    ):
        create()
    op.execute("INSERT INTO tidings (id, wishes) VALUES (1, 0)")


def _text(name: str, *rest: sa.ForeignKey, nullable: bool = False, unique: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *rest, nullable=nullable, unique=unique or None)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, Moment, nullable=nullable)


def _whole(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, autoincrement=False, nullable=False)


def _real(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(none_as_null=True))


def _tidings_table() -> None:
    op.create_table("tidings", _whole("id", key=True), _whole("wishes"))


def _areas_table() -> None:
    op.create_table("areas", _key("id"), _text("name"), _text("kind"))


def _nodes_table() -> None:
    op.create_table(
        "nodes",
        _key("id"),
        _text("name"),
        _text("home", sa.ForeignKey("areas.id")),
        _text("public_key", unique=True),
        _moment("enrolled_at"),
        _whole("offset_ms"),
        _json("quiet"),
        _json("volumes"),
        sa.Column("maintenance", sa.Boolean, nullable=False),
    )


def _node_groups_table() -> None:
    op.create_table(
        "node_groups",
        sa.Column("node", sa.Text, sa.ForeignKey("nodes.id"), primary_key=True),
        sa.Column("area", sa.Text, sa.ForeignKey("areas.id"), primary_key=True),
        sa.Index("node_groups_by_area", "area"),
    )


def _users_table() -> None:
    op.create_table(
        "users",
        _key("id"),
        _text("name", unique=True),
        _text("role"),
        _text("area"),
        _moment("created_at"),
        _text("full_name"),
        _text("password_hash"),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )


def _sessions_table() -> None:
    op.create_table(
        "sessions",
        _key("token_hash"),
        _text("user", sa.ForeignKey("users.id")),
        _moment("created_at"),
        _moment("expires_at"),
        sa.Index("sessions_by_user", "user"),
    )


def _links_table() -> None:
    op.create_table(
        "links",
        _key("token_hash"),
        _text("user", sa.ForeignKey("users.id")),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
    )


def _assets_table() -> None:
    op.create_table(
        "assets",
        _key("sha256"),
        _whole("size_bytes"),
        _whole("duration_ms"),
        _text("media_type"),
        _text("voice"),
        _moment("created_at"),
        _real("lufs"),
        _real("peak_dbtp"),
    )


def _announcements_table() -> None:
    op.create_table(
        "announcements",
        _key("id"),
        _text("title"),
        _text("text"),
        _text("author", sa.ForeignKey("users.id")),
        _moment("created_at"),
        _moment("updated_at"),
        _text("bulletin_class"),
        _text("level"),
        _text("state"),
        _text("spoken"),
        _json("spoken_rewrites"),
        _text("asset", sa.ForeignKey("assets.sha256"), nullable=True),
        _text("voice_state"),
        _json("voice_error"),
        _text("approver", nullable=True),
        _text("reason"),
        _whole("version"),
        sa.Index("announcements_by_voice", "voice_state", "created_at"),
        sa.Index("announcements_by_age", "created_at"),
    )


def _bookings_table() -> None:
    op.create_table(
        "bookings",
        _key("id"),
        _text("announcement", sa.ForeignKey("announcements.id")),
        _json("areas"),
        _moment("start", nullable=True),
        _text("created_by", sa.ForeignKey("users.id")),
        _moment("created_at"),
        _text("bulletin_class"),
        _text("level"),
        _text("late"),
        _whole("late_for_seconds"),
        _text("after_cut"),
        _text("idempotency_key", nullable=True, unique=True),
        _text("state"),
        sa.Index("bookings_by_start", "start"),
        sa.Index("bookings_by_announcement", "announcement"),
    )


def _serials_table() -> None:
    op.create_table("serials", _key("subject"), _whole("last"))


def _plans_table() -> None:
    op.create_table(
        "plans",
        _key("area"),
        _key("lane"),
        _whole("serial"),
        _text("digest"),
        _moment("issued_at"),
        _moment("valid_until"),
        _bytes("envelope"),
    )


def _configs_table() -> None:
    op.create_table(
        "configs", _key("node"), _whole("serial"), _text("digest"), _moment("issued_at"), _bytes("envelope")
    )


def _documents_table() -> None:
    op.create_table("documents", _key("name"), _whole("serial"), _bytes("envelope"), _moment("stored_at"))


def _streams_table() -> None:
    op.create_table("streams", _key("node"), _key("stream"), _whole("upto"))


def _receipts_table() -> None:
    op.create_table(
        "receipts",
        _key("node"),
        _key("stream"),
        _whole("number", key=True),
        _text("job"),
        _text("step"),
        _moment("at"),
        _text("body"),  # the receipt as it was sealed, JSON
        _moment("received_at"),
        sa.Index("receipts_by_job", "job", "node"),
    )


def _outcomes_table() -> None:
    op.create_table(
        "outcomes",
        _key("job"),
        _key("node"),
        _text("booking"),  # the job's first part: what it is an occurrence of
        _text("step"),
        _text("body"),
        _moment("received_at"),
        sa.Index("outcomes_by_booking", "booking"),
        sa.Index("outcomes_by_age", "received_at"),
    )


def _presence_table() -> None:
    op.create_table(
        "presence",
        _key("node"),
        _text("state"),
        _text("boot_id"),
        _text("version"),
        _moment("at"),
        _moment("since"),
    )


def _spells_table() -> None:
    op.create_table(
        "spells",
        _key("node"),
        sa.Column("since", Moment, primary_key=True),
        _moment("until", nullable=True),
    )


def _health_table() -> None:
    op.create_table("health", _key("node"), _moment("at"), _moment("received_at"), _text("body"))


def _health_hours_table() -> None:
    op.create_table(
        "health_hours",
        _key("node"),
        sa.Column("hour", Moment, primary_key=True),
        _whole("count"),
        *(
            column
            for each in MEASUREMENTS
            for column in (
                _whole(f"{each}_count"),
                _real(f"{each}_least"),
                _real(f"{each}_most"),
                sa.Column(f"{each}_sum", sa.Double, nullable=False),
            )
        ),
    )


def _acts_table() -> None:
    op.create_table(
        "acts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        _text("who"),
        _text("what"),
        _text("subject"),
        _text("detail"),
        _moment("at"),
    )


def _refusals_table() -> None:
    op.create_table(
        "refusals",
        _key("reason"),
        _key("place"),
        _whole("count"),
        _text("detail"),
        _moment("first_at"),
        _moment("last_at"),
    )
