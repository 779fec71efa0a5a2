"""The front page: type, see how it will be read, hear it, choose where and when, send."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.store.rows import Announcement, AnnouncementState, Role
from controller.web import hearing, reading, sending
from controller.web.doors import door, may, who
from controller.web.forms import FIELD_OF, Problem, Typed, fresh_key, problems, read
from controller.web.language import said, t
from controller.web.listening import own
from controller.web.panel import Panel, asked
from controller.web.window import window

pages = Blueprint("compose", __name__)


@pages.get("/")
@door()
def form() -> ResponseReturnValue:
    """An empty form; the areas of the last sending are chosen already."""
    return page(Typed(key=fresh_key(), areas=reading.last_areas()))


@pages.get("/soan/<announcement>")
@door()
def open_(announcement: str) -> ResponseReturnValue:
    """A draft of one's own, or what was returned to one, to go on with."""
    draft = own(announcement)
    if draft.state not in sending.OPEN:
        abort(404)
    return page(sending.typed_of(draft, reading.last_areas(), fresh_key()), draft=draft)


@pages.post("/soan/<announcement>/sua")
@door()
def revise(announcement: str) -> ResponseReturnValue:
    """What was sent is taken back, and its words are a draft again: nothing old and nothing twice stays on the air."""
    held = window().store.announcements.get(announcement)
    if held is None:
        abort(404)
    if held.state in sending.OPEN and held.author == who().id:
        return redirect(url_for("compose.open_", announcement=held.id), 303)
    draft = sending.taken_back(held, who(), window())
    return redirect(url_for("compose.open_", announcement=draft), 303)


@pages.post("/soan/<announcement>/bo")
@door()
def forget(announcement: str) -> ResponseReturnValue:
    """A draft that is not wanted any more."""
    draft = own(announcement)
    if draft.state is AnnouncementState.DRAFT:
        window().desk.withdraw_announcement(draft.id, who(), window().now())
    return redirect(url_for("compose.form"), 303)


@pages.post("/nghe-thu")
@door()
def hear() -> ResponseReturnValue:
    """Keep the text as a draft, so that the station voices it, and show the form with the spoken form."""
    typed = read(request.form)
    if not typed.text.strip() and not recorded(typed):
        return page(typed, [Problem("text", t("problem_text"))])
    try:
        draft = sending.keep_draft(typed, who(), window())
    except DeskError as wrong:
        return page(typed, [Problem(FIELD_OF.get(wrong.key, "text"), said(wrong))])
    return page(typed, draft=draft, panel=asked(request.form, hearing.shown(draft)))


@pages.get("/nghe-thu/<announcement>")
@door()
def heard(announcement: str) -> ResponseReturnValue:
    """The part of the page with the spoken form and the sound, for a page that waits for the voice."""
    return part(announcement)


@pages.post("/nghe-thu/<announcement>/lai")
@door()
def again(announcement: str) -> ResponseReturnValue:
    """Ask for the voice once more after it failed."""
    window().desk.voice_again(own(announcement).id, who(), window().now())
    return part(announcement)


@pages.post("/")
@door()
def send() -> ResponseReturnValue:
    """Send: a sending that came twice with the same key leads to the same booking."""
    typed = read(request.form)
    known = {area.id: area for area in reading.own_areas()}
    wrong = problems(typed, known, window().settings.zone, recorded=recorded(typed))
    if wrong:
        return page(typed, [Problem(field, t(key)) for field, key in wrong.items()])
    try:
        booking = sending.send(typed, who(), window())
    except DeskError as refused:
        return page(typed, [Problem(FIELD_OF.get(refused.key, "text"), said(refused))])
    return redirect(url_for("bookings.sent", booking=booking, moi=1), 303)


def recorded(typed: Typed) -> bool:
    """Whether the form is about something that a person recorded."""
    draft = sending.draft_of(typed, who(), window())
    return draft is not None and draft.recording is not None


def part(announcement: str) -> str:
    """What is read and heard of somebody's own text."""
    draft = own(announcement)
    return render_template("_hear.html", draft=draft, area=reading.own_area_name(), **hearing.hearing(draft))


def page(
    typed: Typed,
    wrong: list[Problem] | None = None,
    draft: Announcement | None = None,
    panel: Panel | None = None,
    note: str = "",
) -> ResponseReturnValue:
    """The form as typed, with its problems; 422 when there are any, in the open panel too."""
    code = 422 if wrong or (panel and panel.problem) else 200
    draft = draft or sending.draft_of(typed, who(), window())
    view = reading.composing(typed, draft) | {"panel": panel, "note": note, "area": reading.own_area_name()}
    view["alone"] = may(Role.APPROVER) and window().settings.own_approval != "never"
    view["drafts"] = [] if draft or typed.text else sending.drafts_of(who(), window())
    return render_template("compose.html", f=typed, problems=wrong or [], draft=draft, **view), code
