"""Who reloads the page that a form led to asks for an address that only takes forms: he is led to where the form is."""

from __future__ import annotations

from flask import current_app, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from wire import enrolment


def led_back(wrong: HTTPException) -> ResponseReturnValue | None:
    """The nearest page above, for a read of what only takes forms; None for anything else."""
    taken = wrong.valid_methods if isinstance(wrong, MethodNotAllowed) else None
    if request.method not in ("GET", "HEAD") or request.path == enrolment.PATH or not taken or "POST" not in taken:
        return None
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None
    path = request.path
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        try:
            adapter.match(path, "GET")
        except (HTTPException, RequestRedirect):
            continue
        return redirect(path, 303)
    return None
