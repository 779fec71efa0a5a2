"""The tables of alarms and of what the overview adds up. No foreign keys: they outlive the roster, as facts do."""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.columns import Moment, key, moment, structure, text, whole
from controller.store.tables import metadata

alarms = sa.Table(
    "alarms",
    metadata,
    key("id"),
    text("cause"),
    text("place"),
    text("grade"),
    moment("began_at"),
    moment("raised_at"),
    moment("joined_at"),
    whole("open_members"),
    whole("all_members"),
    whole("flaps"),
    text("under", nullable=True),  # the alarm that explains this one
    moment("cleared_at", nullable=True),
    text("acknowledged_by", nullable=True),
    moment("acknowledged_at", nullable=True),
    text("assignee", nullable=True),
    moment("deadline", nullable=True),
    sa.Index("alarms_by_clearing", "cleared_at"),
    sa.Index("alarms_by_raising", "raised_at"),
)

alarm_members = sa.Table(
    "alarm_members",
    metadata,
    key("alarm"),
    key("member"),
    moment("since"),
    moment("gone_at", nullable=True),  # when its sign was last found absent; not yet cleared
    moment("cleared_at", nullable=True),
    whole("flaps"),
    structure("facts"),
    sa.Index("alarm_members_by_member", "member"),
)

alarm_history = sa.Table(
    "alarm_history",
    metadata,
    key("alarm"),
    whole("number", key=True),
    moment("at"),
    text("who"),  # empty: the station itself
    text("what"),
    text("detail"),
)

alarm_silences = sa.Table(
    "alarm_silences",
    metadata,
    key("cause"),
    key("place"),
    moment("since"),
    moment("until"),
    text("reason"),
    text("who"),
)

alarm_counts = sa.Table(  # what a node counts since it was started: when did it last grow
    "alarm_counts", metadata, key("node"), key("reason"), text("boot_id"), whole("count"), moment("grew_at")
)

alarm_watch = sa.Table(  # one row: when the station judged last, and how often it found something new
    "alarm_watch", metadata, whole("id", key=True), moment("judged_at"), whole("changes")
)

commune_states = sa.Table(
    "commune_states",
    metadata,
    key("area"),
    whole("nodes"),
    whole("online"),
    whole("offline"),
    whole("silent"),
    whole("never"),
)

commune_hours = sa.Table(
    "commune_hours",
    metadata,
    sa.Column("hour", Moment, primary_key=True),
    key("area"),
    whole("online_seconds"),
    whole("known_seconds"),
)

day_tallies = sa.Table(
    "day_tallies",
    metadata,
    key("day"),
    key("area"),
    whole("sounded"),
    whole("missed"),
    whole("otherwise"),
    whole("unheard"),
    whole("ahead"),
    moment("at"),
)

arrivals = sa.Table(  # of what many nodes are to sound soon: on how many its audio lies
    "arrivals",
    metadata,
    key("job"),
    text("asset"),
    structure("areas"),
    moment("start"),
    whole("expected"),
    whole("lacking"),
    structure("first"),  # some of those that lack it
    moment("counted_at"),
)

other_stations = sa.Table(
    "other_stations", metadata, key("area"), whole("wired"), whole("fm"), text("set_by"), moment("set_at")
)
