"""The tables: one schema on SQLite and PostgreSQL. `migrations` makes them; a test holds both to be the same.

- What nodes report stands in `fact_tables`, who did what in `audit_tables`, second factors in `factor_tables`.
- ``serials`` is apart from what was issued, so that a number once given is never given again.
- ``tidings`` is one row whose number grows with every wish: polling it says whether there is work. Its ``roster`` grows
  with what is written of areas and nodes: what is held of them in memory is right by it.
- ``touched``: the number of wishes at a row's last change; who has seen a number reads only what was touched since.
"""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.columns import key, moment, octets, real, structure, text, whole

metadata = sa.MetaData()

tidings = sa.Table("tidings", metadata, whole("id", key=True), whole("wishes"), whole("roster"))


def _touched() -> sa.Column[int]:
    """Set by every insert and update of this program by itself."""
    now = sa.select(tidings.c.wishes).scalar_subquery()
    return sa.Column("touched", sa.BigInteger, nullable=False, default=now, onupdate=now)


areas = sa.Table("areas", metadata, key("id"), text("name"), text("kind"))

nodes = sa.Table(
    "nodes",
    metadata,
    key("id"),
    text("name"),
    text("home", sa.ForeignKey("areas.id")),
    text("public_key", unique=True),
    moment("enrolled_at"),
    whole("offset_ms"),
    structure("quiet"),
    structure("volumes"),
    sa.Column("maintenance", sa.Boolean, nullable=False),
    sa.Column("data_budget_bytes_per_day", sa.BigInteger, nullable=True),
    moment("revoked_at", nullable=True),
    sa.Column("words", sa.Text, nullable=False, server_default=""),  # its names as they are looked for
    moment("maintenance_until", nullable=True),
    sa.Column("maintenance_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("maintenance_by", sa.Text, nullable=False, server_default=""),
)

node_groups = sa.Table(
    "node_groups",
    metadata,
    sa.Column("node", sa.Text, sa.ForeignKey("nodes.id"), primary_key=True),
    sa.Column("area", sa.Text, sa.ForeignKey("areas.id"), primary_key=True),
    sa.Index("node_groups_by_area", "area"),
)

enrolments = sa.Table(
    "enrolments",
    metadata,
    key("code"),  # its name; of its secret only what can check a proof, until it is used
    text("node"),
    text("name"),
    text("home"),
    structure("groups"),
    sa.Column("replaces", sa.Boolean, nullable=False),
    text("kept", nullable=True),
    text("made_by"),
    moment("made_at"),
    moment("expires_at"),
    whole("tries"),
    moment("used_at", nullable=True),
    text("public_key", nullable=True),
    text("certificate", nullable=True),
    sa.Index("enrolments_by_node", "node"),
)

certificates = sa.Table(
    "certificates",
    metadata,
    key("serial"),
    text("node"),
    moment("issued_at"),
    moment("valid_until"),
    moment("revoked_at", nullable=True),
    text("public_key", nullable=True),  # of those that a renewal gave: what a question is answered with again
    text("pem", nullable=True),
    sa.Index("certificates_by_node", "node"),
    sa.Index("certificates_by_key", "public_key"),
)

users = sa.Table(
    "users",
    metadata,
    key("id"),
    text("name", unique=True),
    text("area"),
    moment("created_at"),
    text("full_name"),
    text("password_hash"),
    sa.Column("disabled", sa.Boolean, nullable=False),
)

grants = sa.Table(
    "grants",
    metadata,
    key("id"),
    text("user", sa.ForeignKey("users.id")),
    text("role"),
    text("area"),
    text("given_by"),
    moment("given_at"),
    moment("since", nullable=True),
    moment("until", nullable=True),
    structure("hours"),
    sa.Index("grants_by_user", "user"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    key("token_hash"),
    text("user", sa.ForeignKey("users.id")),
    moment("created_at"),
    moment("expires_at"),
    text("device"),
    moment("seen_at"),
    moment("proven_at", nullable=True),  # when this person last proved who they are
    sa.Index("sessions_by_user", "user"),
)

links = sa.Table(
    "links",
    metadata,
    key("token_hash"),
    text("user", sa.ForeignKey("users.id")),
    moment("expires_at"),
    moment("used_at", nullable=True),
)

assets = sa.Table(
    "assets",
    metadata,
    key("sha256"),
    whole("size_bytes"),
    whole("duration_ms"),
    text("media_type"),
    text("voice"),
    moment("created_at"),
    real("lufs"),
    real("peak_dbtp"),
)

recordings = sa.Table(
    "recordings",
    metadata,
    key("sha256"),
    whole("size_bytes"),
    whole("duration_ms"),
    real("lufs"),
    text("language"),
    text("file_name"),
    text("admitted_by", sa.ForeignKey("users.id")),
    moment("admitted_at"),
)

announcements = sa.Table(
    "announcements",
    metadata,
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
    text("recording", nullable=True),  # no foreign key: SQLite cannot add one to a table that is there
    text("language"),
    whole("times"),
    sa.Column("drill", sa.Boolean, nullable=False),
    _touched(),
    sa.Index("announcements_by_voice", "voice_state", "created_at"),
    sa.Index("announcements_by_age", "created_at"),
    sa.Index("announcements_by_touch", "touched"),
)

findable = sa.Table(  # see `finding`; each database has its own index of the words
    "findable",
    metadata,
    whole("number", key=True),
    text("announcement", sa.ForeignKey("announcements.id"), unique=True),
    text("words"),
    text("places"),
)

bookings = sa.Table(
    "bookings",
    metadata,
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
    structure("before"),  # ids of the bookings that it goes ahead of, by a commune's order
    text("slot", nullable=True),  # the series of the programme that it asked for instead of a time
    text("slot_note", nullable=True),
    structure("cosigned"),  # what a second person agreed to
    _touched(),
    sa.Index("bookings_by_start", "start"),
    sa.Index("bookings_by_touch", "touched"),
    sa.Index("bookings_by_announcement", "announcement"),
)

policies = sa.Table("policies", metadata, key("area"), key("since"), text("body"), text("set_by"), moment("set_at"))
programmes = sa.Table(
    "programmes", metadata, key("area"), key("since"), text("body"), text("applied_by"), moment("applied_at")
)

inbox = sa.Table(
    "inbox",
    metadata,
    key("announcement"),
    key("area"),
    text("state"),
    moment("delivered_at"),
    moment("deadline"),
    text("decided_by", nullable=True),
    moment("decided_at", nullable=True),
    text("booking", nullable=True),
    text("reason"),
    sa.Index("inbox_by_state", "state", "area"),
)

serials = sa.Table("serials", metadata, key("subject"), whole("last"))

plans = sa.Table(
    "plans",
    metadata,
    key("area"),
    key("lane"),
    whole("serial"),
    text("digest"),
    moment("issued_at"),
    moment("valid_until"),
    octets("envelope"),
)

configs = sa.Table(
    "configs", metadata, key("node"), whole("serial"), text("digest"), moment("issued_at"), octets("envelope")
)

held_back = sa.Table(
    "held_back",
    metadata,
    key("job"),
    key("area"),
    text("booking"),  # the job's first part: what it is an occurrence of
    text("title"),
    moment("start"),
    text("reason"),
    moment("held_at"),
    moment("released_at", nullable=True),
    sa.Index("held_back_by_booking", "booking"),
    sa.Index("held_back_by_start", "start"),
)

standby = sa.Table(
    "standby",
    metadata,
    key("area"),
    key("announcement"),
    text("kept_by"),
    moment("kept_at"),
)

sirens = sa.Table("sirens", metadata, key("recipe"), text("asset", sa.ForeignKey("assets.sha256")), moment("made_at"))

documents = sa.Table("documents", metadata, key("name"), whole("serial"), octets("envelope"), moment("stored_at"))

lexicon = sa.Table(
    "lexicon", metadata, key("area"), key("written"), text("spoken"), text("taught_by"), moment("taught_at")
)
