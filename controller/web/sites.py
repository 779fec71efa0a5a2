"""Where passkeys count: the address that the settings name; without one only ``http://localhost``, for trying."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request

from controller.desk import DeskError, Reply, Site
from controller.web.window import window

MOST_TOKEN_CHARS = 100


def site() -> Site | None:
    """The site; None where a browser would make no passkey for it."""
    settings = window().settings
    local = f"http://{request.host}" if urlsplit(f"//{request.host}").hostname == "localhost" else ""
    origin = settings.web_origin or local
    return Site(origin, settings.station_name) if origin else None


def reply(kind: str = "proof") -> Reply | None:
    """What this request's browser answered for a passkey, if it did: a ``proof``, or one that it has ``made``.

    Raises DeskError where none can count.
    """
    answer = request.form.get(f"{kind}_passkey", "")
    if not answer:
        return None
    here = site()
    if here is None:
        raise DeskError("desk.wrong_proof")
    return Reply(here, request.form.get(f"{kind}_token", "")[:MOST_TOKEN_CHARS], answer)
