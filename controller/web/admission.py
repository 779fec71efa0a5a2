"""Where nodes come in without a session and a form key: by a one-time code, or with their key for a new certificate.

- It reads at most what a question may have, from each address only so often; all else is the reception's.
- An answer is JSON, also when it is no: ``{"reason": …}`` (see `wire.enrolment.No`).
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException

from controller.store import StoreError
from controller.web.guesses import place
from controller.web.throttle import Throttle
from controller.web.window import window
from wire import codec, enrolment, renewal
from wire.enrolment import No

TRIES_BY_ADDRESS = 60  # in a quarter of an hour; a commune's nodes may sit behind one address

pages = Blueprint("admission", __name__)


@pages.post(enrolment.PATH)
def enter() -> Response:
    """One question of a node."""
    here = window()
    most = enrolment.MOST_QUESTION_BYTES
    body, status = _told("enrolment", most, lambda raw: here.receive(raw, here.now()))
    answer = Response(body, status, mimetype="application/json")
    if status == 429:
        answer.headers["Retry-After"] = "60"
    return answer


@pages.post(f"{renewal.PATH}/<node>")
def renew(node: str) -> Response:
    """A node whose certificate the broker does not take any more asks for another."""
    here = window()
    body, status = _told("renewal", renewal.MOST_QUESTION_BYTES, lambda raw: here.renew(node[:200], raw, here.now()))
    return Response(body, status, mimetype="application/json")


def _told(what: str, most_bytes: int, receive: Callable[[bytes], tuple[bytes, int]]) -> tuple[bytes, int]:
    throttle = current_app.extensions.setdefault(f"{what}_throttle", Throttle())
    here, address = window(), place(request.remote_addr or "")
    if throttle.take({address: TRIES_BY_ADDRESS}, here.now()):
        return _no(No.TOO_MANY, 429)
    request.max_content_length = most_bytes
    try:
        return receive(request.get_data(cache=False))
    except HTTPException:
        return _no(No.TOO_BIG, 413)
    except StoreError:
        return _no(No.CLOSED, 503)


def _no(reason: No, status: int) -> tuple[bytes, int]:
    return codec.write(enrolment.Refusal(reason.value)), status
