"""Foresight: what an announcement would meet at a place and time, before it is sent. Nothing is kept."""

from __future__ import annotations

from flask import Response

from controller.desk import Wish
from controller.desk.foresight import Foreseen
from controller.rights import Permission
from controller.web.api import answers
from controller.web.api.announcements import TAG, facts_of, placing_of
from controller.web.api.fields import Answered, Moment
from controller.web.api.operation import JSON, api, door
from controller.web.api.shapes import Placing, Writing
from controller.web.doors import who
from controller.web.window import window


class Considered(Writing):
    """What would be sent, and where and when."""

    placing: Placing


class ConflictOut(Answered):
    """What it meets at that moment, and who waits until when.

    ``turn``: waits, missed, first, takes, alike, cuts, is_cut, ducks or is_ducked (docs/schedules.md).
    """

    at: Moment
    title: str
    turn: str
    until: Moment


class ForeseenOut(Answered):
    """``comings``: the first five. ``is_estimated``: it has no sound yet, so its length is guessed from its words."""

    comings: list[Moment]
    repeats: bool
    seconds: float
    is_estimated: bool
    conflicts: list[ConflictOut]


@api.post("/foresight", tags=TAG, responses={200: ForeseenOut})
@door(Permission.WRITE, Permission.WARN, takes=JSON)
def foresee(body: Considered) -> Response:
    """What it would meet; refused like a sending, where rules forbid the place or the time."""
    here = window()
    wish = Wish(**facts_of(body), **placing_of(body.placing))
    return answers.done(_told(here.desk.foresee(wish, who(), here.now())))


def _told(found: Foreseen) -> ForeseenOut:
    met = [
        ConflictOut(at=each.at, title=each.other.title, turn=each.turn.value, until=each.until)
        for each in found.conflicts
    ]
    return ForeseenOut(
        comings=list(found.comings),
        repeats=found.repeats,
        seconds=found.length.total_seconds(),
        is_estimated=found.estimated,
        conflicts=met,
    )
