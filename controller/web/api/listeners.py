"""What people could not hear, as they said it on the public page; and what came of it."""

from __future__ import annotations

from typing import Literal

from flask import Response, abort

from controller.desk.listeners import ANSWERING
from controller.rights import Permission
from controller.store.unheard import UnheardRow
from controller.web import unheard
from controller.web.api import answers
from controller.web.api.fields import Answered, Asked, Cursor, Limit, Line, Moment, Name
from controller.web.api.operation import JSON, Once, api, door, once, tag
from controller.web.doors import reach, sees, who
from controller.web.window import window

TAG = tag("listeners", "What people could not hear")


class Path(Asked):
    """Which of what was said."""

    unheard: Name


class Query(Asked):
    """Of which area; only what is open, or all of it."""

    area: Name | None = None
    which: Literal["open", "all"] = "open"
    cursor: Cursor | None = None
    limit: Limit = answers.PAGE


class Answering(Asked):
    """What came of it: one line, on the public page it is read by everybody."""

    answer: Line


class UnheardOut(Answered):
    """What somebody in ``area`` said (nobody's name is kept), and what was answered."""

    id: str
    area: str
    announcement: str | None
    kind: str
    words: str
    told_at: Moment
    answer: str
    answered_by: str | None
    answered_at: Moment | None


class UnheardPage(Answered):
    """The newest first."""

    items: list[UnheardOut]


@api.get("/unheard", tags=TAG, responses={200: UnheardPage})
@door(Permission.READ)
def list_unheard(query: Query) -> Response:
    """What was said in the areas that this token reads."""
    if query.area and not sees(query.area):
        abort(404)
    where = (query.area,) if query.area else reach(Permission.READ)
    cursor = answers.read_cursor(query.cursor, (str, str))
    before = (answers.read_moment(cursor[0]), cursor[1]) if cursor else None
    rows = window().store.unheard.told(where, query.which == "open", before, query.limit + 1)
    last = rows[query.limit - 1] if len(rows) > query.limit else None
    more = [last.told_at.isoformat(), last.id] if last else None
    return answers.page(UnheardPage(items=[_told(row) for row in rows[: query.limit]]), more)


@api.post("/unheard/<unheard>/answer", tags=TAG, responses={200: UnheardOut})
@door(*ANSWERING, takes=JSON)
@once
def answer_unheard(path: Path, body: Answering, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Say what came of it; the first answer stands."""
    here, held = window(), window().store.unheard.get(path.unheard)
    if held is None or not unheard.may_answer(held.area):
        abort(404)
    here.desk.answer_unheard(held.id, body.answer, who(), here.now())
    newer = here.store.unheard.get(held.id)
    assert newer is not None
    return answers.done(_told(newer))


def _told(row: UnheardRow) -> UnheardOut:
    return UnheardOut(**vars(row) | {"kind": row.kind.value})
