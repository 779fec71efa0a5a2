"""Who may enter: the session behind a request, and what each role may open.

- The cookie holds a random token; the store keeps only its SHA-256, so a stolen database opens no door.
- A page names the role that it needs; a higher role includes the lower ones.
- The desk checks every wish again: this room only saves people from pages that would refuse them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from controller.store.rows import Role, User
from controller.web.window import window
from wire.names import lies_within

COOKIE = "loa_phien"
COOKIE_SECONDS = 12 * 3600
_ORDER = (Role.EDITOR, Role.APPROVER, Role.ADMINISTRATOR)

P = ParamSpec("P")


def someone() -> User | None:
    """Who is signed in on this request, if anybody."""
    if "user" not in g:
        token = request.cookies.get(COOKIE, "")
        g.user = window().desk.signed_in(token, window().now()) if 20 <= len(token) <= 200 else None
    user: User | None = g.user
    return user


def who() -> User:
    """The person of a page behind a door."""
    user = someone()
    assert user is not None
    return user


def may(role: str) -> bool:
    """Whether whoever is signed in has at least ``role``."""
    user = someone()
    return user is not None and _ORDER.index(user.role) >= _ORDER.index(Role(role))


def sees(area: str) -> bool:
    """Whether ``area`` lies in what the signed-in person answers for."""
    return lies_within(area, who().area)


def door(role: Role = Role.EDITOR) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """A view behind this door is for ``role`` and above; a stranger is led to sign in, a lower role is told 403."""

    def behind(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def entered(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if someone() is None:
                if request.headers.get("X-Live") or request.path == "/su-kien":
                    abort(401)
                return redirect(url_for("signin.form", tiep=request.full_path if request.method == "GET" else "/"))
            return view(*args, **kwargs) if may(role) else abort(403)

        return entered

    return behind
