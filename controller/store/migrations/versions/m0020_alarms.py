"""Alarms with a life, and what the overview adds up; spells can be found by when they began and ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import Moment, key, moment, structure, text, whole

revision = "0020"
down_revision = "0022"


def upgrade() -> None:
    """To this shape."""
    _alarms()
    _kept_beside()
    _added_up()
    op.create_index("spells_by_beginning", "spells", ["since"])
    op.create_index("spells_by_end", "spells", ["until"])


def _alarms() -> None:
    op.create_table(
        "alarms",
        *(key("id"), text("cause"), text("place"), text("grade")),
        *(moment("began_at"), moment("raised_at"), moment("joined_at")),
        *(whole("open_members"), whole("all_members"), whole("flaps")),
        *(text("under", nullable=True), moment("cleared_at", nullable=True)),
        *(text("acknowledged_by", nullable=True), moment("acknowledged_at", nullable=True)),
        *(text("assignee", nullable=True), moment("deadline", nullable=True)),
    )
    op.create_index("alarms_by_clearing", "alarms", ["cleared_at"])
    op.create_index("alarms_by_raising", "alarms", ["raised_at"])
    op.create_table(
        "alarm_members",
        *(key("alarm"), key("member"), moment("since")),
        *(moment("gone_at", nullable=True), moment("cleared_at", nullable=True)),
        *(whole("flaps"), structure("facts")),
    )
    op.create_index("alarm_members_by_member", "alarm_members", ["member"])


def _kept_beside() -> None:
    op.create_table(
        "alarm_history",
        *(key("alarm"), whole("number", key=True), moment("at"), text("who"), text("what"), text("detail")),
    )
    op.create_table(
        "alarm_silences",
        *(key("cause"), key("place"), moment("since"), moment("until"), text("reason"), text("who")),
    )
    op.create_table("alarm_counts", *(key("node"), key("reason"), text("boot_id"), whole("count"), moment("grew_at")))
    op.create_table("alarm_watch", whole("id", key=True), moment("judged_at"), whole("changes"))


def _added_up() -> None:
    op.create_table(
        "commune_states",
        *(key("area"), whole("nodes"), whole("online"), whole("offline"), whole("silent"), whole("never")),
    )
    op.create_table(
        "commune_hours",
        *(sa.Column("hour", Moment, primary_key=True), key("area"), whole("online_seconds"), whole("known_seconds")),
    )
    op.create_table(
        "day_tallies",
        *(key("day"), key("area"), whole("sounded"), whole("missed"), whole("otherwise"), whole("unheard")),
        *(whole("ahead"), moment("at")),
    )
    op.create_table("other_stations", *(key("area"), whole("wired"), whole("fm"), text("set_by"), moment("set_at")))
