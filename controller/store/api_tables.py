"""The tables of the API: tokens by which programs act for a person, and answers that a repeated request gets again."""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.columns import key, moment, text, whole
from controller.store.tables import metadata

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    key("id"),
    text("user", sa.ForeignKey("users.id")),
    text("name"),
    text("token_hash", unique=True),
    text("role"),
    text("area"),
    moment("made_at"),
    moment("until"),
    moment("used_at", nullable=True),
    moment("ended_at", nullable=True),
    sa.Index("api_tokens_by_user", "user"),
)

api_answers = sa.Table(
    "api_answers",
    metadata,
    key("token"),
    key("key"),
    text("digest"),  # of the request: another one with the same key is refused
    moment("asked_at"),
    whole("status"),  # 0 while it is being answered
    text("headers"),
    text("body"),
    sa.Index("api_answers_by_age", "asked_at"),
)
