"""The as-run log: what each node says that it did, newest first."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from controller.rights import EVERYWHERE, Permission
from controller.store.facts import Outcome
from controller.store.rows import BookingView
from controller.web import reading
from controller.web.bookings import shared
from controller.web.doors import door, reach, sees
from controller.web.window import window

MOST_LINES = 200
MOST_JOBS = 8

pages = Blueprint("asrun", __name__)


@pages.get("/nhat-ky-phat")
@door(Permission.READ)
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
    asrun, found = window().store.asrun, []
    for bound in (area,) if area else reach(Permission.READ):
        only = bound if bound != EVERYWHERE else None
        found += asrun.outcomes(job=job, area=only, limit=MOST_LINES) if job else asrun.newest(only, MOST_LINES)
    once = {(each.node, each.job): each for each in found}
    return sorted(once.values(), key=lambda each: each.received_at, reverse=True)[:MOST_LINES]


def jobs(outcomes: list[Outcome]) -> list[tuple[str, BookingView]]:
    """The jobs of the newest lines, each once, with the bookings behind them."""
    names = list(dict.fromkeys(each.job for each in outcomes))[:MOST_JOBS]
    views = [(name, window().store.bookings.view(name.split(":")[0])) for name in names]
    return [(name, view) for name, view in views if view is not None]
