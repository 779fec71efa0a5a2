"""The programme (khung chương trình) of an area on a page: the standing week, what stands in it, the policy there.

- Everybody whom an area concerns reads; changing is `controller.web.programme_edit`'s.
- What is downloaded is what is in force, letter for letter.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.rights import Permission
from controller.web import ground, policy_words, reading, slot_words, standing
from controller.web.doors import door, may, own_place
from controller.web.downloads import handed_out
from controller.web.language import chosen
from controller.web.standing import Policy
from controller.web.times import day_of
from controller.web.window import window
from schedules import rulebook_text

pages = Blueprint("programme", __name__)

EVERYWHERE = "*"


@pages.get("/khung-chuong-trinh")
@door(Permission.READ)
def mine() -> ResponseReturnValue:
    """To the programme of the area that was asked for, else of one's own, else of the first that has one."""
    area = request.args.get("dia-ban", "")[:200] or own_place()
    if area == EVERYWHERE:
        known = {each.id for each in reading.own_areas()}
        with_one = [each for each in sorted(window().store.programmes.standings()) if each in known]
        area = next(iter([*with_one, *sorted(known)]), "")
    return redirect(url_for("programme.of_area", area=area)) if area else abort(404)


@pages.get("/khung-chuong-trinh/<area>")
@door(Permission.READ)
def of_area(area: str) -> ResponseReturnValue:
    """The standing week of an area, what stands in its slots, and the policy that holds there."""
    place = readable(area)
    return page(place)


@pages.get("/khung-chuong-trinh/<area>/khung.toml")
@door(Permission.READ)
def document(area: str) -> ResponseReturnValue:
    """The text of the programme in force, or of the one that was applied to ``?ban=`` a day."""
    row = standing.holding(readable(area)).of_day(request.args.get("ban", "")[:10])
    if row is None:
        abort(404)
    return handed_out(row.body, ("khung-chuong-trinh", area, str(row.since)), "toml", "application/toml")


@pages.get("/khung-chuong-trinh/<area>/quy-che.toml")
@door(Permission.READ)
def policy_document(area: str) -> ResponseReturnValue:
    """The text of the policy that holds in an area."""
    current, _ = standing.policies(readable(area))
    if current is None:
        abort(404)
    text = rulebook_text.write(rulebook_text.Policy(current.area, current.since, current.rules))
    return handed_out(text, ("quy-che", current.area, str(current.since)), "toml", "application/toml")


def readable(area: str) -> str:
    """The area, if there is one of that name that concerns this person."""
    if window().store.roster.area(area) is None or not standing.may_read(area):
        abort(404)
    return area


def page(area: str, **more: Any) -> ResponseReturnValue:
    """The page of an area, with what went wrong on it."""
    here = window()
    now, zone = here.now(), here.settings.zone
    held = standing.holding(area)
    rows = [row for row in (held.current, *held.later) if row is not None]
    current, later = standing.policies(area)
    people = ground.people_names()
    view: dict[str, Any] = {"area": area, "held": held, "people": people, "names": reading.area_names()}
    view |= {"areas": reading.own_areas(), "words": slot_words, "above": standing.above(area)}
    view |= {
        "ahead": standing.slots_ahead(area, now, zone),
        "silent": standing.silent(area, rows) + standing.unsent(rows),
    }
    view |= {"may_change": may(Permission.PROGRAMME, area), "may_rule": may(Permission.POLICY, area)}
    view |= {"policy": current, "later": later, "rules": rules_of, "titles": titles}
    view |= {"day_named": lambda at: day_of(at, now, zone, chosen())}
    return render_template("programme.html", **view | more), 422 if more.get("problem") else 200


def rules_of(policy: Policy) -> list[str]:
    """A policy in sentences; where it says nothing of quiet hours those of the station hold."""
    rules = policy.rules
    return policy_words.sentences(rules.quiet or window().settings.quiet, rules.limits, rules.volumes)


def titles(booking: str) -> str:
    """What a booking announces."""
    view = window().store.bookings.view(booking)
    return view.title if view else booking
