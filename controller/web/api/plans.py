"""The next days on one loudspeaker: what it holds, what it will make of it, and what is still on its way to it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from flask import Response

from controller import preview
from controller.preview import Preview
from controller.rights import Permission
from controller.web import foreseen, week
from controller.web.api import answers
from controller.web.api.fields import Answered, Asked, Days, Moment, Name
from controller.web.api.operation import api, door, tag
from controller.web.foreseen import Entry
from controller.web.language import chosen
from controller.web.window import window
from schedules.calendars import facts_of
from schedules.moments import local

TAG = tag("plans", "The days ahead on a loudspeaker, as it will sound them")


class AreaPath(Asked):
    """Which area."""

    area: Name


class NodePath(Asked):
    """Which loudspeaker."""

    node: Name


class Query(Asked):
    """How many days, today among them."""

    days: Days = 7


class JobOut(Answered):
    """A job of the plan. ``fate``: sounds, waits, cut, ducks, refused, missed or open; ``fate_at``: when."""

    job: str
    booking: str
    title: str
    bulletin_class: str
    level: str
    start: Moment
    seconds: float | None
    areas: list[str]
    origin: str
    drill: bool
    fate: str
    fate_at: Moment | None
    reason: str


class Missing(Answered):
    """What was asked for and stands in no plan: how far it came, or why it is held back."""

    booking: str
    title: str
    start: Moment | None
    stage: str
    reason: str


class DayOut(Answered):
    """A local day."""

    day: str
    jobs: list[JobOut]


class PlanOut(Answered):
    """``pending``: how many jobs of these days the node has not been told as they shall be."""

    place: str
    name: str
    is_told: bool
    pending: int
    days: list[DayOut]
    left_out: list[Missing]


@api.get("/areas/<area>/plan", tags=TAG, responses={200: PlanOut})
@door(Permission.READ)
def area_plan(path: AreaPath, query: Query) -> Response:
    """The next days on a loudspeaker that hangs in this area."""
    return answers.one(told(week.seen(path.area, is_real=False), path.area, query.days))


@api.get("/nodes/<node>/plan", tags=TAG, responses={200: PlanOut})
@door(Permission.READ)
def node_plan(path: NodePath, query: Query) -> Response:
    """The next days on this loudspeaker."""
    return answers.one(told(week.seen(path.node, is_real=True), path.node, query.days))


def told(found: Preview, place: str, count: int) -> PlanOut:
    """A preview as it is told."""
    here = window()
    now, zone = here.now(), here.settings.zone
    days = foreseen.days_ahead(found, now, zone, count, partial(facts_of, language=chosen()))
    until = preview.midnight(local(now, zone).date() + timedelta(days=count), zone)
    missing = [
        Missing(booking=each.booking, title=each.title, start=each.start, stage=each.stage, reason=each.reason)
        for each in week.left_out(found, until)
    ]
    return PlanOut(
        place=place,
        name=found.listener.node.name,
        is_told=found.is_told,
        pending=len(found.pending(now, until)),
        days=[DayOut(day=each.day.isoformat(), jobs=[_job(entry) for entry in each.entries]) for each in days],
        left_out=missing,
    )


def _job(entry: Entry) -> JobOut:
    job, fate = entry.job, entry.fate
    return JobOut(
        job=job.id,
        booking=entry.booking,
        title=job.title,
        bulletin_class=job.bulletin_class.value,
        level=job.level.value,
        start=job.start,
        seconds=entry.length.total_seconds() if entry.length else None,
        areas=list(entry.areas),
        origin=entry.origin,
        drill=job.drill,
        fate=fate.name,
        fate_at=fate.at,
        reason=fate.reason.value if fate.reason else "",
    )
