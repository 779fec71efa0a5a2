"""Recordings on the page: a person speaks into the microphone or chooses a file; it becomes a draft to be placed.

- With scripts a file of any admitted size comes in pieces, which go on after a cut; without, a small one in one form.
- It is admitted here, or refused with its reason; the title and the language stay as they were typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError, Wish
from controller.rights import Permission
from controller.store.rows import Announcement
from controller.studio import RecordingError, ShelfError
from controller.web import sending
from controller.web.doors import door, who
from controller.web.forms import Problem
from controller.web.headers import MICROPHONE
from controller.web.language import WebError, chosen, said, t
from controller.web.uploads import MOST_PIECE_BYTES, Uploads
from controller.web.window import window
from words import Said

pages = Blueprint("recording", __name__)

LANGUAGES = ("vi", "tyz", "nut", "ium", "hmn", "mlc")  # what is spoken in Lạng Sơn, by BCP 47
_REFUSALS = (WebError, RecordingError, ShelfError, DeskError)


@dataclass(frozen=True)
class Typed:
    """The form as it was typed."""

    title: str = ""
    language: str = "vi"


@pages.get("/ban-ghi")
@door(Permission.WRITE, Permission.WARN)
def form() -> ResponseReturnValue:
    """Record or choose."""
    return page(Typed())


@pages.post("/ban-ghi")
@door(Permission.WRITE, Permission.WARN)
def small() -> ResponseReturnValue:
    """A small file in one form: the way without scripts."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return page(_typed(), [Problem("file", t("problem_file"))])
    with NamedTemporaryFile(suffix=".upload") as held:
        file.save(held.name)
        try:
            draft = admitted(Path(held.name), file.filename)
        except _REFUSALS as wrong:
            return page(_typed(), [Problem("file", said(wrong))])
    return redirect(url_for("compose.open_", announcement=draft.id), 303)


@pages.post("/ban-ghi/tep")
@door(Permission.WRITE, Permission.WARN)
def begin() -> ResponseReturnValue:
    """A large file is to come, ``size`` bytes: where to send its pieces."""
    size = request.form.get("size", "", type=str)
    if not size.isascii() or not size.isdigit() or len(size) > 15:
        return told(WebError("web.upload_empty"))
    try:
        name = uploads().begin(who().id, int(size), window().now())
    except WebError as wrong:
        return told(wrong)
    return jsonify(pieces=url_for("recording.piece", name=name), piece_bytes=MOST_PIECE_BYTES)


@pages.get("/ban-ghi/tep/<name>")
@door(Permission.WRITE, Permission.WARN)
def come(name: str) -> ResponseReturnValue:
    """How much of it has come."""
    try:
        return jsonify(size=uploads().size(who().id, name))
    except WebError as wrong:
        return told(wrong, 404)


@pages.post("/ban-ghi/tep/<name>")
@door(Permission.WRITE, Permission.WARN)
def piece(name: str) -> ResponseReturnValue:
    """The piece that begins at ``tu``; how much has come. One that is not in turn changes nothing."""
    offset = request.args.get("tu", -1, type=int)
    try:
        return jsonify(size=uploads().append(who().id, name, offset, request.stream))
    except WebError as wrong:
        return told(wrong, 404 if wrong.key == "web.upload_unknown" else 409)


@pages.post("/ban-ghi/tep/<name>/xong")
@door(Permission.WRITE, Permission.WARN)
def whole(name: str) -> ResponseReturnValue:
    """All of it has come: it is admitted and becomes a draft."""
    try:
        draft = admitted(uploads().path(who().id, name), request.form.get("name", ""))
    except _REFUSALS as wrong:
        return told(wrong)
    uploads().forget(who().id, name)
    return jsonify(page=url_for("compose.open_", announcement=draft.id))


def admitted(upload: Path, file_name: str) -> Announcement:
    """The upload as a draft of the person who sent it. Raises RecordingError, ShelfError, DeskError."""
    here, typed = window(), _typed()
    row = here.desk.record(here.archive.keep(upload, typed.language), file_name[:200], who(), here.now())
    wish = Wish("", title=typed.title, level=sending.level_of(who(), here), draft=True, recording=row.sha256)
    draft = here.store.announcements.get(here.desk.announce(wish, who(), here.now()).announcement_id)
    assert draft is not None
    return draft


def uploads() -> Uploads:
    """The files that are on their way."""
    here = window()
    return Uploads(here.settings.state_dir / "uploads", here.archive.limits.most_bytes)


def told(wrong: Said, code: int = 422) -> ResponseReturnValue:
    """A refusal for a script to show."""
    return jsonify(wrong=said(wrong)), code


def page(typed: Typed, wrong: list[Problem] | None = None) -> ResponseReturnValue:
    """The form as it was typed; 422 with problems. Only here may the browser ask for the microphone."""
    facts = {"f": typed, "problems": wrong or [], "languages": LANGUAGES, "tongue": chosen()}
    limits = window().archive.limits
    facts |= {"most_minutes": round(limits.most_seconds / 60), "most_megabytes": limits.most_bytes >> 20}
    answer = render_template("recording.html", **facts)
    return answer, 422 if wrong else 200, MICROPHONE


def _typed() -> Typed:
    language = request.form.get("language", "vi")
    return Typed(request.form.get("title", "")[:400].strip(), language if language in LANGUAGES else "vi")
