"""Teaching a reading from the page where a text is written: seen, taught, seen anew, heard anew.

- It counts for the area that the author answers for, so for this text too; the page says which area that is.
- The whole form comes along and is shown again: nothing typed is lost, with or without scripts.
"""

from __future__ import annotations

import re
from dataclasses import replace

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.rights import Permission
from controller.store.rows import Announcement
from controller.web import compose, hearing, sending
from controller.web.compose import Beside
from controller.web.doors import door, who
from controller.web.forms import Problem, Typed, read
from controller.web.language import said, t
from controller.web.panel import MOST_CHARS, Panel, asked, change_of
from controller.web.window import window

pages = Blueprint("teaching", __name__)


@pages.post("/nghe-thu/day")
@door(Permission.WRITE, Permission.WARN)
def teach() -> ResponseReturnValue:
    """From now on this is read so: kept in the lexicon of the author's area, and the text is voiced anew."""
    typed = read(request.form)
    draft = kept(typed)
    if not isinstance(draft, Announcement):
        return draft
    written, reading = (request.form.get(field, "")[:MOST_CHARS] for field in ("written", "reading"))
    try:
        taught = window().desk.teach(who().area, written, reading, who(), window().now())
    except DeskError as wrong:
        panel = asked(request.form, hearing.shown(draft)) or Panel(written, reading, written, True)
        return compose.page(typed, draft=draft, beside=Beside(replace(panel, reading=reading, problem=said(wrong))))
    note = t("taught", written=taught.written, spoken=taught.spoken)
    return compose.page(typed, draft=window().store.announcements.get(draft.id), beside=Beside(note=note))


@pages.post("/nghe-thu/sua")
@door(Permission.WRITE, Permission.WARN)
def mend() -> ResponseReturnValue:
    """Put what was probably meant in the place of a slip of the keyboard, wherever it stands as a word."""
    typed = read(request.form)
    draft = kept(typed)
    if not isinstance(draft, Announcement):
        return draft
    slip = change_of(request.form.get("written", "")[:MOST_CHARS], hearing.shown(draft))
    if slip is None or not slip.suggestion:
        return compose.page(typed, draft=draft)
    mended = re.sub(rf"(?<!\w){re.escape(slip.written)}(?!\w)", lambda _: slip.suggestion, typed.text)
    draft = kept(replace(typed, text=mended, draft=draft.id, version=draft.version))
    return compose.page(replace(typed, text=mended), draft=draft) if isinstance(draft, Announcement) else draft


def kept(typed: Typed) -> Announcement | ResponseReturnValue:
    """The form's text as a draft, or the page that says what is wrong with it."""
    if not typed.text.strip():
        return compose.page(typed, [Problem("text", t("problem_text"))])
    try:
        return sending.keep_draft(typed, who(), window())
    except DeskError as wrong:
        return compose.unkept(typed, wrong)
