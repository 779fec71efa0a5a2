"""People: who there is, what each may do and for how long; giving and taking rights, links, leaving and coming back.

- Shown are those who belong or hold something where the reader has a say over people, and of theirs what lies there.
- A link stands on the page that answers the press of a button, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller import rights
from controller.desk import DeskError, NewUser
from controller.desk.staff import INVITATION
from controller.rights import EVERYWHERE, Grant, Permission, Role
from controller.store.rows import User
from controller.web import giving, reading, rights_words
from controller.web.doors import door, may, who
from controller.web.forms import Problem
from controller.web.giving import GivingError
from controller.web.language import said, t
from controller.web.window import window

MOST_CHARS = 200
FIELD_OF = {"desk.bad_name": "name", "desk.name_taken": "name"} | giving.FIELD_OF

pages = Blueprint("people", __name__)


@dataclass(frozen=True)
class Held:
    """A grant as a page shows it; ``state``: now, later, off hours or ended."""

    grant: Grant
    role: str
    place: str
    span: str
    hours: str
    state: str


@pages.get("/nguoi-dung")
@door(Permission.PEOPLE)
def list_() -> ResponseReturnValue:
    """Everybody of this person's areas, and the form for somebody new."""
    return page()


@pages.post("/nguoi-dung")
@door(Permission.PEOPLE)
def enter() -> ResponseReturnValue:
    """Enter somebody, and show the link by which they come in."""
    here, now = window(), window().now()
    name, full_name = (request.form.get(field, "")[:MOST_CHARS].strip() for field in ("name", "full_name"))
    try:
        wanted = giving.read(request.form, now, here.settings.zone)
        user = here.desk.add_user(NewUser(name, wanted, full_name), who(), now)
        return link_page(user, here.desk.invite(user.id, who(), now))
    except GivingError as wrong:
        return page([Problem(wrong.field, said(wrong))])
    except DeskError as wrong:
        return page([Problem(FIELD_OF.get(wrong.key, "role"), said(wrong))])


@pages.get("/nguoi-dung/<user>")
@door(Permission.PEOPLE)
def one(user: str) -> ResponseReturnValue:
    """One person: what they hold, and the forms."""
    return person_page(shown(user))


@pages.get("/nguoi-dung/<user>/<path:act>")
@door(Permission.PEOPLE)
def again(user: str, act: str) -> ResponseReturnValue:  # noqa: ARG001 – the page that answered a button, asked for again
    """Back to the person."""
    return redirect(url_for("people.one", user=shown(user).id), 303)


@pages.post("/nguoi-dung/<user>/quyen")
@door(Permission.PEOPLE)
def give(user: str) -> ResponseReturnValue:
    """One more right."""
    person, here, now = shown(user), window(), window().now()
    try:
        here.desk.give(person.name, giving.read(request.form, now, here.settings.zone), who(), now)
    except GivingError as wrong:
        return person_page(person, [Problem(wrong.field, said(wrong))])
    except DeskError as wrong:
        return person_page(person, [Problem(FIELD_OF.get(wrong.key, "role"), said(wrong))])
    flash(t("right_given", name=person.full_name or person.name))
    return redirect(url_for("people.one", user=person.id), 303)


@pages.post("/nguoi-dung/<user>/quyen/<grant>/rut")
@door(Permission.PEOPLE)
def take(user: str, grant: str) -> ResponseReturnValue:
    """A right ends now."""
    person = shown(user)
    try:
        window().desk.take(person.name, grant, who(), window().now())
    except DeskError as wrong:
        return person_page(person, [Problem("rights", said(wrong))])
    flash(t("right_taken", name=person.full_name or person.name))
    return redirect(url_for("people.one", user=person.id) if person.id != who().id else "/", 303)


@pages.post("/nguoi-dung/<user>/lien-ket")
@door(Permission.PEOPLE)
def link(user: str) -> ResponseReturnValue:
    """A new link for somebody who forgot their password, or never came in."""
    person = shown(user)
    try:
        return link_page(person, window().desk.invite(person.id, who(), window().now()))
    except DeskError as wrong:
        return person_page(person, [Problem("coming", said(wrong))])


@pages.post("/nguoi-dung/<user>/nghi")
@door(Permission.PEOPLE)
def leave(user: str) -> ResponseReturnValue:
    """Somebody leaves: signed out everywhere, and let in no more."""
    return come_or_go(shown(user), leaves=True)


@pages.post("/nguoi-dung/<user>/tro-lai")
@door(Permission.PEOPLE)
def come_back(user: str) -> ResponseReturnValue:
    """Somebody who had left is back, and needs a link."""
    return come_or_go(shown(user), leaves=False)


