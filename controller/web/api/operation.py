"""What every operation is made with: the blueprint, the door, and the keys of requests that are sent again."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field, ValidationError
from werkzeug.exceptions import HTTPException

from controller.desk import ByToken, NotFresh
from controller.rights import Permission
from controller.store.answered import Answer, Asked, Claim
from controller.web.api import gate, problems
from controller.web.doors import who
from controller.web.language import WebError, t
from controller.web.window import window
from words import Said

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
JSON, OCTETS = "application/json", "application/octet-stream"
KEPT_HEADERS = ("Location", "ETag", "Content-Type")
REPLAYED = "Idempotency-Replayed"

api = APIBlueprint(
    "api",
    __name__,
    url_prefix=PREFIX,
    operation_id_callback=lambda *, name, path, method: name,  # noqa: ARG005 – asked so by flask-openapi3
    abp_security=[{"token": []}],
    abp_responses=problems.documented(),  # type: ignore[arg-type]
)
api.before_request(gate.enter)
api.register_error_handler(HTTPException, problems.of_http)
api.register_error_handler(NotFresh, problems.of_said)
api.register_error_handler(Said, problems.of_said)
api.register_error_handler(ValidationError, problems.of_model)
api.register_error_handler(Exception, problems.of_broken)

OPENED: dict[str, tuple[Permission, ...]] = {}  # operation -> the acts of which one opens it

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


class Once(BaseModel):
    """The header of a request that makes something: with the same key it makes it once."""

    idempotency_key: str | None = Field(None, alias="Idempotency-Key", pattern=r"^[!-~]{1,100}$")


def door(*acts: Permission, takes: str = "") -> Callable[[View], View]:
    """An operation for whoever may do one of ``acts`` somewhere; without any, for every token.

    ``takes``: the media type of its body.
    """

    def behind(view: View) -> View:
        vars(view).update(acts=acts, takes=takes)
        OPENED[view.__name__] = acts
        return view

    return behind


def tag(name: str, about: str) -> list[Tag]:
    """The part of the document that an operation stands in."""
    return [Tag(name=name, description=about)]


def once(view: View) -> View:
    """A view whose request, sent again with the same key, gets the answer of the first."""

    @wraps(view)
    def done(**brought: Any) -> ResponseReturnValue:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(**brought)
        asked = Asked(_token().token_id, key, digest(), window().now())
        claim = window().store.answered.claim(asked)
        if isinstance(claim, Answer):
            return _again(claim)
        if claim is Claim.OTHER:
            raise WebError("web.api_key_used")
        if claim is Claim.BUSY:
            answer = problems.problem(409, "request_in_progress", t("api_in_progress"))
            answer.headers["Retry-After"] = "1"
            return answer
        return _first(asked, lambda: view(**brought))

    return done  # type: ignore[return-value]


def key_for_desk() -> str | None:
    """The request's key as the desk keeps it, for ever: of this token and this very request."""
    key = request.headers.get("Idempotency-Key")
    return f"{_token().token_id}:{hashlib.sha256(f'{key} {digest()}'.encode()).hexdigest()}" if key else None


def digest() -> str:
    """SHA-256 of what is asked."""
    head = f"{request.method} {request.full_path}\n".encode()
    return hashlib.sha256(head + request.get_data(cache=True)).hexdigest()


def _first(asked: Asked, view: Callable[[], ResponseReturnValue]) -> Response:
    try:
        answer = make_response(view())
    except BaseException:
        window().store.answered.forget(asked)
        raise
    if answer.status_code >= 300:
        window().store.answered.forget(asked)
        return answer
    headers = "\n".join(f"{name}: {answer.headers[name]}" for name in KEPT_HEADERS if name in answer.headers)
    window().store.answered.keep(asked, Answer(answer.status_code, headers, answer.get_data(as_text=True)))
    return answer


def _again(before: Answer) -> Response:
    headers: Mapping[str, str] = dict(line.split(": ", 1) for line in before.headers.splitlines())
    answer = Response(before.body, before.status, headers)
    answer.headers[REPLAYED] = "true"
    return answer


def _token() -> ByToken:
    user = who()
    assert isinstance(user, ByToken)
    return user
