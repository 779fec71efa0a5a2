"""Announcements: written, sent on their way, approved or returned, taken back, found again, listened to."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Response, abort, send_file, url_for
from pydantic import Field

from controller.desk import DeskError, Draft, Wish
from controller.desk import Placing as Placed
from controller.desk.rules import FARTHEST
from controller.rights import Permission
from controller.store.finding import Sought
from controller.store.rows import Announcement, AnnouncementState
from controller.web import bulletins, sending
from controller.web.api import answers
from controller.web.api.fields import FIRST, LAST, Answered, Asked, Cursor, Limit, Line, Moment, Name, Truth
from controller.web.api.operation import JSON, Once, api, door, key_for_desk, once, tag
from controller.web.api.shapes import (
    AnnouncementOut,
    Class,
    New,
    Placing,
    States,
    Writing,
    announcement_out,
    class_of,
    cut_of,
)
from controller.web.approval import UNSEEN
from controller.web.doors import reach, sees, who
from controller.web.language import t
from controller.web.window import window
from wire.plan import BulletinClass

TAG = tag("announcements", "What somebody wants to be heard, and its way through approval")
WRITING = (Permission.WRITE, Permission.WARN)
DECIDING = (Permission.APPROVE, Permission.WARN)


class Path(Asked):
    """Which announcement."""

    announcement: Name


class Query(Asked):
    """What is looked for: by words (whatever their accents), place and all below it, class, state, when written."""

    q: Name = ""
    area: Name | None = None
    bulletin_class: Class | None = None
    state: States | None = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: Cursor | None = None
    limit: Limit = answers.PAGE


class AnnouncementPage(Answered):
    """Announcements, the newest first."""

    items: list[AnnouncementOut]


class Edited(Writing):
    """New words for the draft that had this ``version``."""

    version: int = Field(ge=1, le=1 << 53)


class Reader(Once):
    """Whoever decides, and what they read."""

    if_match: str | None = Field(None, alias="If-Match", pattern=r"^[ -~]{1,200}$")


class Returning(Asked):
    """Why."""

    reason: Line


class Listing(Asked):
    """Whether it may stand on the public page (where the station has one)."""

    listed: Truth


class ListedOut(Answered):
    """Whether an announcement may stand on the public page."""

    announcement: str
    listed: bool


@api.get("/announcements", tags=TAG, responses={200: AnnouncementPage})
@door(Permission.READ)
def list_announcements(query: Query) -> Response:
    """Announcements of the areas that this token reads, the newest first; drafts are their author's alone."""
    if query.area and not sees(query.area):
        abort(404)
    sought = Sought(
        query.q,
        (query.area,) if query.area else reach(Permission.READ),
        or_by="" if query.area else who().id,
        bulletin_class=class_of(query.bulletin_class),
        state=AnnouncementState(query.state) if query.state else None,
        since=query.since,
        until=query.until,
        below=answers.read_cursor(query.cursor, int),
        asking=who().id,
    )
    found = window().store.finder.find(sought, query.limit + 1)
    shown = found[: query.limit]
    items = [announcement_out(each.announcement) for each in shown]
    return answers.page(AnnouncementPage(items=items), shown[-1].number if len(found) > len(shown) else None)


