"""The audit log, to be read: a page of it, or all of it as a file that stands by itself."""

from __future__ import annotations

from http import HTTPStatus
from itertools import islice
from typing import Any

from flask import Response

from controller import audit_export
from controller.rights import Permission
from controller.web.api import answers
from controller.web.api.fields import Answered, Asked, Limit, Moment, Number
from controller.web.api.operation import api, door, tag
from controller.web.downloads import handed_out
from controller.web.window import window

TAG = tag("audit", "Who did what")
LINES = "application/x-ndjson"
EXPORT: dict[str | int | HTTPStatus, Any] = {
    200: {"description": "JSON lines", "content": {LINES: {"schema": {"type": "string"}}}}
}


class Query(Asked):
    """The lines behind the number ``after``."""

    after: Number = 0
    limit: Limit = answers.PAGE


class ActOut(Answered):
    """A line in its place of the chain. Of a program ``who`` is ``person/token``."""

    number: int
    at: Moment
    who: str
    what: str
    subject: str
    detail: str
    hash: str


class ActPage(Answered):
    """Lines by number; ``head``: the number of the newest one."""

    head: int
    items: list[ActOut]


@api.get("/audit", tags=TAG, responses={200: ActPage})
@door(Permission.AUDIT)
def read_audit(query: Query) -> Response:
    """The audit log, the oldest first."""
    acts = window().store.acts
    items = [
        ActOut(number=each.number, hash=each.hash, **vars(each.act))
        for each in islice(acts.links(query.after), query.limit)
    ]
    return answers.one(ActPage(head=acts.head()[0], items=items))


@api.get("/audit/export", tags=TAG, responses=EXPORT)
@door(Permission.AUDIT)
def export_audit() -> Response:
    """The whole log with its sealed checkpoints, as ``loa audit export`` writes it."""
    return handed_out(audit_export.lines(window().store), ("nhat-ky",), "jsonl", LINES)
