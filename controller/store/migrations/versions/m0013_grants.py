"""People hold grants instead of one role, and can do what they could before.

- An approver could approve emergencies: they hold that role too.
- An administrator could do everything: they hold every role that does something.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.columns import key, moment, structure, text

revision = "0013"
down_revision = "0012"

AS_BEFORE = {
    "editor": ("editor",),
    "approver": ("approver", "emergency"),
    "administrator": ("administrator", "operator", "approver", "emergency"),
}


def upgrade() -> None:
    """To this shape."""
    grants = op.create_table(
        "grants",
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
    users = sa.table("users", text("id"), text("role"), text("area"), moment("created_at"))
    for person in op.get_bind().execute(sa.select(users)).all():
        given = {"user": person.id, "area": person.area, "given_by": person.id, "given_at": person.created_at}
        open_end = {"since": None, "until": None, "hours": None}
        rows = [{"id": f"{person.id}-{role}", "role": role, **given, **open_end} for role in AS_BEFORE[person.role]]
        op.bulk_insert(grants, rows)
    op.drop_column("users", "role")
