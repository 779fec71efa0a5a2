"""What browsers get beside pages: scripts, looks, letters and drawings, as `deploy/build_assets` made them.

- A name carries the hash of its content, so whoever has it never asks again; another content has another name.
- It travels packed where the browser says it can unpack it: Brotli from the disk, gzip made once in memory.
- Nothing is served that the build did not make. A station without a build does not start.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request
from werkzeug.datastructures import Accept

from controller.web.language import WebError

DIST = Path(__file__).parent / "static" / "dist"
KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
UNPACKED = {".woff2"}  # packed in itself
FOR_EVER = "public, max-age=31536000, immutable"

pages = Blueprint("static", __name__)


@cache
def manifest() -> dict[str, str]:
    """Name of a source -> name of what was made of it. Raises WebError where nothing was built."""
    try:
        found = json.loads((DIST / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as wrong:
        raise WebError("web.not_built") from wrong
    assert isinstance(found, dict)
    return found


def address(name: str) -> str:
    """Where a browser finds what was made of ``name`` (``look.css``). Raises KeyError for what is not there."""
    return f"/static/{manifest()[name]}"


@cache
def served() -> frozenset[str]:
    """Every name that is served."""
    return frozenset(path.name for path in DIST.iterdir() if path.suffix in KINDS)


@cache
def packed(name: str, way: str) -> bytes:
    """The bytes of a file, packed ``way``: ``br``, ``gzip`` or ``""``."""
    if way == "br":
        return (DIST / f"{name}.br").read_bytes()
    content = (DIST / name).read_bytes()
    return gzip.compress(content, 9, mtime=0) if way else content


@pages.get("/static/<name>")
def file(name: str) -> Response:
    """One file, packed as the browser likes it."""
    if name not in served():
        abort(404)
    suffix = Path(name).suffix
    way = "" if suffix in UNPACKED else chosen(request.accept_encodings)
    answer = Response(packed(name, way), content_type=KINDS[suffix])
    answer.headers["Cache-Control"] = FOR_EVER
    if suffix not in UNPACKED:
        answer.headers["Vary"] = "Accept-Encoding"
    if way:
        answer.headers["Content-Encoding"] = way
    return answer


def chosen(accepted: Accept) -> str:
    """The best way to pack that a browser takes; "" where it takes none."""
    return next((way for way in ("br", "gzip") if accepted.quality(way) > 0), "")
