"""Finished audio over HTTP, for nodes and browsers: conditional, resumable, cached for ever.

- No sign-in: a file is named by the SHA-256 of its bytes, and a node checks it against the sealed plan.
- The name is 64 hex digits or it is not found: no path can leave the shelf.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, send_file

from controller.web.window import window
from wire.names import BadName, asset_id

pages = Blueprint("audio", __name__)

YEAR_SECONDS = 365 * 24 * 3600


@pages.get("/audio/<name>")  # as plans name it
@pages.get("/audio/<name>.opus")
def audio(name: str) -> Response:
    """One asset, whole or in part (Range, If-Range, If-None-Match; RFC 9110)."""
    try:
        path = window().shelf_dir / asset_id(name)
    except BadName:
        abort(404)
    if not path.is_file():
        abort(404)
    try:
        answer = send_file(path, mimetype="audio/ogg", conditional=True, etag=name, max_age=YEAR_SECONDS)
    except FileNotFoundError:  # retention was quicker
        abort(404)
    answer.cache_control.immutable = True
    return answer
