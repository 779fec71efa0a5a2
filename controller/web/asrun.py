"""The as-run log: what each node says that it did, newest first."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from controller.store.facts import Outcome
from controller.store.rows import BookingView
from controller.web import reading
from controller.web.bookings import shared
from controller.web.doors import door, sees, who
from controller.web.window import window

MOST_LINES = 200
MOST_JOBS = 8

pages = Blueprint("asrun", __name__)


@pages.get("/nhat-ky-phat")
@door()
def log() -> ResponseReturnValue:
    """The newest outcomes; of one area or one job when asked."""
    area, job = request.args.get("dia-ban", "")[:200], request.args.get("lich-phat", "")[:200]
    if area and not sees(area):
        abort(404)
    outcomes = lines(area, job)
    view = {"area": area, "job": job, "outcomes": outcomes, "jobs": jobs(outcomes), "most": MOST_LINES}
    return render_template("asrun.html", areas=reading.own_areas(), **view, **shared())


def lines(area: str, job: str) -> list[Outcome]:
    """Outcomes that this person may see; what a programme took back again shows only when it is asked for."""
    bound = area or (who().area if who().area != "*" else None)
    asrun = window().store.asrun
    return asrun.outcomes(job=job, area=bound, limit=MOST_LINES) if job else asrun.newest(bound, MOST_LINES)


def jobs(outcomes: list[Outcome]) -> list[BookingView]:
    """The bookings behind the newest lines, each once."""
    names = list(dict.fromkeys(each.job for each in outcomes))[:MOST_JOBS]
    views = [window().store.bookings.view(name.split(":")[0]) for name in names]
    return [view for view in views if view is not None]
