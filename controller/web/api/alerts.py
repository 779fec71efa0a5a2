"""Alerts of the Common Alerting Protocol (CAP 1.2): taken in as they come, and what each became."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from controller.cap import MOST_BYTES
from controller.rights import Permission
from controller.store.alerts import AlertRow
from controller.web import alerting
from controller.web.api import answers
from controller.web.api.fields import Answered, Moment
from controller.web.api.operation import Once, api, door, once, tag
from controller.web.doors import who
from controller.web.window import window

TAG = tag("alerts", "Warnings from elsewhere")
CAP = "application/cap+xml"
TAKING_IN = (Permission.WRITE, Permission.WARN)
DOCUMENT = {
    "requestBody": {
        "required": True,
        "content": {CAP: {"schema": {"type": "string", "maxLength": MOST_BYTES}}},
    }
}


class AlertOut(Answered):
    """An alert. ``areas``: what it means here; ``unknown``: places that are none of ours; ``outside``: not one's own.

    ``announcement``: what it became, which waits for approval or is a draft; ``notes``: what a person should know.
    """

    sender: str
    identifier: str
    kind: str
    sender_name: str
    sent: Moment
    expires: Moment
    taken_by: str
    taken_at: Moment
    announcement: str | None
    areas: list[str]
    unknown: list[str]
    outside: list[str]
    notes: list[str]


class AlertList(Answered):
    """The newest 20."""

    items: list[AlertOut]


@api.get("/alerts", tags=TAG, responses={200: AlertList})
@door(*TAKING_IN)
def list_alerts() -> Response:
    """What this token's person took in lately, or what is meant for where the token reads."""
    return answers.one(AlertList(items=[_told(each.row) for each in alerting.lines()]))


@api.post("/alerts", tags=TAG, responses={201: AlertOut}, openapi_extensions=DOCUMENT)
@door(*TAKING_IN, takes=CAP)
@once
def take_in_alert(header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Take in one alert. Nothing sounds by it: it waits for approval, or is a draft, or is refused by name."""
    here = window()
    made = here.desk.take_in(request.get_data(cache=True)[: MOST_BYTES + 1], who(), here.now())
    answer = answers.done(_told(made.row))
    answer.status_code = 201
    return answer


def _told(row: AlertRow) -> AlertOut:
    listed: dict[str, Any] = {name: list(getattr(row, name)) for name in ("areas", "unknown", "outside", "notes")}
    same = ("sender", "identifier", "sender_name", "sent", "expires", "taken_by", "taken_at", "announcement")
    return AlertOut(kind=row.kind.value, **{name: getattr(row, name) for name in same}, **listed)
