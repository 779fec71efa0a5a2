"""The chain of the audit log: every line holds a hash of itself and of the line before, so no line can change alone.

- `append` is the one way in. It moves the head first, which lets one writer at a time in on every database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

import sqlalchemy as sa

from controller.store.audit_tables import act_head, acts
from controller.store.rows import Act
from controller.store.shapes import columns

BEFORE_ALL = "0" * 64  # what stands before the first line


@dataclass(frozen=True)
class Link:
    """A line of the audit log in its place: the ``number``-th act, and the hash of all up to it (64 hex digits)."""

    number: int
    act: Act
    hash: str


def link_of(before: str, number: int, act: Act) -> str:
    """The hash of the ``number``-th line, behind the line whose hash is ``before``: SHA-256, hex."""
    at = act.at.astimezone(UTC).isoformat(timespec="microseconds")
    fields = [before, number, at, act.who, act.what, act.subject, act.detail]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def append(connection: sa.Connection, done: Iterable[Act]) -> None:
    """Within a transaction: the acts as the next lines, in their order."""
    waiting = list(done)
    if not waiting:
        return
    moved = sa.update(act_head).values(number=act_head.c.number + len(waiting))
    connection.execute(moved)  # first: whoever writes at the same time waits here
    number, newest = connection.execute(sa.select(act_head.c.number, act_head.c.hash)).one()
    rows = []
    for place, act in enumerate(waiting, number - len(waiting) + 1):
        newest = link_of(newest, place, act)
        rows.append(columns(act) | {"number": place, "hash": newest})
    connection.execute(sa.insert(acts), rows)
    connection.execute(sa.update(act_head).values(hash=newest))
