"""An address that only takes forms is no page: who asks for it, or is to come back to it, is led to where the form is.

- Who reloads the page that a form led to asks for such an address; who must sign in first comes back to one.
"""

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
    return redirect(nearest(request.path), 303) if request.path != "/" else None


def wanted() -> str:
    """The page to go on with after signing in: the one that was asked for, or the nearest to where a form went."""
    return request.full_path.rstrip("?") if request.method == "GET" else nearest(request.path)


def nearest(path: str) -> str:
    """That page, if it can be read, else the nearest one above it that can."""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None
    while path != "/":
        try:
            adapter.match(path, "GET")
        except (HTTPException, RequestRedirect):
            path = path.rpartition("/")[0] or "/"
        else:
            break
    return path
