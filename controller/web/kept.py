"""What was written, where it cannot be sent: shown with the reason, so that nobody writes it twice.

- A right may end, or somebody be signed out, while they write. The page holds what they wrote, to copy or send again.
- Only after the form's key was found right: no other site puts words on a page of ours. What is secret is never shown.
"""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from controller.web import astray

OWN_FIELDS = ("csrf_token", "proof", "proof_token", "proof_passkey")
SECRET_FIELDS = ("passphrase",)  # typed again: no page ever holds what was typed into them
PASSWORD_FIELDS = ("password", "again", "old", "new", "code")
LEAST_CHARS = 20  # of what is worth keeping


def fields() -> list[tuple[str, str]]:
    """What the form held, without what is secret or about the form itself."""
    kept_out = OWN_FIELDS + SECRET_FIELDS + PASSWORD_FIELDS
    return [(name, value) for name, value in request.form.items(multi=True) if name not in kept_out]


def written() -> list[str]:
    """What somebody wrote themselves: the texts of the form, each once."""
    if request.method != "POST":
        return []
    texts = (value.strip() for _, value in fields())
    return list(dict.fromkeys(each for each in texts if len(each) >= LEAST_CHARS and (" " in each or "\n" in each)))


def page(why: str, status: int, *, again: bool) -> ResponseReturnValue:
    """The page with it. ``why``: the key of the sentence; ``again``: whether the same may be sent from here."""
    view = {"why": why, "texts": written(), "fields": fields() if again else [], "onward": astray.wanted()}
    return render_template("kept.html", **view, action=request.full_path.rstrip("?"), code=status), status
