"""Policies: the rules that hold in an area, read and set as a text."""

from __future__ import annotations

from typing import Annotated

from flask import Response, abort
from pydantic import Field

from controller.rights import Permission
from controller.web import programme, programme_edit, standing
from controller.web.api import answers
from controller.web.api.areas import TAG, Path
from controller.web.api.fields import PLAIN, Answered, Asked
from controller.web.api.operation import JSON, api, door
from controller.web.doors import who
from controller.web.language import WebError
from controller.web.window import window
from schedules import rulebook_text


class PolicyOut(Answered):
    """The rules that hold in an area: whose they are, since when, as text (TOML) and in sentences."""

    area: str
    since: str
    text: str
    sentences: list[str]


class PolicyIn(Asked):
    """The text of a policy (docs/schedules.md); it names its area, and the local day from which it shall hold."""

    text: Annotated[str, Field(pattern=PLAIN)]  # how long it may be is the rulebook's own rule


@api.get("/areas/<area>/policy", tags=TAG, responses={200: PolicyOut})
@door(Permission.READ)
def read_policy(path: Path) -> Response:
    """The policy that holds in an area today, its own or the nearest above; 404 where there is none."""
    current, _ = standing.policies(programme.readable(path.area))
    if current is None:
        abort(404)
    return answers.one(_told(current))


@api.put("/areas/<area>/policy", tags=TAG, responses={200: PolicyOut})
@door(Permission.POLICY, takes=JSON)
def set_policy(path: Path, body: PolicyIn) -> Response:
    """Let a policy hold from its day on; one of the same area and day takes its place."""
    here, area = window(), programme_edit.own(path.area, Permission.POLICY)
    policy = rulebook_text.read(body.text)
    if policy.area != area:
        raise WebError("web.programme_other_area", area=policy.area)
    here.desk.set_policy(policy, who(), here.now())
    return answers.done(_told(standing.Policy(policy.area, policy.since, policy.rules)))


def _told(held: standing.Policy) -> PolicyOut:
    text = rulebook_text.write(rulebook_text.Policy(held.area, held.since, held.rules))
    return PolicyOut(area=held.area, since=held.since.isoformat(), text=text, sentences=programme.rules_of(held))
