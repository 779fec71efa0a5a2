"""Coming in and going out: the sign-in page, and the one-time link that lets a new person set a password.

- No default password exists: the first administrator comes in by a link that bootstrap prints once.
- Every try is counted before a password is hashed (`controller.web.guesses`); hashing is done by few at once.
- Links are not counted: their tokens have 256 random bits, and nothing is hashed for one that does not exist.
"""

from __future__ import annotations

from datetime import timedelta
from hmac import compare_digest
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from controller.desk import DeskError, Entry
from controller.web.doors import COOKIE, COOKIE_SECONDS, someone
from controller.web.guesses import guesses, remember
from controller.web.language import said, t
from controller.web.window import window

MOST_PASSWORD_CHARS = 200
MOST_NAME_CHARS = 64

pages = Blueprint("signin", __name__)


@pages.get("/dang-nhap")
def form() -> ResponseReturnValue:
    """The sign-in page."""
    return redirect("/") if someone() else page()


@pages.post("/dang-nhap")
def sign_in() -> ResponseReturnValue:
    """Try a name and a password."""
    name, password = typed("name").strip(), typed("password")
    if len(name) > MOST_NAME_CHARS:
        return page(said(DeskError("desk.wrong_password")), 422)
    entry = tried(name, password)
    if isinstance(entry, Entry):
        return let_in(entry, own_path(request.form.get("tiep", "")))
    return page(*entry)


def tried(name: str, password: str) -> Entry | tuple[str, int]:
    """Who came in, if this try may be made and is right; else the sentence that says why not, and its HTTP status."""
    wait = guesses().take(name)
    if wait:
        return t("signin_wait", minutes=-(-wait // timedelta(minutes=1))), 429
    with guesses().turn() as mine:
        if not mine:
            return t("signin_busy"), 503
        try:
            entry = window().desk.sign_in(name, password, window().now())
        except DeskError as wrong:
            return said(wrong), 422
    guesses().right(name)
    return entry


@pages.post("/dang-xuat")
def sign_out() -> ResponseReturnValue:
    """End this session, here and in the store."""
    window().desk.sign_out(request.cookies.get(COOKIE, ""))
    session.clear()
    answer = redirect(url_for("signin.form"))
    answer.delete_cookie(COOKIE, path="/")
    return answer


@pages.get("/chao/<token>")
def welcome(token: str) -> ResponseReturnValue:
    """The page behind a one-time link."""
    return welcome_page(token)


@pages.post("/chao/<token>")
def accept(token: str) -> ResponseReturnValue:
    """Set the password that was typed twice, and come in."""
    password = typed("password")
    if password != typed("again"):
        return welcome_page(token, t("passwords_differ"))
    try:
        entry = opened(password) if is_first(token) else window().desk.accept(token, password, window().now())
    except DeskError as wrong:
        return welcome_page(token, said(wrong))
    return let_in(entry, "/")


def is_first(token: str) -> bool:
    """Whether this is the way in for the first administrator, and nobody has come before."""
    key = window().first_token
    return bool(key) and compare_digest(token.encode(), key.encode()) and window().store.people.count() == 0


def opened(password: str) -> Entry:
    """The first administrator, under the name that was typed. Raises DeskError."""
    desk, now, name = window().desk, window().now(), typed("name").strip()
    desk.open_house(name, password, now)
    return desk.sign_in(name, password, now)


def typed(field: str) -> str:
    """A field of the form, no longer than a password may be."""
    return request.form.get(field, "")[: MOST_PASSWORD_CHARS + 1]


def page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    """The sign-in page with what went wrong, the name kept."""
    return render_template("signin.html", problem=problem, tiep=request.values.get("tiep", "/")), status


def welcome_page(token: str, problem: str = "", status: int = 422) -> ResponseReturnValue:
    """The welcome page with what went wrong."""
    return render_template(
        "welcome.html", token=token, first=is_first(token), problem=problem
    ), status if problem else 200


def let_in(entry: Entry, path: str) -> Response:
    """Give the session's cookie, a fresh form key with it, and go to ``path``."""
    session.clear()
    answer = redirect(path)
    answer.set_cookie(
        COOKIE, entry.token, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
    )
    remember(answer, entry.user.name)
    return answer


def own_path(wanted: str) -> str:
    """``wanted`` if it is a path of this site, else the front page: sign-in never sends anybody elsewhere."""
    parts = urlsplit(wanted)
    strange = parts.scheme or parts.netloc or not wanted.startswith("/") or wanted[1:2] in ("/", "\\")
    return "/" if strange or any(char < " " or char == "\\" for char in wanted) else wanted
