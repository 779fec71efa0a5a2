"""How answers are made: JSON with an ETag, pages that go on by a cursor, lists of things.

- A cursor is opaque: where the page before ended. One that cannot be read leads nowhere (404).
- What was read is asked for again with If-None-Match, and costs no body (304).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from pydantic import BaseModel

from controller.web.api.fields import FIRST, LAST
from controller.web.language import WebError

PAGE = 50


def one(thing: BaseModel, tag: str = "") -> Response:
    """A thing that was read; ``tag`` stands before its digest in the ETag."""
    body = thing.model_dump_json(by_alias=True)
    answer = Response(body, mimetype="application/json")
    digest = hashlib.sha256(body.encode()).hexdigest()[:24]
    answer.set_etag(f"{tag}.{digest}" if tag else digest)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Authorization, Accept-Language"
    answer.make_conditional(request)
    return answer


def tag_of(if_match: str) -> str:
    """What stands before the digest in the ETag that came back."""
    return if_match.removeprefix("W/").strip('"').partition(".")[0]


def made(thing: BaseModel, location: str) -> Response:
    """Something that is there from now on."""
    answer = done(thing)
    answer.status_code = 201
    answer.headers["Location"] = location
    return answer


def done(thing: BaseModel) -> Response:
    """What a request changed, as it is now."""
    return Response(thing.model_dump_json(by_alias=True), mimetype="application/json")


def page(things: BaseModel, after: object = None) -> Response:
    """A page; where there is more, with how it goes on ``after`` this one (a list, or a number)."""
    answer = one(things)
    if after is not None:
        given = {name: value for name, value in request.args.items() if name != "cursor"}
        address = f"{request.path}?{urlencode(given | {'cursor': write_cursor(after)})}"
        answer.headers["Link"] = f'<{address}>; rel="next"'
    return answer


def write_cursor(after: object) -> str:
    """Where a page ended, as a word."""
    return base64.urlsafe_b64encode(json.dumps(after, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, form: type[Any] | tuple[type[Any], ...]) -> Any:
    """What `write_cursor` wrote, of that ``form`` (``int``, ``str``, or the types of a list); None for no cursor.

    Raises WebError ``web.api_no_page``.
    """
    if cursor is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        raise WebError("web.api_no_page") from None
    if isinstance(form, tuple):
        fits = isinstance(found, list) and [type(each) for each in found] == list(form)
    else:
        fits = type(found) is form and (form is not int or 0 <= found < 1 << 62)
    if not fits or "\\u0000" in json.dumps(found):
        raise WebError("web.api_no_page")
    return found


def read_moment(written: str) -> datetime:
    """A moment out of a cursor. Raises WebError ``web.api_no_page``."""
    try:
        moment = datetime.fromisoformat(written)
        if not FIRST < moment < LAST:
            raise ValueError(written)
    except (ValueError, TypeError):  # TypeError: one without a zone
        raise WebError("web.api_no_page") from None
    return moment


def kept(facts: Mapping[str, object]) -> dict[str, object]:
    """Those facts that are there."""
    return {name: value for name, value in facts.items() if value is not None}
