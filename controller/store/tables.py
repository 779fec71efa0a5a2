"""The tables: one schema on SQLite and PostgreSQL. `migrations` makes them; a test holds both to be the same.

- Facts reported by nodes (receipts, outcomes, presence, health) have no foreign keys: they outlive the roster.
- ``serials`` is apart from what was issued, so that a number once given is never given again.
- ``tidings`` is one row whose number grows with every wish: polling it says whether there is work.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

metadata = sa.MetaData()


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware datetime, kept in UTC on every database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware to UTC; SQLite keeps no zone. Raises ValueError for a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Whatever zone the database answers in, UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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


tidings = sa.Table("tidings", metadata, _whole("id", key=True), _whole("wishes"))

areas = sa.Table("areas", metadata, _key("id"), _text("name"), _text("kind"))

nodes = sa.Table(
    "nodes",
    metadata,
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

node_groups = sa.Table(
    "node_groups",
    metadata,
    sa.Column("node", sa.Text, sa.ForeignKey("nodes.id"), primary_key=True),
    sa.Column("area", sa.Text, sa.ForeignKey("areas.id"), primary_key=True),
    sa.Index("node_groups_by_area", "area"),
)

users = sa.Table(
    "users",
    metadata,
    _key("id"),
    _text("name", unique=True),
    _text("role"),
    _text("area"),
    _moment("created_at"),
    _text("full_name"),
    _text("password_hash"),
    sa.Column("disabled", sa.Boolean, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    _key("token_hash"),
    _text("user", sa.ForeignKey("users.id")),
    _moment("created_at"),
    _moment("expires_at"),
    sa.Index("sessions_by_user", "user"),
)

links = sa.Table(
    "links",
    metadata,
    _key("token_hash"),
    _text("user", sa.ForeignKey("users.id")),
    _moment("expires_at"),
    _moment("used_at", nullable=True),
)

assets = sa.Table(
    "assets",
    metadata,
    _key("sha256"),
    _whole("size_bytes"),
    _whole("duration_ms"),
    _text("media_type"),
    _text("voice"),
    _moment("created_at"),
    _real("lufs"),
    _real("peak_dbtp"),
)

announcements = sa.Table(
    "announcements",
    metadata,
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

bookings = sa.Table(
    "bookings",
    metadata,
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

serials = sa.Table("serials", metadata, _key("subject"), _whole("last"))

plans = sa.Table(
    "plans",
    metadata,
    _key("area"),
    _key("lane"),
    _whole("serial"),
    _text("digest"),
    _moment("issued_at"),
    _moment("valid_until"),
    _bytes("envelope"),
)

configs = sa.Table(
    "configs", metadata, _key("node"), _whole("serial"), _text("digest"), _moment("issued_at"), _bytes("envelope")
)

documents = sa.Table("documents", metadata, _key("name"), _whole("serial"), _bytes("envelope"), _moment("stored_at"))

streams = sa.Table("streams", metadata, _key("node"), _key("stream"), _whole("upto"))

receipts = sa.Table(
    "receipts",
    metadata,
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

outcomes = sa.Table(
    "outcomes",
    metadata,
    _key("job"),
    _key("node"),
    _text("booking"),  # the job's first part: what it is an occurrence of
    _text("step"),
    _text("body"),
    _moment("received_at"),
    sa.Index("outcomes_by_booking", "booking"),
    sa.Index("outcomes_by_age", "received_at"),
)

presence = sa.Table(
    "presence",
    metadata,
    _key("node"),
    _text("state"),
    _text("boot_id"),
    _text("version"),
    _moment("at"),
    _moment("since"),
)

spells = sa.Table(  # intervals in which a node was online; the open one has no end
    "spells",
    metadata,
    _key("node"),
    sa.Column("since", Moment, primary_key=True),
    _moment("until", nullable=True),
)

health = sa.Table("health", metadata, _key("node"), _moment("at"), _moment("received_at"), _text("body"))

MEASUREMENTS = ("cpu_celsius", "load_1m", "memory_used_ratio", "disk_used_ratio")

health_hours = sa.Table(
    "health_hours",
    metadata,
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

acts = sa.Table(
    "acts",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    _text("who"),
    _text("what"),
    _text("subject"),
    _text("detail"),
    _moment("at"),
)

refusals = sa.Table(
    "refusals",
    metadata,
    _key("reason"),
    _key("place"),
    _whole("count"),
    _text("detail"),
    _moment("first_at"),
    _moment("last_at"),
)
