"""The compose page: type, see how it will be read, hear it, choose where and when, send."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.desk.foresight import Foreseen
from controller.rights import Permission
from controller.store.rows import Announcement, AnnouncementState, BookingRow
from controller.web import alerting, choices, hearing, reading, sending
from controller.web.doors import door, may, sees, who
from controller.web.forms import FIELD_OF, Problem, Typed, fresh_key, problems, read
from controller.web.language import said, t
from controller.web.listening import own
from controller.web.panel import Panel, asked
from controller.web.repeating import TimingError
from controller.web.times import next_day
from controller.web.window import window

pages = Blueprint("compose", __name__)


@pages.get("/soan")
@door(Permission.WRITE, Permission.WARN)
def form() -> ResponseReturnValue:
    """An empty form, the areas of the last sending chosen already."""
    return page(Typed(key=fresh_key(), areas=reading.last_areas()))


@pages.get("/soan/<announcement>")
@door(Permission.WRITE, Permission.WARN)
def open_(announcement: str) -> ResponseReturnValue:
    """A draft of one's own, or what was returned to one, to go on with."""
    draft = own(announcement)
    if draft.state not in sending.OPEN:
        abort(404)
    alert = alerting.alert_of(draft)
    meant = alert.areas if alert and alert.areas else reading.last_areas()
    typed = sending.typed_of(draft, meant, fresh_key())
    former = formerly(request.args.get("tu", "")[:64]) or next(iter(window().store.bookings.of(draft.id)[::-1]), None)
    return page(sending.placed(typed, former, window()) if former else typed, draft=draft)


@pages.post("/soan/<announcement>/sua")
@door(Permission.WRITE, Permission.WARN)
def revise(announcement: str) -> ResponseReturnValue:
    """What was sent is taken back, and its words are a draft again: nothing old and nothing twice stays on the air."""
    held = window().store.announcements.get(announcement)
    if held is None:
        abort(404)
    if held.state in sending.OPEN and held.author == who().id:
        return redirect(url_for("compose.open_", announcement=held.id), 303)
    former = next((each.id for each in window().store.bookings.of(held.id)[::-1]), None)
    draft = sending.taken_back(held, who(), window())
    return redirect(url_for("compose.open_", announcement=draft, tu=former), 303)


@pages.post("/soan/<announcement>/bo")
@door(Permission.WRITE, Permission.WARN)
def forget(announcement: str) -> ResponseReturnValue:
    """A draft that is not wanted any more."""
    draft = own(announcement)
    if draft.state is AnnouncementState.DRAFT:
        window().desk.withdraw_announcement(draft.id, who(), window().now())
        flash(t("draft_forgotten", title=draft.title))
    return redirect(url_for("compose.form", bo=draft.id), 303)


def forgotten() -> Announcement | None:
    """The draft that was thrown away just now; it can be fetched back."""
    held = window().store.announcements.get(request.args.get("bo", "")[:80])
    mine = held is not None and held.author == who().id and held.state is AnnouncementState.WITHDRAWN
    return held if mine else None


@pages.post("/nghe-thu")
@door(Permission.WRITE, Permission.WARN)
def hear() -> ResponseReturnValue:
    """Keep the text as a draft, so that the station voices it, and show the form with the spoken form."""
    typed = read(request.form)
    if not typed.text.strip() and not recorded(typed):
        return page(typed, [Problem("text", t("problem_text"))])
    try:
        draft = sending.keep_draft(typed, who(), window())
    except DeskError as wrong:
        return unkept(typed, wrong)
    return page(typed, draft=draft, beside=Beside(asked(request.form, hearing.shown(draft))))


@pages.get("/nghe-thu/<announcement>")
@door(Permission.WRITE, Permission.WARN)
def heard(announcement: str) -> ResponseReturnValue:
    """The part of the page with the spoken form and the sound, for a page that waits for the voice."""
    return part(announcement)


@pages.post("/nghe-thu/<announcement>/lai")
@door(Permission.WRITE, Permission.WARN)
def again(announcement: str) -> ResponseReturnValue:
    """Ask for the voice once more after it failed."""
    window().desk.voice_again(own(announcement).id, who(), window().now())
    return part(announcement)


@pages.post("/xem-truoc")
@door(Permission.WRITE, Permission.WARN)
def look_ahead() -> ResponseReturnValue:
    """What the form as it is would meet, with whatever was chosen; for a script only that part of the page."""
    typed = choices.changed(read(request.form), request.form.get("choice", ""), window().settings.zone)
    told, wrong = foreseen(typed)
    if request.headers.get("X-Live"):
        facts = {"told": told, "refused": wrong, "telling": reading.telling(), "choice_of": choices.told}
        return render_template("_foresight.html", **facts)
    return page(typed, wrong, beside=Beside(told=told))


