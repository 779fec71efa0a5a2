"""The settings in force, to be read: where each comes from, never a secret."""

from __future__ import annotations

from typing import Literal

from flask import Response

from controller.rights import Permission
from controller.web.api import answers
from controller.web.api.fields import Answered
from controller.web.api.operation import api, door, tag
from controller.web.settings import sheet

TAG = tag("settings", "What the station was started with")


class SettingOut(Answered):
    """A setting as text, as it would stand in the environment; of a secret three stars where there is one.

    ``ahead``: what a restart makes of it, null for the same.
    """

    group: str
    name: str
    value: str
    default: str
    origin: Literal["file", "environment", "default", "given"]
    differs: bool
    ahead: str | None


class SettingList(Answered):
    """Every setting. ``wrong``: why a restart would fail as the file is now."""

    file: str | None
    wrong: str | None
    items: list[SettingOut]


@api.get("/settings", tags=TAG, responses={200: SettingList})
@door(Permission.AUDIT)
def read_settings() -> Response:
    """What is in force, in groups."""
    seen = sheet()
    same = ("name", "value", "default", "origin", "differs", "ahead")
    items = [
        SettingOut(group=group, **{name: getattr(line, name) for name in same})
        for group, lines in seen.groups.items()
        for line in lines
    ]
    wrong = seen.wrong.say("en") if seen.wrong else None
    return answers.one(SettingList(file=str(seen.file) if seen.file else None, wrong=wrong, items=items))
