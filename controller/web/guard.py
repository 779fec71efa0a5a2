"""What every answer carries and what no request may do: headers, size limits, form keys, error pages.

- Nothing is loaded from elsewhere, nothing inline runs, nobody frames a page (CSP, level 3).
- What no page can mean (a NUL, a body past its size) is refused before a view sees it.
- Every form carries a key bound to the browser; without it nothing is changed (Flask-WTF CSRFProtect, `form_keys`).
- An error page is a sentence and a way on; the reason lies in the log.
"""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from flask import Flask, Response, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from controller import turned_away
from controller.safe import Safe
from controller.web import admission, api, assets, astray, cookies, guesses, limits, packing, plain
from controller.web.asking import of_api
from controller.web.form_keys import FormKeys
from controller.web.headers import carried
from controller.web.language import chosen, said, t, t_or
from controller.web.window import window
from words import Said

log = logging.getLogger(__name__)

MAX_FORM_BYTES = 1024 * 1024
FORM_KEY_LIFETIME = timedelta(days=31)  # longer than any session, and than a sign-in page left open


def protect(app: Flask, state_dir: Path) -> None:
    """Put the guard around ``app``; the key of its form cookie lies in ``state_dir``."""
    app.config.update(
        SECRET_KEY=cookie_key(state_dir),
        SESSION_COOKIE_NAME="loa_bieu_mau",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        MAX_FORM_PARTS=5000,
        PERMANENT_SESSION_LIFETIME=FORM_KEY_LIFETIME,
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,  # a form left open over lunch must still be sent
        WTF_CSRF_SSL_STRICT=False,  # the SameSite cookie and the key do this; a proxy may drop the referrer
    )
    app.wsgi_app = cookies.hosted(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.before_request(witness)
    app.before_request(plain.lead_to_https)
    app.before_request(limits.within_limits)
    app.before_request(readable)
    forms = FormKeys(app)
    forms.exempt(admission.pages)  # nodes have no forms; what they send is proved
    forms.exempt(api.api)  # knows no cookie, so nobody can ask in a browser's name
    app.after_request(headers)
    app.after_request(packing.packed)
    app.register_error_handler(HTTPException, error_page)
    app.register_error_handler(Said, said_page)
    app.register_error_handler(Exception, broken_page)


def cookie_key(state_dir: Path) -> bytes:
    """The secret that signs form keys: made once, kept with mode 0600, the same for every web process."""
    path = state_dir / "keys" / "web-cookie.key"
    safe = Safe(path.parent)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        with NamedTemporaryFile(dir=path.parent) as file:  # mode 0600; linked only when whole
            file.write(safe.wrapped(path, secrets.token_bytes(32)))
            file.flush()
            os.fsync(file.fileno())
            with suppress(FileExistsError):  # another web process was first: its key counts
                os.link(file.name, path)
    return safe.read(path) or b""


def witness() -> None:
    """Know whence this request comes, for whoever is turned away; and write what was counted of those before."""
    turned_away.PLACE.set(guesses.place(request.remote_addr or "")[:64])
    here = window()
    here.desk.turned_away.look(here.now())


def readable() -> None:
    """Refuse what not every database can keep: a NUL in a path, a query or a form."""
    sent = [str(value) for value in (request.view_args or {}).values()]
    sent += [value for form in (request.args, request.form) for _, values in form.lists() for value in values]
    if any("\0" in value for value in sent):
        abort(400)


def headers(answer: Response) -> Response:
    """The headers of every answer; pages of people are not kept by anybody."""
    for name, value in carried(request.is_secure).items():
        answer.headers.setdefault(name, value)
    if "Cache-Control" not in answer.headers:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def error_page(wrong: HTTPException) -> ResponseReturnValue:
    """An HTTP error in words."""
    if of_api():
        return api.of_http(wrong)
    code = wrong.code or 500
    if code == 500:  # the page itself may be what failed
        return broken_page(wrong)
    back = astray.led_back(wrong)
    if back is not None:
        return back
    if isinstance(wrong, CSRFError):
        log.warning("form key refused path=%s why=%s", _place(), wrong.description)
    sentence = t("error_form_key") if isinstance(wrong, CSRFError) else t_or(f"error_{code}", t("error_other"))
    kept = [(name, value) for name, value in wrong.get_headers() if name in ("Allow", "Content-Range", "Retry-After")]
    return render_template("error.html", sentence=sentence, code=code), code, kept


def said_page(wrong: Said) -> ResponseReturnValue:
    """A refusal that a view did not show beside a form."""
    if of_api():
        return api.of_said(wrong)
    log.warning("refused path=%s key=%s", _place(), wrong.key)
    return render_template("error.html", sentence=said(wrong), code=409), 409


def broken_page(wrong: Exception) -> ResponseReturnValue:
    """Around one request: what nobody foresaw is logged and said plainly; the server lives."""
    if of_api():
        return api.of_broken(wrong)
    log.error("request failed path=%s", _place(), exc_info=wrong)
    facts = {"title": t("error_title"), "sentence": t("error_500"), "home": t("home"), "lang": chosen()}
    facts["look"] = assets.address("look.css")
    return current_app.jinja_env.get_template("broken.html").render(facts), 500  # asks nobody: the store may be away


def _place() -> str:
    """The path of this request for the log; of a one-time link the pattern alone."""
    secret = request.url_rule is not None and "token" in (request.view_args or {})
    return str(request.url_rule) if secret else request.path
