"""The station's own state, and who asks."""

from __future__ import annotations

from flask import Response

from controller.store import StoreError
from controller.web.api import answers
from controller.web.api.fields import Answered, Moment
from controller.web.api.operation import api, door, tag
from controller.web.doors import who
from controller.web.window import window

TAG = tag("status", "The station, and whoever asks")


class Status(Answered):
    """``store``: ok, or why not. ``broker`` and the seconds since the last tick: null where another process ticks."""

    station: str
    zone: str
    store: str
    broker: str | None
    station_seconds: float | None


class Held(Answered):
    """A right: a role over ``area`` (``*``: everywhere) and all in it."""

    role: str
    area: str
    since: Moment | None
    until: Moment | None


class Me(Answered):
    """The token's name, as acts carry it, and what it may do now of what its person may."""

    name: str
    person: str
    area: str
    rights: list[Held]


@api.get("/status", tags=TAG, responses={200: Status})
@door()
def status() -> Response:
    """How the station is."""
    here = window()
    beat, linked = here.heartbeat(), here.broker()
    try:
        here.store.changed()
        store = "ok"
    except StoreError as wrong:
        store = wrong.key
    told = Status(
        station=here.settings.station_name,
        zone=here.settings.zone,
        store=store,
        broker=None if linked is None else "ok" if linked else "down",
        station_seconds=None if beat is None else round((here.now() - beat).total_seconds(), 1),
    )
    return answers.one(told)


@api.get("/me", tags=TAG, responses={200: Me})
@door()
def me() -> Response:
    """Who asks, and what they may do."""
    user = who()
    held = [Held(role=each.role, area=each.area, since=each.since, until=each.until) for each in user.grants]
    return answers.one(Me(name=user.name, person=user.name.partition("/")[0], area=user.area, rights=held))
