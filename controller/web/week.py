"""The next days on one loudspeaker: exactly what it holds, what it will make of it, and what is still on its way.

- What stands here is `controller.preview`'s, for the page, for the machine-readable form and for the command line.
- An area is shown as a loudspeaker sees it that hangs there.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from controller import preview, readiness
from controller.preview import Preview
from controller.rights import Permission
from controller.store.rows import BookingRow
from controller.web import foreseen, ground, policy_words, reading, standing
from controller.web.doors import door, sees
from controller.web.foreseen import LeftOut
from controller.web.language import chosen
from controller.web.times import day_name
from controller.web.window import window
from schedules.calendars import facts_of
from schedules.moments import local
from schedules.recurring import comings as comings_of

pages = Blueprint("week", __name__)

COUNTS = (7, 14)  # days that may be asked for
NOT_PLANNED = {"submitted", "offered", "voicing", "voiceless", "next", "slot"}


@pages.get("/cum-loa/<place>/nhung-ngay-toi")
@door(Permission.READ)
def of_node(place: str) -> ResponseReturnValue:
    """The next days on a loudspeaker."""
    return page(seen(place, is_real=True))


@pages.get("/dia-ban/<place>/nhung-ngay-toi")
@door(Permission.READ)
def of_area(place: str) -> ResponseReturnValue:
    """The next days on a loudspeaker that hangs in this area."""
    return page(seen(place, is_real=False))


@pages.get("/cum-loa/<place>/nhung-ngay-toi.json")
@door(Permission.READ)
def node_document(place: str) -> ResponseReturnValue:
    """Every job that the loudspeaker holds, byte for byte as its own merged plan."""
    return Response(seen(place, is_real=True).document, mimetype="application/json")


@pages.get("/dia-ban/<place>/nhung-ngay-toi.json")
@door(Permission.READ)
def area_document(place: str) -> ResponseReturnValue:
    """Every job that a loudspeaker would hold which hangs here."""
    return Response(seen(place, is_real=False).document, mimetype="application/json")


def seen(place: str, is_real: bool) -> Preview:
    """The preview of a place that this person answers for."""
    here = window()
    now = here.now()
    found = preview.look(here.store, here.settings, place, now, ground.to_plan(now))
    if found is None or found.listener.is_real is not is_real or not sees(found.listener.node.home):
        abort(404)
    return found


def page(found: Preview) -> ResponseReturnValue:
    """The page over a preview."""
    here, node = window(), found.listener.node
    now, zone = here.now(), here.settings.zone
    count = 14 if request.args.get("ngay") == "14" else 7
    today = local(now, zone).date()
    until = preview.midnight(today + timedelta(days=count), zone)
    days = foreseen.days_ahead(found, now, zone, count, partial(facts_of, language=chosen()))
    config = found.config(today)
    view: dict[str, Any] = {"p": found, "node": node, "days": days, "count": count, "names": reading.area_names()}
    view |= {"rules": policy_words.sentences(config.quiet_hours, config.limits, config.volumes)}
    view |= {"pending": found.pending(now, until), "left_out": left_out(found, until), "lacking": lacking(found)}
    view |= {"near": lambda day: near(day, today), "rules_change": rules_change(found, today, count)}
    soon = [job for job in found.held if job.start < until]
    place = node.id if found.listener.is_real else node.home
    view["readiness"] = readiness.survey(here.store, readiness.items_at(place, soon, now))
    view["silent"] = standing.lacking_audio(node.home)
    return render_template("week.html", **view)


def near(day: date, today: date) -> str:
    """Today and tomorrow in words; nothing for the days after."""
    return day_name(day, today, chosen()).lower() if (day - today).days < 2 else ""


def left_out(found: Preview, until: datetime) -> list[LeftOut]:
    """What was asked for these areas and stands in no plan: not yet, with how far it is, or held back, and why."""
    now, areas = window().now(), frozenset(found.listener.areas)
    views = [view for view in ground.bookings_near(now) if not areas.isdisjoint(view.booking.areas)]
    mine = [(view, coming(view.booking, now, until)) for view in views]
    timed = [(view, at) for view, at in mine if (now <= at < until if at else view.booking.start is None)]
    some = [(view, at, reading.stage(view, now)) for view, at in timed]
    yet = [LeftOut(view.title, view.booking.id, at, stage) for view, at, stage in some if stage in NOT_PLANNED]
    known = {job.id for job in found.held}
    out = {each.job: each for each in found.held_back if now <= each.start < until and each.job not in known}
    return yet + [
        LeftOut(each.title, foreseen.booking_of(each.job), each.start, reason=each.reason) for each in out.values()
    ]


def coming(booking: BookingRow, since: datetime, until: datetime) -> datetime | None:
    """When it comes first in these days; None where it does not, or has no time yet."""
    if booking.recurrence is None or booking.start is None:
        return booking.start
    return next(iter(comings_of(booking.recurrence, booking.start, since, until)), None)


def lacking(found: Preview) -> bool | None:
    """Whether the node, by its newest health, lacks a plan; None when it has not said what it holds."""
    if not found.listener.is_real:
        return None
    condition = window().store.health.condition(found.listener.node.id)
    if condition is None or condition.health is None:
        return None
    return bool(preview.lacks(found, condition.health))


def rules_change(found: Preview, today: date, count: int) -> list[tuple[date, list[str]]]:
    """The days ahead on which other rules begin to hold, with these."""
    changes, before = [], found.config(today)
    for ahead in range(1, count):
        day = today + timedelta(days=ahead)
        config = found.config(day)
        if config != before:
            changes.append((day, policy_words.sentences(config.quiet_hours, config.limits, config.volumes)))
        before = config
    return changes
