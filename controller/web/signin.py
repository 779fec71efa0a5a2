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

from controller.desk import DeskError, Entry, Halfway
from controller.store.rows import User
from controller.turned_away import WRONG_PASSWORD
from controller.web import devices
from controller.web.doors import COOKIE, COOKIE_SECONDS, someone
from controller.web.guesses import guesses, remember
from controller.web.language import said, t
from controller.web.window import window

MOST_PASSWORD_CHARS = 200
MOST_NAME_CHARS = 64
FIELD_OF = {"desk.bad_name": "name"}

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
        window().desk.turned_away.note(WRONG_PASSWORD, "", "act=sign_in", window().now())
        return page(said(DeskError("desk.wrong_password")), 422)
    entry = tried(name, password)
    if isinstance(entry, tuple):
        return page(*entry)
    return onward(entry, own_path(request.form.get("tiep", "")))


def onward(entry: Entry | Halfway, path: str) -> Response:
    """In, or to the second step; from there to ``path``."""
    if isinstance(entry, Entry):
        return let_in(entry, path)
    session.clear()
    session["nua"] = entry.token
    return redirect(url_for("second.form", tiep=path), 303)


def tried(name: str, password: str) -> Entry | Halfway | tuple[str, int]:
    """Who came in, if this try may be made and is right; else the sentence that says why not, and its HTTP status."""
    wait = guesses().take(name)
    if wait:
        return t("signin_wait", minutes=-(-wait // timedelta(minutes=1))), 429
    with guesses().turn() as mine:
        if not mine:
            return t("signin_busy"), 503
        try:
            entry = window().desk.sign_in(name, password, window().now(), device())
        except DeskError as wrong:
            return said(wrong), 422
    guesses().right(name)
    return entry


@pages.post("/dang-xuat")
def sign_out() -> ResponseReturnValue:
    """End this session, here and in the store."""
    window().desk.sign_out(request.cookies.get(COOKIE, ""), window().now())
    session.clear()
    answer = redirect(url_for("signin.form"))
    answer.delete_cookie(COOKIE, path="/")
    return answer


@pages.get("/chao/<token>")
def welcome(token: str) -> ResponseReturnValue:
    """The page behind a one-time link; of one that is spent or was never given only that it is."""
    return welcome_page(token) if is_first(token) or linked(token) else no_link()


@pages.post("/chao/<token>")
def accept(token: str) -> ResponseReturnValue:
    """Set the password that was typed twice, and come in."""
    if not (is_first(token) or linked(token)):
        return no_link()
    password = typed("password")
    if password != typed("again"):
        return welcome_page(token, t("passwords_differ"), "again")
    try:
        entry = opened(password) if is_first(token) else window().desk.accept(token, password, window().now(), device())
    except DeskError as wrong:
        if wrong.key == "desk.bad_link":
            return no_link()
        return welcome_page(token, said(wrong), FIELD_OF.get(wrong.key, "password"))
    return onward(entry, "/")


def linked(token: str) -> User | None:
    """Whom a link would let in now."""
    return window().desk.linked(token, window().now())


def no_link() -> ResponseReturnValue:
    """The link opens nothing."""
    return render_template("error.html", sentence=said(DeskError("desk.bad_link")), code=410), 410


def is_first(token: str) -> bool:
    """Whether this is the way in for the first administrator, and nobody has come before."""
    key = window().first_token
    return bool(key) and compare_digest(token.encode(), key.encode()) and window().store.people.count() == 0


def opened(password: str) -> Entry | Halfway:
    """The first administrator, under the name that was typed. Raises DeskError."""
    desk, now, name = window().desk, window().now(), typed("name").strip()
    desk.open_house(name, password, now)
    return desk.sign_in(name, password, now, device())


def device() -> str:
    """What the person would call what they sit at."""
    return devices.named(request.headers.get("User-Agent", ""))


def typed(field: str) -> str:
    """A field of the form, no longer than a password may be."""
    return request.form.get(field, "")[: MOST_PASSWORD_CHARS + 1]


def page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    """The sign-in page with what went wrong, the name kept."""
    return render_template("signin.html", problem=problem, tiep=request.values.get("tiep", "/")), status


def welcome_page(token: str, problem: str = "", field: str = "") -> ResponseReturnValue:
    """The welcome page, which says by what name one comes in from now on, with what went wrong."""
    view = {"token": token, "first": is_first(token), "person": linked(token), "problem": problem, "field": field}
    return render_template("welcome.html", **view), 422 if problem else 200


def let_in(entry: Entry, path: str) -> Response:
    """Give the session's cookie, a fresh form key with it, and go to ``path``."""
    session.clear()
    session.permanent = True  # the form's key outlives the browser's window as the session itself does
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
