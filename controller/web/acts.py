"""The audit log: who did what, and what was refused."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from controller.store.rows import Act, Role
from controller.web import reading
from controller.web.doors import door
from controller.web.language import t, t_or
from controller.web.window import window

pages = Blueprint("acts", __name__)

_BOOKED = re.compile(r"booking=(?P<booking>\S+)")
_RULED = re.compile(r"job=\S+ area=(?P<area>\S+) reason=(?P<reason>\w+)")
_ENTERED = re.compile(r"(?P<role>\w+) of (?P<area>\S+)")


@dataclass(frozen=True)
class Line:
    """An act as a person reads it; ``booking`` leads to what it was about, empty for none."""

    act: Act
    subject: str
    detail: str
    booking: str = ""


@pages.get("/nhat-ky")
@door(Role.ADMINISTRATOR)
def log() -> ResponseReturnValue:
    """The newest acts, and every refusal counted so far."""
    store = window().store
    people = {person.name: person.full_name or person.name for person in store.people.all()}
    people |= {person.id: people[person.name] for person in store.people.all()}
    names = reading.area_names()
    acts = [line(act, people, names) for act in store.acts.recent(limit=200)]
    refusals = sorted(store.refusals.all(), key=lambda each: each.last_at, reverse=True)[:200]
    return render_template("acts.html", acts=acts, refusals=refusals, people=people)


def line(act: Act, people: dict[str, str], names: dict[str, str]) -> Line:
    """The act in words: ids that the desk noted become titles, names and a way to the booking."""
    booked = _BOOKED.match(act.detail)
    view = window().store.bookings.view(booked["booking"] if booked else act.subject)
    held = window().store.announcements.get(view.booking.announcement if view else act.subject)
    if held:
        ruled = _RULED.fullmatch(act.detail)
        said = "" if booked or act.detail in (held.id, held.title) else act.detail
        said = ruled_out(ruled["area"], ruled["reason"], names) if ruled else said
        return Line(act, held.title, said, view.booking.id if view else "")
    entered = _ENTERED.fullmatch(act.detail)
    detail = of_whom(entered["role"], entered["area"], names) if entered else act.detail
    return Line(act, people.get(act.subject) or names.get(act.subject, act.subject), detail)


def ruled_out(area: str, reason: str, names: dict[str, str]) -> str:
    """Where something is held back, and by which rule."""
    return f"{names.get(area, area)}: {t_or(f'reason_{reason}', reason)}"


def of_whom(role: str, area: str, names: dict[str, str]) -> str:
    """A role and where it counts."""
    return f"{t_or(f'role_{role}', role)} · {t('all_areas') if area == '*' else names.get(area, area)}"
