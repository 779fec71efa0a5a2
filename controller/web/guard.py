"""What every answer carries and what no request may do: headers, size limits, form keys, error pages.

- Nothing is loaded from elsewhere, nothing inline runs, nobody frames a page (CSP, level 3).
- What no page can mean (a NUL, a body past its size) is refused before a view sees it.
- Every form carries a key bound to the browser; without it nothing is changed (Flask-WTF CSRFProtect).
- An error page is a sentence and a way on; the reason lies in the log.
"""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from flask import Flask, Response, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from controller.web.language import chosen, said, t, t_or
from words import Said

log = logging.getLogger(__name__)

MAX_FORM_BYTES = 1024 * 1024
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


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
        WTF_CSRF_TIME_LIMIT=None,  # a form left open over lunch must still be sent
        WTF_CSRF_SSL_STRICT=False,  # the SameSite cookie and the key do this; a proxy may drop the referrer
    )
    app.before_request(readable)
    CSRFProtect(app)
    app.after_request(headers)
    app.register_error_handler(HTTPException, error_page)
    app.register_error_handler(Said, said_page)
    app.register_error_handler(Exception, broken_page)


def cookie_key(state_dir: Path) -> bytes:
    """The secret that signs form keys: made once, kept with mode 0600, the same for every web process."""
    path = state_dir / "keys" / "web-cookie.key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        with NamedTemporaryFile(dir=path.parent) as file:  # mode 0600; linked only when whole
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
            with suppress(FileExistsError):  # another web process was first: its key counts
                os.link(file.name, path)
    return path.read_bytes()


def readable() -> None:
    """Refuse what not every database can keep: a NUL in a path, a query or a form."""
    sent = [str(value) for value in (request.view_args or {}).values()]
    sent += [value for form in (request.args, request.form) for _, values in form.lists() for value in values]
    if any("\0" in value for value in sent):
        abort(400)


def headers(answer: Response) -> Response:
    """The headers of every answer; pages of people are not kept by anybody."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if "Cache-Control" not in answer.headers:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def error_page(wrong: HTTPException) -> ResponseReturnValue:
    """An HTTP error in words."""
    code = wrong.code or 500
    if code == 500:  # the page itself may be what failed
        return broken_page(wrong)
    if isinstance(wrong, CSRFError):
        log.warning("form key refused path=%s why=%s", request.path, wrong.description)
    sentence = t("error_form_key") if isinstance(wrong, CSRFError) else t_or(f"error_{code}", t("error_other"))
    kept = [(name, value) for name, value in wrong.get_headers() if name in ("Allow", "Content-Range", "Retry-After")]
    return render_template("error.html", sentence=sentence, code=code), code, kept


def said_page(wrong: Said) -> ResponseReturnValue:
    """A refusal that a view did not show beside a form."""
    log.warning("refused path=%s key=%s", request.path, wrong.key)
    return render_template("error.html", sentence=said(wrong), code=409), 409


def broken_page(wrong: Exception) -> ResponseReturnValue:
    """Around one request: what nobody foresaw is logged and said plainly; the server lives."""
    log.error("request failed path=%s", request.path, exc_info=wrong)
    facts = {"title": t("error_title"), "sentence": t("error_500"), "home": t("home"), "lang": chosen()}
    return current_app.jinja_env.get_template("broken.html").render(facts), 500  # asks nobody: the store may be away
