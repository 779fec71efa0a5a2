"""The as-run log: what each loudspeaker says that it did, page by page, however long it is."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from flask import Response, abort

from controller.rights import Permission
from controller.store.asrun_pages import Place, Wanted
from controller.store.facts import Outcome
from controller.web.api import answers, nodes
from controller.web.api.fields import Answered, Asked, Cursor, Limit, Moment, Name, rfc3339
from controller.web.api.operation import api, door, tag
from controller.web.doors import reach, sees
from controller.web.language import WebError
from controller.web.window import window
from wire.receipt import Step

TAG = tag("as-run", "What loudspeakers say that they did")
Ends = Literal["sounded", "preempted", "interrupted", "withdrawn", "refused", "missed"]


class Query(Asked):
    """Which lines: of an area, a booking or job, a loudspeaker, an end; received from ``since`` to before ``until``."""

    area: Name | None = None
    job: Name | None = None
    node: Name | None = None
    outcome: Ends | None = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: Cursor | None = None
    limit: Limit = answers.PAGE


class MeasuredOut(Answered):
    """What came out of the player: when, how late, how long, how loud."""

    started_at: Moment
    ended_at: Moment
    skew_ms: float
    sounded_ms: int
    level_dbfs: float | None
    peak_dbfs: float | None
    device: str


class AsRunLine(Answered):
    """The one end of a job on a node."""

    job: str
    booking: str
    title: str
    node: str
    node_name: str
    outcome: Ends
    at: Moment
    planned_start: Moment
    received_at: Moment
    reason: str
    detail: str
    asset: str
    measured: MeasuredOut | None


class AsRunPage(Answered):
    """Lines, what was received last first."""

    items: list[AsRunLine]


@api.get("/as-run", tags=TAG, responses={200: AsRunPage})
@door(Permission.READ)
def as_run(query: Query) -> Response:
    """The as-run log of what this token reads."""
    if query.area and not sees(query.area):
        abort(404)
    areas = (query.area,) if query.area else reach(Permission.READ)
    node = nodes.visible(query.node).id if query.node else ""
    after = place_of(query.cursor)
    wanted = Wanted(
        areas=areas,
        job=query.job or "",
        node=node,
        step=Step(query.outcome) if query.outcome else None,
        since=query.since,
        until=query.until,
        after=after,
    )
    found = window().store.asrun_pages.page(wanted, query.limit + 1)
    shown = found[: query.limit]
    last = [rfc3339(shown[-1].received_at), shown[-1].job, shown[-1].node] if len(found) > len(shown) else None
    return answers.page(AsRunPage(items=[_line(each) for each in shown]), last)


def place_of(cursor: str | None) -> Place | None:
    """Where the page before ended. Raises WebError."""
    found = answers.read_cursor(cursor, (str, str, str))
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(found[0])
        if at.tzinfo is None or not 1 < at.year < 9999:
            raise ValueError(found[0])
    except ValueError:
        raise WebError("web.api_no_page") from None
    return Place(at, found[1], found[2])


def _line(outcome: Outcome) -> AsRunLine:
    how = outcome.measured
    told = None
    if how is not None:
        names = ("started_at", "ended_at", "skew_ms", "sounded_ms", "level_dbfs", "peak_dbfs", "device")
        told = MeasuredOut(**{name: getattr(how, name) for name in names})
    same = ("job", "title", "node", "node_name", "at", "planned_start", "received_at", "reason", "detail", "asset")
    return AsRunLine(
        **{name: getattr(outcome, name) for name in same},
        booking=outcome.job.partition(":")[0],
        outcome=outcome.step.value,  # type: ignore[arg-type]
        measured=told,
    )
