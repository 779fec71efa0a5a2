"""The tables of alerts from elsewhere, and of the codes that they know areas by."""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.columns import key, moment, structure, text
from controller.store.tables import metadata

alerts = sa.Table(
    "alerts",
    metadata,
    key("sender"),
    key("identifier"),
    text("kind"),
    text("sender_name"),
    moment("sent"),
    moment("expires"),
    structure("references"),
    text("announcement", nullable=True),
    structure("areas"),
    structure("unknown"),
    structure("outside"),
    structure("notes"),
    text("digest"),  # SHA-256 of the bytes that came
    text("taken_by"),
    moment("taken_at"),
    sa.Index("alerts_by_announcement", "announcement"),
    sa.Index("alerts_by_age", "taken_at"),
)

area_codes = sa.Table(
    "area_codes",
    metadata,
    key("code"),  # kind=value; the kind says of which structure: see `controller.gazetteer`
    text("area"),
    text("since", nullable=True),  # local days, ISO
    text("until", nullable=True),
    sa.Index("area_codes_by_area", "area"),
)

area_heirs = sa.Table(  # official codes: what a unit that is no more became, whole or in part
    "area_heirs",
    metadata,
    key("former"),
    key("heir"),
    sa.Column("whole", sa.Boolean, nullable=False),
    text("name"),
)
