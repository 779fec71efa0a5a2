"""Who may enter: the session behind a request, and who may open what.

- The cookie holds a random token; the store keeps only its SHA-256, so a stolen database opens no door.
- A page names the acts of which one opens it, wherever that may be; which area it is about is the view's to ask.
- The desk checks every wish again: this room only saves people from pages that would refuse them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

from flask import abort, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from controller import rights
from controller.desk import SignedIn
from controller.desk.api_tokens import answering
from controller.rights import Permission
from controller.turned_away import NO_RIGHT
from controller.web import astray, kept
from controller.web.asking import bearer, of_api
from controller.web.window import window
from wire.names import lies_within

COOKIE = "loa_phien"
COOKIE_SECONDS = 30 * 24 * 3600  # the browser's; when a session ends, the store alone says
OPEN_WITHOUT_FACTOR = ("account", "factors")  # where it is set up, by whoever must have one

P = ParamSpec("P")


def someone() -> SignedIn | None:
    """Who is signed in on this request, or whose token it brings, if anybody."""
    if "user" not in g:
        g.user = _program() if of_api() else _person()
    user: SignedIn | None = g.user
    return user


def _person() -> SignedIn | None:
    token = request.cookies.get(COOKIE, "")
    return window().desk.signed_in(token, window().now()) if 20 <= len(token) <= 200 else None


def _program() -> SignedIn | None:
    secret = bearer()
    return window().desk.by_token(secret, window().now()) if secret else None


def who() -> SignedIn:
    """The person of a page behind a door."""
    user = someone()
    assert user is not None
    return user


def reach(act: str) -> tuple[str, ...]:
    """The largest areas in which whoever is signed in may do that (a `Permission`), as this request began."""
    held: dict[str, tuple[str, ...]] | None = g.get("reach")
    if held is None:
        held = g.reach = {}
        g.asked_at = window().now()
    if act not in held:
        user = someone()
        held[act] = rights.reach(user, Permission(act), g.asked_at) if user else ()
    return held[act]


def may(act: str, *areas: str) -> bool:
    """Whether whoever is signed in may do that in each of ``areas``; somewhere, where none is named."""
    held = reach(act)
    return bool(held) and all(any(lies_within(area, each) for each in held) for area in areas)


def sees(area: str) -> bool:
    """Whether the signed-in person may read of ``area``."""
    return may(Permission.READ, area)


def own_place() -> str:
    """Where whoever is signed in is at home, if they may read there; else the first area where they may."""
    return who().area if sees(who().area) else next(iter(reach(Permission.READ)), who().area)


def turned_away(what: str) -> None:
    """A line in the audit log: whoever asks may not do ``what``."""
    here, (name, token) = window(), answering(who())
    here.desk.turned_away.note(NO_RIGHT, name, f"{what} {token}".rstrip(), here.now())


def refused(act: str) -> NoReturn:
    """Whoever is signed in may not do that: 403, and a line in the audit log."""
    turned_away(f"page={act}")
    if kept.written():
        abort(make_response(kept.page("kept_no_right", 403, again=True)))
    abort(403)


def door(*acts: Permission) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """A view behind this door is for whoever may do one of ``acts`` somewhere; without any, for all who are signed in.

    A stranger is led to sign in; who may not is told 403. What they wrote is kept on the page (`kept`).
    """

    def behind(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def entered(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if someone() is None:
                if request.headers.get("X-Live") or request.path == "/su-kien":
                    abort(401)
                if kept.written():  # also where the browser has lost the cookie: they wrote it all the same
                    return kept.page("kept_signed_out", 401, again=False)
                return redirect(url_for("signin.form", tiep=astray.wanted()))
            if who().owes_factor and request.blueprint not in OPEN_WITHOUT_FACTOR:
                return redirect(url_for("account.mine"), 303)
            return view(*args, **kwargs) if not acts or any(map(may, acts)) else refused(request.endpoint or "")

        return entered

    return behind
