"""When the station cannot be reached: the page that a browser keeps for then, and the worker that shows it.

- Both are the same for everybody and hold nothing of anybody; what a person typed is theirs, in the browser.
"""

from __future__ import annotations

import hashlib
import json

from flask import Blueprint, Response, render_template

from controller.web import assets

pages = Blueprint("away", __name__)


@pages.get("/ngoai-tuyen")
def page() -> str:
    """What is shown instead of the browser's own error."""
    return render_template("away.html")


@pages.get("/ngoai-tuyen.js")
def worker() -> Response:
    """The worker; another build is another worker, which fetches the page anew."""
    name = assets.manifest()["worker.js"]
    built = hashlib.sha256(json.dumps(assets.manifest()).encode()).hexdigest()[:16]
    content = assets.packed(name, "") + f"\n// {built}\n".encode()
    answer = Response(content, content_type=assets.KINDS[".js"])
    answer.headers["Cache-Control"] = "no-cache"
    return answer
