"""One's own second factors: an app that shows codes, passkeys, recovery codes. The account page shows what there is."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.desk.factors import MOST_NAME_CHARS, NewApp
from controller.web import sites
from controller.web.account import page as account_page
from controller.web.doors import door, who
from controller.web.forms import Problem
from controller.web.guesses import CODE, guesses
from controller.web.language import said, t
from controller.web.qr import drawn
from controller.web.signin import typed
from controller.web.window import window

MOST_ID_CHARS = 1500

pages = Blueprint("factors", __name__)


@pages.post("/tai-khoan/ma")
@door()
def begin_code() -> ResponseReturnValue:
    """A secret for an app: to be read off the screen, or typed."""
    try:
        return app_page(window().desk.begin_code(who(), window().settings.station_name, window().now()))
    except DeskError as wrong:
        return account_page([Problem("factors", said(wrong))])


@pages.post("/tai-khoan/ma/xac-nhan")
@door()
def confirm_code() -> ResponseReturnValue:
    """The code that the app shows: from now on it is asked for."""
    desk = window().desk
    app = desk.waiting_code(who(), window().settings.station_name)
    if app is None:
        return redirect(url_for("account.mine"), 303)
    if guesses().take(who().name, CODE):
        return app_page(app, t("signin_busy"), 429)
    try:
        recovery = desk.confirm_code(who(), typed("code"), window().now())
    except DeskError as wrong:
        return app_page(app, said(wrong))
    guesses().right(who().name, CODE)
    return begun(t("totp_set_up"), recovery)


@pages.post("/tai-khoan/ma/bo")
@door()
def drop_code() -> ResponseReturnValue:
    """The app counts no more."""
    return done(window().desk.drop_code(who(), window().now()))


@pages.post("/tai-khoan/khoa")
@door()
def begin_passkey() -> ResponseReturnValue:
    """The page on which the browser makes a passkey."""
    here = sites.site()
    if here is None:
        return account_page([Problem("factors", t("passkey_no_site"))])
    name = " ".join(request.form.get("name", "")[: 2 * MOST_NAME_CHARS].split())
    try:
        token, options = window().desk.begin_passkey(who(), here, window().now())
    except DeskError as wrong:
        return account_page([Problem("factors", said(wrong))])
    return render_template("passkey_new.html", token=token, options=options, name=name[:MOST_NAME_CHARS])


@pages.post("/tai-khoan/khoa/xong")
@door()
def add_passkey() -> ResponseReturnValue:
    """What the browser made."""
    try:
        made = sites.reply("made")
        if made is None:
            raise DeskError("desk.passkey_refused")
        recovery = window().desk.add_passkey(who(), made, typed("name"), window().now())
    except DeskError as wrong:
        return account_page([Problem("factors", said(wrong))])
    return begun(t("passkey_added"), recovery)


@pages.post("/tai-khoan/khoa/bo")
@door()
def drop_passkey() -> ResponseReturnValue:
    """A passkey counts no more."""
    return done(window().desk.drop_passkey(who(), request.form.get("khoa", "")[:MOST_ID_CHARS], window().now()))


@pages.post("/tai-khoan/ma-du-phong")
@door()
def new_recovery() -> ResponseReturnValue:
    """Ten new recovery codes."""
    try:
        return begun(t("recovery_new"), window().desk.new_recovery(who(), window().now()))
    except DeskError as wrong:
        return account_page([Problem("factors", said(wrong))])


def app_page(app: NewApp, problem: str = "", status: int = 422) -> ResponseReturnValue:
    """The secret as a picture and in groups of four, and the field for the first code."""
    groups = [app.secret[at : at + 4] for at in range(0, len(app.secret), 4)]
    view = {"picture": drawn(app.address), "address": app.address, "groups": groups, "problem": problem}
    return render_template("code_app.html", **view), status if problem else 200


def begun(note: str, recovery: Iterable[str]) -> ResponseReturnValue:
    """What was set up; the recovery codes, this once, where there are new ones."""
    if recovery:
        return render_template("recovery.html", note=note, codes=recovery)
    flash(note)
    return redirect(url_for("account.mine"), 303)


def done(was_there: bool) -> ResponseReturnValue:
    """Back to the account."""
    flash(t("factor_removed" if was_there else "factor_gone"))
    return redirect(url_for("account.mine"), 303)
