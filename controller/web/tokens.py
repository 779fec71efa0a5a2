"""API tokens on the page: a person lets a program act for them, sees which ones there are, and ends them.

- The secret stands on the page that answers the press of a button, and nowhere else.
- Whoever may let a person in and out sees, and ends, that person's tokens too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from controller.desk import DeskError, Lending
from controller.desk.api_tokens import ROLES, worth
from controller.rights import EVERYWHERE, PERMISSIONS, Role, lasts
from controller.store.rows import User
from controller.store.tokens import TokenRow
from controller.web import giving, reading
from controller.web.asking import API
from controller.web.doors import door, who
from controller.web.forms import Problem
from controller.web.giving import GivingError
from controller.web.language import said, t
from controller.web.window import window

pages = Blueprint("tokens", __name__)

MOST_CHARS = 200
USUALLY = timedelta(days=90)
FIELD_OF = {
    "desk.bad_name": "name",
    "desk.name_taken": "name",
    "desk.unknown_area": "area",
    "desk.token_beyond": "area",
    "desk.token_bad_time": "to",
}


@dataclass(frozen=True)
class Shown:
    """A token as the page shows it; ``state``: now, idle (its maker's right is gone) or ended."""

    owner: User
    row: TokenRow
    role: str
    place: str
    state: str


@pages.get("/tai-khoan/khoa-api")
@door()
def mine() -> ResponseReturnValue:
    """The tokens, and the form for a new one."""
    return page()


@pages.post("/tai-khoan/khoa-api")
@door()
def make() -> ResponseReturnValue:
    """A new token: its secret, shown this once."""
    here, now = window(), window().now()
    try:
        row, secret = here.desk.make_token(read(request.form, now), who(), now)
    except GivingError as wrong:
        return page([Problem(wrong.field, said(wrong))])
    except DeskError as refused:
        return page([Problem(FIELD_OF.get(refused.key, "name"), said(refused))])
    address = f"{here.settings.web_origin or request.host_url.rstrip('/')}{API}v1"
    return render_template("token_new.html", row=row, secret=secret, address=address)


@pages.post("/tai-khoan/khoa-api/thu-hoi")
@door()
def end() -> ResponseReturnValue:
    """A token opens nothing any more."""
    try:
        row = window().desk.end_token(request.form.get("khoa", "")[:64], who(), window().now())
    except DeskError as wrong:
        return page([Problem("tokens", said(wrong))])
    flash(t("token_ended", name=row.name))
    return redirect(url_for("tokens.mine"), 303)


def read(form: MultiDict[str, str], now: datetime) -> Lending:
    """What was typed. Raises GivingError."""
    given = giving.read(form, now, window().settings.zone)
    if given.until is None:
        raise GivingError("to", "web.token_needs_day")
    return Lending(form.get("name", "")[:MOST_CHARS].strip(), given.role, given.area, given.until)


def page(problems: list[Problem] | None = None) -> ResponseReturnValue:
    """The list and the form; 422 when something is wrong with it."""
    now, names = window().now(), reading.area_names()
    shown = [_shown(owner, row, now, names) for owner, row in window().desk.tokens(who(), now)]
    order = {"now": 0, "idle": 1, "ended": 2}
    view: dict[str, Any] = {"tokens": sorted(shown, key=lambda each: order[each.state]), "problems": problems or []}
    return render_template("tokens.html", **view, **form_of(now)), 422 if problems else 200


def form_of(now: datetime) -> dict[str, Any]:
    """What the form offers: roles that this person holds all of, in places where they hold anything."""
    held = [each for each in who().grants if lasts(each, now)]
    roles = [role for role in ROLES if any(PERMISSIONS[role] <= PERMISSIONS[each.role] for each in held)]
    everywhere = any(each.area == EVERYWHERE for each in held)
    areas = reading.own_areas()
    usual = {
        "role": (roles or [Role.VIEWER])[0].value,
        "area": areas[0].id if len(areas) == 1 else "",
        "to": f"{now + USUALLY:%d/%m/%Y}",
        "name": "",
    }
    typed = {name: request.form.get(name, value)[:MOST_CHARS] for name, value in usual.items()}
    return {
        "roles": roles,
        "areas": areas,
        "everywhere": EVERYWHERE if everywhere else "",
        "typed": typed,
        "acts_of": {each.value: t(f"role_{each.value}_may") for each in roles},
    }


def _shown(owner: User, row: TokenRow, now: datetime, names: Mapping[str, str]) -> Shown:
    place = t("all_areas") if row.area == EVERYWHERE else names.get(row.area, row.area)
    full = window().store.people.get(owner.id) or owner
    alive = not full.disabled and any(lasts(each, now) for each in worth(row, full))
    state = "ended" if not row.counts(now) else "now" if alive else "idle"
    return Shown(owner, row, t(f"role_{row.role.value}"), place, state)