@pages.post("/nguoi-dung/<user>/quen-xac-minh")
@door(Permission.PEOPLE)
def forget_factors(user: str) -> ResponseReturnValue:
    """Somebody lost the phone with their second factor: the password will do until they set up another."""
    person = shown(user)
    try:
        window().desk.forget_factors(person.name, who(), window().now())
    except DeskError as wrong:
        return person_page(person, [Problem("coming", said(wrong))])
    flash(t("person_factors_forgotten", name=person.full_name or person.name))
    return redirect(url_for("people.one", user=person.id) if person.id != who().id else "/", 303)


def come_or_go(person: User, *, leaves: bool) -> ResponseReturnValue:
    """Let a person out or in again."""
    desk = window().desk
    try:
        (desk.dismiss if leaves else desk.readmit)(person.name, who(), window().now())
    except DeskError as wrong:
        return person_page(person, [Problem("coming", said(wrong))])
    flash(t("person_left" if leaves else "person_returned", name=person.full_name or person.name))
    return redirect(url_for("people.one", user=person.id) if person.id != who().id else "/", 303)


def shown(user: str) -> User:
    """The person with this id, if they are among those whom the reader sees."""
    return next((each for each in window().desk.staff(who(), window().now()) if each.id == user), None) or abort(404)


def page(problems: list[Problem] | None = None) -> ResponseReturnValue:
    """The list and the form."""
    everybody = window().desk.staff(who(), window().now())
    view: dict[str, Any] = {}
    view |= {"people": [(each, held(each, lasting=True)) for each in sorted(everybody, key=lambda each: each.disabled)]}
    view |= {"left": sum(each.disabled for each in everybody)}
    return render_template("people.html", **view, **form_of(), problems=problems or []), 422 if problems else 200


def person_page(person: User, problems: list[Problem] | None = None) -> ResponseReturnValue:
    """What a person holds, and the forms."""
    view: dict[str, Any] = {"person": person, "held": held(person), "problems": problems or []}
    has = window().store.factors.held(person.id)
    view["has_factor"] = has.code or has.passkeys > 0
    view["answers"] = rights.answers_for(who(), person, window().now())
    view["place"] = t("all_areas") if person.area == EVERYWHERE else reading.area_names().get(person.area, person.area)
    return render_template("person.html", **view, **form_of()), 422 if problems else 200


def link_page(person: User, token: str) -> ResponseReturnValue:
    """The link, large, for the person alone."""
    origin = window().settings.web_origin or request.host_url.rstrip("/")  # where passkeys count, if anywhere
    address = f"{origin}{url_for('signin.welcome', token=token)}"
    hours, until = int(INVITATION.total_seconds() // 3600), window().now() + INVITATION
    return render_template("person_link.html", person=person, address=address, hours=hours, until=until)


def held(person: User, *, lasting: bool = False) -> list[Held]:
    """What a person holds where the reader has a say, what counts first; only what is ``lasting``, if asked."""
    now, zone, names = window().now(), window().settings.zone, reading.area_names()
    order = {"now": 0, "off": 1, "later": 2, "ended": 3}
    found = [
        Held(
            each,
            rights_words.role_of(each),
            rights_words.place_of(each, names),
            rights_words.span_of(each, now, zone),
            rights_words.hours_of(each.hours),
            rights_words.state_of(each, now),
        )
        for each in person.grants
        if may(Permission.PEOPLE, each.area) and (rights.lasts(each, now) or not lasting)
    ]
    return sorted(found, key=lambda each: order[each.state])


def form_of() -> dict[str, Any]:
    """What the form of a right offers, and what was typed into it."""
    typed = request.form if request.method == "POST" else {}
    areas = reading.own_areas(Permission.PEOPLE)
    only = areas[0].id if len(areas) == 1 and not may(Permission.PEOPLE, EVERYWHERE) else ""
    return {
        "roles": list(Role),
        "areas": areas,
        "everywhere": EVERYWHERE if may(Permission.PEOPLE, EVERYWHERE) else "",
        "clock": giving.CLOCK,
        "typed": {name: typed.get(name, "")[:MOST_CHARS] for name in giving.FIELDS}
        | {"area": typed.get("area", only)[:MOST_CHARS], "role": typed.get("role", Role.EDITOR)[:MOST_CHARS]},
        "days": request.form.getlist("day") if request.method == "POST" else [str(each) for each in range(7)],
        "acts_of": {each.value: t(f"role_{each.value}_may") for each in Role},
    }
