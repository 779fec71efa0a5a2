"""Who may come in: a bearer token, and nothing else; what it may ask, and in what form.

- No cookie is looked at and none is set, so that nothing can be done in a browser's name.
- Each operation names the acts of which one opens it, wherever that may be; which area it is about is its own to ask.
- A body is one JSON object, in UTF-8, without endless depth.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Response, current_app, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import UnsupportedMediaType

from controller.desk import ByToken
from controller.web.api.problems import problem
from controller.web.doors import may, someone, turned_away
from controller.web.language import t

MOST_DEPTH = 30


class Strict(DefaultJSONProvider):
    """JSON as RFC 8259 has it: no NaN, no endless depth; keys in the order in which they were given."""

    sort_keys, ensure_ascii = False, False

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        """Raises ValueError for anything else."""
        try:
            return json.loads(s, parse_constant=_no_constant)
        except RecursionError:
            raise ValueError("too deep") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


def enter() -> Response | None:
    """Before each operation: the answer that ends it, or None."""
    view = current_app.view_functions[request.endpoint or ""]
    acts = getattr(view, "acts", None)
    if acts is None:
        return None  # open to everybody
    user = someone()
    if not isinstance(user, ByToken):
        return problem(401, "no_token", t("api_no_token"))
    if user.owes_factor:
        return problem(403, "factor_needed", t("api_owes_factor"))
    if acts and not any(map(may, acts)):
        turned_away(f"page={request.endpoint}")
        return problem(403, "not_allowed", t("api_not_allowed"))
    takes = getattr(view, "takes", "")
    if takes and request.mimetype != takes:
        raise UnsupportedMediaType
    if takes == "application/json" and not isinstance(request.get_json(), dict):  # raises BadRequest for no JSON
        return problem(422, "invalid", t("api_error_422"))
    return None