@api.post("/announcements", tags=TAG, responses={201: AnnouncementOut})
@door(*WRITING, takes=JSON)
@once
def write_announcement(body: New, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Write a draft; with a placing it is also sent: approved at once where this token may do that, else waiting."""
    here, placing = window(), body.placing
    wish = Wish(
        **facts_of(body),
        draft=placing is None,
        **(placing_of(placing) if placing else {}),
        idempotency_key=key_for_desk(),
    )
    made = found(here.desk.announce(wish, who(), here.now()).announcement_id)
    return answers.made(announcement_out(made), url_for("api.read_announcement", announcement=made.id))


@api.get("/announcements/<announcement>", tags=TAG, responses={200: AnnouncementOut})
@door(Permission.READ)
def read_announcement(path: Path) -> Response:
    """One announcement; its ETag is also for the `If-Match` of an approval."""
    held = visible(path.announcement)
    return answers.one(announcement_out(held), str(held.version))


@api.patch("/announcements/<announcement>", tags=TAG, responses={200: AnnouncementOut})
@door(*WRITING, takes=JSON)
def edit_announcement(path: Path, body: Edited) -> Response:
    """New words for a draft, or for what was returned; it is voiced anew."""
    here, held = window(), visible(path.announcement)
    draft = Draft(**facts_of(body))
    return answers.done(announcement_out(here.desk.edit(held.id, body.version, draft, who(), here.now())))


@api.post("/announcements/<announcement>/submission", tags=TAG, responses={200: AnnouncementOut})
@door(*WRITING, takes=JSON)
@once
def submit_announcement(path: Path, body: Placing, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Send a draft on its way: where, and when."""
    here, held = window(), visible(path.announcement)
    placed = Placed(**placing_of(body), idempotency_key=key_for_desk())
    here.desk.submit(held.id, placed, who(), here.now())
    return answers.done(announcement_out(found(held.id)))


@api.post("/announcements/<announcement>/approval", tags=TAG, responses={200: AnnouncementOut})
@door(*DECIDING)
@once
def approve_announcement(path: Path, header: Reader) -> Response:
    """Let it on the air; with the `If-Match` of what was read only that: 412 once its words or places are others."""
    here, held = window(), visible(path.announcement)
    seen = answers.tag_of(header.if_match) if header.if_match else None
    version = int(seen) if seen and seen.isascii() and seen.isdigit() else UNSEEN
    approved = here.desk.approve(held.id, who(), here.now(), seen=None if seen is None else version)
    return answers.done(announcement_out(approved))


@api.post("/announcements/<announcement>/approval/undo", tags=TAG, responses={200: AnnouncementOut})
@door(*DECIDING)
@once
def undo_approval(path: Path, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Within seconds of one's own yes: it waits again, as before; 409 once it is too late for that."""
    here, held = window(), visible(path.announcement)
    return answers.done(announcement_out(here.desk.undo_approval(held.id, who(), here.now())))


@api.post("/announcements/<announcement>/return", tags=TAG, responses={200: AnnouncementOut})
@door(*DECIDING, takes=JSON)
@once
def return_announcement(path: Path, body: Returning, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Send it back to its author, with a reason; its bookings are withdrawn."""
    here, held = window(), visible(path.announcement)
    return answers.done(announcement_out(here.desk.return_(held.id, body.reason, who(), here.now())))


@api.post("/announcements/<announcement>/withdrawal", tags=TAG, responses={200: AnnouncementOut})
@door(*WRITING, Permission.APPROVE)
@once
def withdraw_announcement(path: Path, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Take it back, and all its bookings."""
    here, held = window(), visible(path.announcement)
    return answers.done(announcement_out(here.desk.withdraw_announcement(held.id, who(), here.now())))


@api.post("/announcements/<announcement>/listing", tags=TAG, responses={200: ListedOut})
@door(*DECIDING, takes=JSON)
@once
def list_announcement(path: Path, body: Listing, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Whether it may stand on the public page."""
    here, held = window(), visible(path.announcement)
    (here.desk.list_again if body.listed else here.desk.unlist)(held.id, who(), here.now())
    return answers.done(ListedOut(announcement=held.id, listed=body.listed))


@api.post("/announcements/<announcement>/voice", tags=TAG, responses={200: AnnouncementOut})
@door(*WRITING, Permission.APPROVE)
@once
def voice_announcement(path: Path, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Let the station try once more to voice what it could not."""
    here, held = window(), visible(path.announcement)
    here.desk.voice_again(held.id, who(), here.now())
    return answers.done(announcement_out(found(held.id)))


SOUND: dict[str | int | HTTPStatus, Any] = {
    200: {"description": "Opus in Ogg", "content": {"audio/ogg": {"schema": {"type": "string", "format": "binary"}}}}
}


@api.get("/announcements/<announcement>/audio", tags=TAG, responses=SOUND)
@door(Permission.READ)
def hear_announcement(path: Path) -> Response:
    """The finished sound, Opus in Ogg; 409 while there is none."""
    held = visible(path.announcement)
    sound = window().shelf_dir / held.asset if held.asset else None
    if sound is None or not sound.is_file():
        raise DeskError("desk.not_voiced")
    answer = send_file(sound, mimetype="audio/ogg", conditional=True, etag=held.asset or "")
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def visible(announcement: str) -> Announcement:
    """The announcement, if this token may see it; what waits to be decided where it decides too."""
    held = window().store.announcements.get(announcement)
    return held if held is not None and bulletins.shown(held) else abort(404)


def found(announcement: str) -> Announcement:
    """The announcement that the desk has just written."""
    held = window().store.announcements.get(announcement)
    assert held is not None
    return held


def facts_of(body: Writing) -> dict[str, Any]:
    """What is written, as the desk takes it."""
    return {
        "text": body.text,
        "title": body.title,
        "bulletin_class": BulletinClass(body.bulletin_class),
        "level": sending.level_of(who(), window()),
        "recording": body.recording,
        "times": body.times,
        "drill": body.drill,
    }


def start_of(asked: datetime | None) -> datetime | None:
    """A start as the desk takes it. Raises DeskError for what lies beyond all calendars, told as what it is."""
    if asked is not None and asked <= FIRST:
        raise DeskError("desk.past_time", time=t("api_before_years", year=FIRST.year + 1))
    if asked is not None and asked >= LAST:
        raise DeskError("desk.too_far", time=t("api_after_years", year=LAST.year - 1), days=FARTHEST.days)
    return asked


def placing_of(body: Placing) -> dict[str, Any]:
    """Where and when, as the desk takes it."""
    return {
        "areas": tuple(body.areas),
        "start": start_of(body.start),
        "recurrence": body.recurrence.recurrence() if body.recurrence else None,
        "slot": body.slot,
        "after_cut": cut_of(body.after_cut),
    }
