"""The first shape."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import Moment, key, moment, octets, real, structure, text, whole

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


def _tidings_table() -> None:
    op.create_table("tidings", whole("id", key=True), whole("wishes"))


def _areas_table() -> None:
    op.create_table("areas", key("id"), text("name"), text("kind"))


def _nodes_table() -> None:
    op.create_table(
        "nodes",
        key("id"),
        text("name"),
        text("home", sa.ForeignKey("areas.id")),
        text("public_key", unique=True),
        moment("enrolled_at"),
        whole("offset_ms"),
        structure("quiet"),
        structure("volumes"),
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
        key("id"),
        text("name", unique=True),
        text("role"),
        text("area"),
        moment("created_at"),
        text("full_name"),
        text("password_hash"),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )


def _sessions_table() -> None:
    op.create_table(
        "sessions",
        key("token_hash"),
        text("user", sa.ForeignKey("users.id")),
        moment("created_at"),
        moment("expires_at"),
        sa.Index("sessions_by_user", "user"),
    )


def _links_table() -> None:
    op.create_table(
        "links",
        key("token_hash"),
        text("user", sa.ForeignKey("users.id")),
        moment("expires_at"),
        moment("used_at", nullable=True),
    )


def _assets_table() -> None:
    op.create_table(
        "assets",
        key("sha256"),
        whole("size_bytes"),
        whole("duration_ms"),
        text("media_type"),
        text("voice"),
        moment("created_at"),
        real("lufs"),
        real("peak_dbtp"),
    )


def _announcements_table() -> None:
    op.create_table(
        "announcements",
        key("id"),
        text("title"),
        text("text"),
        text("author", sa.ForeignKey("users.id")),
        moment("created_at"),
        moment("updated_at"),
        text("bulletin_class"),
        text("level"),
        text("state"),
        text("spoken"),
        structure("spoken_rewrites"),
        text("asset", sa.ForeignKey("assets.sha256"), nullable=True),
        text("voice_state"),
        structure("voice_error"),
        text("approver", nullable=True),
        text("reason"),
        whole("version"),
        sa.Index("announcements_by_voice", "voice_state", "created_at"),
        sa.Index("announcements_by_age", "created_at"),
    )


def _bookings_table() -> None:
    op.create_table(
        "bookings",
        key("id"),
        text("announcement", sa.ForeignKey("announcements.id")),
        structure("areas"),
        moment("start", nullable=True),
        structure("recurrence"),
        text("created_by", sa.ForeignKey("users.id")),
        moment("created_at"),
        text("bulletin_class"),
        text("level"),
        text("late"),
        whole("late_for_seconds"),
        text("after_cut"),
        text("idempotency_key", nullable=True, unique=True),
        text("state"),
        sa.Index("bookings_by_start", "start"),
        sa.Index("bookings_by_announcement", "announcement"),
    )


def _serials_table() -> None:
    op.create_table("serials", key("subject"), whole("last"))


def _plans_table() -> None:
    op.create_table(
        "plans",
        key("area"),
        key("lane"),
        whole("serial"),
        text("digest"),
        moment("issued_at"),
        moment("valid_until"),
        octets("envelope"),
    )


def _configs_table() -> None:
    op.create_table("configs", key("node"), whole("serial"), text("digest"), moment("issued_at"), octets("envelope"))


def _documents_table() -> None:
    op.create_table("documents", key("name"), whole("serial"), octets("envelope"), moment("stored_at"))


def _streams_table() -> None:
    op.create_table("streams", key("node"), key("stream"), whole("upto"))


def _receipts_table() -> None:
    op.create_table(
        "receipts",
        key("node"),
        key("stream"),
        whole("number", key=True),
        text("job"),
        text("step"),
        moment("at"),
        text("body"),  # the receipt as it was sealed, JSON
        moment("received_at"),
        sa.Index("receipts_by_job", "job", "node"),
    )


def _outcomes_table() -> None:
    op.create_table(
        "outcomes",
        key("job"),
        key("node"),
        text("booking"),  # the job's first part: what it is an occurrence of
        text("step"),
        text("body"),
        moment("received_at"),
        sa.Index("outcomes_by_booking", "booking"),
        sa.Index("outcomes_by_age", "received_at"),
    )


def _presence_table() -> None:
    op.create_table(
        "presence",
        key("node"),
        text("state"),
        text("boot_id"),
        text("version"),
        moment("at"),
        moment("since"),
    )


def _spells_table() -> None:
    op.create_table(
        "spells",
        key("node"),
        sa.Column("since", Moment, primary_key=True),
        moment("until", nullable=True),
    )


def _health_table() -> None:
    op.create_table("health", key("node"), moment("at"), moment("received_at"), text("body"))


def _health_hours_table() -> None:
    op.create_table(
        "health_hours",
        key("node"),
        sa.Column("hour", Moment, primary_key=True),
        whole("count"),
        *(
            column
            for each in MEASUREMENTS
            for column in (
                whole(f"{each}_count"),
                real(f"{each}_least"),
                real(f"{each}_most"),
                sa.Column(f"{each}_sum", sa.Double, nullable=False),
            )
        ),
    )


def _acts_table() -> None:
    op.create_table(
        "acts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        text("who"),
        text("what"),
        text("subject"),
        text("detail"),
        moment("at"),
    )


def _refusals_table() -> None:
    op.create_table(
        "refusals",
        key("reason"),
        key("place"),
        whole("count"),
        text("detail"),
        moment("first_at"),
        moment("last_at"),
    )