@pages.post("/soan")
@door(Permission.WRITE, Permission.WARN)
def send() -> ResponseReturnValue:
    """Send: a sending that came twice with the same key leads to the same booking.

    What meets something else is sent only with a choice; an emergency is never held up, nor what was sent already.
    """
    choice = request.form.get("choice", "")
    typed = choices.changed(read(request.form), choice, window().settings.zone)
    known = {area.id: area for area in reading.own_areas()}
    wrong = problems(typed, known, window().settings.zone, recorded=recorded(typed))
    if wrong:
        return page(typed, [Problem(field, said(each)) for field, each in wrong.items()])
    if sending.is_overtaken(typed, who(), window()):
        return page(replace(typed, draft=""), [Problem("text", t("draft_overtaken"))])
    if choice == choices.LEAVE:
        return left(typed)
    if not typed.emergency and choice != choices.KEEP and window().desk.known(typed.key, who()) is None:
        told, refused = foreseen(typed)
        if refused or (told and told.conflicts):
            return page(typed, refused, beside=Beside(told=told, deciding=not refused))
    try:
        booking = sending.send(typed, who(), window())
    except DeskError as refused:
        return unkept(typed, refused)
    return led(url_for("bookings.sent", booking=booking, moi=1), typed)


def led(there: str, typed: Typed) -> ResponseReturnValue:
    """The form has arrived: a script is told where to go on; a browser goes, with the key that its drafts have."""
    if request.headers.get("X-Live"):
        return {"to": there}, 201
    return redirect(f"{there}{'&' if '?' in there else '?'}khoa={typed.key}", 303)


def left(typed: Typed) -> ResponseReturnValue:
    """Not sent: the words stay as a draft."""
    try:
        sending.keep_draft(typed, who(), window())
    except DeskError as wrong:
        return unkept(typed, wrong)
    flash(t("left_as_draft"))
    return led(url_for("compose.form"), typed)


def unkept(typed: Typed, wrong: DeskError) -> ResponseReturnValue:
    """The form as typed, with why the desk took nothing of it.

    Where another page has changed the draft meanwhile, what is kept stands beside it: who goes on from here has seen
    both, so the form goes on from that one.
    """
    other = sending.draft_of(typed, who(), window()) if wrong.key == "desk.stale" else None
    if other is None:
        return page(typed, [Problem(FIELD_OF.get(wrong.key, "text"), said(wrong))])
    seen = replace(typed, version=other.version)
    return page(seen, [Problem("text", t("draft_stale"))], beside=Beside(other=other))


def foreseen(typed: Typed) -> tuple[Foreseen | None, list[Problem]]:
    """What the form meets, or why it cannot be at that place and time; neither while no place is chosen."""
    if not typed.areas:
        return None, []
    try:
        return sending.foreseen(typed, who(), window()), []
    except TimingError as wrong:
        return None, [Problem(wrong.field, said(wrong))]
    except DeskError as wrong:
        return None, [Problem(FIELD_OF.get(wrong.key, "when"), said(wrong))]


def formerly(booking: str) -> BookingRow | None:
    """The booking that a draft was made from, if it is in what this person answers for."""
    row = window().store.bookings.get(booking)
    return row if row and all(sees(area) or window().store.roster.node(area) for area in row.areas) else None


def recorded(typed: Typed) -> bool:
    """Whether the form is about something that a person recorded."""
    draft = sending.draft_of(typed, who(), window())
    return draft is not None and draft.recording is not None


def part(announcement: str) -> str:
    """What is read and heard of somebody's own text."""
    draft = own(announcement)
    return render_template("_hear.html", draft=draft, area=reading.own_area_name(), **hearing.hearing(draft))


@dataclass(frozen=True)
class Beside:
    """What stands beside the form: a reading being changed, what was done, what is met; ``deciding``: not sent yet.

    ``other``: the same draft, as another page has changed it.
    """

    panel: Panel | None = None
    note: str = ""
    told: Foreseen | None = None
    deciding: bool = False
    other: Announcement | None = None


NOTHING = Beside()


def page(
    typed: Typed, wrong: list[Problem] | None = None, draft: Announcement | None = None, beside: Beside = NOTHING
) -> ResponseReturnValue:
    """The form as typed, with its problems; 422 when there are any, in the open panel too.

    ``draft``: the one that holds just these words; else the form's own is looked up, which may hold others by now.
    """
    typed = replace(typed, version=draft.version) if draft else typed
    typed = typed if typed.day else replace(typed, day=next_day(window().now(), window().settings.zone, typed.hour))
    code = 422 if wrong or (beside.panel and beside.panel.problem) else 200
    draft = draft or sending.draft_of(typed, who(), window())
    view = reading.composing(typed, draft) | vars(beside) | {"area": reading.own_area_name()}
    view |= {"telling": reading.telling(), "choice_of": choices.told, "series": reading.series_offered()}
    own = window().settings.own_approval
    view["alone"] = may(Permission.APPROVE) and own != "never"
    view["warns_alone"] = may(Permission.WARN) and own == "always"
    alert = alerting.alert_of(draft) if draft else None
    view |= {"alert": alert, "notes": alerting.notes}
    view["forgotten"] = forgotten()
    view["drafts"] = [] if draft or typed.text else sending.drafts_of(who(), window())
    return render_template("compose.html", f=typed, problems=wrong or [], draft=draft, **view), code
