"""One's own account: where one is signed in, signing out there, a new password, and what second factors there are."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.web.doors import COOKIE, door, who
from controller.web.forms import Problem
from controller.web.guesses import guesses
from controller.web.language import said, t
from controller.web.signin import device, let_in, typed
from controller.web.window import window

pages = Blueprint("account", __name__)


@pages.get("/tai-khoan")
@door()
def mine() -> ResponseReturnValue:
    """Where one is signed in, and the form for a new password."""
    return page()


@pages.post("/tai-khoan/thoat")
@door()
def end() -> ResponseReturnValue:
    """Sign out at one other place, or at all others."""
    desk, now = window().desk, window().now()
    place = request.form.get("noi", "")[:64]
    if place:
        flash(t("session_ended" if desk.end_session(who(), place, now) else "session_gone"))
    else:
        flash(t("sessions_ended", count=desk.end_other_sessions(who(), _token(), now)))
    return redirect(url_for("account.mine"), 303)


@pages.post("/tai-khoan/mat-khau")
@door()
def change() -> ResponseReturnValue:
    """A new password; every other place is signed out by it. Tries of the old one are counted as at the entrance."""
    new = typed("new")
    if new != typed("again"):
        return page([Problem("again", t("passwords_differ"))])
    wait = guesses().take(who().name)
    if wait:
        return page([Problem("old", t("signin_wait", minutes=-(-wait // timedelta(minutes=1))))], 429)
    with guesses().turn() as turn:
        if not turn:
            return page([Problem("old", t("signin_busy"))], 503)
        try:
            entry = window().desk.change_password(who(), typed("old"), new, window().now(), device())
        except DeskError as wrong:
            field = "old" if wrong.key == "desk.wrong_password" else "new"
            return page([Problem(field, t("old_password_wrong") if field == "old" else said(wrong))])
    guesses().right(who().name)
    flash(t("password_changed"))
    return let_in(entry, url_for("account.mine"))


def page(problems: list[Problem] | None = None, status: int = 422) -> ResponseReturnValue:
    """The page, with what is wrong in the form."""
    desk = window().desk
    places = desk.sessions(who(), _token(), window().now())
    held, keys = desk.factors(who())
    view = {"places": places, "held": held, "keys": keys, "problems": problems or []}
    return render_template("account.html", **view), status if problems else 200


def _token() -> str:
    return request.cookies.get(COOKIE, "")
