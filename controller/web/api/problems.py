"""What went wrong, as problem+json (RFC 9457): a stable ``code``, and a sentence in the language that was asked for.

- ``type`` is ``urn:loa:problem:`` and the code. Codes of the desk, the store and the studio are their sentences' keys.
- 422 is a request that the document does not allow; 409 one that it allows, and that cannot stand here and now.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Response, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from controller.desk import NotFresh
from controller.store import StoreError
from controller.studio.remade import Busy
from controller.web.api.fields import Answered
from controller.web.doors import turned_away
from controller.web.language import said, t
from words import Said

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STATUSES = (400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 500, 503)
MOST_FAULTS = 20
AGAIN_SECONDS = "5"
_FORBIDDEN = {
    *("desk.not_allowed", "desk.not_your_area", "desk.not_your_person", "desk.beyond_your_time"),
    *("desk.own_announcement", "desk.own_wide"),
}
_STATUS = {
    "desk.programme_changed": 412,
    "desk.unread": 412,
    "store.conflict": 409,
    "store.stale": 409,
    "web.api_changed": 412,
    "web.upload_unknown": 404,
    "web.upload_no_room": 503,
    "web.api_no_page": 404,
    "web.api_key_used": 422,
    "web.error_plain": 403,
}


class Fault(Answered):
    """One thing that a request has wrong: where, as a path of names, and what."""

    where: str
    what: str


class Problem(Answered):
    """Why a request was not done."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[Fault] = []


def problem(status: int, code: str, detail: str, faults: list[Fault] | None = None) -> Response:
    """The answer."""
    told = Problem(
        type=f"urn:loa:problem:{code}",
        title=t(f"api_status_{status}") if status in STATUSES else t("error_other"),
        status=status,
        code=code,
        detail=detail,
        errors=faults or [],
    )
    answer = jsonify(told.model_dump())
    answer.status_code, answer.mimetype = status, MEDIA_TYPE
    answer.headers["Vary"] = "Accept-Language"
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="loa"'
    if status == 503:
        answer.headers["Retry-After"] = AGAIN_SECONDS
    return answer


def of_http(wrong: HTTPException) -> Response:
    """An HTTP error."""
    if wrong.response is not None and wrong.response.mimetype == MEDIA_TYPE:
        assert isinstance(wrong.response, Response)
        return wrong.response
    code = wrong.code or 500
    status = code if code in STATUSES else 400 if code < 500 else 500
    answer = problem(status, f"http_{code}", t(f"api_error_{status}"))
    for name, value in wrong.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def of_said(wrong: Said) -> Response:
    """A refusal of the desk, the store, the studio, or this room."""
    if isinstance(wrong, NotFresh):
        turned_away(f"page={request.endpoint} why=no_person")
        return problem(403, "needs_person", t("api_needs_person"))
    log.warning("refused path=%s key=%s", request.path, wrong.key)
    return problem(_status_of(wrong), wrong.key.removeprefix("web."), said(wrong))


def of_model(wrong: ValidationError) -> Response:
    """A request that the document does not allow."""
    faults = [
        Fault(where=".".join(str(each) for each in fault["loc"])[:200], what=fault["msg"][:300])
        for fault in wrong.errors(include_url=False, include_input=False, include_context=False)[:MOST_FAULTS]
    ]
    if any(each.where == "If-Match" for each in faults) and "If-Match" not in request.headers:
        return problem(428, "if_match_missing", t("api_error_428"), faults)
    return problem(422, "invalid", t("api_error_422"), faults)


def of_broken(wrong: Exception) -> Response:
    """Around one request: what nobody foresaw."""
    log.error("request failed path=%s", request.path, exc_info=wrong)
    return problem(500, "http_500", t("api_error_500"))


def documented() -> dict[int, dict[str, Any]]:
    """Every status with the form of its answer, for the document."""
    form = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    return {status: dict(form) for status in STATUSES}


def _status_of(wrong: Said) -> int:
    if wrong.key in _STATUS:
        return _STATUS[wrong.key]
    if isinstance(wrong, StoreError | Busy):
        return 503
    if wrong.key in _FORBIDDEN:
        return 403
    if wrong.key.startswith(("desk.unknown_", "desk.nobody")):
        return 404
    return 422 if wrong.key.startswith("studio.") else 409
