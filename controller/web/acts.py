"""The audit log: who did what, and what was refused."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from controller.store.rows import Role
from controller.web.doors import door
from controller.web.window import window

pages = Blueprint("acts", __name__)


@pages.get("/nhat-ky")
@door(Role.ADMINISTRATOR)
def log() -> ResponseReturnValue:
    """The newest acts, and every refusal counted so far."""
    store = window().store
    people = {person.name: person.full_name or person.name for person in store.people.all()}
    refusals = sorted(store.refusals.all(), key=lambda each: each.last_at, reverse=True)[:200]
    return render_template("acts.html", acts=store.acts.recent(limit=200), refusals=refusals, people=people)
