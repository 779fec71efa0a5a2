"""Listening closely: one sentence of one's own text by itself, the outline of a recording, what it costs on air.

- A sentence is named by its place in the author's own text, never by its words: this is no speech service.
- Whoever asks while others are served is told to come again; the station's own work never waits for this.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, request, send_file
from flask.typing import ResponseReturnValue

from controller.rights import Permission
from controller.store.rows import Announcement
from controller.studio import MasteringError, VoiceError
from controller.studio.remade import Busy
from controller.web import hearing, reading
from controller.web.doors import door, who
from controller.web.language import WebError, said
from controller.web.window import window
from wire.names import BadName, asset_id
from words import Said

pages = Blueprint("listening", __name__)

HOUR_SECONDS = 3600
YEAR_SECONDS = 365 * 24 * HOUR_SECONDS
AGAIN_SECONDS = "5"


@pages.get("/nghe-thu/<announcement>/cau/<int:number>")
@door(Permission.READ)
def sentence(announcement: str, number: int) -> ResponseReturnValue:
    """The sentence ``number`` (from 0) as it will sound; ``v`` says which words it had when the page was made."""
    draft = own(announcement)
    lines = hearing.shown(draft).lines
    if number >= len(lines):
        abort(404)
    line = lines[number]
    if request.args.get("v", hearing.mark(line)) != hearing.mark(line):
        return refused(WebError("web.sentence_changed"), 409)
    asset = window().store.assets.get(draft.asset) if draft.asset else None
    return sample(line.text, asset.voice if asset else "")


@pages.get("/nghe-thu/<announcement>/thoi-luong")
@door(Permission.READ)
def air(announcement: str) -> ResponseReturnValue:
    """One sentence: what sounding it in the areas asked for costs; nothing while it has no sound."""
    draft = own(announcement)
    asset = window().store.assets.get(draft.asset) if draft.asset else None
    mine = {area.id for area in reading.own_areas()}
    areas = [area for area in request.args.getlist("areas") if area in mine]
    return Response(hearing.air(asset.duration_ms / 1000, areas) if asset else "", mimetype="text/plain")


@pages.get("/song-am/<name>")
@door(Permission.READ)
def outline(name: str) -> ResponseReturnValue:
    """The outline of a recording: ``{"seconds": …, "peaks": [0–100 …]}``."""
    try:
        sound = window().shelf_dir / asset_id(name)
    except BadName:
        abort(404)
    if not sound.is_file():
        abort(404)
    try:
        return kept(window().outlines.of(sound), "application/json", YEAR_SECONDS)
    except (MasteringError, Busy, OSError) as wrong:
        return refused(wrong if isinstance(wrong, Said) else WebError("web.error_500"), 503)


def own(announcement: str) -> Announcement:
    """An announcement of the person who asks; of nobody else."""
    found = window().store.announcements.get(announcement)
    if found is None or found.author != who().id:
        abort(404)
    return found


def sample(words: str, voice: str = "") -> ResponseReturnValue:
    """``words`` as they will sound, or why not."""
    try:
        return kept(window().sampler.sample(words, voice), "audio/ogg", HOUR_SECONDS)
    except (VoiceError, MasteringError, Busy) as wrong:
        return refused(wrong, 503)


def kept(path: Path, media_type: str, seconds: int) -> ResponseReturnValue:
    """The file, which this browser may keep."""
    try:
        content = BytesIO(path.read_bytes())  # small; and nobody who leaves half-way leaves an open file behind
    except FileNotFoundError:  # thinned out at this moment
        return refused(Busy("studio.busy"), 503)
    answer = send_file(content, mimetype=media_type, conditional=True, etag=path.name, max_age=seconds)
    answer.cache_control.public, answer.cache_control.private = False, True
    return answer


def refused(wrong: Said, code: int) -> ResponseReturnValue:
    """Why there is nothing to hear: the bare sentence for a script, a page for a person."""
    sentence = said(wrong)
    again = {"Retry-After": AGAIN_SECONDS} if code == 503 else {}
    if request.headers.get("X-Live"):
        return Response(sentence, code, again, mimetype="text/plain")
    return render_template("error.html", sentence=sentence, code=code), code, again
