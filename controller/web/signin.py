"""Coming in and going out: the sign-in page, and the one-time link that lets a new person set a password.

- No default password exists: the first administrator comes in by a link that bootstrap prints once.
- Tries are counted by name and by address before a password is hashed; hashing is done by few at once.
"""

from __future__ import annotations

from hmac import compare_digest
from threading import BoundedSemaphore
from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from controller.desk import DeskError, Entry
from controller.web.doors import COOKIE, COOKIE_SECONDS, someone
from controller.web.language import said, t
from controller.web.throttle import Throttle
from controller.web.window import window

TRIES_BY_PERSON = 6
TRIES_BY_ADDRESS = 40
HASHING = BoundedSemaphore(2)  # Argon2 takes 64 MiB each
MOST_PASSWORD_CHARS = 200

pages = Blueprint("signin", __name__)


@pages.get("/dang-nhap")
def form() -> ResponseReturnValue:
    """The sign-in page."""
    return redirect("/") if someone() else page()


@pages.post("/dang-nhap")
def sign_in() -> ResponseReturnValue:
    """Try a name and a password."""
    name, password = typed("name").strip(), typed("password")
    person = f"{name.casefold()}|{request.remote_addr}"
    wait = throttle().take({person: TRIES_BY_PERSON, str(request.remote_addr): TRIES_BY_ADDRESS}, window().now())
    if wait:
        return page(t("signin_wait", minutes=int(wait.total_seconds() // 60) + 1), 429)
    try:
        with HASHING:
            entry = window().desk.sign_in(name, password, window().now())
    except DeskError as wrong:
        return page(said(wrong), 422)
    throttle().forget(person)
    return let_in(entry.token, own_path(request.form.get("tiep", "")))


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
    if throttle().take({f"chao|{request.remote_addr}": TRIES_BY_ADDRESS}, window().now()):
        return welcome_page(token, t("signin_wait", minutes=15), 429)
    try:
        with HASHING:
            entry = opened(password) if is_first(token) else window().desk.accept(token, password, window().now())
    except DeskError as wrong:
        return welcome_page(token, said(wrong))
    return let_in(entry.token, "/")


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


def throttle() -> Throttle:
    """The app's count of failures."""
    held = current_app.extensions["throttle"]
    assert isinstance(held, Throttle)
    return held


def page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    """The sign-in page with what went wrong, the name kept."""
    return render_template("signin.html", problem=problem, tiep=request.values.get("tiep", "/")), status


def welcome_page(token: str, problem: str = "", status: int = 422) -> ResponseReturnValue:
    """The welcome page with what went wrong."""
    return render_template(
        "welcome.html", token=token, first=is_first(token), problem=problem
    ), status if problem else 200


def let_in(token: str, path: str) -> Response:
    """Give the session's cookie, a fresh form key with it, and go to ``path``."""
    session.clear()
    answer = redirect(path)
    answer.set_cookie(
        COOKIE, token, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
    )
    return answer


def own_path(wanted: str) -> str:
    """``wanted`` if it is a path of this site, else the front page: sign-in never sends anybody elsewhere."""
    parts = urlsplit(wanted)
    strange = parts.scheme or parts.netloc or not wanted.startswith("/") or wanted[1:2] in ("/", "\\")
    return "/" if strange or any(char < " " or char == "\\" for char in wanted) else wanted
