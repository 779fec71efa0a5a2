"""The second step of signing in, and signing in by a passkey alone.

- Who is halfway in is told by a token in the form cookie, good for five minutes; it opens nothing else.
- Codes are counted apart from passwords, so that a right password forgives no wrong code.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.store.rows import User
from controller.web import sites
from controller.web.guesses import CODE, guesses, too_many_asked
from controller.web.language import said, t
from controller.web.signin import device, let_in, own_path, typed
from controller.web.signin import page as first_page
from controller.web.window import window

pages = Blueprint("second", __name__)


@pages.get("/dang-nhap/buoc-hai")
def form() -> ResponseReturnValue:
    """Where the code or the passkey is asked for."""
    user = halfway()
    return too_late() if user is None else page(user)


@pages.post("/dang-nhap/buoc-hai")
def finish() -> ResponseReturnValue:
    """Try a code, a recovery code or a passkey's answer."""
    user = halfway()
    if user is None:
        return too_late()
    wait = guesses().take(user.name, CODE)
    if wait:
        return page(user, t("signin_wait", minutes=-(-wait // timedelta(minutes=1))), 429)
    desk, now, token = window().desk, window().now(), session["nua"]
    try:
        answer = sites.reply()
        if answer:
            entry = desk.finish_by_passkey(token, answer, now, device())
        else:
            entry = desk.finish(token, typed("code"), now, device())
    except DeskError as wrong:
        return page(user, said(wrong))
    guesses().right(user.name, CODE)
    return let_in(entry, own_path(request.form.get("tiep", "")))


@pages.post("/dang-nhap/khoa")
def by_passkey() -> ResponseReturnValue:
    """Come in by a passkey alone."""
    if too_many_asked():
        return first_page(t("signin_busy"), 429)
    try:
        answer = sites.reply()
        if answer is None:
            return first_page(t("passkey_without_script"), 422)
        entry = window().desk.enter_by_passkey(answer, window().now(), device())
    except DeskError:
        return first_page(t("passkey_refused"), 422)
    return let_in(entry, own_path(request.form.get("tiep", "")))


def halfway() -> User | None:
    """Who is halfway in on this browser."""
    token = session.get("nua", "")
    return window().desk.halfway(token, window().now()) if isinstance(token, str) and token else None


def too_late() -> ResponseReturnValue:
    """Back to the first step."""
    flash(t("second_too_late"))
    return redirect(url_for("signin.form", tiep=own_path(request.values.get("tiep", ""))), 303)


def page(user: User, problem: str = "", status: int = 422) -> ResponseReturnValue:
    """The page of the second step, with what went wrong."""
    held = window().store.factors.held(user.id)
    view = {"held": held, "problem": problem, "tiep": own_path(request.values.get("tiep", ""))}
    return render_template("second.html", **view), status if problem else 200
