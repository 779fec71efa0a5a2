"""Step-up on the page: what is critical asks again who somebody is, and loses nothing that was typed.

- The desk decides what is critical (`controller.desk.fresh`). Its NotFresh, out of whatever view, is answered with a
  page that holds the very same form and asks for a code, a passkey or the password; sent, it does what was wanted.
- A form may bring the proof along at once (`proof`, or `proof_passkey`), so that an emergency takes no second page.
- Works without scripts, passkeys apart.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Flask, abort, current_app, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from controller.desk import Critical, DeskError, NotFresh, SignedIn
from controller.desk.proving import ENTER, SECOND, STEP_UP
from controller.web import second, sites
from controller.web.doors import someone
from controller.web.guesses import CODE, PASSWORD, guesses, too_many_asked
from controller.web.kept import OWN_FIELDS, SECRET_FIELDS
from controller.web.language import said, t
from controller.web.signin import MOST_PASSWORD_CHARS
from controller.web.window import window
from words import Said

pages = Blueprint("proof", __name__)


@pages.post("/khoa/hoi")
def ask() -> ResponseReturnValue:
    """What the browser is asked for a passkey, as JSON: a token, and the options of ``navigator.credentials.get``."""
    here, purpose = sites.site(), request.form.get("viec", "")
    asked_of = {ENTER: lambda: None, SECOND: second.halfway, STEP_UP: someone}.get(purpose)
    if here is None or asked_of is None:
        abort(404)
    if too_many_asked():
        abort(429)
    user = asked_of()
    if user is None and purpose != ENTER:
        abort(401)
    token, options = window().desk.ask_passkey(here, user, purpose, window().now())
    return jsonify(token=token, options=options)


def stand_before(app: Flask) -> None:
    """Answer what the desk finds lacking, wherever it does."""
    app.register_error_handler(NotFresh, lacking)


def lacking(wrong: NotFresh) -> ResponseReturnValue:
    """Take the proof that the form brought along and do what was wanted; else ask for one, above the same form.

    A proof is looked at only here: what asks for none uses none up, and counts no try.
    """
    user = someone()
    brought = request.form.get("proof") or request.form.get("proof_passkey")
    if user is None or wrong.lacking or not brought:
        return page(wrong.what, "", 422, wrong.lacking)
    problem, status = proved(user)
    if problem:
        return page(wrong.what, problem, status)
    del g.user  # it is fresh now
    try:
        return current_app.dispatch_request()
    except (Said, HTTPException) as refused:
        return current_app.handle_user_exception(refused)


def proved(user: SignedIn) -> tuple[str, int]:
    """What is wrong with the proof, and the HTTP status; an empty sentence when it is right."""
    kind = CODE if user.has_factor else PASSWORD
    wait = guesses().take(user.name, kind)
    if wait:
        return t("signin_wait", minutes=-(-wait // timedelta(minutes=1))), 429
    desk, now = window().desk, window().now()
    with guesses().turn() as turn:
        if not turn:
            return t("signin_busy"), 503
        try:
            answer = sites.reply()
            if answer:
                desk.prove_by_passkey(user, answer, now)
            else:
                desk.prove(user, request.form["proof"][: MOST_PASSWORD_CHARS + 1], now)
        except DeskError as wrong:
            return said(wrong) if user.has_factor else t("password_wrong"), 422
    guesses().right(user.name, kind)
    return "", 200


def page(what: Critical, problem: str, status: int, lacks_factor: bool = False) -> ResponseReturnValue:
    """The form that was sent, folded away, and the fields of the proof; a secret of the form is asked for anew."""
    kept_out = OWN_FIELDS + SECRET_FIELDS
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in kept_out]
    view = {"what": what, "problem": problem, "fields": fields, "lacks_factor": lacks_factor}
    view |= {"secrets": [name for name in SECRET_FIELDS if name in request.form]}
    return render_template("proof.html", **view, action=request.full_path.rstrip("?")), status
