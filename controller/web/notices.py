"""The public page: what loudspeakers of a commune sounded, to read and to hear again. No sign-in, no script.

- Also as an Atom feed and as a podcast (RSS 2.0). Off unless the station's settings say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from controller import notices
from controller.desk import DeskError
from controller.desk.reach import homes_of, to_approve
from controller.notices import Notice
from controller.rights import Permission
from controller.roster import Area, AreaKind
from controller.store.rows import Announcement, AnnouncementState
from controller.web.doors import door, may, someone, who
from controller.web.language import said, t
from controller.web.remembered import Remembered
from controller.web.window import window

KEPT_SECONDS = 60  # how long others may keep a page
MOST_KEPT = 200  # areas in memory
PAGE = 20
MOST_PAGES = 5
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

pages = Blueprint("notices", __name__)


@dataclass(frozen=True)
class Feed:
    """What a feed needs around its entries. ``address``: of this station, as people type it."""

    area: Area
    address: str
    notices: tuple[Notice, ...]


@pages.get("/thong-bao")
def areas() -> ResponseReturnValue:
    """The communes that have a page."""
    here = window()
    shown = [each for each in here.store.roster.areas() if notices.is_shown(each.id, here.settings)]
    if not here.settings.public_bulletins:
        abort(404)
    communes = [each for each in shown if each.kind is AreaKind.COMMUNE] or shown
    return kept(make_response(render_template("notice_areas.html", areas=communes)))


@pages.get("/thong-bao/<area>")
def of_area(area: str) -> ResponseReturnValue:
    """What was sounded there of late, the newest first, twenty at a time."""
    held, number = public_area(area), request.args.get("trang", 1, type=int)
    if not 1 <= number <= MOST_PAGES:
        abort(404)
    found = recent(held)
    around = {"newer": number - 1, "older": number + 1 if len(found) > number * PAGE else 0}
    shown = found[(number - 1) * PAGE : number * PAGE]
    return kept(make_response(render_template("notices.html", area=held, notices=shown, **around)))


@pages.get("/thong-bao/<area>/<announcement>")
def one(area: str, announcement: str) -> ResponseReturnValue:
    """One of them, by an address that can be passed on."""
    held = public_area(area)
    notice = next((each for each in recent(held) if each.held.id == announcement), None)
    if notice is None:
        abort(404)
    return kept(make_response(render_template("notice.html", area=held, notice=notice)))


@pages.get("/thong-bao/<area>/atom.xml")
def atom(area: str) -> ResponseReturnValue:
    """The same for feed readers (RFC 4287)."""
    return kept(as_xml("notices.atom.xml", "application/atom+xml", feed(area)))


@pages.get("/thong-bao/<area>/podcast.xml")
def podcast(area: str) -> ResponseReturnValue:
    """The same for podcast players (RSS 2.0): only what has sound."""
    return kept(as_xml("notices.rss.xml", "application/rss+xml", feed(area)))


@pages.post("/ban-tin/<announcement>/khong-dang")
@door(Permission.APPROVE, Permission.WARN)
def unlist(announcement: str) -> ResponseReturnValue:
    """Keep an announcement off the public page, or let it stand there again."""
    here, again = window(), request.form.get("dang") == "1"
    held = here.store.announcements.get(announcement)
    if held is None or not may_list(held):
        abort(404)
    try:
        (here.desk.list_again if again else here.desk.unlist)(announcement, who(), here.now())
        flash(t("notice_listed" if again else "notice_unlisted"))
    except DeskError as wrong:
        flash(said(wrong), "wrong")
    rows = here.store.bookings.of(announcement)
    return redirect(url_for("bookings.sent", booking=rows[-1].id) if rows else url_for("bulletins.list_"), 303)


def may_list(held: Announcement) -> bool:
    """Whether the desk would let whoever is signed in say whether it stands on the public page."""
    homes, act = homes_of(window().store), to_approve(held.bulletin_class)
    placed = {homes.get(area, area) for row in window().store.bookings.of(held.id) for area in row.areas}
    return bool(placed) and may(act, *placed)


def public_state(held: Announcement) -> str:
    """``on`` or ``off`` the public page, for whoever may say so; empty for others, and where there is no such page."""
    here = window()
    if not here.settings.public_bulletins or held.state is not AnnouncementState.APPROVED or not may_list(held):
        return ""
    return "off" if here.store.notices.unlisted([held.id]) else "on"


def public_area(area: str) -> Area:
    """The area if everybody may read of it; otherwise 404."""
    held = window().store.roster.area(area[:200])
    if held is None or not notices.is_shown(held.id, window().settings):
        abort(404)
    return held


def recent(area: Area) -> list[Notice]:
    """What was sounded there, at most a minute old."""
    here = window()
    held: Remembered[list[Notice]] = current_app.extensions["notices"]
    return held.of(area.id, here.now(), lambda: notices.recent(here.store, area.id, here.now()))


def feed(area: str) -> Feed:
    """The newest twenty, with absolute addresses."""
    held = public_area(area)
    address = window().settings.web_origin or request.host_url.rstrip("/")
    return Feed(held, address, tuple(recent(held)[:PAGE]))


def as_xml(template: str, media_type: str, its: Feed) -> Response:
    """A feed out of its template, without signs that XML does not know."""
    text = render_template(template, feed=its, updated=max((each.at for each in its.notices), default=window().now()))
    return Response(_NOT_IN_XML.sub("", text), content_type=f"{media_type}; charset=utf-8")


def kept(answer: Response) -> Response:
    """``answer``, which others may keep for a minute."""
    kept_by = "private" if someone() else "public"  # whoever is signed in has their name at the top of the page
    answer.headers["Cache-Control"] = f"{kept_by}, max-age={KEPT_SECONDS}"
    answer.headers["Vary"] = "Cookie"  # the language
    return answer
