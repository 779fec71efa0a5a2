"""The tables of second factors: codes of an app, passkeys, recovery codes, and what is asked of somebody just now."""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.columns import key, moment, octets, text, whole
from controller.store.tables import metadata

code_apps = sa.Table(
    "code_apps",
    metadata,
    sa.Column("user", sa.Text, sa.ForeignKey("users.id"), primary_key=True),
    text("locked"),  # the secret, under a key that is not in the database
    moment("made_at"),
    moment("confirmed_at", nullable=True),  # it counts from then on
    whole("last_step"),  # of the code that was accepted last: none at or before it is accepted again
)

passkeys = sa.Table(
    "passkeys",
    metadata,
    key("id"),  # the credential's, base64url
    text("user", sa.ForeignKey("users.id")),
    text("name"),
    octets("public_key"),
    whole("uses"),  # the authenticator's own counter
    moment("made_at"),
    moment("used_at", nullable=True),
    sa.Index("passkeys_by_user", "user"),
)

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("user", sa.Text, sa.ForeignKey("users.id"), primary_key=True),
    key("mark"),  # HMAC-SHA256 under that key
    moment("used_at", nullable=True),
)

asked = sa.Table(
    "asked",
    metadata,
    key("token_hash"),
    text("purpose"),
    text("user", nullable=True),
    text("challenge"),
    moment("expires_at"),
)
