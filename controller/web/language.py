"""Which language a page speaks: Vietnamese unless this browser asked for English."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, g, redirect, request
from werkzeug.wrappers import Response

from controller.web.asking import of_api
from words import LANGUAGES, Said, say, table

COOKIE = "loa_tieng"
YEAR_SECONDS = 365 * 24 * 3600

pages = Blueprint("language", __name__)


class WebError(Said):
    """What the web itself must say to a person."""


def chosen() -> str:
    """The language of this request, ``vi`` or ``en``."""
    found: str | None = g.get("tongue")
    if found is None:
        found = g.tongue = _asked_for()
    return found


def _asked_for() -> str:
    if of_api():
        return request.accept_languages.best_match(LANGUAGES, "vi") or "vi"
    wanted = request.cookies.get(COOKIE, "")
    return wanted if wanted in LANGUAGES else "vi"


def t(key: str, **facts: object) -> str:
    """The web's sentence ``key`` in the language of this request."""
    return say(f"web.{key}", chosen(), **facts)


def t_or(key: str, otherwise: str) -> str:
    """The web's sentence ``key`` if there is one, else ``otherwise``: for codes that may be newer than this page."""
    return t(key) if f"web.{key}" in table(chosen()) else otherwise


def said(wrong: Said) -> str:
    """An error in the language of this request."""
    return wrong.say(chosen())


@pages.get("/tieng/<wanted>")
def switch(wanted: str) -> Response:
    """Keep the language in a cookie and go back to the page this came from."""
    if wanted not in LANGUAGES:
        abort(404)
    back = urlsplit(request.referrer or "")
    own = back.netloc == request.host and back.path.startswith("/") and not back.path.startswith("//")
    answer = redirect((back.path + (f"?{back.query}" if back.query else "")) if own else "/")
    answer.set_cookie(
        COOKIE, wanted, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
    )
    return answer
